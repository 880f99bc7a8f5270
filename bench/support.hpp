// The frame of every benchmark: a job is made and its answer checked once, then timed; bytes a second and the share of
// the copy bandwidth are reported. A naive loop in double, with a bound on what rounding may do, is the judge.
#pragma once

#include "bench/bandwidth.hpp"
#include "bench/subjects.hpp"

#include "host/backend/operations.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace proxpath::bench {

/// Threads that figures are taken with: all cores, and one where `alone` asks for it.
int all_threads();

/// One at a time: jobs hold much memory. `made` is called when `name` is not the last job's name (Google Benchmark runs
/// a function several times to find out how often to repeat it; making and checking would be done each time).
template <class Job, class Make>
Job& job_for(const std::string& name, const Make& make)
{
    static std::string kept_name;
    static std::unique_ptr<Job> kept;
    if (kept_name != name || !kept) {
        kept.reset();
        kept = std::make_unique<Job>(make());
        kept_name = name;
    }
    return *kept;
}

/// @param bytes traffic of one run that cannot be avoided: the table of operations.hpp, or the file's size
void report(benchmark::State& state, double bytes, int threads);

/// Registers f(state, name) with the settings that all have.
template <class F>
void add(const std::string& name, F f)
{
    benchmark::RegisterBenchmark(name.c_str(), [f, name](benchmark::State& state) { f(state, name); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond)
        ->ComputeStatistics("min", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); });
}

/// A name such as transpose_multiply/debian_counts/double/k:32/threads:2.
template <class T>
std::string name_of(const std::string& operation, const std::string& subject, std::int64_t k, int threads)
{
    return operation + '/' + subject + (sizeof(T) == 4 ? "/float" : "/double") + "/k:" + std::to_string(k) +
           "/threads:" + std::to_string(threads);
}

/// Numbers in [-1, 1), the same everywhere; padding zero.
template <class T>
backend::panel<T> random_panel(const backend::operations<T>& cpu, std::int64_t rows, std::int64_t cols,
                               std::uint64_t seed);

/// Columns of X centred on their mean and brought to variance 1 / n, as a fit does.
template <class T>
std::shared_ptr<const backend::design> make_design(const backend::operations<T>& cpu, const matrix& X);

/// Value and bound on the rounding error of a sum, both in double.
struct judged {
    double value = 0;
    double magnitude = 0; ///< Σ |terms|
    std::int64_t terms = 0;

    void add(double term)
    {
        value += term;
        magnitude += std::fabs(term);
        ++terms;
    }
    /// Two sums in double, in any order, of the same terms (four roundings each), stored as T: Higham 2002, ch. 3.
    template <class T>
    bool agrees(T other) const
    {
        constexpr double unit = std::numeric_limits<double>::epsilon();
        const double bound = static_cast<double>(2 * (terms + 4)) * unit * magnitude +
                             static_cast<double>(std::numeric_limits<T>::epsilon()) * std::fabs(value);
        return std::fabs(static_cast<double>(other) - value) <= bound;
    }
};

/// (X̃'R)_jc for all c of column j, from the formula in design.hpp.
template <class T>
void naive_correlation(const backend::design& design, const matrix& X, std::int64_t j, const backend::panel<T>& R,
                       const std::vector<judged>& row_sums, std::vector<judged>& into);

/// Σ_i R_ic.
template <class T>
std::vector<judged> naive_row_sums(const backend::panel<T>& R);

constexpr const char* wrong_answer = "wrong answer: not timed";

void add_transpose_multiply();
void add_correlation_pass();
void add_multiply();
void add_prox_step();
void add_gram();
void add_readers();

} // namespace proxpath::bench
