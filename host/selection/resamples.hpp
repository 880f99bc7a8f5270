// Resamples of the bootstrap: the weights of their rows, and what becomes of a number over all of them; see
// include/proxpath/bootstrap.hpp.
#pragma once

#include <proxpath/bootstrap.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::selection {

/// Weights of the rows in a resample, not normalised.
/// @param weights  n, at least one of them positive
/// @param resample from 0; each has bits of its own
std::vector<double> draw_resample(std::span<const double> weights, bootstrap_kind kind, std::uint64_t seed,
                                  std::int64_t resample);

/// Of a number that has these values in some resamples and is 0 in the others.
/// @param values     sorted by the call; at most `resamples`
/// @param confidence share of the resamples between lower and upper
bootstrap_spread spread_of(std::span<double> values, std::int64_t resamples, double confidence);

} // namespace proxpath::selection
