// C = X̃'WX̃ of a working set, grown by its new columns. Dense designs: strips of rows are spread out and multiplied as
// dense matrices. Sparse ones: row lists of the new columns, so that the cost is Σ over rows of its non-zeros times its
// new ones, not non-zeros times columns. Few features have sums of their own for each piece of rows.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/backend/cpu/row_pieces.hpp"
#include "host/backend/cpu/row_strips.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

namespace {

/// Columns that one piece of work takes: a row of C below gets a cache line from each piece.
constexpr std::int64_t gram_columns_per_piece = 8;
/// Above this share of non-zeros dense products are the faster way: they take 0.05 ns an entry where meetings in a row
/// take one each.
constexpr double dense_from_density = 0.25;

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

/// Rows that become dense together; a tile of C meets so many at once.
constexpr std::int64_t dense_rows = 512;
/// Columns of a tile of C.
constexpr std::int64_t dense_tile = 128;
/// Features up to which pieces of rows have sums of their own: a triangle of 1 MiB, which a second-level cache holds.
constexpr std::int64_t own_sums = 512;

/// Columns of √w X̃ in rows [first, last).
void spread_weighted(row_strips& strips, std::span<const double> root_w, std::int64_t from, std::int64_t to,
                     std::int64_t first, std::int64_t last, Eigen::MatrixXd& strip)
{
    strips.spread(from, to, first, last, strip.col(from).data(), strip.rows());
    for (std::int64_t j = from; j < to; ++j)
        for (std::int64_t i = first; i < last; ++i) strip(i - first, j) *= root_w[static_cast<std::size_t>(i)];
}

/// Adds up what pieces of rows contribute, in their order. @param add add(piece's first row, last row, its sums)
template <class F>
Eigen::MatrixXd sum_of_pieces(std::int64_t rows, std::int64_t height, std::int64_t width, int threads, const F& add)
{
    const few_row_pieces cut(rows);
    std::vector<Eigen::MatrixXd> parts(static_cast<std::size_t>(cut.count));
    parallel::parallel_for(threads, cut.count, [&](std::int64_t piece) {
        Eigen::MatrixXd& part = parts[static_cast<std::size_t>(piece)];
        part = Eigen::MatrixXd::Zero(height, width);
        add(cut.first(piece), cut.last(piece), part);
    });
    for (std::size_t piece = 1; piece < parts.size(); ++piece) parts[0] += parts[piece];
    return std::move(parts[0]);
}

/// Few dense features: (p × new).
Eigen::MatrixXd gram_of_few(const cpu_design& X, std::span<const double> root_w, std::int64_t first_new, int threads)
{
    const std::int64_t p = X.cols();
    return sum_of_pieces(X.rows(), p, p - first_new, threads,
                         [&](std::int64_t piece_first, std::int64_t piece_last, Eigen::MatrixXd& part) {
                             row_strips strips(X, piece_first);
                             Eigen::MatrixXd strip(dense_rows, p);
                             for (std::int64_t first = piece_first; first < piece_last; first += dense_rows) {
                                 const std::int64_t last = std::min(piece_last, first + dense_rows);
                                 spread_weighted(strips, root_w, 0, p, first, last, strip);
                                 const auto rows = strip.topRows(last - first);
                                 part.noalias() += rows.transpose() * rows.rightCols(p - first_new);
                             }
                         });
}

/// Few sparse features (p × new): every row adds its pairs. In row p of the sums, those of the columns alone: centring
/// is a rank-two correction.
Eigen::MatrixXd gram_of_few_by_rows(const cpu_design& X, std::span<const double> w, std::int64_t first_new, int threads)
{
    const std::int64_t p = X.cols();
    Eigen::MatrixXd sums = sum_of_pieces(
        X.rows(), p + 1, p, threads, [&](std::int64_t piece_first, std::int64_t piece_last, Eigen::MatrixXd& part) {
            row_strips strips(X, piece_first);
            struct entry {
                std::int32_t column;
                double value;
            };
            std::vector<std::vector<entry>> lists(static_cast<std::size_t>(dense_rows));
            for (std::int64_t first = piece_first; first < piece_last; first += dense_rows) {
                const std::int64_t last = std::min(piece_last, first + dense_rows);
                for (std::vector<entry>& list : lists) list.clear();
                strips.next(
                    0, p, last,
                    [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                        const double shift = X.scaling().shift[static_cast<std::size_t>(j)];
                        const double inverse = X.scaling().inverse[static_cast<std::size_t>(j)];
                        for (std::int64_t i = begin; i < end; ++i)
                            lists[static_cast<std::size_t>(static_cast<std::int64_t>(rows[i]) - first)].push_back(
                                {static_cast<std::int32_t>(j), (static_cast<double>(values[i]) - shift) * inverse});
                    });
                for (std::int64_t i = first; i < last; ++i) {
                    const std::vector<entry>& list = lists[static_cast<std::size_t>(i - first)];
                    for (std::size_t a = list.size(); a-- > 0;) {
                        const double x = w[static_cast<std::size_t>(i)] * list[a].value;
                        double* const column = part.col(list[a].column).data();
                        column[p] += x;
                        if (list[a].column < first_new) continue;
                        for (std::size_t b = 0; b <= a; ++b) column[list[b].column] += x * list[b].value;
                    }
                }
            }
        });
    const auto mean = [&](std::int64_t j) {
        return X.scaling().center[static_cast<std::size_t>(j)] * X.scaling().inverse[static_cast<std::size_t>(j)];
    };
    for (std::int64_t f = first_new; f < p; ++f)
        for (std::int64_t e = 0; e <= f; ++e)
            sums(e, f) += mean(e) * mean(f) - mean(e) * sums(p, f) - mean(f) * sums(p, e);
    return sums.topRightCorner(p, p - first_new);
}

/// Many dense features (p × new): strip after strip, its tiles of C shared out.
Eigen::MatrixXd gram_of_many(const cpu_design& X, std::span<const double> root_w, std::int64_t first_new, int threads)
{
    const std::int64_t p = X.cols();
    struct tile {
        std::int64_t row, column;
    };
    std::vector<tile> tiles; // rows of C before or in the columns' tile; the rest is its mirror image
    for (std::int64_t column = first_new; column < p; column += dense_tile)
        for (std::int64_t row = 0; row < std::min(p, column + dense_tile); row += dense_tile)
            tiles.push_back({row, column});
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(p, p - first_new);
    row_strips strips(X, 0);
    Eigen::MatrixXd strip(std::min(X.rows(), dense_rows), p);
    constexpr std::int64_t spread_together = 16;
    for (std::int64_t first = 0; first < X.rows(); first += dense_rows) {
        const std::int64_t last = std::min(X.rows(), first + dense_rows);
        parallel::parallel_for(threads, parallel::pieces(p, spread_together), [&](std::int64_t piece) {
            const std::int64_t from = piece * spread_together;
            spread_weighted(strips, root_w, from, std::min(p, from + spread_together), first, last, strip);
        });
        const auto rows = strip.topRows(last - first);
        parallel::parallel_for(threads, static_cast<std::int64_t>(tiles.size()), [&](std::int64_t t) {
            const tile at = tiles[static_cast<std::size_t>(t)];
            const std::int64_t height = std::min(dense_tile, std::min(p, at.column + dense_tile) - at.row);
            const std::int64_t width = std::min(dense_tile, p - at.column);
            sum.block(at.row, at.column - first_new, height, width).noalias() +=
                rows.middleCols(at.row, height).transpose() * rows.middleCols(at.column, width);
        });
    }
    return sum;
}

} // namespace

template <class T>
void cpu_operations<T>::gram(const design& X, std::span<const double> row_weights, std::int64_t first_new,
                             panel<T>& C) const
{
    const cpu_design& columns = as_cpu(X);
    const std::int64_t p = X.cols();
    if (first_new >= p) return;
    const double cells = static_cast<double>(X.rows()) * static_cast<double>(p);
    const bool dense = static_cast<double>(X.nonzeros()) >= dense_from_density * cells;
    const bool few = p <= own_sums;
    if (!dense && !few) {
        gram_by_rows(columns, row_weights, first_new, C, threads_);
        return;
    }
    std::vector<double> root_weights;
    if (dense)
        for (const double weight : row_weights) root_weights.push_back(std::sqrt(weight));
    const Eigen::MatrixXd sum = !dense ? gram_of_few_by_rows(columns, row_weights, first_new, threads_)
                                : few  ? gram_of_few(columns, root_weights, first_new, threads_)
                                       : gram_of_many(columns, root_weights, first_new, threads_);
    parallel::parallel_for(threads_, p - first_new, [&](std::int64_t f) {
        const std::int64_t j = first_new + f;
        for (std::int64_t e = 0; e <= j; ++e) {
            C.row(j)[e] = static_cast<T>(sum(e, f));
            C.row(e)[j] = static_cast<T>(sum(e, f));
        }
    });
}

template void cpu_operations<float>::gram(const design&, std::span<const double>, std::int64_t, panel<float>&) const;
template void cpu_operations<double>::gram(const design&, std::span<const double>, std::int64_t, panel<double>&) const;

} // namespace proxpath::backend
