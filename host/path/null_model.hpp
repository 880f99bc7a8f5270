// The unpenalised part of a fit: the features with factor 0 and no bounds. They are fitted by least squares in the null
// model, and projected out of the residual before a certificate, because a dual point must be orthogonal to them.
#pragma once

#include "host/path/problem.hpp"

#include <memory>
#include <span>
#include <vector>

namespace proxpath::path {

class unpenalised_space {
public:
    unpenalised_space(const operations<double>& ops, const problem& fit);
    ~unpenalised_space();
    unpenalised_space(const unpenalised_space&) = delete;
    unpenalised_space& operator=(const unpenalised_space&) = delete;

    bool empty() const { return features_.empty(); }
    std::span<const std::int64_t> features() const { return features_; }

    /// Makes the residuals (n × k) orthogonal to the space, by the least-squares fit of what is left in them.
    /// @return the change of the coefficients, |U| × k row-major, to be added to those of features()
    std::vector<double> project(panel<double>& residual) const;

    /// An orthonormal basis of the columns √W X̃_U, n × their rank, row-major.
    /// @throws out_of_memory where these columns would be too large as dense ones
    std::vector<double> basis() const;

private:
    struct factor;
    const operations<double>& ops_;
    const problem& fit_;
    std::vector<std::int64_t> features_;
    std::shared_ptr<const design> columns_;
    std::unique_ptr<factor> factor_;
};

/// The fit with all penalised coefficients zero.
struct null_model {
    double response_square = 0;       ///< Σ w ỹ²
    double loss = 0;                  ///< P(0) = ½ Σ w ρ0²; 0 when nothing but rounding is left of ỹ
    double rounding = 0;              ///< losses up to this are rounding; set where `loss` was set to 0
    std::vector<double> coefficients; ///< of the unpenalised features, solver's scale
    std::vector<double> residual;     ///< n, ρ0
    std::vector<double> correlation;  ///< p, x̃_j'wρ0; 0 for features left out, or where nothing is left to explain
    std::vector<double> response_correlation; ///< p, x̃_j'wỹ; 0 for features left out
    double lambda_max = 0;                    ///< with α replaced by at least 1e-3
    std::int64_t passes = 0;
};

/// @throws invalid_input when the squares of fit.response overflow or underflow
void check_scale_of_response(const problem& fit);
/// Of several responses, which share the passes over X that one would take.
/// @param fit       its own response is not looked at
/// @param responses of n numbers each, ỹ as set_response makes it
std::vector<null_model> fit_null_models(const operations<double>& ops, const problem& fit,
                                        const unpenalised_space& unpenalised,
                                        std::span<const std::span<const double>> responses);
/// Of one, without unpenalised features, where the products with the response are known.
/// @param features    those that are not skipped
/// @param correlation x̃_j'wỹ of these
/// @param square      Σ w ỹ²
null_model fit_null_model(const problem& fit, std::span<const std::int64_t> features,
                          std::span<const double> correlation, double square);

} // namespace proxpath::path
