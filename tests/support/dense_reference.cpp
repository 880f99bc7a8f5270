// Plain dense loops; see dense_reference.hpp.

#include "tests/support/dense_reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace proxpath::test {

namespace {

using real = long double;

real shrink(real z, real threshold)
{
    if (z > threshold) return z - threshold;
    if (z < -threshold) return z + threshold;
    return 0;
}

} // namespace

dense_reference::dense_reference(const dense_matrix& X, std::span<const double> y, const path_options& options)
    : n_(static_cast<std::size_t>(X.n)), p_(static_cast<std::size_t>(X.p)), intercept_(options.intercept),
      alpha_(options.alpha)
{
    weights_.assign(n_, 1);
    if (!options.weights.empty()) weights_.assign(options.weights.begin(), options.weights.end());
    real total = 0;
    for (const real weight : weights_) total += weight;
    for (real& weight : weights_) weight /= total;

    response_.assign(y.begin(), y.end());
    for (std::size_t i = 0; i < options.offset.size(); ++i) response_[i] -= options.offset[i];
    if (intercept_)
        for (std::size_t i = 0; i < n_; ++i) mean_response_ += weights_[i] * response_[i];

    lower_.assign(p_, -infinity);
    upper_.assign(p_, infinity);
    if (!options.lower.empty()) lower_.assign(options.lower.begin(), options.lower.end());
    if (!options.upper.empty()) upper_.assign(options.upper.begin(), options.upper.end());
    factor_.assign(p_, 1);
    if (!options.penalty_factors.empty())
        factor_.assign(options.penalty_factors.begin(), options.penalty_factors.end());

    raw_.resize(p_);
    centred_.resize(p_);
    mean_.assign(p_, 0);
    deviation_.assign(p_, 0);
    scale_.assign(p_, 1);
    skip_.assign(p_, 0);
    constant_.assign(p_, 0);
    for (std::size_t j = 0; j < p_; ++j) {
        raw_[j].resize(n_);
        real mean = 0;
        real lowest = infinity;
        real highest = -infinity;
        for (std::size_t i = 0; i < n_; ++i) {
            raw_[j][i] = X.at(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
            mean += weights_[i] * raw_[j][i];
            if (weights_[i] == 0) continue;
            lowest = std::min(lowest, raw_[j][i]);
            highest = std::max(highest, raw_[j][i]);
        }
        real variance = 0;
        for (std::size_t i = 0; i < n_; ++i) variance += weights_[i] * (raw_[j][i] - mean) * (raw_[j][i] - mean);
        deviation_[j] = lowest == highest ? 0 : std::sqrt(variance);
        if (intercept_) mean_[j] = mean;
        centred_[j] = raw_[j];
        for (real& value : centred_[j]) value -= mean_[j];
        if (options.standardize) scale_[j] = deviation_[j];
        constant_[j] = lowest == highest && (intercept_ || options.standardize || lowest == 0) ? 1 : 0;
        skip_[j] = constant_[j] != 0 || std::isinf(factor_[j]) ? 1 : 0;
    }

    // Gram–Schmidt, each column twice, for the features that are fitted freely.
    for (std::size_t j = 0; j < p_; ++j) {
        if (skip_[j] != 0 || factor_[j] != 0 || lower_[j] > -infinity || upper_[j] < infinity) continue;
        reals column = centred_[j];
        const real before = correlation(j, column);
        project(column);
        project(column);
        real square = 0;
        for (std::size_t i = 0; i < n_; ++i) square += weights_[i] * column[i] * column[i];
        if (!(square > 1e-28L * before)) continue; // a combination of the others
        for (real& value : column) value /= std::sqrt(square);
        basis_.push_back(std::move(column));
    }
    for (std::size_t i = 0; i < n_; ++i) rounding_ += weights_[i] * response_[i] * response_[i] * 1e-30L;
    reals left = response_;
    project(left);
    project(left);
    for (std::size_t i = 0; i < n_; ++i) null_loss_ += weights_[i] * left[i] * left[i] / 2;
}

void dense_reference::project(reals& rows) const
{
    if (intercept_) {
        real mean = 0;
        for (std::size_t i = 0; i < n_; ++i) mean += weights_[i] * rows[i];
        for (real& value : rows) value -= mean;
    }
    for (const reals& direction : basis_) {
        real dot = 0;
        for (std::size_t i = 0; i < n_; ++i) dot += weights_[i] * direction[i] * rows[i];
        for (std::size_t i = 0; i < n_; ++i) rows[i] -= dot * direction[i];
    }
}

dense_reference::real dense_reference::correlation(std::size_t j, const reals& rows) const
{
    real sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += weights_[i] * centred_[j][i] * rows[i];
    return sum;
}

double dense_reference::lambda_max() const
{
    reals left = response_;
    project(left);
    project(left);
    real largest = 0;
    for (std::size_t j = 0; j < p_; ++j) {
        if (skip_[j] != 0 || factor_[j] == 0) continue;
        const real u = correlation(j, left);
        if (u > 0 ? upper_[j] <= 0 : lower_[j] >= 0) continue;
        largest = std::max(largest, std::fabs(u) / (std::max(alpha_, 1e-3) * factor_[j] * scale_[j]));
    }
    return static_cast<double>(largest);
}

double dense_reference::certificate_rounding(double lambda) const
{
    constexpr real u = 0x1p-53L;
    const real terms = static_cast<real>(n_ + p_ + 20);
    real smallest = infinity;
    for (std::size_t j = 0; j < p_; ++j) {
        if (skip_[j] != 0 || factor_[j] == 0) continue;
        const real threshold = lambda * alpha_ * factor_[j] * scale_[j] / std::sqrt(correlation(j, centred_[j]));
        if (threshold > 0) smallest = std::min(smallest, threshold);
    }
    const real residual_norm = std::sqrt(2 * null_loss_);
    return static_cast<double>(2 * null_loss_ * terms * u * (2 + residual_norm / smallest) + 10 * rounding_);
}

double dense_reference::kkt_scale() const
{
    real largest = 0;
    for (std::size_t j = 0; j < p_; ++j)
        if (skip_[j] == 0) largest = std::max(largest, std::sqrt(correlation(j, centred_[j])) / scale_[j]);
    return static_cast<double>(largest);
}

dense_reference::reals dense_reference::residual(double intercept, const std::vector<double>& b) const
{
    reals rows = response_;
    for (std::size_t i = 0; i < n_; ++i) {
        rows[i] -= intercept;
        for (std::size_t j = 0; j < p_; ++j) rows[i] -= raw_[j][i] * b[j];
    }
    return rows;
}

dense_reference::real dense_reference::penalty(double lambda, const std::vector<double>& b) const
{
    real value = 0;
    for (std::size_t j = 0; j < p_; ++j) {
        if (skip_[j] != 0) continue;
        const real scaled = scale_[j] * b[j];
        value +=
            lambda * factor_[j] * (alpha_ * std::fabs(scaled) + (1 - static_cast<real>(alpha_)) / 2 * scaled * scaled);
    }
    return value;
}

long double dense_reference::objective(double lambda, double intercept, const std::vector<double>& b) const
{
    const reals rows = residual(intercept, b);
    real value = penalty(lambda, b);
    for (std::size_t i = 0; i < n_; ++i) value += weights_[i] * rows[i] * rows[i] / 2;
    return value;
}

double dense_reference::distance(double intercept_a, const std::vector<double>& a, double intercept_b,
                                 const std::vector<double>& b) const
{
    const reals left = residual(intercept_a, a);
    const reals right = residual(intercept_b, b);
    real sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += weights_[i] * (left[i] - right[i]) * (left[i] - right[i]);
    return static_cast<double>(std::sqrt(sum));
}

reference_certificate dense_reference::certify(double lambda, double intercept, const std::vector<double>& b) const
{
    reference_certificate result;
    reals rho = residual(intercept, b);
    real square_at_point = 0;
    for (std::size_t i = 0; i < n_; ++i) square_at_point += weights_[i] * rho[i] * rho[i];
    const real primal = square_at_point / 2 + penalty(lambda, b);

    // The dual of intercept and unpenalised features asks for a point orthogonal to them.
    reals theta = rho;
    project(theta);
    project(theta);
    real square = 0;
    real dot = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        square += weights_[i] * theta[i] * theta[i];
        dot += weights_[i] * (response_[i] - mean_response_) * theta[i];
    }

    real kkt = 0;
    real ridge = 0;          // Σ a2 b²
    real support = 0;        // what the finite bounds take from the scaled dual point
    real longest = infinity; // largest scaling that keeps the dual point feasible
    real conjugate = 0;      // what the whole penalty takes from the unscaled one
    for (std::size_t j = 0; j < p_; ++j) {
        if (skip_[j] != 0) continue;
        const real a1 = lambda * alpha_ * factor_[j] * scale_[j];
        const real a2 = lambda * (1 - static_cast<real>(alpha_)) * factor_[j] * scale_[j] * scale_[j];

        // KKT: the slopes of the objective upwards and downwards, at the residual of the point itself.
        const real slope = correlation(j, rho) - a2 * b[j];
        const real gain_up = b[j] < upper_[j] ? slope - (b[j] >= 0 ? a1 : -a1) : 0;
        const real gain_down = b[j] > lower_[j] ? -slope - (b[j] <= 0 ? a1 : -a1) : 0;
        kkt = std::max({kkt, gain_up / scale_[j], gain_down / scale_[j]});

        const bool free = factor_[j] == 0 && lower_[j] == -infinity && upper_[j] == infinity;
        if (free) continue;
        const real u = correlation(j, theta);
        const real c = u - a2 * b[j];
        ridge += a2 * b[j] * b[j];
        const real room = c > 0 ? upper_[j] : -static_cast<real>(lower_[j]);
        const real size = std::fabs(c);
        if (room > 0 && size > a1 && std::isfinite(room)) {
            support += room * (size - a1);
            longest = std::min<real>(longest, 1); // support(s) ≤ s support holds up to 1
        } else if (room > 0 && size > 0) {
            longest = std::min(longest, a1 / size); // up to here the feature takes nothing
        }

        // sup over l ≤ z ≤ u of u z − a1 |z| − a2/2 z²
        if (std::fabs(u) > a1) {
            const real edge = std::fabs(u > 0 ? upper_[j] : lower_[j]);
            const real inside = a2 > 0 ? (std::fabs(u) - a1) / a2 : static_cast<real>(infinity);
            const real z = std::min(edge, inside);
            conjugate += std::isinf(z) ? static_cast<real>(infinity) : (std::fabs(u) - a1) * z - a2 / 2 * z * z;
        }
    }

    const real q = square + ridge;
    real dual = 0; // the dual point 0
    if (dot - support > 0 && longest > 0) {
        const real s = q > 0 ? std::min(longest, (dot - support) / q) : longest;
        if (std::isfinite(s)) dual = std::max(dual, s * (dot - support) - s * s * q / 2);
    }
    if (std::isfinite(conjugate)) dual = std::max(dual, dot - square / 2 - conjugate);

    result.primal = static_cast<double>(primal);
    result.dual = static_cast<double>(dual);
    result.gap = static_cast<double>(std::max<real>(0, primal - dual));
    result.kkt = static_cast<double>(kkt);
    result.residual_square = static_cast<double>(square_at_point);
    return result;
}

double dense_reference::intercept_of(const std::vector<double>& b) const
{
    if (!intercept_) return 0;
    real value = mean_response_;
    for (std::size_t j = 0; j < p_; ++j) value -= mean_[j] * b[j];
    return static_cast<double>(value);
}

reference_solution dense_reference::solve(double lambda, const std::vector<double>& start, double accuracy,
                                          int sweeps) const
{
    reference_solution solution;
    solution.b = start;
    solution.b.resize(p_, 0.0);

    // In double: the sweeps are many, and the certificate at the end is in long double.
    std::vector<double> rho(n_);
    std::vector<double> curvature(p_);
    std::vector<std::vector<double>> weighted(p_), column(p_);
    const auto refresh = [&] {
        const reals exact = residual(intercept_of(solution.b), solution.b);
        for (std::size_t i = 0; i < n_; ++i) rho[i] = static_cast<double>(exact[i]);
    };
    for (std::size_t j = 0; j < p_; ++j) {
        column[j].assign(centred_[j].begin(), centred_[j].end());
        weighted[j].resize(n_);
        for (std::size_t i = 0; i < n_; ++i) weighted[j][i] = static_cast<double>(weights_[i] * centred_[j][i]);
        curvature[j] = static_cast<double>(correlation(j, centred_[j]));
    }
    refresh();
    for (int sweep = 0;; ++sweep) {
        if (sweep % 25 == 0) {
            refresh();
            const reference_certificate now = certify(lambda, intercept_of(solution.b), solution.b);
            solution.intercept = intercept_of(solution.b);
            solution.primal = now.primal;
            solution.gap = now.gap;
            if (now.gap <= accuracy * null_loss() || sweep >= sweeps) return solution;
        }
        for (std::size_t j = 0; j < p_; ++j) {
            if (skip_[j] != 0) continue;
            double u = 0;
            for (std::size_t i = 0; i < n_; ++i) u += weighted[j][i] * rho[i];
            const real a1 = lambda * alpha_ * factor_[j] * scale_[j];
            const real a2 = lambda * (1 - static_cast<real>(alpha_)) * factor_[j] * scale_[j] * scale_[j];
            const real z = shrink(u + curvature[j] * solution.b[j], a1) / (curvature[j] + a2);
            const double next = std::clamp(static_cast<double>(z), lower_[j], upper_[j]);
            const double moved = next - solution.b[j];
            if (moved == 0) continue;
            solution.b[j] = next;
            for (std::size_t i = 0; i < n_; ++i) rho[i] -= moved * column[j][i];
        }
    }
}

} // namespace proxpath::test
