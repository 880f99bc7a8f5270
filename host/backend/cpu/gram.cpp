// C = X̃'WX̃ of a working set, grown by its new columns. Dense designs: 32 weighted columns at a time are spread out and
// go through X'R. Sparse ones: row lists, so that the cost is Σ (non-zeros of a row)², not non-zeros times columns.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <numeric>

namespace proxpath::backend {

namespace {

constexpr std::int64_t spread_together = widest_tile;
constexpr std::int64_t gram_rows_per_piece = 128;

template <class T>
void gram_by_rows(const cpu_design& X, std::span<const double> w, std::int64_t first_new, panel<T>& C, int threads)
{
    const row_lists lists = make_row_lists(X);
    const std::int64_t p = X.cols();
    // Weighted sums of the stored part: centring is a rank-two correction.
    std::vector<double> sums(static_cast<std::size_t>(p), 0.0);
    for (std::int64_t i = 0; i < X.rows(); ++i)
        for (auto e = static_cast<std::size_t>(lists.offsets[static_cast<std::size_t>(i)]);
             e < static_cast<std::size_t>(lists.offsets[static_cast<std::size_t>(i) + 1]); ++e)
            sums[static_cast<std::size_t>(lists.columns[e])] += w[static_cast<std::size_t>(i)] * lists.values[e];
    std::vector<double> means(static_cast<std::size_t>(p));
    for (std::size_t j = 0; j < means.size(); ++j) means[j] = X.scaling().center[j] * X.scaling().inverse[j];

    const std::int64_t pieces = parallel::pieces(p - first_new, gram_rows_per_piece);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        const std::int64_t first = first_new + piece * gram_rows_per_piece;
        const std::int64_t last = std::min(p, first + gram_rows_per_piece);
        std::vector<double> tile(static_cast<std::size_t>((last - first) * last), 0.0); // columns ≤ row
        for (std::int64_t i = 0; i < X.rows(); ++i) {
            const auto begin = lists.columns.begin() + lists.offsets[static_cast<std::size_t>(i)];
            const auto end = lists.columns.begin() + lists.offsets[static_cast<std::size_t>(i) + 1];
            const double weight = w[static_cast<std::size_t>(i)];
            for (auto a = std::lower_bound(begin, end, static_cast<std::int32_t>(first)); a != end && *a < last; ++a) {
                const double scaled = weight * lists.values[static_cast<std::size_t>(a - lists.columns.begin())];
                double* const row = tile.data() + (*a - first) * last;
                for (auto b = begin; b <= a; ++b)
                    row[*b] += scaled * lists.values[static_cast<std::size_t>(b - lists.columns.begin())];
            }
        }
        for (std::int64_t r = first; r < last; ++r)
            for (std::int64_t c = 0; c <= r; ++c) {
                const auto i = static_cast<std::size_t>(r);
                const auto j = static_cast<std::size_t>(c);
                const double value = tile[static_cast<std::size_t>((r - first) * last + c)] - means[i] * sums[j] -
                                     means[j] * sums[i] + means[i] * means[j];
                C.row(r)[c] = static_cast<T>(value);
                C.row(c)[r] = static_cast<T>(value);
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
