// C = X̃'WX̃ of a working set, grown by its new columns. Dense designs: 32 weighted columns at a time are spread out and
// go through X'R. Sparse ones: row lists of the new columns, so that
// the cost is Σ over rows of its non-zeros times its new ones, not non-zeros times columns.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <numeric>

namespace proxpath::backend {

namespace {

constexpr std::int64_t spread_together = widest_tile;
/// Columns that one piece of work takes: a row of C below gets a cache line from each piece.
constexpr std::int64_t gram_columns_per_piece = 8;

/// Every column walks down its rows and meets the new columns there: their sums fit the first-level cache, and a column
/// that is in the working set already is read once, in order.
template <class T>
void gram_by_rows(const cpu_design& X, std::span<const double> w, std::int64_t first_new, panel<T>& C, int threads)
{
    const std::int64_t p = X.cols();
    const std::int64_t fresh = p - first_new;
    row_lists lists = make_row_lists(X, first_new);
    for (std::int64_t i = 0; i < X.rows(); ++i)
        for (std::int64_t e = lists.offsets[static_cast<std::size_t>(i)];
             e < lists.offsets[static_cast<std::size_t>(i) + 1]; ++e)
            lists.values[static_cast<std::size_t>(e)] *= w[static_cast<std::size_t>(i)];
    // Weighted sums of the stored part: centring is a rank-two correction.
    std::vector<double> means(static_cast<std::size_t>(p));
    for (std::size_t j = 0; j < means.size(); ++j) means[j] = X.scaling().center[j] * X.scaling().inverse[j];
    std::vector<double> fresh_sums(static_cast<std::size_t>(fresh), 0.0);
    for (std::size_t e = 0; e < lists.values.size(); ++e)
        fresh_sums[static_cast<std::size_t>(lists.columns[e] - first_new)] += lists.values[e];

    const std::int64_t pieces = parallel::pieces(p, gram_columns_per_piece);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        const std::int64_t first = piece * gram_columns_per_piece;
        const std::int64_t last = std::min(p, first + gram_columns_per_piece);
        std::vector<double> tile(static_cast<std::size_t>((last - first) * fresh), 0.0);
        std::vector<double> sums(static_cast<std::size_t>(last - first), 0.0);
        for (std::int64_t j = first; j < last; ++j) {
            double* const row = tile.data() + (j - first) * fresh;
            const bool is_new = j >= first_new;
            const storage::column_block& block = storage::block_of(X.store(), j);
            storage::visit_block(block, [&](auto indices, auto values) {
                const std::int64_t begin = block.offsets[j - block.first];
                const std::int64_t end = block.offsets[j - block.first + 1];
                const auto rows = indices.column(begin);
                double sum = 0;
                for (std::int64_t at = begin; at < end; ++at) {
                    const auto i = static_cast<std::size_t>(rows[at]);
                    const double x =
                        (static_cast<double>(values[at]) - X.scaling().shift[static_cast<std::size_t>(j)]) *
                        X.scaling().inverse[static_cast<std::size_t>(j)];
                    sum += w[i] * x;
                    const std::int64_t row_end = lists.offsets[i + 1];
                    for (std::int64_t e = lists.offsets[i]; e < row_end; ++e) {
                        const std::int64_t other = lists.columns[static_cast<std::size_t>(e)];
                        if (is_new && other > j) break; // the other half is its mirror image
                        row[other - first_new] += x * lists.values[static_cast<std::size_t>(e)];
                    }
                }
                sums[static_cast<std::size_t>(j - first)] = sum;
            });
        }
        for (std::int64_t f = 0; f < fresh; ++f)
            for (std::int64_t j = first; j < last; ++j) {
                const std::int64_t g = first_new + f;
                if (j >= first_new && g > j) continue;
                const auto a = static_cast<std::size_t>(j);
                const auto b = static_cast<std::size_t>(g);
                const double value = tile[static_cast<std::size_t>((j - first) * fresh + f)] -
                                     means[a] * fresh_sums[static_cast<std::size_t>(f)] -
                                     means[b] * sums[static_cast<std::size_t>(j - first)] + means[a] * means[b];
                C.row(g)[j] = static_cast<T>(value);
                C.row(j)[g] = static_cast<T>(value);
            }
    });
}

} // namespace

template <class T>
void cpu_operations<T>::gram(const design& X, std::span<const double> row_weights, std::int64_t first_new,
                             panel<T>& C) const
{
    const cpu_design& columns = as_cpu(X);
    const std::int64_t p = X.cols();
    const double cells = static_cast<double>(X.rows()) * static_cast<double>(p);
    if (static_cast<double>(X.nonzeros()) < spread_from_density * cells) {
        gram_by_rows(columns, row_weights, first_new, C, threads_);
        return;
    }
    const cpu_operations<double> in_double(threads_);
    panel<double> R = in_double.allocate(X.rows(), std::min(spread_together, p - first_new));
    const auto& blocks = columns.store().blocks;
    for (std::int64_t first = first_new; first < p; first += spread_together) {
        const std::int64_t last = std::min(p, first + spread_together);
        std::vector<std::int64_t> listed(static_cast<std::size_t>(last - first));
        std::iota(listed.begin(), listed.end(), first);
        spread_columns(columns, row_weights, listed, R, threads_);
        const std::vector<double> row_sums = panel_column_sums(R, threads_);
        parallel::parallel_for(threads_, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t b) {
            std::vector<double> scratch(static_cast<std::size_t>(R.stride));
            correlate_block(
                columns, blocks[static_cast<std::size_t>(b)], R, row_sums.data(), scratch.data(),
                [&](std::int64_t j) { return j < last; },
                [&](std::int64_t j, const double* correlation) {
                    for (std::int64_t c = first; c < last; ++c) {
                        if (j > c) continue; // the other half is its mirror image
                        C.row(j)[c] = static_cast<T>(correlation[c - first]);
                        C.row(c)[j] = static_cast<T>(correlation[c - first]);
                    }
                });
        });
    }
}

template void cpu_operations<float>::gram(const design&, std::span<const double>, std::int64_t, panel<float>&) const;
template void cpu_operations<double>::gram(const design&, std::span<const double>, std::int64_t, panel<double>&) const;

} // namespace proxpath::backend
