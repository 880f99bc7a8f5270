// The restricted problem in residual form for several columns of the batch at a time: the way of descent.hpp (sweeps
// of coordinate descent find support and signs, Newton steps on them bring the gap down), taken by all columns in step,
// so that they share every reading of X. Where supports are so small that a kept factor solves the Newton systems,
// columns one after the other are the faster way (coordinate_descent.cpp chooses).
#pragma once

#include "host/backend/cpu/cpu_descent_memory.hpp"
#include "host/backend/cpu/residual_data.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Fewest columns that are solved side by side.
constexpr std::int64_t fewest_lanes = 2;

/// What k columns of a working set take side by side.
std::uint64_t lane_bytes(const cpu_design& X, std::int64_t k);

/// @param B p × k row-major: starts, overwritten by the solutions. A column that starts where the memory's latest
///          solution is goes on along the line of the two latest, as far as its lambda lies.
/// @param limit      what a column may cost (ways_of_columns); beyond, columns are left as they are
/// @param iterations, gaps as of operations::coordinate_descent
/// @return false when the limit has ended it
bool descend_in_lanes(residual_data& data, cpu_descent_memory& memory, int threads, double limit,
                      std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps);

} // namespace proxpath::backend
