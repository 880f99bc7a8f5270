// Lambda on other people's scales. Sources: glmnet's documentation (y is divided by its standard deviation, divisor n,
// before fitting, and the coefficients are scaled back) and scikit-learn's user guide, section 1.1 Linear Models.
#pragma once

#include <proxpath/export.hpp>

#include <cstdint>
#include <span>

namespace proxpath {

/// glmnet solves, for y in its own unit, our objective with the L2 part multiplied by sd(y): its (lambda, alpha) is
/// our (lambda, alpha) below. For alpha = 1 nothing changes.
struct PROXPATH_API penalty_scale {
    double lambda = 0;
    double alpha = 1;
};

/// Weighted standard deviation of y as glmnet uses it: divisor Σw; about the weighted mean with an intercept, about 0
/// without one.
/// @param weights empty = all equal
/// @throws invalid_input when y is empty, lengths differ or values are not finite
PROXPATH_API double glmnet_response_scale(std::span<const double> y, std::span<const double> weights, bool intercept);

/// Ours from glmnet's: λ = λ_g α_g + λ_g (1 − α_g) / s, α = λ_g α_g / λ, s = glmnet_response_scale(y).
/// @throws invalid_input unless lambda > 0, 0 ≤ alpha ≤ 1, response_scale > 0
PROXPATH_API penalty_scale from_glmnet(penalty_scale glmnet, double response_scale);

/// glmnet's from ours, the inverse of from_glmnet.
PROXPATH_API penalty_scale to_glmnet(penalty_scale ours, double response_scale);

/// Ours from scikit-learn's Lasso / ElasticNet (alpha, l1_ratio): λ = alpha, α = l1_ratio.
PROXPATH_API penalty_scale from_sklearn_elastic_net(double alpha, double l1_ratio);

/// Ours from scikit-learn's Ridge(alpha), whose loss is a sum over n rows: λ = alpha / n, α = 0.
PROXPATH_API penalty_scale from_sklearn_ridge(double alpha, std::int64_t n);

} // namespace proxpath
