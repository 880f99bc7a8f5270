// The strong rule and its limits; see screening.hpp.

#include "host/path/screening.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::path {

namespace {

/// A working set may always grow by this many.
constexpr std::int64_t free_growth = 256;

std::int64_t growth_limit(const working_set& set) { return std::max(free_growth, set.size()); }

bool passes(const strong_rule& rule, std::size_t j, double lambda)
{
    if (rule.fit.skip[j] != 0 || rule.set.position[j] >= 0) return false;
    return std::fabs(rule.correlation[j]) >= rule.fit.l1[j] * (2 * lambda - rule.previous);
}

} // namespace

std::size_t strong_rule::block_length(std::span<const double> lambdas) const
{
    std::size_t length = lambdas.size();
    while (length > 1) {
        std::int64_t count = 0;
        for (std::size_t j = 0; j < correlation.size(); ++j) count += passes(*this, j, lambdas[length - 1]) ? 1 : 0;
        if (count <= std::max(free_growth, set.size() / 2)) break;
        length = (length + 1) / 2;
    }
    return length;
}

std::vector<std::int64_t> strong_rule::candidates(double lambda) const
{
    std::vector<std::int64_t> found;
    for (std::size_t j = 0; j < correlation.size(); ++j)
        if (passes(*this, j, lambda)) found.push_back(static_cast<std::int64_t>(j));
    return strongest(fit, std::move(found), correlation, set);
}

std::vector<std::int64_t> strongest(const problem& fit, std::vector<std::int64_t> features,
                                    std::span<const double> correlation, const working_set& set)
{
    const auto limit = static_cast<std::size_t>(growth_limit(set));
    if (features.size() <= limit) return features;
    const auto rank = [&](std::int64_t j) {
        const auto at = static_cast<std::size_t>(j);
        return fit.l1[at] > 0 ? std::fabs(correlation[at]) / fit.l1[at] : 1e300;
    };
    // Ties go by feature number, so that the choice is the same everywhere.
    std::sort(features.begin(), features.end(), [&](std::int64_t a, std::int64_t b) {
        const double rank_a = rank(a);
        const double rank_b = rank(b);
        return rank_a != rank_b ? rank_a > rank_b : a < b;
    });
    features.resize(limit);
    std::sort(features.begin(), features.end());
    return features;
}

} // namespace proxpath::path
