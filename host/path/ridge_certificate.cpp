// See ridge_certificate.hpp. In the panels here, column s stands for the response and the ones before for the vectors,
// so that a residual is one combination of s + 1 columns.

#include "host/path/ridge_certificate.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::path {

namespace {

/// (s + 1) × k: residual c is Σ_a E_ac (column a).
std::vector<double> residual_coordinates(std::span<const double> Y, std::size_t k)
{
    std::vector<double> E(Y.size() + k, 1.0);
    std::transform(Y.begin(), Y.end(), E.begin(), [](double y) { return -y; });
    return E;
}

} // namespace

std::vector<column_certificate> certify_ridge(const operations<double>& ops, const problem& fit,
                                              std::span<const double> null_residual, const ridge_space& space,
                                              const panel<double>& B, std::span<const double> lambda, double tolerance)
{
    const std::size_t k = lambda.size();
    const std::int64_t s = space.basis.vectors.cols;
    const auto count = static_cast<std::size_t>(s) + 1;

    panel<double> columns = ops.allocate(fit.n, s + 1);
    panel<double> host_vector = ops.allocate(fit.n, 1);
    {
        panel<double> image = ops.allocate(fit.n, s);
        ops.multiply(*space.columns, space.basis.vectors, image);
        ops.copy_block(image, columns);
    }
    ops.upload(fit.response, host_vector);
    ops.copy_column(host_vector, 0, columns, s);

    std::vector<double> square(count);
    std::vector<double> products(count * count);
    ops.projections(columns, columns, fit.weights, square, products);
    std::vector<double> with_null(count); // Σ w ρ0 (column a), see certifier::sum_rows
    ops.upload(null_residual, host_vector);
    ops.projections(columns, host_vector, fit.weights, square, with_null);

    const std::vector<double> E = residual_coordinates(space.basis.coordinates, k);
    std::vector<double> residual_square(k);
    std::vector<double> dot(k, 0.0);
    for (std::size_t c = 0; c < k; ++c) {
        double sum = 0;
        double size = 0; // of the terms
        for (std::size_t a = 0; a < count; ++a) {
            for (std::size_t b = 0; b < count; ++b) sum += E[a * k + c] * E[b * k + c] * products[a * count + b];
            dot[c] += E[a * k + c] * with_null[a];
            size += std::fabs(E[a * k + c]) * std::sqrt(square[a]);
        }
        if (!(backend::rounding_of_correlations * size * size <= share_of_rounding * tolerance)) return {};
        residual_square[c] = std::max(sum, 0.0); // in this order NaN stays
    }

    ops.scale_rows(fit.weights, columns);
    panel<double> correlations = ops.allocate(fit.p, B.cols);
    {
        panel<double> of_columns = ops.allocate(fit.p, s + 1);
        ops.transpose_multiply(*fit.columns, columns, of_columns);
        ops.combine(of_columns, E, correlations);
    }
    std::vector<backend::gap_sums> sums(k);
    ops.penalty_sums(correlations, B, fit.penalty(), lambda, sums);
    std::vector<column_certificate> certificates;
    for (std::size_t c = 0; c < k; ++c)
        certificates.push_back(certificate_of(sums[c], residual_square[c], dot[c], lambda[c]));
    return certificates;
}

} // namespace proxpath::path
