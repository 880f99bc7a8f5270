// A fit made ready: checked, weighted, centred and scaled. Everything downstream works on unit-norm columns: with
// d_j = ‖x_j‖_w (about the mean with an intercept) the solvers see z_j = d_j b_j, so that one step size fits columns of
// any unit, and the penalty carries the factors: l1_j = α v_j s_j / d_j, l2_j = (1 − α) v_j (s_j / d_j)². Objective,
// dual and gap are the same numbers.
#pragma once

#include "host/backend/operations.hpp"

#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace proxpath::path {

using backend::design;
using backend::operations;
using backend::panel;

struct problem {
    matrix X;
    std::int64_t n = 0;
    std::int64_t p = 0;
    double alpha = 1;
    bool intercept = true;
    std::vector<double> weights;  ///< n, sum 1
    std::vector<double> response; ///< ỹ = y − offset, centred with an intercept
    double response_mean = 0;
    std::vector<double> mean;              ///< p, column means (0 without intercept)
    std::shared_ptr<const design> columns; ///< X̃, unit norm

    /// That the L2 part is over, by lambda_convention; the part of it that comes from the response is also apart.
    double l2_divisor = 1, response_scale = 1;
    lambda_convention convention = lambda_convention::proxpath;

    // Penalty on the solver's scale, p each; see backend::penalty_view.
    std::vector<double> l1, l2, lower, upper, kkt_scale;
    std::span<const double> given_lower, given_upper; ///< the caller's bounds, original scale; empty = none
    std::vector<std::uint8_t> skip;                   ///< 1 = constant or excluded: coefficient 0, takes no part
    std::vector<std::int64_t> constant;               ///< features without variation
    std::vector<std::int64_t> unpenalised;            ///< features with factor 0 and no bounds

    backend::penalty_view penalty() const { return {l1, l2, lower, upper, kkt_scale}; }
};

/// Checks every option and input against the shape of X.
/// @throws invalid_input
void check_options(const path_options& options, std::int64_t n, std::int64_t p);
void check_response(std::span<const double> y, std::int64_t n);

/// Everything but the response. One pass over X for the moments.
problem prepare_columns(const operations<double>& ops, const matrix& X, const path_options& options);
/// y − offset, centred with an intercept, as the response. Once for each problem: by glmnet's convention the response
/// scales l2.
void set_response(problem& fit, std::span<const double> y, const path_options& options);

/// Smallest lambda of the default grid over lambda_max.
inline double default_lambda_ratio(std::int64_t n, std::int64_t p) { return n < p ? 1e-2 : 1e-4; }
/// The lambdas of the options, or the default grid from lambda_max.
std::vector<double> lambda_grid(const path_options& options, double lambda_max, std::int64_t n, std::int64_t p);

/// A coefficient on the original scale from the solver's. One that sits at a bound gets the caller's number, exactly.
double original_coefficient(const problem& fit, std::int64_t feature, double solved);
/// The other way, within the bounds: the caller's bound becomes the solver's.
/// @param feature that takes part
double solver_coefficient(const problem& fit, std::int64_t feature, double original);

} // namespace proxpath::path
