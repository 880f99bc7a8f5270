// Cross-validation: which lambda, and which alpha, predict rows best that the fit has not seen.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/relax.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace proxpath {

/// How rows are dealt to folds, where the caller does not say it himself.
enum class fold_kind : std::uint8_t {
    random,     ///< at random, sizes equal to within one
    stratified, ///< at random among rows with neighbouring y: of every k rows in the order of y one for each fold. All
                ///< folds have about the same quantiles of y; of a class (equal y) their counts differ by at most 2
    grouped,    ///< groups (cv_options::groups) stay together, and are dealt at random, larger ones first, each to the
                ///< fold with the fewest rows
    blocked     ///< k blocks of neighbouring rows, sizes equal to within one: for rows in the order of time
};

/// What is measured on held-out rows, weighted as the rows are.
enum class cv_loss : std::uint8_t {
    mse, ///< Σ w (y − ŷ)² / Σ w
    mae, ///< Σ w |y − ŷ| / Σ w
    r2 ///< 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)², ȳ the null prediction of the fold's training rows: the weighted mean of
       ///< y − offset (0 without an intercept), plus the row's offset. Larger is better
};

/// Options of fit_cv. Spans are borrowed until the call returns.
struct cv_options {
    path_options
        path; ///< of every fit; `alpha` and `lambda` see below, `on_progress` returning false gives `cancelled`

    /// Mixes to be compared, on the same folds; empty = path.alpha alone. Where path.lambda is empty each has a grid of
    /// its own, from all rows.
    std::vector<double> alphas;

    fold_kind kind = fold_kind::random;
    std::int64_t folds = 10;  ///< 2 … n; not with fold_ids
    std::int64_t repeats = 1; ///< ≥ 1 deals of the rows, each with a seed of its own; 1 with fold_ids and blocked
    std::uint64_t seed = 1;   ///< of the deals; the same seed gives the same folds everywhere
    std::span<const std::int64_t> fold_ids; ///< n numbers, equal ones = one fold, in ascending order; empty = `kind`
    std::span<const std::int64_t> groups;   ///< n numbers, equal ones = one group; for fold_kind::grouped only

    /// Blends of the path with its relaxed fits (relax.hpp) to be compared, as in glmnet: each from 0, least squares on
    /// the supports, to 1, the path itself. Empty = the path alone. Not with patience, Ridge or bounds.
    std::vector<double> gammas;

    /// > 0: lambdas are taken up step by step, so many at a time, until the curve's best point is so many back; the
    /// path ends there, and a later, better point is missed. Each step fits its folds from the first lambda: this pays
    /// where the smallest lambdas take most of the time. 0 = all lambdas. Not with dfmax or pmax.
    std::int64_t patience = 0;

    cv_loss loss = cv_loss::mse;
    bool predictions = true; ///< keep out-of-fold predictions: n numbers a lambda
};

/// One lambda of a curve.
struct cv_point {
    double lambda = 0;
    double mean = 0;           ///< of the folds' losses, weighted by the sums of their weights; 0 where folds is 0
    double standard_error = 0; ///< sqrt(Σ W_f (L_f − mean)² / Σ W_f / (folds − 1)), as in glmnet; 0 where folds is 1
    std::int64_t folds = 0; ///< whose fits converged here, all repeats together
    std::int64_t df = 0;    ///< non-zero coefficients of the fit on all rows
};

/// The curve of one alpha, and of one gamma where blends are compared.
struct cv_curve {
    double alpha = 1;
    double gamma = 1;                       ///< share of the path in the blend with its relaxed fits
    std::vector<cv_point> points;           ///< one for each lambda
    std::vector<double> fold_losses;        ///< folds × lambdas, row-major; 0 where `fold_counted` is 0
    std::vector<std::uint8_t> fold_counted; ///< the same shape: 1 where the fold's fit converged and has a loss
    std::size_t at_min = 0;                 ///< point with the best mean; the larger lambda of equal ones
    std::size_t at_1se = 0;                 ///< largest lambda whose mean is within one standard error of it
    double lambda_min() const { return points[at_min].lambda; }
    double lambda_1se() const { return points[at_1se].lambda; }
};

/// One fold of one repeat.
struct cv_fold {
    std::int64_t repeat = 0;        ///< from 0
    std::int64_t rows = 0;          ///< held out
    double weight = 0;              ///< of them
    std::int64_t not_converged = 0; ///< lambdas of all alphas, left out of the curves
};

struct cv_result {
    std::vector<cv_curve> curves;        ///< one for each alpha, in their order; of an alpha one for each gamma
    std::size_t best = 0;                ///< curve with the best mean; the first of equal ones
    path_result fit;                     ///< of that curve's alpha, on all rows
    std::optional<relaxed_path> relaxed; ///< of that fit, where gammas are compared
    cv_loss loss = cv_loss::mse;
    std::vector<cv_fold> folds;        ///< of all repeats, one after the other: the rows of fold_losses
    std::vector<std::int64_t> fold_of; ///< repeats × n: fold of each row, from 0 within its repeat
    std::vector<double> predictions;   ///< n × lambdas of the best curve, row-major: of every row by the fits that did
                                     ///< not see it, offset included, mean over the repeats; empty where not asked for
    std::vector<std::string> notes; ///< remarks on the selection, one sentence each; those on the fit are its own
    double fit_s = 0;               ///< seconds for the fits on all rows
    double folds_s = 0;             ///< seconds for the folds

    const cv_curve& curve() const { return curves[best]; }
    double lambda_min() const { return curve().lambda_min(); }
    double lambda_1se() const { return curve().lambda_1se(); }
    /// True when every point of the fit and of every fold is converged.
    bool all_converged() const
    {
        for (const cv_fold& fold : folds)
            if (fold.not_converged > 0) return false;
        return fit.all_converged();
    }
};

/// The fold of every row: `repeat` (from 0) of the deals that the options describe. Depends on them and, stratified, on
/// y alone; the bits come from SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195) and an unbiased draw,
/// so that they are the same with every compiler and library.
/// @return n numbers from 0
/// @throws invalid_input naming argument, position and value
PROXPATH_API std::vector<std::int64_t> make_folds(const cv_options& options, std::span<const double> y,
                                                  std::int64_t repeat = 0);

/// Fits the path on all rows, then for every fold on the other rows, at the same lambdas, and measures each fit on the
/// rows it has not seen. A fold is the same X with weight 0 for the rows held out: means, scales and intercept are
/// those of the training rows, and X is not copied.
///
/// Folds run side by side on path.threads threads, and the result does not depend on their number. Fits of folds whose
/// gap is above the tolerance at a lambda are left out there, and a note says so.
///
/// @param X n × p, n ≥ 2
/// @param y n finite responses
/// @throws invalid_input as fit_path and make_folds; where a fold leaves no training row of positive weight
/// @throws cancelled     when path.on_progress returned false
/// @throws out_of_memory as fit_path
/// @see Hastie, Tibshirani & Friedman 2009, section 7.10 (one standard error); Friedman, Hastie & Tibshirani 2010
PROXPATH_API cv_result fit_cv(const matrix& X, std::span<const double> y, const cv_options& options = {});

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API cv_result fit_cv(const matrix_view& X, std::span<const double> y, const cv_options& options = {});

} // namespace proxpath
