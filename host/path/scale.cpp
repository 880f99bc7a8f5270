// Lambda between our objective, glmnet's and scikit-learn's. All three penalise by λ1 ‖b‖₁ + λ2/2 ‖b‖² and differ in
// how they name the pair: docs/scales.md derives the formulas.

#include <proxpath/errors.hpp>
#include <proxpath/options.hpp>
#include <proxpath/scale.hpp>

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

namespace proxpath {

namespace {

void check_positive(const char* name, double value)
{
    if (!(value > 0) || !std::isfinite(value))
        throw invalid_input(fmt::format("{} is {}; must be finite and above 0", name, value));
}

void check_share(const char* name, double value)
{
    if (!(value >= 0 && value <= 1)) throw invalid_input(fmt::format("{} is {}; must be from 0 to 1", name, value));
}

/// (λ, α) with λα = l1 and λ(1 − α) = l2.
penalty_scale from_parts(double l1, double l2)
{
    const penalty_scale scale{l1 + l2, l1 / (l1 + l2)};
    // Factors at the ends of the range of double lose the penalty altogether.
    if (!(scale.lambda > 0) || !std::isfinite(scale.lambda))
        throw invalid_input(fmt::format("the converted lambda is {}: lambda or scale is out of range", scale.lambda));
    return scale;
}

void check_penalty(const penalty_scale& penalty, double response_scale)
{
    check_positive("lambda", penalty.lambda);
    check_share("alpha", penalty.alpha);
    check_positive("response_scale", response_scale);
}

} // namespace

path_options options_as(lambda_convention convention)
{
    path_options options;
    options.convention = convention;
    options.rescale_penalty_factors = convention == lambda_convention::glmnet;
    if (convention == lambda_convention::scikit_learn) {
        options.standardize = false;
        options.lambda_min_ratio = 1e-3;
    }
    return options;
}

double glmnet_response_scale(std::span<const double> y, std::span<const double> weights, bool intercept)
{
    if (y.empty()) throw invalid_input("y is empty");
    if (!weights.empty() && weights.size() != y.size())
        throw invalid_input(fmt::format("weights has {} numbers, but y has {}", weights.size(), y.size()));
    double weight_sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double w = weights.empty() ? 1.0 : weights[i];
        if (!std::isfinite(y[i])) throw invalid_input(fmt::format("y[{}] is {}; must be finite", i, y[i]));
        if (!std::isfinite(w) || w < 0)
            throw invalid_input(fmt::format("weights[{}] is {}; must be finite and 0 or more", i, w));
        weight_sum += w;
    }
    if (!(weight_sum > 0) || !std::isfinite(weight_sum))
        throw invalid_input(fmt::format("weights sum to {}; must be finite and above 0", weight_sum));

    const auto share = [&](std::size_t i) { return (weights.empty() ? 1.0 : weights[i]) / weight_sum; };
    double mean = 0;
    for (std::size_t i = 0; i < y.size() && intercept; ++i) mean += share(i) * y[i];
    double square = 0;
    for (std::size_t i = 0; i < y.size(); ++i) square += share(i) * (y[i] - mean) * (y[i] - mean);
    return std::sqrt(square);
}

penalty_scale from_glmnet(penalty_scale glmnet, double response_scale)
{
    check_penalty(glmnet, response_scale);
    return from_parts(glmnet.lambda * glmnet.alpha, glmnet.lambda * (1 - glmnet.alpha) / response_scale);
}

penalty_scale to_glmnet(penalty_scale ours, double response_scale)
{
    check_penalty(ours, response_scale);
    return from_parts(ours.lambda * ours.alpha, ours.lambda * (1 - ours.alpha) * response_scale);
}

penalty_scale from_sklearn_elastic_net(double alpha, double l1_ratio)
{
    check_positive("alpha", alpha);
    check_share("l1_ratio", l1_ratio);
    return {alpha, l1_ratio};
}

penalty_scale from_sklearn_ridge(double alpha, std::int64_t n)
{
    check_positive("alpha", alpha);
    if (n < 1) throw invalid_input(fmt::format("n is {}; must be 1 or more", n));
    return from_parts(0, alpha / static_cast<double>(n));
}

} // namespace proxpath
