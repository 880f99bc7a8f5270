// See frame.hpp.

#include "bench/gpu/frame.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/version.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <random>

namespace proxpath::bench {

namespace {

/// Runs between two looks at the clock, so that its own two microseconds do not count.
constexpr int runs_a_look = 8;

void time_job(benchmark::State& state, laboratory& lab, const stream_job& job)
{
    const int runs = lab.tiny ? 1 : runs_a_look;
    for (auto _ : state) {
        lab.clock->start(lab.stream());
        for (int run = 0; run < runs; ++run) job.run();
        state.SetIterationTime(lab.clock->stop(lab.stream()) / runs);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * job.bytes));
    state.counters["bytes"] = job.bytes;
}

} // namespace

laboratory::laboratory(measured_device device, bool small_sizes)
    : name(std::move(device.name)), tiny(small_sizes), clock(std::move(device.clock)),
      session(std::make_shared<backend::device_session>(std::move(device.runtime))),
      device_float(backend::make_cuda_operations<float>(session)),
      host_float(backend::make_cpu_operations<float>(parallel::resolve_threads(0))),
      device_double(backend::make_cuda_operations<double>(session)),
      host_double(backend::make_cpu_operations<double>(parallel::resolve_threads(0)))
{}

std::shared_ptr<backend::device_buffer<double>> laboratory::numbers(std::int64_t n) const
{
    return std::make_shared<backend::device_buffer<double>>(session->buffer<double>(n));
}

std::shared_ptr<backend::device_buffer<double>> laboratory::numbers(const std::vector<double>& host) const
{
    auto made = std::make_shared<backend::device_buffer<double>>(session->upload(std::span<const double>(host)));
    session->wait();
    return made;
}

void add_job(laboratory& lab, const std::string& name, std::function<stream_job()> make)
{
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&lab, name, make = std::move(make)](benchmark::State& state) {
                                     // Google Benchmark calls this several times to find out how often to repeat a job.
                                     if (lab.job_name != name) {
                                         lab.job = {};
                                         lab.job = make();
                                         lab.job_name = name;
                                     }
                                     if (!lab.job.right) return state.SkipWithError("wrong answer: not timed");
                                     lab.job.run(); // whatever a first launch loads
                                     lab.session->wait();
                                     time_job(state, lab, lab.job);
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

template <class T>
std::vector<T> random_numbers(std::int64_t count, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::vector<T> made(static_cast<std::size_t>(count));
    for (T& number : made) number = static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
    return made;
}

template <class T>
backend::panel<T> to_panel(const backend::operations<T>& ops, std::int64_t rows, std::int64_t cols,
                           const std::vector<T>& host)
{
    backend::panel<T> made = ops.allocate(rows, cols);
    ops.upload(host, made);
    return made;
}

template <class T>
std::vector<T> from_panel(const backend::operations<T>& ops, const backend::panel<T>& panel)
{
    std::vector<T> host(static_cast<std::size_t>(panel.rows * panel.cols));
    ops.download(panel, host);
    return host;
}

template <class T>
bool sums_agree(const std::vector<T>& one, const std::vector<T>& other, const std::vector<T>& sizes, double terms)
{
    const double bound = 1.01 * (terms + 10) * std::numeric_limits<double>::epsilon() + // twice u, for two sums
                         1.1 * static_cast<double>(std::numeric_limits<T>::epsilon());
    for (std::size_t i = 0; i < one.size(); ++i) {
        const double apart = std::fabs(static_cast<double>(one[i]) - static_cast<double>(other[i]));
        if (!(apart <= bound * static_cast<double>(sizes[i]))) return false;
    }
    return one.size() == other.size() && one.size() == sizes.size();
}

template std::vector<float> random_numbers(std::int64_t, std::uint64_t);
template std::vector<double> random_numbers(std::int64_t, std::uint64_t);
template backend::panel<float> to_panel(const backend::operations<float>&, std::int64_t, std::int64_t,
                                        const std::vector<float>&);
template backend::panel<double> to_panel(const backend::operations<double>&, std::int64_t, std::int64_t,
                                         const std::vector<double>&);
template std::vector<float> from_panel(const backend::operations<float>&, const backend::panel<float>&);
template std::vector<double> from_panel(const backend::operations<double>&, const backend::panel<double>&);
template bool sums_agree(const std::vector<float>&, const std::vector<float>&, const std::vector<float>&, double);
template bool sums_agree(const std::vector<double>&, const std::vector<double>&, const std::vector<double>&, double);

std::vector<double> tame_matrix(std::int64_t p)
{
    std::vector<double> made(static_cast<std::size_t>(p * p));
    for (std::int64_t i = 0; i < p; ++i)
        for (std::int64_t j = 0; j < p; ++j)
            made[static_cast<std::size_t>(i * p + j)] =
                i == j ? 1 : static_cast<double>((i + j) % 7 - 3) / (10 * static_cast<double>(p));
    return made;
}

int run_benchmarks(int argc, char** argv, bool tiny, const std::function<void(laboratory&)>& add)
{
    try {
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
        laboratory lab(open_measured_device(), tiny);
        add(lab);
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

} // namespace proxpath::bench
