// C = X̃'WX̃ of a working set, grown by its new columns. Dense designs: strips of rows are spread out and multiplied as
// dense matrices. Sparse ones: row lists of the new columns, so that the cost is Σ over rows of its non-zeros times its
// new ones, not non-zeros times columns. Few features have sums of their own for each piece of rows, and may take the
// response along.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/backend/cpu/row_pieces.hpp"
#include "host/backend/cpu/row_strips.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
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
/// Above this share of non-zeros a column of a sparse design is spread out. Anything from 0.25 to 0.7 takes the same
/// time on a9a (3.7 ms) and ames (3.5 ms); 0.15 takes a quarter more on a9a.
constexpr double spread_column_from_density = 0.5;
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

/// What few features are multiplied with: each other, and a response if one is wanted.
struct few_columns {
    const cpu_design& X;
    std::span<const double> w;
    std::span<const double> y;
    bool with_response = false; ///< y counts: of no rows it is empty, too
    std::int64_t first_new = 0;

    std::int64_t p() const { return X.cols(); }
    /// Columns with the response as the last.
    std::int64_t width() const { return p() + (with_response ? 1 : 0); }
};

/// Few dense features: (width × width from first_new on).
Eigen::MatrixXd gram_of_few(const few_columns& of, int threads)
{
    const std::int64_t width = of.width();
    const std::int64_t fresh = width - of.first_new;
    std::vector<double> root_w(of.w.size());
    for (std::size_t i = 0; i < root_w.size(); ++i)
        root_w[i] = i > 0 && of.w[i] == of.w[i - 1] ? root_w[i - 1] : std::sqrt(of.w[i]); // often the same in all rows
    return sum_of_pieces(of.X.rows(), width, fresh, threads,
                         [&](std::int64_t piece_first, std::int64_t piece_last, Eigen::MatrixXd& part) {
                             row_strips strips(of.X, piece_first);
                             Eigen::MatrixXd strip(dense_rows, width);
                             for (std::int64_t first = piece_first; first < piece_last; first += dense_rows) {
                                 const std::int64_t last = std::min(piece_last, first + dense_rows);
                                 spread_weighted(strips, root_w, 0, of.p(), first, last, strip);
                                 if (of.with_response)
                                     for (std::int64_t i = first; i < last; ++i) {
                                         const auto row = static_cast<std::size_t>(i);
                                         strip(i - first, of.p()) = root_w[row] * of.y[row];
                                     }
                                 const auto rows = strip.topRows(last - first);
                                 part.noalias() += rows.transpose() * rows.rightCols(fresh);
                             }
                         });
}

/// Few features, most of them sparse: every row adds the pairs of its sparse ones. What most rows have (a column of
/// ones and the response among it) stands beside them as dense rows, to be added to a sparse column's sums as vectors.
class few_by_rows {
public:
    explicit few_by_rows(const few_columns& of) : of_(of), place_(static_cast<std::size_t>(of.p()))
    {
        for (std::int64_t j = 0; j < of.p(); ++j) {
            const storage::column_block& block = storage::block_of(of.X.store(), j);
            const std::int64_t local = j - block.first;
            const auto entries = static_cast<double>(block.offsets[local + 1] - block.offsets[local]);
            const bool spread = entries >= spread_column_from_density * static_cast<double>(of.X.rows());
            new_spread_ = new_spread_ || (spread && j >= of.first_new);
            std::int64_t& count = spread ? spread_ : sparse_;
            place_[static_cast<std::size_t>(j)] = {spread, static_cast<std::int32_t>(count++)};
            if (!spread) feature_.push_back(j);
        }
        ones_ = spread_;
        height_ = (spread_ + (of.with_response ? 2 : 1) + vector - 1) / vector * vector;
    }

    /// (width × width from first_new on), above the diagonal.
    Eigen::MatrixXd sum(int threads) const
    {
        // Sparse columns have a column each: of products with what is spread, then with sparse columns up to them.
        // Behind them, the products of what is spread.
        const Eigen::MatrixXd sums = sum_of_pieces(
            of_.X.rows(), height_ + sparse_, sparse_ + height_, threads,
            [&](std::int64_t first, std::int64_t last, Eigen::MatrixXd& part) { add_piece(first, last, part); });
        const std::int64_t width = of_.width();
        // Centring is a correction of rank two. The weights sum to one but for rounding, which counts here.
        const double all_weights = sums(ones_, sparse_ + ones_);
        std::vector<double> means(static_cast<std::size_t>(width), 0.0), totals(means);
        std::vector<position> places(place_);
        places.push_back({true, static_cast<std::int32_t>(ones_ + 1)}); // the response
        for (std::int64_t j = 0; j < width; ++j) {
            const auto at = static_cast<std::size_t>(j);
            totals[at] = sums(ones_, places[at].spread ? sparse_ + places[at].place : places[at].place);
            if (j < of_.p()) means[at] = of_.X.scaling().center[at] * of_.X.scaling().inverse[at];
        }
        Eigen::MatrixXd out(width, width - of_.first_new);
        parallel::parallel_for(threads, width - of_.first_new, [&](std::int64_t column) {
            const auto f = static_cast<std::size_t>(of_.first_new + column);
            const position to = places[f];
            const double* const own = sums.col(to.spread ? sparse_ + to.place : to.place).data();
            for (std::size_t e = 0; e <= f; ++e) {
                const position from = places[e];
                const double product = from.spread ? own[from.place]
                                       : to.spread ? sums(to.place, from.place)
                                                   : own[height_ + from.place];
                out(static_cast<std::int64_t>(e), column) =
                    product + means[e] * means[f] * all_weights - means[e] * totals[f] - means[f] * totals[e];
            }
        });
        return out;
    }

private:
    struct position {
        bool spread = false;
        std::int32_t place = 0; ///< among its kind
    };
    struct entry {
        double value;
        std::int32_t place;
    };
    static constexpr std::int64_t strip_rows = 256;
    static constexpr std::int64_t vector = 8;

    void add_piece(std::int64_t piece_first, std::int64_t piece_last, Eigen::MatrixXd& part) const
    {
        row_strips strips(of_.X, piece_first);
        Eigen::MatrixXd spread(height_, strip_rows); // a column for each row of X
        Eigen::MatrixXd weighted(height_, strip_rows);
        // A row's entries begin a place behind the most the row before may have: never a power of two apart.
        const std::int64_t reach = sparse_ + 1;
        const auto entries = std::make_unique_for_overwrite<entry[]>(static_cast<std::size_t>(strip_rows * reach));
        std::vector<std::int64_t> counts(static_cast<std::size_t>(strip_rows));
        const column_scaling& scaling = of_.X.scaling();
        for (std::int64_t first = piece_first; first < piece_last; first += strip_rows) {
            const std::int64_t last = std::min(piece_last, first + strip_rows);
            spread.setZero();
            std::fill(counts.begin(), counts.end(), 0);
            strips.next(
                0, of_.p(), last,
                [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    const double shift = scaling.shift[static_cast<std::size_t>(j)];
                    const double inverse = scaling.inverse[static_cast<std::size_t>(j)];
                    const position here = place_[static_cast<std::size_t>(j)];
                    for (std::int64_t i = begin; i < end; ++i) {
                        const auto row = static_cast<std::int64_t>(rows[i]) - first;
                        const double x = (static_cast<double>(values[i]) - shift) * inverse;
                        if (here.spread)
                            spread(here.place, row) = x;
                        else
                            entries[static_cast<std::size_t>(row * reach + counts[static_cast<std::size_t>(row)]++)] = {
                                x, here.place};
                    }
                });
            for (std::int64_t i = first; i < last; ++i) {
                spread(ones_, i - first) = 1;
                if (of_.with_response) spread(ones_ + 1, i - first) = of_.y[static_cast<std::size_t>(i)];
                weighted.col(i - first) = of_.w[static_cast<std::size_t>(i)] * spread.col(i - first);
            }
            part.block(0, sparse_, height_, height_).noalias() +=
                spread.leftCols(last - first) * weighted.leftCols(last - first).transpose();
            for (std::int64_t i = first; i < last; ++i)
                add_row(entries.get() + (i - first) * reach, counts[static_cast<std::size_t>(i - first)],
                        of_.w[static_cast<std::size_t>(i)], spread.col(i - first).data(), part);
        }
    }

    /// Bytes for each pair: 16 read, 8 read and written.
    void add_row(const entry* list, std::int64_t count, double w, const double* spread, Eigen::MatrixXd& part) const
    {
        for (std::int64_t a = 0; a < count; ++a) {
            const bool is_new = feature_[static_cast<std::size_t>(list[a].place)] >= of_.first_new;
            const double x = w * list[a].value;
            double* const column = part.col(list[a].place).data();
            if (!is_new && !new_spread_) {
                column[ones_] += x; // centring needs its sum
                continue;
            }
            for (std::int64_t d = 0; d < height_; d += vector)
                for (std::int64_t lane = 0; lane < vector; ++lane) column[d + lane] += x * spread[d + lane];
            if (!is_new) continue;
            double* const pairs = column + height_;
            for (std::int64_t b = 0; b <= a; ++b) pairs[list[b].place] += x * list[b].value;
        }
    }

    few_columns of_;
    std::vector<position> place_;       ///< p
    std::vector<std::int64_t> feature_; ///< of the sparse columns
    std::int64_t sparse_ = 0, spread_ = 0;
    std::int64_t ones_ = 0;   ///< place of the column of ones; the response comes next
    std::int64_t height_ = 0; ///< all that is spread, filled up to whole vectors
    bool new_spread_ = false; ///< sparse columns that are old have products to come, too
};

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

bool is_dense(const design& X)
{
    return static_cast<double>(X.nonzeros()) >=
           dense_from_density * static_cast<double>(X.rows()) * static_cast<double>(X.cols());
}

/// Both halves of C from its columns from first_new on, above the diagonal. Rows below it are written a vector at a
/// time.
template <class T>
void store_symmetric(const Eigen::MatrixXd& sum, std::int64_t first_new, panel<T>& C, int threads)
{
    constexpr std::int64_t together = 8;
    parallel::parallel_for(threads, parallel::pieces(C.rows - first_new, together), [&](std::int64_t piece) {
        const std::int64_t first = first_new + piece * together;
        const std::int64_t last = std::min(C.rows, first + together);
        for (std::int64_t j = first; j < last; ++j)
            for (std::int64_t e = 0; e <= j; ++e) C.row(j)[e] = static_cast<T>(sum(e, j - first_new));
        for (std::int64_t e = 0; e < last; ++e)
            for (std::int64_t j = std::max(first, e); j < last; ++j)
                C.row(e)[j] = static_cast<T>(sum(e, j - first_new));
    });
}

Eigen::MatrixXd products_of_few(const few_columns& of, bool dense, int threads)
{
    if (dense) return gram_of_few(of, threads);
    return few_by_rows(of).sum(threads);
}

} // namespace

template <class T>
void cpu_operations<T>::gram(const design& X, std::span<const double> row_weights, std::int64_t first_new,
                             panel<T>& C) const
{
    const cpu_design& columns = as_cpu(X);
    const std::int64_t p = X.cols();
    if (first_new >= p) return;
    const bool dense = is_dense(X);
    const bool few = p <= own_sums;
    if (!dense && !few) {
        gram_by_rows(columns, row_weights, first_new, C, threads_);
        return;
    }
    std::vector<double> root_weights;
    if (!few)
        for (const double weight : row_weights) root_weights.push_back(std::sqrt(weight));
    const Eigen::MatrixXd sum = few ? products_of_few({columns, row_weights, {}, false, first_new}, dense, threads_)
                                    : gram_of_many(columns, root_weights, first_new, threads_);
    store_symmetric(sum, first_new, C, threads_);
}

template <class T>
double cpu_operations<T>::gram_with_response(const design& X, std::span<const double> row_weights,
                                             std::span<const double> y, panel<T>& C,
                                             std::span<double> correlation) const
{
    const std::int64_t p = X.cols();
    const Eigen::MatrixXd sum = products_of_few({as_cpu(X), row_weights, y, true}, is_dense(X), threads_);
    store_symmetric(sum, 0, C, threads_);
    for (std::int64_t j = 0; j < p; ++j) correlation[static_cast<std::size_t>(j)] = sum(j, p);
    return sum(p, p);
}

template <class T>
std::int64_t cpu_operations<T>::gram_additions(const design& X) const
{
    const few_row_pieces cut(X.rows());
    const std::int64_t piece = X.rows() / cut.count + 1;
    const std::int64_t strips = parallel::pieces(piece, dense_rows);
    return (is_dense(X) ? std::min(piece, dense_rows) + strips : piece) + cut.count;
}

template void cpu_operations<float>::gram(const design&, std::span<const double>, std::int64_t, panel<float>&) const;
template void cpu_operations<double>::gram(const design&, std::span<const double>, std::int64_t, panel<double>&) const;
template double cpu_operations<float>::gram_with_response(const design&, std::span<const double>,
                                                          std::span<const double>, panel<float>&,
                                                          std::span<double>) const;
template double cpu_operations<double>::gram_with_response(const design&, std::span<const double>,
                                                           std::span<const double>, panel<double>&,
                                                           std::span<double>) const;
template std::int64_t cpu_operations<float>::gram_additions(const design&) const;
template std::int64_t cpu_operations<double>::gram_additions(const design&) const;

} // namespace proxpath::backend
