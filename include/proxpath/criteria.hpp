// Information criteria: a lambda for a fit without fitting anything else.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <vector>

namespace proxpath {

/// Of one lambda, smaller is better; for a Gaussian response of unknown variance, up to a constant. With n rows,
/// RSS/n the weighted mean of squared residuals, and d degrees of freedom:
///
///     aic  = n ln(RSS/n) + 2 d
///     bic  = n ln(RSS/n) + ln(n) d
///     ebic = bic + 2 γ ln C(p, d)
struct criteria_point {
    double aic = 0;  ///< Akaike 1974
    double bic = 0;  ///< Schwarz 1978
    double ebic = 0; ///< Chen & Chen 2008, doi:10.1093/biomet/asn034: for p of the order of n and above
    /// False where nothing is left to explain (RSS is 0 up to the fit's gap), d reaches n, or the lambda was not
    /// solved: such a point has no criteria, and its numbers are 0.
    bool defined = false;
};

/// Criteria of a path, and the best points of each; the larger lambda of equal ones.
struct information_criteria {
    std::vector<criteria_point> points; ///< one for each of the path's
    bool any = false;                   ///< a point is defined; else the three places are 0
    std::size_t at_aic = 0, at_bic = 0, at_ebic = 0;
};

/// Degrees of freedom of a Lasso are its non-zero coefficients, without bias (Zou, Hastie & Tibshirani 2007,
/// doi:10.1214/009053607000000127); the intercept counts for none, as it would for every lambda. With an L2 part they
/// are fewer than that, and are not computed: alpha must be 1.
///
/// @param path  a Lasso path
/// @param rows  number of rows of positive weight; 0 = path.n
/// @param gamma γ of ebic, 0 (bic) … 1
/// @throws invalid_input when path.alpha is not 1, or rows or gamma are out of range
PROXPATH_API information_criteria compute_criteria(const path_result& path, std::int64_t rows = 0, double gamma = 1);

} // namespace proxpath
