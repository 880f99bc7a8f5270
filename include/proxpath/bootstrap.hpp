// The bootstrap: how coefficients, and the choice of features, vary when the rows are drawn anew.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace proxpath {

/// How rows are weighted in a resample.
enum class bootstrap_kind : std::uint8_t {
    pairs,   ///< rows of positive weight, as many as there are, drawn uniformly with replacement; a row's weight is its
             ///< own times how often it was drawn (Efron 1979)
    bayesian ///< a row's weight is its own times a standard exponential variate: normalised, Dirichlet(1, …, 1)
             ///< (Rubin 1981)
};

/// Options of fit_bootstrap. Spans are borrowed until the call returns.
struct bootstrap_options {
    /// Of every fit; dfmax and pmax are 0. One lambda is the usual case; where `lambda` is empty the grid is that of
    /// all rows. `on_progress` returning false gives `cancelled`.
    path_options path;

    std::int64_t resamples = 200; ///< B, 2 … 1,000,000
    bootstrap_kind kind = bootstrap_kind::pairs;
    double confidence = 0.95; ///< C, above 0 and below 1: share of the resamples between the ends of an interval
    std::uint64_t seed = 1;   ///< of the resamples; the same seed gives the same ones everywhere
};

/// How a number varies over the resamples. Those in which a coefficient is 0 count like the others.
struct bootstrap_spread {
    double mean = 0;
    double standard_deviation = 0; ///< divisor B − 1
    double lower = 0;              ///< quantile (1 − C)/2, between two values interpolated linearly
    double upper = 0;              ///< quantile (1 + C)/2
};

/// A coefficient at one lambda.
struct bootstrap_coefficient {
    std::int64_t feature = 0; ///< 0-based
    double estimate = 0;      ///< of the fit on all rows
    double frequency = 0;     ///< share of the resamples in which it is not 0
    double positive = 0;      ///< share of the resamples in which it is above 0
    bootstrap_spread spread;
};

struct bootstrap_result {
    path_result fit;                         ///< on all rows
    std::vector<double> lambda;              ///< K, of all fits
    std::vector<bootstrap_spread> intercept; ///< K; the estimate is that of fit.points
    /// Of all lambdas, one after the other: coefficients that are not 0 in some resample or in the fit, ascending by
    /// feature. All others are 0 in every fit.
    std::vector<bootstrap_coefficient> coefficients;
    std::vector<std::int64_t> offsets; ///< K + 1: where the coefficients of a lambda begin

    std::int64_t resamples = 0; ///< B
    bootstrap_kind kind = bootstrap_kind::pairs;
    double confidence = 0;          ///< C
    std::int64_t not_converged = 0; ///< lambdas of resamples that missed the tolerance; they count as they are
    std::vector<std::string> notes; ///< remarks on the resamples; those on the fit are its own
    double fit_s = 0;               ///< seconds for the fit on all rows
    double resamples_s = 0;         ///< seconds for the resamples

    /// Coefficients at lambda[k].
    std::span<const bootstrap_coefficient> at(std::size_t k) const
    {
        return std::span(coefficients)
            .subspan(static_cast<std::size_t>(offsets[k]), static_cast<std::size_t>(offsets[k + 1] - offsets[k]));
    }
};

/// Fits all rows, then B resamples of them at the same lambdas, and says how coefficients vary and how often each is
/// not 0. A resample is the same X with other weights of the rows: X is not copied, means, scales and intercept are
/// those of the resample. Rows of weight 0 are never drawn.
///
/// At a single lambda a resample is begun at the solution of all rows, so that it equals a fit of its own within the
/// gap; at several it has the bits of one. Resamples are fitted side by side on path.threads threads; the result does
/// not depend on their number. The non-zero coefficients of all resamples are held until they are summed up: 16 bytes
/// each, twice that at the lambda that has most of them (Ridge: p times B at every lambda).
///
/// @param X n × p, at least 2 rows of positive weight
/// @param y n finite responses
/// @throws invalid_input as fit_path, and for the options above, naming them
/// @throws cancelled     when path.on_progress returned false
/// @throws out_of_memory as fit_path; where the coefficients of all resamples would take more than half of the limit
/// @see Efron 1979, doi:10.1214/aos/1176344552; Rubin 1981, doi:10.1214/aos/1176345338; Hyndman & Fan 1996,
///      doi:10.1080/00031305.1996.10473566 (quantiles: their definition 7)
PROXPATH_API bootstrap_result fit_bootstrap(const matrix& X, std::span<const double> y,
                                            const bootstrap_options& options = {});

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API bootstrap_result fit_bootstrap(const matrix_view& X, std::span<const double> y,
                                            const bootstrap_options& options = {});

} // namespace proxpath
