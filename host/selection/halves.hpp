// Complementary halves of the rows, and what their selections prove; see include/proxpath/stability.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace proxpath::selection {

/// Weights of the rows in the two halves of a pair: those of the rows that are in it, else 0.
/// @param weights n, at least two of them positive
/// @param pair    from 0; each has bits of its own
std::pair<std::vector<double>, std::vector<double>> draw_halves(std::span<const double> weights, std::uint64_t seed,
                                                                std::int64_t pair);

/// q² / ((2τ − 1) p).
double expected_false_at_worst(double q, double p, double threshold);
/// C(τ, B) q² / p of theorem 2; none where τ is below its range.
std::optional<double> expected_false_if_unimodal(double q, double p, double threshold, std::int64_t pairs);
/// The largest q with expected_false_at_worst of at most `expected`, but 1 at least and p at most.
std::int64_t most_selected_for(double expected, double p, double threshold);

} // namespace proxpath::selection
