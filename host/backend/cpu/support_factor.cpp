// Growing and solving the tiled factor; see support_factor.hpp. Right-looking throughout: once a tile row is done, all
// others take its part off, each in a task of its own.

#include "host/backend/cpu/support_factor.hpp"

#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::backend {

namespace {

/// Columns of a solve with many that one thread takes.
constexpr std::int64_t columns_together = 64;
/// Fewer tile rows than this are not worth waking threads for.
constexpr std::int64_t tiles_for_threads = 4;
/// A pivot below it is rounding: the feature gets a pivot of 1 and none behind it depends on it.
constexpr double smallest_pivot = 1e-11;

/// A becomes its Cholesky factor L, column by column.
void factor_corner(Eigen::MatrixXd& A)
{
    const std::int64_t m = A.rows();
    for (std::int64_t c = 0; c < m; ++c) {
        const double pivot = A(c, c) - A.row(c).head(c).squaredNorm();
        if (!(pivot > smallest_pivot)) {
            A(c, c) = 1;
            A.col(c).tail(m - c - 1).setZero();
            continue;
        }
        const double root = std::sqrt(pivot);
        A(c, c) = root;
        for (std::int64_t r = c + 1; r < m; ++r) A(r, c) = (A(r, c) - A.row(r).head(c).dot(A.row(c).head(c))) / root;
    }
    A.triangularView<Eigen::StrictlyUpper>().setZero();
}

} // namespace

support_factor::support_factor(std::uint64_t limit_bytes, std::int64_t tile_size)
    : capacity_(static_cast<std::int64_t>(std::sqrt(2.0 * static_cast<double>(limit_bytes) / sizeof(double)))),
      tile_size_(tile_size)
{}

void support_factor::clear()
{
    rows_.clear();
    features_.clear();
    place_.clear();
}

void support_factor::append(std::span<const std::int64_t> features, std::span<const double> diagonal,
                            const gram_function& gram, int threads)
{
    std::size_t done = 0;
    while (done < features.size()) {
        const std::int64_t last = rows_.empty() ? tile_size_ : rows_.back().rows;
        const auto space = static_cast<std::size_t>(last < tile_size_ ? tile_size_ - last : tile_size_);
        const std::size_t count = std::min(space, features.size() - done);
        append_group(features.subspan(done, count), diagonal.subspan(done, count), gram, threads);
        done += count;
    }
}

void support_factor::append_group(std::span<const std::int64_t> group, std::span<const double> diagonal,
                                  const gram_function& gram, int threads)
{
    const auto m = static_cast<std::int64_t>(group.size());
    std::vector<std::int64_t> all(features_);
    all.insert(all.end(), group.begin(), group.end());
    Eigen::MatrixXd columns(static_cast<std::int64_t>(all.size()), m);
    gram(all, group, columns);

    // X = L⁻¹ C_F,new.
    forward(columns, 0, threads);
    const auto tiles = static_cast<std::int64_t>(rows_.size());
    const auto part = [&](std::int64_t i) {
        const tile_row& row = rows_[static_cast<std::size_t>(i)];
        return columns.middleRows(row.first, row.rows);
    };

    Eigen::MatrixXd corner = columns.bottomRows(m);
    for (std::int64_t a = 0; a < m; ++a) corner(a, a) += diagonal[static_cast<std::size_t>(a)] + ridge;
    constexpr std::int64_t strip = 32;
    const std::int64_t known = size();
    parallel::parallel_for(threads, parallel::pieces(m, strip), [&](std::int64_t piece) {
        const std::int64_t first = piece * strip;
        const std::int64_t count = std::min(strip, m - first);
        corner.middleRows(first, count).noalias() -=
            columns.topRows(known).middleCols(first, count).transpose() * columns.topRows(known);
    });
    factor_corner(corner);

    // The new rows fill up the last tile row or make one of their own.
    if (!rows_.empty() && rows_.back().rows + m <= tile_size_) {
        tile_row& row = rows_.back();
        for (std::int64_t j = 0; j < tiles; ++j) {
            Eigen::MatrixXd& tile = row.tiles[static_cast<std::size_t>(j)];
            const bool diagonal_tile = j + 1 == tiles;
            Eigen::MatrixXd grown = Eigen::MatrixXd::Zero(row.rows + m, tile.cols() + (diagonal_tile ? m : 0));
            grown.topLeftCorner(tile.rows(), tile.cols()) = tile;
            grown.bottomLeftCorner(m, tile.cols()) = part(j).transpose();
            if (diagonal_tile) grown.bottomRightCorner(m, m) = corner;
            tile = std::move(grown);
        }
        row.rows += m;
    } else {
        tile_row row;
        row.first = known;
        row.rows = m;
        for (std::int64_t j = 0; j < tiles; ++j) row.tiles.emplace_back(part(j).transpose());
        row.tiles.push_back(std::move(corner));
        rows_.push_back(std::move(row));
    }
    for (const std::int64_t feature : group) {
        const auto at = static_cast<std::size_t>(feature);
        if (at >= place_.size()) place_.resize(at + 1, -1);
        place_[at] = size();
        features_.push_back(feature);
    }
}

void support_factor::forward(Eigen::MatrixXd& X, std::int64_t known, int threads) const
{
    if (X.cols() == 1) {
        forward_columns(X.col(0), known, threads);
        return;
    }
    parallel::parallel_for(threads, parallel::pieces(X.cols(), columns_together), [&](std::int64_t piece) {
        const std::int64_t first = piece * columns_together;
        forward_columns(X.middleCols(first, std::min(columns_together, X.cols() - first)), known, 1);
    });
}

template <class Columns>
void support_factor::forward_columns(Columns X, std::int64_t known, int threads) const
{
    const auto tiles = static_cast<std::int64_t>(rows_.size());
    const auto open_rows = [&](const tile_row& row) {
        return row.rows - std::clamp<std::int64_t>(known - row.first, 0, row.rows);
    };
    for (std::int64_t j = 0; j < tiles; ++j) {
        const tile_row& row = rows_[static_cast<std::size_t>(j)];
        const Eigen::MatrixXd& diagonal = row.tiles.back();
        const std::int64_t open = open_rows(row);
        const std::int64_t solved = row.rows - open;
        if (open > 0) {
            auto rest = X.middleRows(row.first + solved, open);
            if (solved > 0) rest.noalias() -= diagonal.bottomLeftCorner(open, solved) * X.middleRows(row.first, solved);
            diagonal.bottomRightCorner(open, open).template triangularView<Eigen::Lower>().solveInPlace(rest);
        }
        const std::int64_t below = tiles - j - 1;
        parallel::parallel_for(below < tiles_for_threads ? 1 : threads, below, [&](std::int64_t k) {
            const tile_row& other = rows_[static_cast<std::size_t>(j + 1 + k)];
            const std::int64_t other_open = open_rows(other);
            if (other_open == 0) return;
            X.middleRows(other.first + other.rows - other_open, other_open).noalias() -=
                other.tiles[static_cast<std::size_t>(j)].bottomRows(other_open) * X.middleRows(row.first, row.rows);
        });
    }
}

void support_factor::backward(Eigen::Ref<Eigen::VectorXd> x, int threads) const
{
    for (auto j = static_cast<std::int64_t>(rows_.size()) - 1; j >= 0; --j) {
        const tile_row& row = rows_[static_cast<std::size_t>(j)];
        auto done = x.segment(row.first, row.rows);
        row.tiles.back().triangularView<Eigen::Lower>().transpose().solveInPlace(done);
        parallel::parallel_for(j < tiles_for_threads ? 1 : threads, j, [&](std::int64_t i) {
            const tile_row& other = rows_[static_cast<std::size_t>(i)];
            x.segment(other.first, other.rows).noalias() -= row.tiles[static_cast<std::size_t>(i)].transpose() * done;
        });
    }
}

} // namespace proxpath::backend
