// See halves.hpp. The formulas are those of Shah & Samworth 2013 for θ = q/p.

#include "host/selection/halves.hpp"

#include "host/selection/random_bits.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::selection {

std::pair<std::vector<double>, std::vector<double>> draw_halves(std::span<const double> weights, std::uint64_t seed,
                                                                std::int64_t pair)
{
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (weights[i] > 0) rows.push_back(i);
    random_bits bits(seed, static_cast<std::uint64_t>(pair));
    bits.shuffle(std::span(rows));
    std::pair<std::vector<double>, std::vector<double>> halves;
    halves.first.assign(weights.size(), 0.0);
    halves.second.assign(weights.size(), 0.0);
    const std::size_t half = rows.size() / 2;
    for (std::size_t at = 0; at < 2 * half; ++at)
        (at < half ? halves.first : halves.second)[rows[at]] = weights[rows[at]];
    return halves;
}

double expected_false_at_worst(double q, double p, double threshold) { return q * q / ((2 * threshold - 1) * p); }

std::optional<double> expected_false_if_unimodal(double q, double p, double threshold, std::int64_t pairs)
{
    const double B = static_cast<double>(pairs);
    const double theta = q / p;
    const double least = 0.5 + std::min(theta * theta, 1 / (2 * B) + 0.75 * theta * theta);
    if (!(theta <= 1 / std::sqrt(3.0)) || threshold <= least) return {};
    const double margin = 2 * threshold - 1 - 1 / (2 * B);
    if (threshold <= 0.75 && !(margin > 0)) return {};
    const double C = threshold <= 0.75 ? 1 / (2 * margin) : 4 * (1 - threshold + 1 / (2 * B)) / (1 + 1 / B);
    return C * q * q / p;
}

std::int64_t most_selected_for(double expected, double p, double threshold)
{
    const double most = std::floor(std::sqrt(expected * (2 * threshold - 1) * p));
    return static_cast<std::int64_t>(std::clamp(most, 1.0, std::max(1.0, p)));
}

} // namespace proxpath::selection
