// Upkeep and use of the factor; see kept_factor.hpp.

#include "host/backend/cpu/kept_factor.hpp"

#include <algorithm>

#include <Eigen/Core>

namespace proxpath::backend {

namespace {

/// The factor takes half a square of numbers; held features take largest_share of a square, and twice that share
/// squared.
constexpr double factor_share = 0.5 / (0.5 + held_features::largest_share * (1 + 2 * held_features::largest_share));

} // namespace

kept_factor::kept_factor(std::uint64_t limit_bytes)
    : factor_(static_cast<std::uint64_t>(static_cast<double>(limit_bytes) * factor_share))
{}

void kept_factor::clear()
{
    factor_.clear();
    held_.clear();
    outdated_ = false;
}

void kept_factor::update(std::span<const std::int64_t> support, std::span<const double> diagonal,
                         const support_factor::gram_function& gram, int threads)
{
    std::vector<std::int64_t> left(factor_.features().begin(), factor_.features().end());
    std::vector<std::int64_t> present(support.begin(), support.end());
    std::sort(present.begin(), present.end());
    std::erase_if(left,
                  [&](std::int64_t feature) { return std::binary_search(present.begin(), present.end(), feature); });
    if (builds_anew(size() - static_cast<std::int64_t>(left.size()))) {
        clear();
        left.clear();
    }
    append(support, diagonal, gram, threads);
    if (!held_.hold(factor_, left, threads)) {
        clear();
        append(support, diagonal, gram, threads);
    }
}

void kept_factor::append(std::span<const std::int64_t> support, std::span<const double> diagonal,
                         const support_factor::gram_function& gram, int threads)
{
    std::vector<std::int64_t> fresh;
    std::vector<double> diagonals;
    const std::int64_t room = factor_.capacity() - factor_.size();
    for (std::size_t a = 0; a < support.size(); ++a) {
        if (static_cast<std::int64_t>(fresh.size()) >= room) break;
        if (contains(support[a])) continue;
        fresh.push_back(support[a]);
        diagonals.push_back(diagonal[a]);
    }
    factor_.append(fresh, diagonals, gram, threads);
}

void kept_factor::solve(std::span<const std::int64_t> support, std::span<const double> diagonal,
                        std::span<const double> r, std::span<double> z, int threads) const
{
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(factor_.size(), 1);
    for (std::size_t a = 0; a < support.size(); ++a)
        if (const std::int64_t place = factor_.place(support[a]); place >= 0) x(place, 0) = r[a];
    factor_.forward(x, 0, threads);
    held_.correct(x, threads);
    factor_.backward(x.col(0), threads);
    for (std::size_t a = 0; a < support.size(); ++a) {
        const std::int64_t place = factor_.place(support[a]);
        z[a] = place >= 0 ? x(place, 0) : r[a] / (1 + diagonal[a]);
    }
}

} // namespace proxpath::backend
