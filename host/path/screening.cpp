// The rules and their limits; see screening.hpp.

#include "host/path/screening.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace proxpath::path {

namespace {

/// A working set may always grow by a fourth of the rows within these: a round of its own costs more.
constexpr std::int64_t least_free_growth = 256;
constexpr std::int64_t most_free_growth = 1024;
/// How much it may grow, as a share of itself, by the features that a block of lambdas is expected to need, and by
/// those that one lambda needs at most. Larger blocks save passes over X and let columns be solved side by side
/// (lane_descent.hpp); features too many cost only their memory there.
constexpr double growth_for_block = 1;
constexpr double growth_at_most = 1.5;
/// With a working set of more than so many features lines through the latest solutions are of use for so many lambdas
/// and no more: solutions farther off cost more to find from there than passes over X save (the wide set of
/// bench/compare, lambdas 85 to 100, 12,000 features: 0.9 s in two blocks, 3 s in one).
constexpr std::int64_t large_set = 2048;
constexpr std::size_t lambdas_of_large_set = 8;
/// How near to its threshold an expected correlation must come, as a share of it: for the next lambda, and more for one
/// that lies far, by the share that lambda falls.
constexpr double margin = 0.05;
constexpr double margin_of_fall = 0.15;

std::int64_t growth_limit(const problem& fit, const working_set& set, double share)
{
    return std::max(std::clamp(fit.n / 4, least_free_growth, most_free_growth),
                    static_cast<std::int64_t>(share * static_cast<double>(set.size())));
}

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
    const double fall = lambda < now.lambda ? 1 - lambda / now.lambda : 0;
    return std::fabs(now.correlation[j]) >= l1 * (2 * lambda - now.lambda) &&
           expected(j, lambda) >= l1 * lambda * (1 - width * (margin + margin_of_fall * fall));
}

std::size_t candidate_rule::block_length(std::span<const double> lambdas) const
{
    std::size_t length = set.size() > large_set ? std::min(lambdas.size(), lambdas_of_large_set) : lambdas.size();
    while (length > 1) {
        std::int64_t count = 0;
        for (std::size_t j = 0; j < now.correlation.size(); ++j) count += may_enter(j, lambdas[length - 1]) ? 1 : 0;
        if (count <= growth_limit(fit, set, growth_for_block)) break;
        length = (length + 1) / 2;
    }
    return length;
}

std::vector<std::int64_t> candidate_rule::candidates(double lambda) const
{
    std::vector<std::int64_t> found;
    for (std::size_t j = 0; j < now.correlation.size(); ++j)
        if (may_enter(j, lambda)) found.push_back(static_cast<std::int64_t>(j));
    return highest(std::move(found), growth_limit(fit, set, growth_at_most),
                   [&](std::size_t j) { return fit.l1[j] > 0 ? expected(j, lambda) / fit.l1[j] : 1e300; });
}

std::vector<std::int64_t> strongest(const problem& fit, std::vector<std::int64_t> features,
                                    std::span<const double> correlation, const working_set& set)
{
    return highest(std::move(features), growth_limit(fit, set, growth_at_most),
                   [&](std::size_t j) { return fit.l1[j] > 0 ? std::fabs(correlation[j]) / fit.l1[j] : 1e300; });
}

} // namespace proxpath::path
