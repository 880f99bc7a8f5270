// proxpath_gpu_bench and proxpath_emulated_bench: registers every job on the device. `--tiny` takes sizes that the
// emulated device copes with; all other options are Google Benchmark's.

#include "bench/gpu/frame.hpp"

#include <cstring>

int main(int argc, char** argv)
{
    using namespace proxpath::bench;
    bool tiny = false;
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--tiny") == 0)
            tiny = true;
        else
            argv[kept++] = argv[i];
    }
    return run_benchmarks(kept, argv, tiny, [](laboratory& lab) {
        add_bandwidths(lab);
        add_products(lab);
        add_working_sets(lab);
        add_steps(lab);
    });
}
