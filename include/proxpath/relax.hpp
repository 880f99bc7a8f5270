// Relaxed fits: the support of every lambda, its coefficients fitted again without a penalty.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath {

/// Least squares on the support of one lambda.
struct relaxed_point {
    double lambda = 0;
    std::int64_t df = 0;  ///< features with a coefficient: the support without those that others of it explain
    double dev_ratio = 0; ///< 1 − weighted squared loss over P(0)
    double intercept = 0; ///< original scale; 0 without intercept
    double loss = 0;      ///< ½ Σ w (y − fitted)²
    /// Bound on how far the loss is above the least one of the support: ½ g'(X̃'WX̃)⁻¹g of the features with a
    /// coefficient, g = X̃'w(y − fitted), and ½ g²/d² of each other, d its distance from them as a share of its length;
    /// the loss itself where d is lost in rounding (below 3e-7) and g is not.
    double gap = 0;
    double rel_gap = 0; ///< gap / P(0)
};

struct relaxed_path {
    std::vector<relaxed_point> points; ///< one for each of the path's
    sparse_columns coefficients;       ///< p × K, original scale
    double seconds = 0;
};

/// Least squares on the non-zeros of each lambda, and on the features without penalty, from one Gram matrix of all
/// features that are ever in the support; a Cholesky factor follows the support along the path. A feature whose column
/// is a combination of others in the support (to 1e-6 of its length) gets the coefficient 0; what that costs is in gap.
///
/// @param X, y, options as the path was fitted; alpha above 0, no bounds
/// @param path of fit_path on them
/// @throws invalid_input where these do not go together, as far as shape and alpha show it
/// @throws cancelled     when options.on_progress returned false
/// @throws out_of_memory where the Gram matrix does not fit options.memory_limit
/// @see Meinshausen 2007, doi:10.1016/j.csda.2006.12.019; Hastie, Tibshirani & Tibshirani 2020, doi:10.1214/19-STS733,
///      for the blend below
PROXPATH_API relaxed_path relax_path(const matrix& X, std::span<const double> y, const path_options& options,
                                     const path_result& path);

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API relaxed_path relax_path(const matrix_view& X, std::span<const double> y, const path_options& options,
                                     const path_result& path);

/// γ · penalised + (1 − γ) · relaxed, as in glmnet: γ = 1 is the path itself. Intercepts, and predictions, blend alike.
/// @throws invalid_input unless 0 ≤ gamma ≤ 1 and the shapes are the same
PROXPATH_API sparse_columns blend(const sparse_columns& penalised, const sparse_columns& relaxed, double gamma);

} // namespace proxpath
