// The rules and their limits; see screening.hpp.

#include "host/path/screening.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace proxpath::path {

namespace {

/// A working set may always grow by this many.
constexpr std::int64_t free_growth = 256;
/// How near to its threshold an expected correlation must come, as a share of it.
constexpr double margin = 0.05;

std::int64_t growth_limit(const working_set& set) { return std::max(free_growth, set.size()); }

/// The `limit` features of the highest rank, ascending. Ties go by feature number, so that the choice is the same
/// everywhere.
template <class Rank>
std::vector<std::int64_t> highest(std::vector<std::int64_t> features, std::int64_t limit, const Rank& rank)
{
    if (static_cast<std::int64_t>(features.size()) <= limit) return features;
    std::vector<std::pair<double, std::int64_t>> ranked;
    ranked.reserve(features.size());
    for (const std::int64_t j : features) ranked.emplace_back(-rank(static_cast<std::size_t>(j)), j);
    std::nth_element(ranked.begin(), ranked.begin() + limit, ranked.end());
    features.resize(static_cast<std::size_t>(limit));
    std::transform(ranked.begin(), ranked.begin() + limit, features.begin(),
                   [](const auto& each) { return each.second; });
    std::sort(features.begin(), features.end());
    return features;
}

} // namespace

double candidate_rule::expected(std::size_t j, double lambda) const
{
    const double c = now.correlation[j];
    if (!(before.lambda > now.lambda)) return std::fabs(c) + (now.lambda - lambda) * fit.l1[j];
    const double slope = (before.correlation[j] - c) / (before.lambda - now.lambda);
    return std::fabs(c + slope * (lambda - now.lambda));
}

bool candidate_rule::may_enter(std::size_t j, double lambda) const
{
    if (fit.skip[j] != 0 || set.position[j] >= 0) return false;
    const double l1 = fit.l1[j];
    return std::fabs(now.correlation[j]) >= l1 * (2 * lambda - now.lambda) &&
           expected(j, lambda) >= l1 * lambda * (1 - margin);
}

std::size_t candidate_rule::block_length(std::span<const double> lambdas) const
{
    std::size_t length = lambdas.size();
    while (length > 1) {
        std::int64_t count = 0;
        for (std::size_t j = 0; j < now.correlation.size(); ++j) count += may_enter(j, lambdas[length - 1]) ? 1 : 0;
        if (count <= std::max(free_growth, set.size() / 2)) break;
        length = (length + 1) / 2;
    }
    return length;
}

std::vector<std::int64_t> candidate_rule::candidates(double lambda) const
{
    std::vector<std::int64_t> found;
    for (std::size_t j = 0; j < now.correlation.size(); ++j)
        if (may_enter(j, lambda)) found.push_back(static_cast<std::int64_t>(j));
    return highest(std::move(found), growth_limit(set),
                   [&](std::size_t j) { return fit.l1[j] > 0 ? expected(j, lambda) / fit.l1[j] : 1e300; });
}

std::vector<std::int64_t> strongest(const problem& fit, std::vector<std::int64_t> features,
                                    std::span<const double> correlation, const working_set& set)
{
    return highest(std::move(features), growth_limit(set),
                   [&](std::size_t j) { return fit.l1[j] > 0 ? std::fabs(correlation[j]) / fit.l1[j] : 1e300; });
}

} // namespace proxpath::path
