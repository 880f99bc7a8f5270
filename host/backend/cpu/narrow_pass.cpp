// The certificate's pass where every feature is in use: residuals of the whole batch and their correlations in one
// reading of X. Rows go in strips that stay in the cache from the one product to the other, so nothing of size n × k
// is ever stored; it is the p × k correlations that are, for which p must be small.

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <vector>

namespace proxpath::backend {

namespace {

/// Numbers of a strip of residuals: 128 KiB, which leaves half of a small second-level cache to B and U.
constexpr std::int64_t strip_numbers = 16384;
/// Rows are cut into so many pieces at most, each with sums of its own.
constexpr std::int64_t most_pieces = 16;

/// One piece of rows: its share of U (p × stride), of Σ w ρ, and for each column Σ w ρ² and Σ w ρ z.
struct piece_sums {
    std::vector<double> U, sum, square, product;
};

} // namespace

template <class T>
void cpu_operations<T>::residual_correlations(const design& X, const panel<T>& B, const panel<T>& y, const panel<T>& z,
                                              std::span<const double> weights, panel<T>& U, std::span<double> square,
                                              std::span<double> product) const
{
    const cpu_design& columns = as_cpu(X);
    const column_scaling& scaling = columns.scaling();
    const auto p = static_cast<std::size_t>(X.cols());
    const auto stride = static_cast<std::size_t>(B.stride);
    const std::int64_t n = X.rows();

    // Rows of B scaled once, and what centring takes from every row.
    std::vector<double> scaled(p * stride);
    std::vector<double> taken(stride, 0.0);
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t c = 0; c < stride; ++c) {
            scaled[j * stride + c] = static_cast<double>(B.row(static_cast<std::int64_t>(j))[c]) * scaling.inverse[j];
            taken[c] += scaling.center[j] * scaled[j * stride + c];
        }

    const std::int64_t count = std::clamp<std::int64_t>(parallel::pieces(n, rows_per_piece), 1, most_pieces);
    const std::int64_t strip_rows = std::max<std::int64_t>(1, strip_numbers / B.stride);
    std::vector<piece_sums> pieces(static_cast<std::size_t>(count));
    parallel::parallel_for(threads_, count, [&](std::int64_t number) {
        piece_sums& piece = pieces[static_cast<std::size_t>(number)];
        piece.U.assign(p * stride, 0.0);
        for (std::vector<double>* each : {&piece.sum, &piece.square, &piece.product}) each->assign(stride, 0.0);
        const std::int64_t piece_first = n * number / count;
        const std::int64_t piece_last = n * (number + 1) / count;
        std::vector<std::int64_t> cursors(p);
        std::vector<std::int64_t> ends(p);
        const auto for_each_column = [&](const auto& f) {
            for (const storage::column_block& block : columns.store().blocks)
                storage::visit_block(block, [&](auto indices, auto values) {
                    for (std::int64_t local = 0; local < block.count; ++local)
                        f(static_cast<std::size_t>(block.first + local), indices.column(block.offsets[local]), values,
                          block.offsets[local], block.offsets[local + 1]);
                });
        };
        for_each_column([&](std::size_t j, const auto& rows, const auto&, std::int64_t begin, std::int64_t end) {
            while (begin < end) { // first position of the piece
                const std::int64_t middle = begin + (end - begin) / 2;
                if (static_cast<std::int64_t>(rows[middle]) < piece_first)
                    begin = middle + 1;
                else
                    end = middle;
            }
            cursors[j] = begin;
        });
        std::vector<double> strip(static_cast<std::size_t>(strip_rows) * stride);
        for (std::int64_t first = piece_first; first < piece_last; first += strip_rows) {
            const std::int64_t last = std::min(piece_last, first + strip_rows);
            for (std::int64_t i = first; i < last; ++i)
                for (std::size_t c = 0; c < stride; ++c)
                    strip[static_cast<std::size_t>(i - first) * stride + c] =
                        static_cast<double>(y.row(i)[0]) + taken[c];
            for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t, std::int64_t end) {
                const double* const b = scaled.data() + j * stride;
                std::int64_t at = cursors[j];
                for (; at < end && static_cast<std::int64_t>(rows[at]) < last; ++at) {
                    const double x = static_cast<double>(values[at]) - scaling.shift[j];
                    double* const r = strip.data() + static_cast<std::size_t>(rows[at] - first) * stride;
#pragma omp simd
                    for (std::size_t c = 0; c < stride; ++c) r[c] -= x * b[c];
                }
                ends[j] = at;
            });
            for (std::int64_t i = first; i < last; ++i) {
                const double w = weights[static_cast<std::size_t>(i)];
                const auto other = static_cast<double>(z.row(i)[0]);
                double* const r = strip.data() + static_cast<std::size_t>(i - first) * stride;
#pragma omp simd
                for (std::size_t c = 0; c < stride; ++c) {
                    const double weighted = w * r[c];
                    piece.square[c] += weighted * r[c];
                    piece.product[c] += weighted * other;
                    piece.sum[c] += weighted;
                    r[c] = weighted;
                }
            }
            for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t, std::int64_t) {
                double* const u = piece.U.data() + j * stride;
                for (std::int64_t at = cursors[j]; at < ends[j]; ++at) {
                    const double x = static_cast<double>(values[at]) - scaling.shift[j];
                    const double* const r = strip.data() + static_cast<std::size_t>(rows[at] - first) * stride;
#pragma omp simd
                    for (std::size_t c = 0; c < stride; ++c) u[c] += x * r[c];
                }
                cursors[j] = ends[j];
            });
        }
    });

    std::vector<double> sum(stride, 0.0);
    std::fill(square.begin(), square.end(), 0.0);
    std::fill(product.begin(), product.end(), 0.0);
    for (const piece_sums& piece : pieces)
        for (std::size_t c = 0; c < square.size(); ++c) {
            sum[c] += piece.sum[c];
            square[c] += piece.square[c];
            product[c] += piece.product[c];
        }
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t c = 0; c < square.size(); ++c) {
            double u = 0;
            for (const piece_sums& piece : pieces) u += piece.U[j * stride + c];
            U.row(static_cast<std::int64_t>(j))[c] =
                static_cast<T>(scaling.inverse[j] * (u - scaling.center[j] * sum[c]));
        }
}

template void cpu_operations<float>::residual_correlations(const design&, const panel<float>&, const panel<float>&,
                                                           const panel<float>&, std::span<const double>, panel<float>&,
                                                           std::span<double>, std::span<double>) const;
template void cpu_operations<double>::residual_correlations(const design&, const panel<double>&, const panel<double>&,
                                                            const panel<double>&, std::span<const double>,
                                                            panel<double>&, std::span<double>, std::span<double>) const;

} // namespace proxpath::backend
