// Panels, designs, the naive loops and the report that all benchmarks share; see support.hpp.

#include "bench/support.hpp"

#include "host/backend/cpu/cpu_design.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <random>

namespace proxpath::bench {

int all_threads() { return parallel::resolve_threads(0); }

void report(benchmark::State& state, double bytes, int threads)
{
    const double peak = copy_bandwidth(threads);
    state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * bytes));
    state.counters["floor_ms"] = 1e3 * bytes / peak;
    state.counters["of_copy"] = {bytes / peak, benchmark::Counter::kIsIterationInvariantRate};
}

template <class T>
backend::panel<T> random_panel(const backend::operations<T>& cpu, std::int64_t rows, std::int64_t cols,
                               std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    backend::panel<T> made = cpu.allocate(rows, cols);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t c = 0; c < cols; ++c)
            made.row(i)[c] = static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
    return made;
}

template <class T>
std::shared_ptr<const backend::design> make_design(const backend::operations<T>& cpu, const matrix& X)
{
    const std::vector<double> weights(static_cast<std::size_t>(X.rows()), 1 / static_cast<double>(X.rows()));
    const backend::column_moments moments = cpu.moments(X, weights);
    backend::column_scaling scaling;
    scaling.shift.assign(moments.mean.size(), 0.0);
    scaling.center = moments.mean;
    for (const double variance : moments.variance)
        scaling.inverse.push_back(variance > 0 ? 1 / std::sqrt(variance * static_cast<double>(X.rows())) : 0);
    return cpu.make_design(X, std::move(scaling));
}

template <class T>
std::vector<judged> naive_row_sums(const backend::panel<T>& R)
{
    std::vector<judged> sums(static_cast<std::size_t>(R.cols));
    for (std::int64_t i = 0; i < R.rows; ++i)
        for (std::int64_t c = 0; c < R.cols; ++c)
            sums[static_cast<std::size_t>(c)].add(static_cast<double>(R.row(i)[c]));
    return sums;
}

template <class T>
void naive_correlation(const backend::design& design, const matrix& X, std::int64_t j, const backend::panel<T>& R,
                       const std::vector<judged>& row_sums, std::vector<judged>& into)
{
    into.assign(static_cast<std::size_t>(R.cols), {});
    const backend::column_scaling& scaling = design.scaling();
    const auto at = static_cast<std::size_t>(j);
    const storage::column_block& block = storage::block_of(X.store(), j);
    storage::visit_block(block, [&](auto indices, auto values) {
        const std::int64_t begin = block.offsets[j - block.first];
        const auto rows = indices.column(begin);
        for (std::int64_t i = begin; i < block.offsets[j - block.first + 1]; ++i) {
            const double x = (static_cast<double>(values[i]) - scaling.shift[at]) * scaling.inverse[at];
            for (std::size_t c = 0; c < into.size(); ++c)
                into[c].add(x * static_cast<double>(R.row(static_cast<std::int64_t>(rows[i]))[c]));
        }
    });
    for (std::size_t c = 0; c < into.size(); ++c) {
        const double weight = scaling.center[at] * scaling.inverse[at];
        into[c].value -= weight * row_sums[c].value;
        into[c].magnitude += std::fabs(weight) * row_sums[c].magnitude;
        into[c].terms += row_sums[c].terms;
    }
}

template backend::panel<float> random_panel(const backend::operations<float>&, std::int64_t, std::int64_t,
                                            std::uint64_t);
template backend::panel<double> random_panel(const backend::operations<double>&, std::int64_t, std::int64_t,
                                             std::uint64_t);
template std::shared_ptr<const backend::design> make_design(const backend::operations<float>&, const matrix&);
template std::shared_ptr<const backend::design> make_design(const backend::operations<double>&, const matrix&);
template std::vector<judged> naive_row_sums(const backend::panel<float>&);
template std::vector<judged> naive_row_sums(const backend::panel<double>&);
template void naive_correlation(const backend::design&, const matrix&, std::int64_t, const backend::panel<float>&,
                                const std::vector<judged>&, std::vector<judged>&);
template void naive_correlation(const backend::design&, const matrix&, std::int64_t, const backend::panel<double>&,
                                const std::vector<judged>&, std::vector<judged>&);

} // namespace proxpath::bench
