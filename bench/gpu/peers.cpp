// proxpath_peers_bench: what NVIDIA's libraries do of the same operations, under the same names, on the same data.

#include "bench/gpu/frame.hpp"

int main(int argc, char** argv)
{
    using namespace proxpath::bench;
    return run_benchmarks(argc, argv, false, [](laboratory& lab) {
        add_cusparse(lab);
        add_cublas(lab);
    });
}
