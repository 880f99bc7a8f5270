// The certificate pass; see certificate.hpp. docs/certificate.md derives the dual points.

#include "host/path/certificate.hpp"

#include "host/path/memory.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace proxpath::path {

column_certificate certificate_of(const backend::gap_sums& sums, double residual_square, double response_dot,
                                  double lambda)
{
    column_certificate made;
    made.value = backend::duality_gap(sums, residual_square, response_dot, lambda);
    made.residual_square = residual_square;
    made.kkt = sums.kkt;
    return made;
}

certifier::certifier(const operations<double>& ops, const problem& fit, const unpenalised_space& unpenalised,
                     std::span<const double> null_residual)
    : ops_(ops), fit_(fit), unpenalised_(unpenalised), null_residual_host_(null_residual),
      taking_part_(std::count(fit.skip.begin(), fit.skip.end(), std::uint8_t{0}))
{}

void certifier::upload_vectors()
{
    if (response_.rows == fit_.n) return;
    null_residual_ = ops_.allocate(fit_.n, 1);
    response_ = ops_.allocate(fit_.n, 1);
    ops_.upload(fit_.response, response_);
    ops_.upload(null_residual_host_, null_residual_);
}

/// Adds the changes of unpenalised coefficients (|U| × k) to their rows of B.
void certifier::add_changes(const working_set& set, const std::vector<double>& changes, panel<double>& B) const
{
    const std::span<const std::int64_t> features = unpenalised_.features();
    std::vector<double> host(static_cast<std::size_t>(B.rows * B.cols));
    ops_.download(B, host);
    for (std::size_t u = 0; u < features.size(); ++u) {
        const std::int64_t row = set.position[static_cast<std::size_t>(features[u])];
        for (std::int64_t c = 0; c < B.cols; ++c)
            host[static_cast<std::size_t>(row * B.cols + c)] +=
                changes[u * static_cast<std::size_t>(B.cols) + static_cast<std::size_t>(c)];
    }
    ops_.upload(host, B);
}

certifier::row_sums certifier::sum_rows(std::size_t k, known_ends* ends)
{
    row_sums sums;
    sums.square.resize(k);
    sums.dot.resize(k);
    // Σ w ỹ ρ, with ρ0 for ỹ: the unpenalised part of ỹ, which may be large, is orthogonal to ρ.
    if (ends == nullptr) {
        ops_.projections(residual_, null_residual_, fit_.weights, sums.square, sums.dot);
        return sums;
    }
    if (vectors_.rows != fit_.n) {
        vectors_ = ops_.allocate(fit_.n, 3);
        ops_.copy_column(null_residual_, 0, vectors_, 0);
    }
    if (ends->save_column >= 0) ops_.copy_column(residual_, ends->save_column, ends->to.residual, 0);
    ops_.copy_column(ends->from.residual, 0, vectors_, 1);
    ops_.copy_column(ends->to.residual, 0, vectors_, 2);
    std::vector<double> product(3 * k);
    ops_.projections(residual_, vectors_, fit_.weights, sums.square, product);
    std::vector<double> end_square(3);
    std::vector<double> end_product(9);
    ops_.projections(vectors_, vectors_, fit_.weights, end_square, end_product);
    // The point between both ends that is nearest to each column; any other would be right, too.
    const double between = end_product[5]; // ρ_from'wρ_to
    const double length = end_square[1] - 2 * between + end_square[2];
    sums.theta.resize(k);
    sums.radius.resize(k);
    for (std::size_t c = 0; c < k; ++c) {
        sums.dot[c] = product[3 * c];
        const double along = product[3 * c + 2] - product[3 * c + 1] - (between - end_square[1]);
        sums.theta[c] = length > 0 ? std::clamp(along / length, 0.0, 1.0) : 0;
    }
    ops_.chord_distances(residual_, ends->from.residual, ends->to.residual, sums.theta, fit_.weights, sums.radius);
    // The best dual scaling is at most Σ w ỹ ρ / Σ w ρ², see duality_gap.
    sums.scale.resize(k, std::numeric_limits<double>::infinity());
    for (std::size_t c = 0; c < k; ++c) {
        sums.radius[c] += backend::rounding_of_correlations *
                          (std::sqrt(sums.square[c]) + std::sqrt(end_square[1]) + std::sqrt(end_square[2]));
        if (sums.square[c] > 0) sums.scale[c] = (1 + backend::rounding_of_correlations) * sums.dot[c] / sums.square[c];
    }
    return sums;
}

bool certifier::takes_narrow_pass(const working_set& set) const
{
    return unpenalised_.empty() && set.size() <= narrow_features && set.size() >= taking_part_;
}

std::vector<column_certificate> certifier::certify_narrow(const working_set& set, const panel<double>& B,
                                                          std::span<const double> lambda)
{
    const std::size_t k = lambda.size();
    std::vector<double> square(k);
    std::vector<double> dot(k);
    panel<double> correlation = ops_.allocate(set.size(), B.cols);
    ops_.residual_correlations(*set.columns, B, response_, null_residual_, fit_.weights, correlation, square, dot);
    entries_read_ = fit_.X.nonzeros();
    std::vector<backend::gap_sums> sums(k);
    ops_.penalty_sums(correlation, B, set.penalty(), lambda, sums);
    std::vector<column_certificate> certificates;
    for (std::size_t c = 0; c < k; ++c) certificates.push_back(certificate_of(sums[c], square[c], dot[c], lambda[c]));
    return certificates;
}

/// docs/certificate.md derives them.
/// @param U p × k, x̃_j'wρ as computed
std::vector<double> certifier::safe_duals(const working_set& set, const panel<double>& B, const panel<double>& U,
                                          std::span<const double> lambda, const working_products& products,
                                          std::span<const backend::gap_sums> sums, std::span<const double> square,
                                          std::span<const double> dot) const
{
    const std::size_t k = lambda.size();
    const backend::column_scaling& scaling = set.columns->scaling();
    std::vector<double> coefficients(static_cast<std::size_t>(B.rows) * k);
    ops_.download(B, coefficients);
    std::vector<double> correlations(coefficients.size());
    ops_.download(U, correlations);
    std::vector<double> norm(set.features.size()); // E_j
    for (std::size_t j = 0; j < norm.size(); ++j) norm[j] = std::hypot(1.0, scaling.center[j] * scaling.inverse[j]);
    const double unit = // γ
        4 * static_cast<double>(products.additions + set.size() + 16) * std::numeric_limits<double>::epsilon() / 2;
    const double response = std::sqrt(products.response_square); // η

    std::vector<double> size(k, response); // β + η
    for (std::size_t j = 0; j < norm.size(); ++j)
        for (std::size_t c = 0; c < k; ++c) size[c] += std::fabs(coefficients[j * k + c]) * norm[j];
    std::vector<double> slack(k, 0.0);  // max_j δ_j / a1_j
    std::vector<double> excess(k, 0.0); // Σ_j of what h_j* may be off
    for (std::size_t j = 0; j < norm.size(); ++j)
        for (std::size_t c = 0; c < k; ++c) {
            const double a1 = lambda[c] * set.l1[j];
            const double a2 = lambda[c] * set.l2[j];
            const double off = unit * (norm[j] * size[c] + a2 * std::fabs(coefficients[j * k + c])); // δ_j
            slack[c] = std::max(slack[c], off / a1);
            const double above = std::fabs(correlations[j * k + c]) + off - a1;
            if (above > 0) excess[c] += off * above / a2;
        }
    std::vector<double> duals(k);
    for (std::size_t c = 0; c < k; ++c) {
        const double off = unit * (size[c] * size[c] + lambda[c] * (sums[c].l1 + sums[c].l2)); // e
        const double s = backend::dual_scaling(sums[c], square[c], dot[c], lambda[c]);
        const double q = square[c] + lambda[c] * sums[c].l2;
        const double scaled = s > 0 ? s * dot[c] - 0.5 * s * s * q : 0;
        const double own = dot[c] - 0.5 * square[c] - sums[c].conjugate - 1.5 * off - excess[c];
        duals[c] = std::max(0.0, scaled - (s + s * s / 2) * off - s * slack[c] * scaled);
        if (own > duals[c]) duals[c] = own;
        duals[c] -= off / 2; // of the primal
    }
    return duals;
}

std::vector<std::optional<column_certificate>>
certifier::certify_from_products(const working_set& set, const panel<double>& B, std::span<const double> lambda,
                                 const working_products& products, double tolerance)
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::size_t k = lambda.size();
    std::vector<std::optional<column_certificate>> certificates(k);
    entries_read_ = 0;
    if (!takes_narrow_pass(set)) return certificates;
    for (std::size_t j = 0; j < set.features.size(); ++j)
        if (!(set.l1[j] > 0) || set.lower[j] > -infinity || set.upper[j] < infinity) return certificates;
    panel<double> response = ops_.allocate(B.rows, 1); // c0
    ops_.upload(products.correlation, response);
    panel<double> correlation = ops_.allocate(B.rows, B.cols);
    ops_.symmetric_multiply(*products.gram, B, correlation);
    const std::vector<double> no_momentum(k, 0.0);
    ops_.extrapolated_residual(response, correlation, correlation, no_momentum, {}, correlation); // U = c0 − C B
    std::vector<double> square(k), dot(k);
    ops_.column_dots(B, response, {}, dot);       // b'c0
    ops_.column_dots(B, correlation, {}, square); // b'u
    for (std::size_t c = 0; c < k; ++c) {
        dot[c] = products.response_square - dot[c];
        square[c] = std::max(dot[c] - square[c], 0.0); // in this order NaN stays
    }
    std::vector<backend::gap_sums> sums(k);
    ops_.penalty_sums(correlation, B, set.penalty(), lambda, sums);
    const std::vector<double> duals = safe_duals(set, B, correlation, lambda, products, sums, square, dot);
    for (std::size_t c = 0; c < k; ++c) {
        column_certificate made = certificate_of(sums[c], square[c], dot[c], lambda[c]);
        if (!(made.value.dual - duals[c] <= share_of_rounding * tolerance)) continue; // nor NaN
        made.value.dual = duals[c];
        made.value.gap = std::fabs(made.value.primal - made.value.dual);
        certificates[c] = std::move(made);
    }
    return certificates;
}

std::vector<column_certificate> certifier::certify(const working_set& set, panel<double>& B,
                                                   std::span<const double> lambda, known_ends* ends)
{
    const std::size_t k = lambda.size();
    upload_vectors();
    if (takes_narrow_pass(set)) return certify_narrow(set, B, lambda);
    if (residual_.rows != fit_.n || residual_.cols != B.cols) residual_ = ops_.allocate(fit_.n, B.cols);

    ops_.residual(*set.columns, B, response_, residual_); // ρ = ỹ − X̃B
    if (!unpenalised_.empty()) add_changes(set, unpenalised_.project(residual_), B);
    const row_sums sums = sum_rows(k, ends);
    ops_.scale_rows(fit_.weights, residual_); // wρ

    backend::correlation_request<double> request;
    request.X = fit_.columns.get();
    request.weighted_residual = &residual_;
    request.coefficients = &B;
    request.position = set.position;
    request.skip = fit_.skip;
    request.penalty = fit_.penalty();
    request.lambda = lambda;
    std::span<double> saved;
    if (ends != nullptr) {
        request.save_column = ends->save_column;
        request.bound = {ends->from.correlation, {}, sums.theta, sums.radius, sums.scale};
        if (ends->save_column >= 0)
            saved = ends->to.correlation;
        else
            request.bound.to = ends->to.correlation;
    }
    backend::correlation_result pass = ops_.correlation_pass(request, saved);

    entries_read_ = pass.entries_read;
    std::vector<column_certificate> certificates;
    for (std::size_t c = 0; c < k; ++c) {
        certificates.push_back(certificate_of(pass.sums[c], sums.square[c], sums.dot[c], lambda[c]));
        certificates.back().violators = std::move(pass.violators[c]);
    }
    return certificates;
}

} // namespace proxpath::path
