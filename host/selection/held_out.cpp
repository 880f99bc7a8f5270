// Predictions and losses of held-out rows; see held_out.hpp.

#include "host/selection/held_out.hpp"

#include "host/matrix/column_store.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::selection {

namespace {

/// Coefficients by feature: those of feature j at positions offsets[j] … offsets[j + 1).
struct coefficients_by_feature {
    std::vector<std::int64_t> offsets;
    std::vector<std::int64_t> lambda;
    std::vector<double> value;
};

coefficients_by_feature by_feature(const sparse_columns& B)
{
    coefficients_by_feature out;
    out.offsets.assign(static_cast<std::size_t>(B.rows) + 1, 0);
    for (const std::int64_t j : B.indices) ++out.offsets[static_cast<std::size_t>(j) + 1];
    for (std::size_t j = 1; j < out.offsets.size(); ++j) out.offsets[j] += out.offsets[j - 1];
    out.lambda.resize(B.indices.size());
    out.value.resize(B.indices.size());
    std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
    for (std::int64_t k = 0; k < B.cols; ++k)
        for (auto e = static_cast<std::size_t>(B.offsets[static_cast<std::size_t>(k)]);
             e < static_cast<std::size_t>(B.offsets[static_cast<std::size_t>(k) + 1]); ++e) {
            const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(B.indices[e])]++);
            out.lambda[place] = k;
            out.value[place] = B.values[e];
        }
    return out;
}

} // namespace

held_out_rows rows_of_fold(std::span<const std::int64_t> fold_of, std::int64_t fold)
{
    held_out_rows held;
    held.slot.assign(fold_of.size(), held_out_rows::elsewhere);
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
        if (fold_of[i] != fold) continue;
        held.slot[i] = static_cast<std::uint32_t>(held.rows.size());
        held.rows.push_back(static_cast<std::int64_t>(i));
    }
    return held;
}

std::vector<double> predict_rows(const matrix& X, const held_out_rows& held, const sparse_columns& coefficients,
                                 std::span<const double> intercepts)
{
    const auto K = intercepts.size();
    std::vector<double> out(held.rows.size() * K);
    for (std::size_t r = 0; r < held.rows.size(); ++r)
        for (std::size_t k = 0; k < K; ++k) out[r * K + k] = intercepts[k];
    const coefficients_by_feature B = by_feature(coefficients);
    std::vector<double> row(K); // coefficients of one feature, zeros between the first and the last
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](const auto& indices, const auto& values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto j = static_cast<std::size_t>(block.first + c);
                const auto begin = static_cast<std::size_t>(B.offsets[j]);
                const auto end = static_cast<std::size_t>(B.offsets[j + 1]);
                if (begin == end) continue;
                const auto first = static_cast<std::size_t>(B.lambda[begin]);
                const std::size_t count = static_cast<std::size_t>(B.lambda[end - 1]) + 1 - first;
                std::fill_n(row.begin(), count, 0.0);
                for (std::size_t e = begin; e < end; ++e)
                    row[static_cast<std::size_t>(B.lambda[e]) - first] = B.value[e];
                const auto rows = indices.column(block.offsets[c]);
                for (std::int64_t at = block.offsets[c]; at < block.offsets[c + 1]; ++at) {
                    const std::uint32_t slot = held.slot[static_cast<std::size_t>(rows[at])];
                    if (slot == held_out_rows::elsewhere) continue;
                    const auto x = static_cast<double>(values[at]);
                    double* const to = out.data() + slot * K + first;
                    for (std::size_t k = 0; k < count; ++k) to[k] += x * row[k];
                }
            }
        });
    return out;
}

loss_sums sum_losses(cv_loss loss, const held_out_rows& held, std::span<const double> predicted, std::size_t lambdas,
                     std::span<const double> y, std::span<const double> offset, std::span<const double> weights,
                     double null_value)
{
    loss_sums sums;
    std::vector<double>& of_lambda = loss == cv_loss::mae ? sums.absolute : sums.square;
    of_lambda.assign(lambdas, 0.0);
    for (std::size_t r = 0; r < held.rows.size(); ++r) {
        const auto i = static_cast<std::size_t>(held.rows[r]);
        const double weight = weights[i];
        if (weight == 0) continue;
        const double null_residual = y[i] - null_value - (offset.empty() ? 0.0 : offset[i]);
        sums.weight += weight;
        sums.null_square += weight * null_residual * null_residual;
        for (std::size_t k = 0; k < lambdas; ++k) {
            const double residual = y[i] - predicted[r * lambdas + k];
            of_lambda[k] += weight * (loss == cv_loss::mae ? std::fabs(residual) : residual * residual);
        }
    }
    return sums;
}

} // namespace proxpath::selection
