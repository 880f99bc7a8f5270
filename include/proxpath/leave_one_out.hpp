// Leave-one-out and generalised cross-validation of Ridge: exact, and without a fit for each row.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace proxpath {

/// One lambda. r are the residuals of the path's coefficients, H is the matrix that takes y to the fitted values, the
/// intercept included, n the number of rows of positive weight.
struct leave_one_out_point {
    double lambda = 0;
    /// Of the features: trace of H without the intercept's 1, as of degrees_of_freedom; NaN where lambda is lost in the
    /// rounding of X'WX, and nothing below is known then.
    double df = 0;
    std::int64_t rows = 0; ///< rows with a leave-one-out residual e_i = r_i / (1 − h_ii); 0: no numbers but gcv
    double mse = 0;        ///< Σ w e² / Σ w over these rows; squared units of y
    /// sqrt(Σ w (e² − mse)² / Σ w / (rows − 1)), that of fit_cv with every row a fold; 0 where rows is 1.
    double standard_error = 0;
    /// The root of `mse` at the exact minimiser differs from that here by no more than this, because of the gap of the
    /// fit: sqrt(2 gap / Σ w) / min(1 − h_ii); units of y.
    double rms_bound = 0;
    /// Σ w r² / (1 − trace(H)/n)²; infinite where the trace reaches n or the fit was interrupted.
    double gcv = std::numeric_limits<double>::infinity();
};

struct leave_one_out_result {
    std::vector<leave_one_out_point> points; ///< one for each of the path's
    /// Smallest mse of the points with the most rows; the larger lambda of equal ones; empty: none is known.
    std::optional<std::size_t> at_loo;
    std::optional<std::size_t> at_gcv; ///< the same of gcv
    /// n × lambdas, row-major: y_i − e_i, what the fit without row i predicts for it, offset included; of rows of
    /// weight 0 the prediction of the fit itself, which has not seen them; NaN where there is none. Empty unless asked
    /// for.
    std::vector<double> predictions;
    std::vector<std::string> notes; ///< remarks, one sentence each
};

/// What each row's response would have been predicted to be without that row, from one fit and the diagonal of its hat
/// matrix (Allen 1974): y_i − ŷ_(i) = r_i / (1 − h_ii), exactly.
///
/// What is left out is the row's term of the loss: the others keep their weights w, which then no longer sum to 1, as
/// in scikit-learn's RidgeCV. A fit of its own with weight 0 for row i normalises them, so it is the same one at
/// λ/(1 − w_i). The intercept and unpenalised features are fitted anew, but columns keep the scales s_j that
/// standardisation took from all rows; with standardize = false nothing of a row is left in what predicts it.
/// By glmnet's convention (lambda_convention) the standard deviation of y is held at that of all rows.
///
/// X'WX, or ZZ' of the scaled columns where rows are fewer, is reduced to a tridiagonal matrix once, in about 3 m³
/// operations on one thread, m the smaller number of the two; each lambda then costs a sweep of 4 m for each row (Eldén
/// 1984). m is at most 10,000: minutes, where fit_cv is the other way.
///
/// @param y           n finite responses
/// @param options     those that `path` was fitted with: alpha 0, no bounds; lambdas are the path's, the device is the
///                    CPU
/// @param path        of fit_path; a small tolerance keeps rms_bound small
/// @param predictions keep them: 8 bytes for each row and lambda
/// @throws invalid_input as fit_path; unless alpha is 0, without bounds, and the path is one of this alpha and shape;
///         where m is above 10,000
/// @throws cancelled     when options.on_progress returned false; it is asked between the steps, of which the reduction
///         is one
/// @throws out_of_memory where the work does not fit options.memory_limit, or the system refuses
/// @see Allen 1974, doi:10.1080/00401706.1974.10489157; Golub, Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751;
///      Eldén 1984, BIT 24, 467–472; docs/leave-one-out.md
PROXPATH_API leave_one_out_result compute_leave_one_out(const matrix& X, std::span<const double> y,
                                                        const path_options& options, const path_result& path,
                                                        bool predictions = false);

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API leave_one_out_result compute_leave_one_out(const matrix_view& X, std::span<const double> y,
                                                        const path_options& options, const path_result& path,
                                                        bool predictions = false);

/// Bytes that the work takes beside X, without doing it: to be asked before the path is fitted.
/// @throws invalid_input, out_of_memory as compute_leave_one_out, as far as they follow from shape and options
PROXPATH_API std::uint64_t plan_leave_one_out(const matrix& X, const path_options& options);

} // namespace proxpath
