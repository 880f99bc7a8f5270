// The certificate pass; see certificate.hpp. docs/certificate.md derives the dual points.

#include "host/path/certificate.hpp"

#include <utility>

namespace proxpath::path {

namespace {

/// Adds the changes of unpenalised coefficients (|U| × k) to their rows of B.
void add_changes(const operations<double>& ops, const working_set& set, std::span<const std::int64_t> features,
                 const std::vector<double>& changes, panel<double>& B)
{
    std::vector<double> host(static_cast<std::size_t>(B.rows * B.cols));
    ops.download(B, host);
    for (std::size_t u = 0; u < features.size(); ++u) {
        const std::int64_t row = set.position[static_cast<std::size_t>(features[u])];
        for (std::int64_t c = 0; c < B.cols; ++c)
            host[static_cast<std::size_t>(row * B.cols + c)] +=
                changes[u * static_cast<std::size_t>(B.cols) + static_cast<std::size_t>(c)];
    }
    ops.upload(host, B);
}

} // namespace

std::vector<column_certificate> certify(const operations<double>& ops, const problem& fit,
                                        const unpenalised_space& unpenalised, std::span<const double> null_residual,
                                        const working_set& set, panel<double>& B, std::span<const double> lambda,
                                        std::int64_t save_column, std::span<double> saved)
{
    const std::size_t k = lambda.size();
    const std::vector<double> zero(k, 0.0);
    panel<double> response = ops.allocate(fit.n, 1);
    ops.upload(fit.response, response);
    panel<double> residual = ops.allocate(fit.n, B.cols);

    // ρ = ỹ − X̃B
    ops.multiply(*set.columns, B, residual);
    ops.extrapolated_residual(response, residual, residual, zero, {}, residual);
    if (!unpenalised.empty()) {
        const std::vector<double> changes = unpenalised.project(residual);
        add_changes(ops, set, unpenalised.features(), changes, B);
    }

    std::vector<double> square(k);
    std::vector<double> dot(k);
    ops.column_dots(residual, residual, fit.weights, square);
    // Σ w ỹ ρ, with ρ0 for ỹ: the unpenalised part of ỹ, which may be large, is orthogonal to ρ.
    ops.upload(null_residual, response);
    ops.column_dots(residual, response, fit.weights, dot);
    const panel<double> nothing = ops.allocate(fit.n, B.cols);
    ops.extrapolated_residual(residual, nothing, nothing, zero, fit.weights, residual); // wρ

    backend::correlation_request<double> request;
    request.X = fit.columns.get();
    request.weighted_residual = &residual;
    request.coefficients = &B;
    request.position = set.position;
    request.skip = fit.skip;
    request.penalty = fit.penalty();
    request.lambda = lambda;
    request.save_column = save_column;
    backend::correlation_result pass = ops.correlation_pass(request, saved);

    std::vector<column_certificate> certificates(k);
    for (std::size_t c = 0; c < k; ++c) {
        certificates[c].value = backend::duality_gap(pass.sums[c], square[c], dot[c], lambda[c]);
        certificates[c].residual_square = square[c];
        certificates[c].kkt = pass.sums[c].kkt;
        certificates[c].violators = std::move(pass.violators[c]);
    }
    return certificates;
}

} // namespace proxpath::path
