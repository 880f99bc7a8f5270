// From solved columns to the rows and columns of the result; see path_recorder.hpp.

#include "host/path/path_recorder.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace proxpath::path {

path_recorder::path_recorder(const problem& fit, double null_loss, std::size_t lambdas)
    : fit_(fit), null_loss_(null_loss), points_(lambdas), columns_(lambdas), known_(lambdas, 0)
{}

double path_recorder::intercept(const std::vector<entry>& coefficients) const
{
    if (!fit_.intercept) return 0;
    double value = fit_.response_mean;
    for (const auto& [feature, coefficient] : coefficients)
        value -= fit_.mean[static_cast<std::size_t>(feature)] * coefficient;
    return value;
}

/// Takes the coefficients of all columns, a few features at a time: one column after the other would miss the cache at
/// every coefficient, which took a quarter of a whole ridge path.
void path_recorder::collect(std::span<const finished_column> columns, std::span<const std::int64_t> features,
                            std::span<const double> solved, std::size_t k)
{
    if (columns.empty()) return;
    constexpr std::size_t features_at_once = 64;
    std::vector<std::size_t> nonzeros(k, 0);
    for (std::size_t place = 0; place < features.size(); ++place)
        for (std::size_t c = 0; c < k; ++c) nonzeros[c] += solved[place * k + c] != 0 ? 1 : 0;
    for (const finished_column& each : columns) columns_[each.index].reserve(nonzeros[each.place]);
    for (std::size_t first = 0; first < features.size(); first += features_at_once) {
        const std::size_t last = std::min(features.size(), first + features_at_once);
        for (const finished_column& each : columns)
            for (std::size_t place = first; place < last; ++place) {
                const double value = original_coefficient(fit_, features[place], solved[place * k + each.place]);
                if (!std::isfinite(value))
                    throw invalid_input(fmt::format(
                        "X: the coefficient of column {} overflows; multiply it by a power of ten", features[place]));
                if (value != 0) columns_[each.index].emplace_back(features[place], value);
            }
    }
    for (const finished_column& each : columns) {
        std::vector<entry>& column = columns_[each.index];
        if (!std::is_sorted(column.begin(), column.end())) std::sort(column.begin(), column.end());
    }
}

void path_recorder::store(std::span<const finished_column> finished, std::span<const std::int64_t> features,
                          std::span<const double> solved, std::size_t k)
{
    // A block that is solved again, in smaller ones, may bring what is here.
    std::vector<finished_column> columns;
    std::copy_if(finished.begin(), finished.end(), std::back_inserter(columns),
                 [&](const finished_column& each) { return known_[each.index] == 0; });
    collect(columns, features, solved, k);
    for (const finished_column& each : columns) {
        const column_certificate& certificate = *each.certificate;
        path_point& point = points_[each.index];
        point.lambda = each.lambda;
        point.df = static_cast<std::int64_t>(columns_[each.index].size());
        point.dev_ratio = null_loss_ > 0 ? 1 - certificate.residual_square / (2 * null_loss_) : 0;
        point.intercept = intercept(columns_[each.index]);
        point.primal = certificate.value.primal;
        point.dual = certificate.value.dual;
        point.gap = certificate.value.gap;
        point.rel_gap = null_loss_ > 0 ? certificate.value.gap / null_loss_ : 0;
        point.kkt = certificate.kkt;
        point.status = each.converged ? column_status::converged : column_status::not_converged;
        point.iterations = each.iterations;
        point.passes = each.passes;
        known_[each.index] = 1;
        ++stored_;
        largest_rel_gap_ = std::max(largest_rel_gap_, point.rel_gap);
    }
}

double path_recorder::null_kkt(const null_model& null, double lambda) const
{
    double largest = 0;
    for (std::size_t j = 0; j < null.correlation.size(); ++j)
        largest = std::max(largest, backend::kkt_distance(null.correlation[j], 0, lambda * fit_.l1[j], 0, fit_.lower[j],
                                                          fit_.upper[j]) *
                                        fit_.kkt_scale[j]);
    return largest;
}

void path_recorder::fill_interrupted(std::span<const double> lambdas, const null_model& null)
{
    const auto& unpenalised = fit_.unpenalised;
    for (std::size_t index = 0; index < points_.size(); ++index) {
        if (known_[index] != 0) continue;
        for (std::size_t u = 0; u < unpenalised.size(); ++u)
            if (null.coefficients[u] != 0)
                columns_[index].emplace_back(unpenalised[u],
                                             original_coefficient(fit_, unpenalised[u], null.coefficients[u]));
        path_point& point = points_[index];
        point.lambda = lambdas[index];
        point.df = static_cast<std::int64_t>(columns_[index].size());
        point.intercept = intercept(columns_[index]);
        point.primal = point.gap = null_loss_; // the dual value 0 always holds
        point.rel_gap = null_loss_ > 0 ? 1 : 0;
        point.kkt = null_kkt(null, point.lambda);
        point.status = column_status::interrupted;
    }
}

void path_recorder::truncate(std::size_t lambdas)
{
    points_.resize(lambdas);
    columns_.resize(lambdas);
    known_.resize(lambdas);
}

void path_recorder::move_into(path_result& result)
{
    sparse_columns& out = result.coefficients;
    out.rows = fit_.p;
    out.cols = static_cast<std::int64_t>(columns_.size());
    out.offsets.assign(1, 0);
    std::size_t total = 0;
    for (const auto& column : columns_) total += column.size();
    out.indices.reserve(total);
    out.values.reserve(total);
    for (auto& column : columns_) {
        for (const auto& [feature, value] : column) {
            out.indices.push_back(feature);
            out.values.push_back(value);
        }
        out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
        column = {}; // the two forms are never alive together
    }
    result.points = std::move(points_);
}

} // namespace proxpath::path
