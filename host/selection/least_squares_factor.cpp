// Appending, removing and solving; see least_squares_factor.hpp.

#include "host/selection/least_squares_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Dense>

namespace proxpath::selection {

namespace {

/// Columns that are appended together: their products with the factor are then products of matrices.
constexpr std::size_t block_size = 48;
/// A feature that leaves costs a rotation of all behind it; when so large a share leaves, building anew costs less.
constexpr double largest_share_removed = 0.25;

} // namespace

least_squares_factor::least_squares_factor(const Eigen::MatrixXd& gram) : gram_(gram) {}

void least_squares_factor::move_to(std::span<const std::int64_t> support)
{
    std::vector<std::uint8_t> wanted(static_cast<std::size_t>(gram_.cols()), 0);
    for (const std::int64_t feature : support) wanted[static_cast<std::size_t>(feature)] = 1;
    const auto leaves = [&](std::int64_t feature) { return wanted[static_cast<std::size_t>(feature)] == 0; };
    const auto leaving = std::count_if(features_.begin(), features_.end(), leaves);
    if (static_cast<double>(leaving) > largest_share_removed * static_cast<double>(size())) {
        features_.clear();
        left_out_.clear();
    }
    for (std::int64_t place = size() - 1; place >= 0; --place)
        if (leaves(features_[static_cast<std::size_t>(place)])) remove(place);
    std::erase_if(left_out_, [&](const left_out_column& column) { return leaves(column.feature); });
    if (leaving > 0) left_out_.clear(); // what was near them may be gone: they come again, below
    for (const std::int64_t feature : features_) wanted[static_cast<std::size_t>(feature)] = 0;
    for (const left_out_column& column : left_out_) wanted[static_cast<std::size_t>(column.feature)] = 0;
    std::vector<std::int64_t> coming;
    for (const std::int64_t feature : support)
        if (wanted[static_cast<std::size_t>(feature)] != 0) coming.push_back(feature);
    append(coming);
}

void least_squares_factor::remove(std::int64_t place)
{
    const std::int64_t m = size();
    // The rows below move up; each then has one number right of the diagonal, which a rotation of two columns takes to
    // its left.
    for (std::int64_t c = 0; c < m; ++c)
        for (std::int64_t r = std::max(place, c - 1); r + 1 < m; ++r) L_(r, c) = L_(r + 1, c);
    for (std::int64_t c = place; c + 1 < m; ++c) {
        const double a = L_(c, c);
        const double b = L_(c, c + 1);
        const double length = std::hypot(a, b);
        auto left = L_.col(c).segment(c, m - 1 - c);
        auto right = L_.col(c + 1).segment(c, m - 1 - c);
        const Eigen::VectorXd before = left;
        left = (a / length) * before + (b / length) * right;
        right = (a / length) * right - (b / length) * before;
    }
    features_.erase(features_.begin() + static_cast<std::ptrdiff_t>(place));
}

void least_squares_factor::append(std::span<const std::int64_t> features)
{
    const auto needed = size() + static_cast<std::int64_t>(features.size());
    if (needed > L_.rows()) {
        const std::int64_t room = std::min<std::int64_t>(gram_.cols(), std::max(needed, 2 * L_.rows()));
        Eigen::MatrixXd grown = Eigen::MatrixXd::Zero(room, room);
        grown.topLeftCorner(size(), size()) = L_.topLeftCorner(size(), size());
        L_ = std::move(grown);
    }
    for (std::size_t first = 0; first < features.size(); first += block_size)
        append_block(features.subspan(first, std::min(block_size, features.size() - first)));
}

void least_squares_factor::append_block(std::span<const std::int64_t> features)
{
    const std::int64_t before = size();
    const auto count = static_cast<std::int64_t>(features.size());
    // X = L⁻¹ C_S,new; what is left of C_new,new is factored column by column, without those that are left out.
    Eigen::MatrixXd X(before, count);
    for (std::int64_t c = 0; c < count; ++c)
        for (std::int64_t r = 0; r < before; ++r)
            X(r, c) = gram_(features_[static_cast<std::size_t>(r)], features[static_cast<std::size_t>(c)]);
    L_.topLeftCorner(before, before).triangularView<Eigen::Lower>().solveInPlace(X);
    Eigen::MatrixXd rest(count, count);
    for (std::int64_t c = 0; c < count; ++c)
        for (std::int64_t r = 0; r < count; ++r)
            rest(r, c) = gram_(features[static_cast<std::size_t>(r)], features[static_cast<std::size_t>(c)]);
    rest.noalias() -= X.transpose() * X;
    for (std::int64_t c = 0; c < count; ++c) {
        if (!(rest(c, c) > smallest_pivot)) {
            left_out_.push_back({features[static_cast<std::size_t>(c)], rest(c, c)});
            continue;
        }
        const std::int64_t row = size();
        const double root = std::sqrt(rest(c, c));
        // Of this feature's row, what stands under the others of the block was left there when they were taken.
        for (std::int64_t r = 0; r < before; ++r) L_(row, r) = X(r, c);
        for (std::int64_t at = before, other = 0; at < row; ++at, ++other) {
            while (features[static_cast<std::size_t>(other)] != features_[static_cast<std::size_t>(at)]) ++other;
            L_(row, at) = rest(c, other);
        }
        L_(row, row) = root;
        rest.col(c).tail(count - c - 1) /= root;
        for (std::int64_t r = c + 1; r < count; ++r)
            for (std::int64_t k = c + 1; k <= r; ++k) rest(r, k) -= rest(r, c) * rest(k, c);
        features_.push_back(features[static_cast<std::size_t>(c)]);
    }
}

double least_squares_factor::solve(const Eigen::Ref<const Eigen::VectorXd>& r, Eigen::Ref<Eigen::VectorXd> x) const
{
    const std::int64_t m = size();
    Eigen::VectorXd work(m);
    for (std::int64_t at = 0; at < m; ++at) work[at] = r[features_[static_cast<std::size_t>(at)]];
    const auto L = L_.topLeftCorner(m, m).triangularView<Eigen::Lower>();
    L.solveInPlace(work);
    const double decrement = 0.5 * work.squaredNorm();
    L.transpose().solveInPlace(work);
    x.setZero();
    for (std::int64_t at = 0; at < m; ++at) x[features_[static_cast<std::size_t>(at)]] = work[at];
    return decrement;
}

double least_squares_factor::left_out(const Eigen::Ref<const Eigen::VectorXd>& r,
                                      const Eigen::Ref<const Eigen::VectorXd>& x, double rounding) const
{
    double sum = 0;
    for (const left_out_column& column : left_out_) {
        double rest = r[column.feature];
        for (const std::int64_t feature : features_) rest -= gram_(feature, column.feature) * x[feature];
        if (std::fabs(rest) <= rounding) continue;
        if (column.pivot <= rounding_of_pivots) return std::numeric_limits<double>::infinity();
        sum += 0.5 * rest * rest / column.pivot;
    }
    return sum;
}

} // namespace proxpath::selection
