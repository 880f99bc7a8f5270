// Least squares on the unpenalised features, and lambda_max; see null_model.hpp.

#include "host/path/null_model.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Core>
#include <Eigen/QR>
#include <fmt/format.h>

namespace proxpath::path {

using row_major = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Least squares by QR of √W X̃_U, which tells columns apart that differ in 1e-15 of their length; of the Gram matrix,
/// which needs 1e-8, only where the dense columns would be too large.
struct unpenalised_space::factor {
    bool of_columns = false;
    Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> qr;
};

unpenalised_space::unpenalised_space(const operations<double>& ops, const problem& fit)
    : ops_(ops), fit_(fit), features_(fit.unpenalised)
{
    if (features_.empty()) return;
    columns_ = ops.gather_columns(*fit.columns, features_, nullptr);
    const auto count = static_cast<std::int64_t>(features_.size());
    factor_ = std::make_unique<factor>();
    constexpr std::int64_t largest_dense = std::int64_t{1} << 26; // numbers: half a GiB
    factor_->of_columns = count <= largest_dense / fit.n;
    std::vector<double> identity(features_.size() * features_.size(), 0.0);
    for (std::size_t u = 0; u < features_.size(); ++u) identity[u * features_.size() + u] = 1;
    panel<double> square = ops.allocate(count, count);
    if (factor_->of_columns) {
        ops.upload(identity, square);
        panel<double> dense = ops.allocate(fit.n, count);
        ops.multiply(*columns_, square, dense);
        row_major host(fit.n, count);
        ops.download(dense, {host.data(), static_cast<std::size_t>(host.size())});
        for (std::int64_t i = 0; i < fit.n; ++i) host.row(i) *= std::sqrt(fit.weights[static_cast<std::size_t>(i)]);
        factor_->qr.compute(host);
    } else {
        ops.gram(*columns_, fit.weights, 0, square);
        ops.download(square, identity);
        factor_->qr.compute(Eigen::Map<const Eigen::MatrixXd>(identity.data(), count, count));
    }
}

unpenalised_space::~unpenalised_space() = default;

std::vector<double> unpenalised_space::project(panel<double>& residual) const
{
    const auto count = static_cast<std::int64_t>(features_.size());
    std::vector<double> total(features_.size() * static_cast<std::size_t>(residual.cols), 0.0);
    if (empty()) return total;
    const std::vector<double> zero(static_cast<std::size_t>(residual.cols), 0.0);
    panel<double> weighted = ops_.allocate(residual.rows, residual.cols);
    panel<double> correlation = ops_.allocate(count, residual.cols);
    panel<double> fitted = ops_.allocate(residual.rows, residual.cols);
    // √w is the factor for QR of the columns, w for their Gram matrix.
    std::vector<double> factors(fit_.weights);
    if (factor_->of_columns)
        for (double& weight : factors) weight = std::sqrt(weight);
    // The second round takes away what rounding left of the first.
    for (int round = 0; round < 2; ++round) {
        ops_.copy_block(residual, weighted);
        ops_.scale_rows(factors, weighted);
        row_major right(factor_->of_columns ? fit_.n : count, residual.cols);
        if (!factor_->of_columns) ops_.transpose_multiply(*columns_, weighted, correlation);
        ops_.download(factor_->of_columns ? weighted : correlation,
                      {right.data(), static_cast<std::size_t>(right.size())});
        const row_major change = factor_->qr.solve(right);
        const std::vector<double> change_host(change.data(), change.data() + change.size());
        ops_.upload(change_host, correlation);
        ops_.multiply(*columns_, correlation, fitted);
        ops_.extrapolated_residual(residual, fitted, fitted, zero, {}, residual);
        for (std::size_t i = 0; i < total.size(); ++i) total[i] += change_host[i];
    }
    return total;
}

std::vector<double> unpenalised_space::basis() const
{
    if (empty()) return {};
    if (!factor_->of_columns) {
        const std::uint64_t needed =
            sizeof(double) * static_cast<std::uint64_t>(fit_.n) * static_cast<std::uint64_t>(features_.size());
        throw out_of_memory(fmt::format("a basis of {} unpenalised features in {} rows takes {} MiB; give most of them "
                                        "a small penalty factor",
                                        features_.size(), fit_.n, (needed >> 20) + 1),
                            needed, 0);
    }
    const row_major Q = factor_->qr.householderQ() * Eigen::MatrixXd::Identity(fit_.n, factor_->qr.rank());
    return {Q.data(), Q.data() + Q.size()};
}

namespace {

/// One of k columns that lie row by row.
std::vector<double> column_of(std::span<const double> panel, std::size_t k, std::size_t c)
{
    std::vector<double> column(panel.size() / k);
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = panel[i * k + c];
    return column;
}

void upload_columns(const operations<double>& ops, std::span<const std::span<const double>> columns, panel<double>& to)
{
    const std::size_t k = columns.size();
    std::vector<double> host(static_cast<std::size_t>(to.rows) * k);
    for (std::size_t c = 0; c < k; ++c)
        for (std::size_t i = 0; i < columns[c].size(); ++i) host[i * k + c] = columns[c][i];
    ops.upload(host, to);
}

/// x̃_j'wρ of all features, p × k row-major, 0 where the fit skips j; ρ is overwritten by wρ.
std::vector<double> correlations(const operations<double>& ops, const problem& fit, panel<double>& residual)
{
    ops.scale_rows(fit.weights, residual);
    panel<double> product = ops.allocate(fit.p, residual.cols);
    ops.transpose_multiply(*fit.columns, residual, product);
    const auto k = static_cast<std::size_t>(residual.cols);
    std::vector<double> host(static_cast<std::size_t>(fit.p) * k);
    ops.download(product, host);
    for (std::size_t j = 0; j < fit.skip.size(); ++j)
        if (fit.skip[j] != 0) std::fill_n(host.begin() + static_cast<std::ptrdiff_t>(j * k), k, 0.0);
    return host;
}

/// Judges the loss ½ `square` of null.residual.
void set_loss(const problem& fit, double square, null_model& null)
{
    null.loss = 0.5 * square;
    if (!std::isfinite(null.loss)) throw invalid_input("y: its squares overflow; divide it by a power of ten");
    // Where the unpenalised features explain ỹ, the residual is a few units in the last place of what was subtracted. A
    // tolerance relative to that would ask for more digits than there are.
    constexpr double last_places = 64 * std::numeric_limits<double>::epsilon();
    double subtracted = 0;
    for (const double coefficient : null.coefficients) subtracted += coefficient * coefficient;
    // Below this the loss has no digits to measure a gap by.
    constexpr double smallest_loss = std::numeric_limits<double>::min() / std::numeric_limits<double>::epsilon();
    if (subtracted > 0 && null.loss <= last_places * last_places * subtracted) {
        null.rounding = last_places * last_places * subtracted;
        null.loss = 0;
    } else if (null.loss < smallest_loss) {
        for (std::size_t i = 0; i < null.residual.size(); ++i)
            if (fit.weights[i] > 0 && null.residual[i] != 0)
                throw invalid_input("y: its squares underflow; multiply it by a power of ten");
    }
}

/// From the correlations with the null model's residual.
void set_lambda_max(const problem& fit, null_model& null)
{
    // Ridge has no finite lambda_max; glmnet's convention takes 1e-3 for α, of y in units of its standard deviation:
    // an L2 penalty has no unit of y, and the grid must not depend on it. Its lambda is times that.
    const double share = fit.alpha > 1e-3 ? 1.0 : fit.alpha > 0 ? fit.alpha / 1e-3 : 0.0;
    const double deviation = fit.convention == lambda_convention::glmnet ? 1.0 : std::sqrt(null.response_square);
    for (std::size_t j = 0; j < null.correlation.size(); ++j) {
        double& u = null.correlation[j];
        if (fit.skip[j] != 0 || null.loss == 0) u = 0;
        // A side that its bound closes cannot be entered and does not count.
        const bool can_enter = u > 0 ? fit.upper[j] > 0 : fit.lower[j] < 0;
        if (u == 0 || !can_enter) continue;
        // l1 = α v s/d; for ridge the same from l2 = v (s/d)² and kkt_scale = d/s.
        const double l1 =
            share > 0 ? fit.l1[j] / share : 1e-3 * deviation * fit.l2[j] * fit.response_scale * fit.kkt_scale[j];
        if (l1 > 0) null.lambda_max = std::max(null.lambda_max, std::fabs(u) / l1);
    }
}

} // namespace

void check_scale_of_response(const problem& fit)
{
    null_model scratch;
    scratch.residual = fit.response;
    double square = 0;
    for (std::size_t i = 0; i < fit.response.size(); ++i) square += fit.weights[i] * fit.response[i] * fit.response[i];
    set_loss(fit, square, scratch);
}

std::vector<null_model> fit_null_models(const operations<double>& ops, const problem& fit,
                                        const unpenalised_space& unpenalised,
                                        std::span<const std::span<const double>> responses)
{
    const std::size_t k = responses.size();
    std::vector<null_model> nulls(k);
    panel<double> residual = ops.allocate(fit.n, static_cast<std::int64_t>(k));
    upload_columns(ops, responses, residual);
    std::vector<double> response_square(k);
    ops.column_dots(residual, residual, fit.weights, response_square);
    const std::vector<double> coefficients = unpenalised.project(residual);
    std::vector<double> square(k);
    ops.column_dots(residual, residual, fit.weights, square);
    std::vector<double> host(static_cast<std::size_t>(fit.n) * k);
    ops.download(residual, host);
    const std::vector<double> correlation = correlations(ops, fit, residual);
    for (std::size_t c = 0; c < k; ++c) {
        null_model& null = nulls[c];
        null.response_square = response_square[c];
        null.coefficients = column_of(coefficients, k, c);
        null.residual = column_of(host, k, c);
        set_loss(fit, square[c], null);
        null.correlation = column_of(correlation, k, c);
        null.passes = 1;
    }
    if (unpenalised.empty()) {
        for (null_model& null : nulls) null.response_correlation = null.correlation;
    } else {
        upload_columns(ops, responses, residual);
        const std::vector<double> of_response = correlations(ops, fit, residual);
        for (std::size_t c = 0; c < k; ++c) nulls[c].response_correlation = column_of(of_response, k, c);
        for (null_model& null : nulls) ++null.passes;
    }
    for (null_model& null : nulls) set_lambda_max(fit, null);
    return nulls;
}

null_model fit_null_model(const problem& fit, std::span<const std::int64_t> features,
                          std::span<const double> correlation, double square)
{
    null_model null;
    null.response_square = square;
    null.residual = fit.response;
    set_loss(fit, square, null);
    null.correlation.assign(static_cast<std::size_t>(fit.p), 0.0);
    for (std::size_t place = 0; place < features.size(); ++place)
        null.correlation[static_cast<std::size_t>(features[place])] = correlation[place];
    null.response_correlation = null.correlation;
    set_lambda_max(fit, null);
    return null;
}

} // namespace proxpath::path
