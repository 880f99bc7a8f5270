// Information criteria: a lambda for a fit without fitting anything else.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath {

/// Of one lambda, smaller is better; for a Gaussian response of unknown variance, up to a constant. With n rows,
/// RSS/n the weighted mean of squared residuals, d degrees of freedom, s non-zero coefficients (for a Lasso s = d), and
/// k = d + 2 parameters, the intercept and the variance among them (k = d + 1 without an intercept):
///
///     aic  = n ln(RSS/n) + 2 d
///     aicc = aic + 2 k (k + 1) / (n − k − 1)
///     bic  = n ln(RSS/n) + ln(n) d
///     ebic = bic + 2 γ ln C(p, s)
struct criteria_point {
    double df = 0;   ///< d, the intercept not counted
    double aic = 0;  ///< Akaike 1974
    double aicc = 0; ///< Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297: for few rows; infinite where k + 1 reaches n
    double bic = 0;  ///< Schwarz 1978
    double ebic = 0; ///< Chen & Chen 2008, doi:10.1093/biomet/asn034: for p of the order of n and above
    /// False where nothing is left to explain (RSS is 0 up to the fit's gap), d reaches n or is not known, or the
    /// lambda was not solved: such a point has no criteria, and its numbers are 0.
    bool defined = false;
};

/// Criteria of a path, and the best points of each; the larger lambda of equal ones.
struct information_criteria {
    std::vector<criteria_point> points; ///< one for each of the path's
    bool any = false;                   ///< a point is defined; else the four places are 0
    std::size_t at_aic = 0, at_aicc = 0, at_bic = 0, at_ebic = 0;
    std::vector<std::string> notes; ///< remarks, one sentence each
};

/// Criteria of a Lasso, whose degrees of freedom are its non-zero coefficients, without bias (Zou, Hastie & Tibshirani
/// 2007, doi:10.1214/009053607000000127); the intercept counts for none, as it would for every lambda.
///
/// @param path  a Lasso path, with an intercept as far as aicc is concerned
/// @param rows  number of rows of positive weight; 0 = path.n
/// @param gamma γ of ebic, 0 (bic) … 1
/// @throws invalid_input when path.alpha is not 1, or rows or gamma are out of range
PROXPATH_API information_criteria compute_criteria(const path_result& path, std::int64_t rows = 0, double gamma = 1);

/// Criteria of any path, with the degrees of freedom of degrees_of_freedom; points of which they are not known have
/// none, and a note says so.
///
/// @param options those that `path` was fitted with
/// @throws invalid_input, out_of_memory as degrees_of_freedom, and for gamma
PROXPATH_API information_criteria compute_criteria(const matrix& X, const path_options& options,
                                                   const path_result& path, double gamma = 1);

} // namespace proxpath
