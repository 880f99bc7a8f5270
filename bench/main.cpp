// The benchmark program: registers every subject, measures the copy bandwidth first and says it with the machine.

#include "bench/support.hpp"

#include <proxpath/version.hpp>

#include <cstdio>
#include <exception>
#include <fstream>

#include <fmt/format.h>

namespace {

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "gcc " __VERSION__;
#endif

std::string processor()
{
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line))
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

} // namespace

int main(int argc, char** argv)
{
    using namespace proxpath::bench;
    try {
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
        add_transpose_multiply();
        add_correlation_pass();
        add_multiply();
        add_prox_step();
        add_gram();
        add_readers();
        benchmark::AddCustomContext("processor", processor());
        benchmark::AddCustomContext("proxpath", proxpath::version());
        benchmark::AddCustomContext("compiler", compiler);
        for (const int threads : {1, all_threads()})
            benchmark::AddCustomContext(fmt::format("copy bandwidth, {} thread{}", threads, threads == 1 ? "" : "s"),
                                        fmt::format("{:.1f} GB/s", copy_bandwidth(threads) / 1e9));
        benchmark::RunSpecifiedBenchmarks();
        benchmark::Shutdown();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
