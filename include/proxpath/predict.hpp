// Predictions from a fitted path.
#pragma once

#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/result.hpp>

#include <span>
#include <vector>

namespace proxpath {

/// b0_k + x_i·b_k for every row and every column of the path.
/// @param X            n × p, p as in the fit
/// @param coefficients p × K, original scale
/// @param intercepts   K
/// @param threads      0 = all cores
/// @return n × K numbers, row-major: row i holds the K predictions of row i of X
/// @throws invalid_input when the number of features or of intercepts does not match, or the coefficients are not
///         sparse columns of their shape
/// @throws out_of_memory when the system refuses the memory
PROXPATH_API std::vector<double> predict(const matrix& X, const sparse_columns& coefficients,
                                         std::span<const double> intercepts, int threads = 0);

} // namespace proxpath
