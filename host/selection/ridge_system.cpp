// See ridge_system.hpp. Centring: a column in which every row that counts is stored is centred entry by entry, because
// its mean may be far above its deviation. Of the others the mean is left to the projection, which is exact enough: a
// column with a share z of its weight in zeros has a deviation of √z times its mean at least.

#include "host/selection/ridge_system.hpp"

#include "host/io/memory_guard.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"
#include "host/path/null_model.hpp"

#include <proxpath/errors.hpp>

#include <cmath>

#include <fmt/format.h>

namespace proxpath::selection {

namespace {

/// Calls f(place in the list, row, value) for the stored entries of the listed columns.
template <class F>
void for_entries(const matrix& X, std::span<const std::int64_t> columns, const F& f)
{
    for (std::size_t place = 0; place < columns.size(); ++place) {
        const storage::column_block& block = storage::block_of(X.store(), columns[place]);
        storage::visit_block(block, [&](auto indices, auto values) {
            const std::int64_t begin = block.offsets[columns[place] - block.first];
            const std::int64_t end = block.offsets[columns[place] - block.first + 1];
            const auto rows = indices.column(begin);
            for (std::int64_t at = begin; at < end; ++at)
                f(place, static_cast<std::size_t>(rows[at]), static_cast<double>(values[at]));
        });
    }
}

/// A square panel; symmetric, so that it does not matter which way it lies.
Eigen::MatrixXd symmetric_of(const backend::operations<double>& ops, const backend::panel<double>& from)
{
    Eigen::MatrixXd to(from.rows, from.cols);
    ops.download(from, {to.data(), static_cast<std::size_t>(to.size())});
    return to;
}

} // namespace

std::uint64_t work_limit(const path_options& options)
{
    return options.memory_limit > 0 ? options.memory_limit : io::available_memory() / 2;
}

matrix scaled_rows::transposed(std::int64_t features_asked, int threads) const
{
    return matrix::from_view(
        csc_view(features_asked, static_cast<std::int64_t>(offsets.size()) - 1, offsets, features, values), threads);
}

ridge_system::ridge_system(const matrix& X, const path_options& options, double l2_divisor)
    : threads_(parallel::resolve_threads(options.threads)), ops_(backend::make_cpu_operations<double>(threads_)),
      fit_(path::prepare_columns(*ops_, X, options))
{
    // What the response adds to it is not known from X and the options.
    for (double& l2 : fit_.l2) l2 *= fit_.l2_divisor / l2_divisor;
    for (std::int64_t i = 0; i < fit_.n; ++i)
        if (fit_.weights[static_cast<std::size_t>(i)] > 0) rows_.push_back(i);
    std::size_t unpenalised = 0;
    for (std::int64_t j = 0; j < fit_.p; ++j) {
        const auto at = static_cast<std::size_t>(j);
        if (unpenalised < fit_.unpenalised.size() && fit_.unpenalised[unpenalised] == j)
            ++unpenalised;
        else if (fit_.skip[at] == 0 && fit_.l2[at] > 0)
            penalised_.push_back(j);
        else if (fit_.skip[at] == 0)
            throw invalid_input(fmt::format("feature {} has bounds and no L2 penalty (its factor is 0): degrees of "
                                            "freedom are not known then",
                                            j));
    }
    const path::unpenalised_space space(*ops_, fit_);
    const std::vector<double> U = space.basis();
    const std::int64_t rank = static_cast<std::int64_t>(U.size()) / fit_.n;
    const std::int64_t first = fit_.intercept ? 1 : 0;
    basis_.resize(static_cast<std::int64_t>(rows_.size()), first + rank);
    for (std::size_t at = 0; at < rows_.size(); ++at) {
        const auto row = static_cast<std::int64_t>(at);
        if (fit_.intercept) basis_(row, 0) = std::sqrt(fit_.weights[static_cast<std::size_t>(rows_[at])]);
        for (std::int64_t c = 0; c < rank; ++c)
            basis_(row, first + c) = U[static_cast<std::size_t>(rows_[at] * rank + c)];
    }
}

scaled_rows ridge_system::rows_of(std::span<const std::int64_t> features) const
{
    constexpr std::int64_t nowhere = -1;
    std::vector<std::int64_t> place_of(static_cast<std::size_t>(fit_.n), nowhere);
    for (std::size_t at = 0; at < rows_.size(); ++at)
        place_of[static_cast<std::size_t>(rows_[at])] = static_cast<std::int64_t>(at);
    scaled_rows out;
    out.offsets.assign(rows_.size() + 1, 0);
    for_entries(fit_.X, features, [&](std::size_t, std::size_t row, double) {
        if (place_of[row] != nowhere) ++out.offsets[static_cast<std::size_t>(place_of[row]) + 1];
    });
    for (std::size_t at = 0; at < rows_.size(); ++at) out.offsets[at + 1] += out.offsets[at];
    out.features.resize(static_cast<std::size_t>(out.offsets.back()));
    out.values.resize(out.features.size());
    std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
    const backend::column_scaling& scaling = fit_.columns->scaling();
    for_entries(fit_.X, features, [&](std::size_t place, std::size_t row, double x) {
        if (place_of[row] == nowhere) return;
        const auto j = static_cast<std::size_t>(features[place]);
        const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(place_of[row])]++);
        out.features[to] = static_cast<std::int64_t>(place);
        out.values[to] =
            std::sqrt(fit_.weights[row]) * (x - scaling.shift[j]) * scaling.inverse[j] / std::sqrt(fit_.l2[j]);
    });
    return out;
}

Eigen::MatrixXd ridge_system::kernel(std::span<const std::int64_t> features) const
{
    const auto n = static_cast<std::int64_t>(rows_.size());
    Eigen::MatrixXd K;
    {
        const scaled_rows rows = rows_of(features);
        const auto count = static_cast<std::int64_t>(features.size());
        const auto columns =
            ops_->make_design(rows.transposed(count, threads_), backend::unscaled(static_cast<std::size_t>(n)));
        backend::panel<double> C = ops_->allocate(n, n);
        ops_->gram(*columns, std::vector<double>(features.size(), 1.0), 0, C);
        K = symmetric_of(*ops_, C);
    }
    // PKP = K − BF' − FB' with F = KB − B (B'KB)/2
    Eigen::MatrixXd F = K * basis_;
    const Eigen::MatrixXd middle = basis_.transpose() * F;
    F.noalias() -= 0.5 * (basis_ * middle);
    K.noalias() -= basis_ * F.transpose();
    K.noalias() -= F * basis_.transpose();
    return K;
}

Eigen::MatrixXd ridge_system::gram(std::span<const std::int64_t> features) const
{
    const auto m = static_cast<std::int64_t>(features.size());
    const auto columns = m == fit_.p ? fit_.columns : ops_->gather_columns(*fit_.columns, features, nullptr);
    Eigen::MatrixXd G;
    {
        backend::panel<double> C = ops_->allocate(m, m);
        ops_->gram(*columns, fit_.weights, 0, C);
        G = symmetric_of(*ops_, C);
    }
    Eigen::VectorXd root(m);
    for (std::int64_t j = 0; j < m; ++j)
        root[j] = 1 / std::sqrt(fit_.l2[static_cast<std::size_t>(features[static_cast<std::size_t>(j)])]);
    G = root.asDiagonal() * G * root.asDiagonal();
    const std::int64_t rank = unpenalised_rank();
    if (rank == 0) return G;
    // Z'PZ = Z'Z − R R' with R = Z'B of the unpenalised features' part of the basis; the columns are centred.
    std::vector<double> weighted(static_cast<std::size_t>(fit_.n * rank), 0.0);
    for (std::size_t at = 0; at < rows_.size(); ++at)
        for (std::int64_t c = 0; c < rank; ++c)
            weighted[static_cast<std::size_t>(rows_[at] * rank + c)] =
                std::sqrt(fit_.weights[static_cast<std::size_t>(rows_[at])]) *
                basis_(static_cast<std::int64_t>(at), basis_.cols() - rank + c);
    backend::panel<double> B = ops_->allocate(fit_.n, rank);
    ops_->upload(weighted, B);
    backend::panel<double> product = ops_->allocate(m, rank);
    ops_->transpose_multiply(*columns, B, product);
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> R(m, rank);
    ops_->download(product, {R.data(), static_cast<std::size_t>(R.size())});
    const Eigen::MatrixXd scaled = root.asDiagonal() * R;
    G.noalias() -= scaled * scaled.transpose();
    return G;
}

} // namespace proxpath::selection
