// proxpath_gpu_bench and proxpath_emulated_bench: registers every job on the device. `--tiny` takes sizes that the
// emulated device copes with; all other options are Google Benchmark's.

#include "bench/gpu/frame.hpp"

#include <proxpath/version.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <exception>

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
    argc = kept;
    try {
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
        laboratory lab(open_measured_device(), tiny);
        add_bandwidths(lab);
        add_products(lab);
        add_working_sets(lab);
        add_steps(lab);
        benchmark::AddCustomContext("device", lab.name);
        benchmark::AddCustomContext("proxpath", proxpath::version());
        benchmark::RunSpecifiedBenchmarks();
        benchmark::Shutdown();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
