// The certificates of a whole ridge grid from the few vectors its solutions were made of. A step of the path driver
// between the Krylov method (solver/krylov.hpp) and the usual pass over X (certificate.hpp), which takes over where the
// space was long.
#pragma once

#include "host/path/certificate.hpp"
#include "host/solver/krylov.hpp"

#include <memory>
#include <span>
#include <vector>

namespace proxpath::path {

/// Solutions B = V Y on columns of their own scale.
struct ridge_space {
    std::shared_ptr<const design> columns; ///< X̃ V is the image of V; all p features
    solver::krylov_space<double> basis;    ///< V, p × s, and Y, s × k
};

/// Certifies the columns of B. With B = V Y the residuals are ỹ − (X̃V) Y and their correlations X̃'Wỹ − (X̃'WX̃V) Y: X
/// meets s vectors and the response instead of k columns. Both products are computed from X, none is taken over from
/// the recurrences that led there.
/// @param null_residual n, ρ of the null model
/// @param B p × k, all features in their order
/// @param tolerance absolute; where rounding in the combinations could be more than a small part of it, there is no
/// answer
/// @return k, or nothing
std::vector<column_certificate> certify_ridge(const operations<double>& ops, const problem& fit,
                                              std::span<const double> null_residual, const ridge_space& space,
                                              const panel<double>& B, std::span<const double> lambda, double tolerance);

} // namespace proxpath::path
