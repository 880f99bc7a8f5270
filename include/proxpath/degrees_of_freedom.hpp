// Effective degrees of freedom: how many free coefficients a penalised fit is worth.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <vector>

namespace proxpath {

/// Of each lambda of a path, the divergence of its fitted values, Σ_i ∂ŷ_i/∂y_i. For independent Gaussian responses of
/// variance σ² it is Σ_i cov(ŷ_i, y_i)/σ² without bias (Stein 1981). With A the features that are not zero, X_A their
/// centred columns, U the unpenalised ones of them, and D = diag(v_j s_j²), 0 for U:
///
///     alpha 1        df = |A|, for columns of full rank                        (Zou, Hastie & Tibshirani 2007)
///     alpha below 1  df = tr( X_A (X_A'WX_A + λ(1 − α) D)⁻¹ X_A'W )            (Tibshirani & Taylor 2012)
///
/// By glmnet's convention (lambda_convention) the standard deviation of y, which λ is divided by, counts as fixed.
/// Ridge without bounds has every feature in A. Coefficients that sit at a bound do not follow y and are not in A. The
/// intercept would add 1 at every lambda and is not counted.
///
/// Below alpha 1 this takes a factorisation for each lambda (Ridge: one for all) of a matrix of the size of A or of the
/// rows that count, whichever is smaller; features of several lambdas share one. A lambda is NaN where that is above
/// 10,000 or does not fit options.memory_limit, where λ(1 − α) is lost in the rounding of a nearly singular X_A'WX_A,
/// and where the fit was interrupted.
///
/// @param options those that `path` was fitted with; lambdas are the path's
/// @throws invalid_input as fit_path; where the path is of another alpha or shape; for a feature with penalty factor 0
///         and bounds, where alpha is below 1
/// @throws cancelled     when options.on_progress returned false
/// @throws out_of_memory when the system refuses the memory
/// @see Efron 2004, doi:10.1198/016214504000000692; Zou, Hastie & Tibshirani 2007, doi:10.1214/009053607000000127;
///      Tibshirani & Taylor 2012, doi:10.1214/12-AOS1003
PROXPATH_API std::vector<double> degrees_of_freedom(const matrix& X, const path_options& options,
                                                    const path_result& path);

} // namespace proxpath
