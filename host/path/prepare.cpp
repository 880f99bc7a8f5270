// From the caller's data and options to the problem the solvers see; see problem.hpp.

#include "host/path/problem.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace proxpath::path {

namespace {

std::vector<double> normalised_weights(const path_options& options, std::int64_t n)
{
    if (options.weights.empty()) return std::vector<double>(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
    double sum = 0;
    for (const double weight : options.weights) sum += weight;
    std::vector<double> weights(options.weights.begin(), options.weights.end());
    for (double& weight : weights) weight /= sum;
    return weights;
}

/// Σ w y, in lanes: one sum would wait for itself.
double weighted_sum(std::span<const double> weights, std::span<const double> y)
{
    constexpr std::size_t lanes = 8;
    double sum[lanes] = {};
    std::size_t i = 0;
    for (; i + lanes <= y.size(); i += lanes)
#pragma GCC unroll 8
        for (std::size_t lane = 0; lane < lanes; ++lane) sum[lane] += weights[i + lane] * y[i + lane];
    for (; i < y.size(); ++i) sum[0] += weights[i] * y[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/// What the penalty factors are multiplied by.
double factor_scale(const path_options& options)
{
    if (!options.rescale_penalty_factors) return 1;
    double sum = 0;
    for (const double factor : options.penalty_factors) sum += std::isinf(factor) ? 1 : factor;
    return sum > 0 && std::isfinite(sum) ? static_cast<double>(options.penalty_factors.size()) / sum : 1;
}

/// What scikit-learn's Ridge leaves out of its loss: 1/n, or 1 over the sum of the weights.
double loss_divisor(const path_options& options, std::int64_t n)
{
    if (options.convention != lambda_convention::scikit_learn || options.alpha != 0) return 1;
    if (options.weights.empty()) return static_cast<double>(n);
    double sum = 0;
    for (const double weight : options.weights) sum += weight;
    return sum;
}

/// Where the mean of a column goes: into the shift where every row that counts is stored, else into the centre.
void centre_columns(const backend::column_moments& moments, backend::column_scaling& scaling)
{
    for (std::size_t j = 0; j < moments.mean.size(); ++j)
        (moments.full[j] != 0 ? scaling.shift : scaling.center)[j] = moments.mean[j];
}

} // namespace

problem prepare_columns(const operations<double>& ops, const matrix& X, const path_options& options)
{
    problem fit;
    fit.X = X;
    fit.n = X.rows();
    fit.p = X.cols();
    fit.alpha = options.alpha;
    fit.intercept = options.intercept;
    fit.convention = options.convention;
    fit.given_lower = options.lower;
    fit.given_upper = options.upper;
    fit.weights = normalised_weights(options, fit.n);

    backend::column_moments moments = ops.moments(X, fit.weights);
    const auto p = static_cast<std::size_t>(fit.p);
    backend::column_scaling scaling;
    scaling.shift.assign(p, 0.0);
    scaling.center.assign(p, 0.0);
    scaling.inverse.assign(p, 0.0);
    fit.l1.assign(p, 0.0);
    fit.l2.assign(p, 0.0);
    fit.lower.assign(p, -std::numeric_limits<double>::infinity());
    fit.upper.assign(p, std::numeric_limits<double>::infinity());
    fit.kkt_scale.assign(p, 0.0);
    fit.skip.assign(p, 0);

    const double rescale = factor_scale(options);
    fit.l2_divisor = loss_divisor(options, fit.n);
    for (std::size_t j = 0; j < p; ++j) {
        const double factor = options.penalty_factors.empty() ? 1.0 : rescale * options.penalty_factors[j];
        const double deviation = std::sqrt(moments.variance[j]);
        const double norm = fit.intercept ? deviation : std::sqrt(moments.mean_square[j]);
        const double scale = options.standardize ? deviation : 1.0;
        if (!std::isfinite(norm) || !std::isfinite(scale))
            throw invalid_input(
                fmt::format("X: column {} has values whose squares overflow; divide it by a power of ten", j));
        // A constant column: nothing to fit with an intercept, no scale to standardise by; without either, a column of
        // one number is a feature like any other.
        const bool constant =
            moments.constant[j] != 0 && (fit.intercept || options.standardize || moments.mean[j] == 0);
        if (constant) {
            fit.constant.push_back(static_cast<std::int64_t>(j));
            fit.skip[j] = 1;
            continue;
        }
        // Below this the squares lose digits, then vanish: the scale would be wrong without a word.
        const double smallest = std::sqrt(std::numeric_limits<double>::min());
        if (norm < smallest || (options.standardize && scale < smallest))
            throw invalid_input(
                fmt::format("X: column {} has values whose squares underflow; multiply it by a power of ten", j));
        if (std::isinf(factor)) {
            fit.skip[j] = 1;
            continue;
        }
        scaling.inverse[j] = 1.0 / norm;
        const double ratio = scale / norm;
        fit.l1[j] = fit.alpha * factor * ratio;
        fit.l2[j] = (1 - fit.alpha) * factor * ratio * ratio / fit.l2_divisor;
        fit.kkt_scale[j] = 1.0 / ratio;
        if (!options.lower.empty()) fit.lower[j] = options.lower[j] * norm;
        if (!options.upper.empty()) fit.upper[j] = options.upper[j] * norm;
        const bool bounded = std::isfinite(fit.lower[j]) || std::isfinite(fit.upper[j]);
        if (fit.l1[j] == 0 && fit.l2[j] == 0 && !bounded) fit.unpenalised.push_back(static_cast<std::int64_t>(j));
    }
    fit.mean.assign(p, 0.0);
    if (fit.intercept) {
        centre_columns(moments, scaling);
        fit.mean = std::move(moments.mean);
    }
    fit.columns = ops.make_design(X, std::move(scaling));
    return fit;
}

namespace {

/// ỹ from y − offset.
void centre_response(problem& fit)
{
    // A constant response is recognised exactly: its null loss is 0, not the square of a rounding error.
    double first = 0;
    bool constant = true;
    for (std::size_t i = 0, seen = 0; i < fit.response.size() && constant; ++i) {
        if (fit.weights[i] == 0) continue;
        if (seen++ == 0) first = fit.response[i];
        constant = fit.response[i] == first;
    }
    const double mean = constant ? first : weighted_sum(fit.weights, fit.response);
    // Rows of weight 0 take no part, whatever stands there.
    for (std::size_t i = 0; i < fit.response.size(); ++i)
        fit.response[i] = fit.weights[i] == 0 ? 0.0 : fit.response[i] - mean;
    // The mean once more, of what is left: exact to the last digit where y is far from zero.
    const double rest = constant ? 0 : weighted_sum(fit.weights, fit.response);
    for (std::size_t i = 0; i < fit.response.size(); ++i)
        fit.response[i] = fit.weights[i] == 0 ? 0.0 : fit.response[i] - rest;
    fit.response_mean = mean + rest;
}

/// glmnet divides y by its standard deviation before it fits. Without variation there is nothing to divide by, and
/// nothing to fit.
void scale_by_response(problem& fit)
{
    double square = 0;
    for (std::size_t i = 0; i < fit.response.size(); ++i) square += fit.weights[i] * fit.response[i] * fit.response[i];
    if (!(square > 0) || !std::isfinite(square)) return;
    fit.response_scale = std::sqrt(square);
    fit.l2_divisor *= fit.response_scale;
    for (double& l2 : fit.l2) l2 /= fit.response_scale;
}

} // namespace

void set_response(problem& fit, std::span<const double> y, const path_options& options)
{
    fit.response.assign(y.begin(), y.end());
    for (std::size_t i = 0; i < options.offset.size(); ++i) fit.response[i] -= options.offset[i];
    fit.response_mean = 0;
    if (fit.intercept) centre_response(fit);
    if (options.convention == lambda_convention::glmnet) scale_by_response(fit);
}

std::vector<double> lambda_grid(const path_options& options, double lambda_max, std::int64_t n, std::int64_t p)
{
    if (!options.lambda.empty()) return options.lambda;
    if (!(lambda_max > 0)) return {};
    const double ratio = options.lambda_min_ratio.value_or(default_lambda_ratio(n, p));
    std::vector<double> lambdas(static_cast<std::size_t>(options.n_lambda));
    for (std::size_t k = 0; k < lambdas.size(); ++k) {
        const double share =
            lambdas.size() > 1 ? static_cast<double>(k) / static_cast<double>(lambdas.size() - 1) : 0.0;
        lambdas[k] = k == 0 ? lambda_max : lambda_max * std::pow(ratio, share);
        if (k > 0 && !(lambdas[k] < lambdas[k - 1]))
            throw invalid_input(fmt::format(
                "lambda_min_ratio {}: {} lambdas from {} to that share of it are not all different; ask for "
                "fewer or a smaller ratio",
                ratio, lambdas.size(), lambda_max));
    }
    return lambdas;
}

double original_coefficient(const problem& fit, std::int64_t feature, double solved)
{
    const auto at = static_cast<std::size_t>(feature);
    double value = solved * fit.columns->scaling().inverse[at];
    if (!fit.given_lower.empty() && (solved <= fit.lower[at] || value < fit.given_lower[at]))
        value = fit.given_lower[at];
    if (!fit.given_upper.empty() && (solved >= fit.upper[at] || value > fit.given_upper[at]))
        value = fit.given_upper[at];
    return value;
}

double solver_coefficient(const problem& fit, std::int64_t feature, double original)
{
    const auto at = static_cast<std::size_t>(feature);
    if (!fit.given_lower.empty() && original <= fit.given_lower[at]) return fit.lower[at];
    if (!fit.given_upper.empty() && original >= fit.given_upper[at]) return fit.upper[at];
    return original / fit.columns->scaling().inverse[at];
}

} // namespace proxpath::path
