// Relaxed fits: the columns of all supports are gathered once, with one Gram matrix; then the factor walks along the
// path and solves for every lambda, and one pass over the gathered columns finds what rounding left, for the bound that
// each solution carries and for a correction where that is not small. See include/proxpath/relax.hpp.

#include "host/parallel/parallel_for.hpp"
#include "host/path/memory.hpp"
#include "host/path/problem.hpp"
#include "host/selection/check_fitted.hpp"
#include "host/selection/least_squares_factor.hpp"
#include "host/selection/work_watch.hpp"

#include <proxpath/relax.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include <Eigen/Core>
#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

using steady = std::chrono::steady_clock;

/// A solution is corrected until it is so close to the least squares, as a share of the path's own tolerance.
constexpr double share_of_tolerance = 1e-3;
/// Of a correlation, as a share of the residual's length.
constexpr double rounding_of_correlations = 1e-12;
/// Corrections after which the rest is rounding.
constexpr int most_corrections = 4;
/// Lambdas whose residuals are alive together.
constexpr std::int64_t lambdas_together = 32;

void check(const matrix& X, std::span<const double> y, const path_options& options, const path_result& path)
{
    check_fitted(X, options, path);
    path::check_response(y, X.rows());
    if (!(options.alpha > 0)) throw invalid_input("alpha is 0: Ridge keeps every feature; there is no support to fit");
    const auto finite = [](double bound) { return std::isfinite(bound); };
    if (std::any_of(options.lower.begin(), options.lower.end(), finite) ||
        std::any_of(options.upper.begin(), options.upper.end(), finite))
        throw invalid_input("relaxed fits do not take bounds: least squares on the support may leave them");
}

class relaxation {
public:
    relaxation(const matrix& X, std::span<const double> y, const path_options& options, const path_result& path)
        : options_(options), path_(path),
          ops_(backend::make_cpu_operations<double>(parallel::resolve_threads(options.threads))),
          fit_(path::prepare_columns(*ops_, X, options))
    {
        path::set_response(fit_, y, options);
        collect_supports();
        check_memory(X);
        make_gram();
    }

    relaxed_path run()
    {
        const std::size_t K = path_.points.size();
        solutions_ = Eigen::MatrixXd::Zero(size(), static_cast<std::int64_t>(K));
        gradients_ = correlation_.replicate(1, static_cast<std::int64_t>(K));
        gaps_.assign(K, std::numeric_limits<double>::infinity());
        df_.assign(K, 0);
        losses_.assign(K, 0.0);
        const double enough = share_of_tolerance * options_.tol * path_.null_loss;
        solve(); // from 0
        for (int round = 0; round <= most_corrections; ++round) {
            find_gradients();
            const Eigen::MatrixXd before = solutions_;
            solve(); // its decrements are the gaps of the solutions before
            if (round == most_corrections || *std::max_element(gaps_.begin(), gaps_.end()) <= enough) {
                solutions_ = before; // of which losses and gaps are known
                break;
            }
        }
        return result();
    }

private:
    std::int64_t size() const { return static_cast<std::int64_t>(features_.size()); }

    /// Places of the union of all supports, in the order in which they enter.
    void collect_supports()
    {
        std::vector<std::int64_t> place(static_cast<std::size_t>(fit_.p), -1);
        const auto add = [&](std::int64_t feature, std::vector<std::int64_t>& support) {
            std::int64_t& at = place[static_cast<std::size_t>(feature)];
            if (at < 0) {
                at = size();
                features_.push_back(feature);
            }
            support.push_back(at);
        };
        const sparse_columns& B = path_.coefficients;
        for (std::size_t k = 0; k < path_.points.size(); ++k) {
            std::vector<std::int64_t>& support = supports_.emplace_back();
            for (const std::int64_t feature : fit_.unpenalised) add(feature, support);
            for (auto e = B.offsets[k]; e < B.offsets[k + 1]; ++e) {
                const std::int64_t feature = B.indices[static_cast<std::size_t>(e)];
                if (std::binary_search(fit_.unpenalised.begin(), fit_.unpenalised.end(), feature)) continue;
                add(feature, support);
            }
        }
    }

    /// The Gram matrix, once more as it comes, and the factor; solutions, old ones and gradients.
    void check_memory(const matrix& X) const
    {
        const std::uint64_t limit = path::share_memory(X, options_).plan.limit_bytes;
        const auto m = static_cast<double>(size());
        const double needed = sizeof(double) * m * (3 * m + 3 * static_cast<double>(path_.points.size()));
        if (needed > static_cast<double>(limit))
            throw out_of_memory(
                fmt::format("relaxed fits of {} features, which is how many the supports hold together, take {} MiB "
                            "for their products; the limit is {} MiB: end the path earlier (dfmax), or raise it",
                            size(), static_cast<std::uint64_t>(needed) >> 20, limit >> 20),
                static_cast<std::uint64_t>(needed), limit);
    }

    void make_gram()
    {
        correlation_ = Eigen::VectorXd::Zero(size());
        if (features_.empty()) return;
        columns_ = ops_->gather_columns(*fit_.columns, features_, nullptr);
        backend::panel<double> C = ops_->allocate(size(), size());
        ops_->gram(*columns_, fit_.weights, 0, C);
        gram_.resize(size(), size());
        ops_->download(C, {gram_.data(), static_cast<std::size_t>(gram_.size())}); // symmetric: rows are columns
        backend::panel<double> weighted = ops_->allocate(fit_.n, 1);
        ops_->upload(fit_.response, weighted);
        ops_->scale_rows(fit_.weights, weighted);
        backend::panel<double> product = ops_->allocate(size(), 1);
        ops_->transpose_multiply(*columns_, weighted, product);
        ops_->download(product, {correlation_.data(), static_cast<std::size_t>(size())});
    }

    /// Adds C_SS⁻¹ g to every solution; gaps_ becomes the gap before, where losses_ are known.
    void solve()
    {
        least_squares_factor factor(gram_);
        Eigen::VectorXd change(size());
        for (std::size_t k = 0; k < supports_.size(); ++k) {
            watch_.stop_if_asked(k, supports_.size(), size());
            const auto column = static_cast<std::int64_t>(k);
            factor.move_to(supports_[k]);
            gaps_[k] = factor.solve(gradients_.col(column), change);
            gaps_[k] +=
                factor.left_out(gradients_.col(column), change, rounding_of_correlations * std::sqrt(2 * losses_[k]));
            gaps_[k] = std::min(gaps_[k], losses_[k]); // no loss is below 0
            solutions_.col(column) += change;
            df_[k] = factor.size();
        }
    }

    /// gradients_ = X̃'w(y − X̃B) and losses_ = ½ Σ w (y − X̃B)² of the solutions.
    void find_gradients()
    {
        const auto K = static_cast<std::int64_t>(supports_.size());
        backend::panel<double> response = ops_->allocate(fit_.n, 1);
        ops_->upload(fit_.response, response);
        using rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        for (std::int64_t first = 0; first < K; first += lambdas_together) {
            const std::int64_t count = std::min(lambdas_together, K - first);
            backend::panel<double> residual = ops_->allocate(fit_.n, count);
            std::vector<double> square(static_cast<std::size_t>(count));
            if (features_.empty()) {
                ops_->column_dots(response, response, fit_.weights, std::span(square).first(1));
                std::fill(square.begin(), square.end(), square.front());
            } else {
                rows host = solutions_.middleCols(first, count);
                backend::panel<double> B = ops_->allocate(size(), count);
                ops_->upload(std::span<const double>(host.data(), static_cast<std::size_t>(host.size())), B);
                ops_->residual(*columns_, B, response, residual);
                ops_->column_dots(residual, residual, fit_.weights, square);
                ops_->scale_rows(fit_.weights, residual);
                ops_->transpose_multiply(*columns_, residual, B);
                ops_->download(B, {host.data(), static_cast<std::size_t>(host.size())});
                gradients_.middleCols(first, count) = host;
            }
            for (std::int64_t c = 0; c < count; ++c)
                losses_[static_cast<std::size_t>(first + c)] = 0.5 * square[static_cast<std::size_t>(c)];
        }
    }

    relaxed_path result()
    {
        relaxed_path out;
        out.coefficients.rows = fit_.p;
        out.coefficients.cols = static_cast<std::int64_t>(supports_.size());
        out.coefficients.offsets.assign(1, 0);
        for (std::size_t k = 0; k < supports_.size(); ++k) {
            relaxed_point& point = out.points.emplace_back();
            point.lambda = path_.points[k].lambda;
            point.df = df_[k];
            point.loss = losses_[k];
            point.gap = gaps_[k];
            if (path_.null_loss > 0) {
                point.dev_ratio = 1 - losses_[k] / path_.null_loss;
                point.rel_gap = gaps_[k] / path_.null_loss;
            }
            point.intercept = fit_.response_mean;
            std::vector<std::int64_t> support = supports_[k];
            std::sort(support.begin(), support.end(), [&](std::int64_t a, std::int64_t b) {
                return features_[static_cast<std::size_t>(a)] < features_[static_cast<std::size_t>(b)];
            });
            for (const std::int64_t place : support) {
                const std::int64_t feature = features_[static_cast<std::size_t>(place)];
                const double value =
                    path::original_coefficient(fit_, feature, solutions_(place, static_cast<std::int64_t>(k)));
                if (value == 0) continue;
                out.coefficients.indices.push_back(feature);
                out.coefficients.values.push_back(value);
                point.intercept -= fit_.mean[static_cast<std::size_t>(feature)] * value; // means are 0 without one
            }
            out.coefficients.offsets.push_back(static_cast<std::int64_t>(out.coefficients.indices.size()));
        }
        out.seconds = std::chrono::duration<double>(steady::now() - started_).count();
        return out;
    }

    steady::time_point started_ = steady::now();
    const path_options& options_;
    work_watch watch_{options_, "stopped during the relaxed fits"};
    const path_result& path_;
    std::unique_ptr<backend::operations<double>> ops_;
    path::problem fit_;
    std::vector<std::int64_t> features_;              // of all supports
    std::vector<std::vector<std::int64_t>> supports_; // places in features_
    std::shared_ptr<const backend::design> columns_;  // of features_
    Eigen::MatrixXd gram_;
    Eigen::VectorXd correlation_; // X̃'wy
    // A column for each lambda, a row for each of features_.
    Eigen::MatrixXd solutions_;
    Eigen::MatrixXd gradients_;
    std::vector<double> gaps_;
    std::vector<double> losses_;
    std::vector<std::int64_t> df_;
};

} // namespace

} // namespace selection

relaxed_path relax_path(const matrix& X, std::span<const double> y, const path_options& options,
                        const path_result& path)
{
    selection::check(X, y, options, path);
    try {
        return selection::relaxation(X, y, options, path).run();
    } catch (const std::bad_alloc&) {
        throw out_of_memory("the system refused memory during the relaxed fits; end the path earlier (dfmax)", 0,
                            options.memory_limit);
    }
}

relaxed_path relax_path(const matrix_view& X, std::span<const double> y, const path_options& options,
                        const path_result& path)
{
    return relax_path(matrix::from_view(X, options.threads), y, options, path);
}

sparse_columns blend(const sparse_columns& penalised, const sparse_columns& relaxed, double gamma)
{
    if (!(gamma >= 0 && gamma <= 1)) throw invalid_input(fmt::format("gamma is {}; must be from 0 to 1", gamma));
    if (penalised.rows != relaxed.rows || penalised.cols != relaxed.cols)
        throw invalid_input(fmt::format("coefficients of {} x {} and relaxed ones of {} x {}", penalised.rows,
                                        penalised.cols, relaxed.rows, relaxed.cols));
    sparse_columns out;
    out.rows = penalised.rows;
    out.cols = penalised.cols;
    out.offsets.assign(1, 0);
    for (std::size_t k = 0; k < static_cast<std::size_t>(out.cols); ++k) {
        auto a = static_cast<std::size_t>(penalised.offsets[k]);
        const auto a_end = static_cast<std::size_t>(penalised.offsets[k + 1]);
        auto b = static_cast<std::size_t>(relaxed.offsets[k]);
        const auto b_end = static_cast<std::size_t>(relaxed.offsets[k + 1]);
        while (a < a_end || b < b_end) {
            const bool take_a = a < a_end && (b == b_end || penalised.indices[a] <= relaxed.indices[b]);
            const bool take_b = b < b_end && (a == a_end || relaxed.indices[b] <= penalised.indices[a]);
            const std::int64_t feature = take_a ? penalised.indices[a] : relaxed.indices[b];
            double value = 0;
            if (take_a) value += gamma * penalised.values[a++];
            if (take_b) value += (1 - gamma) * relaxed.values[b++];
            if (value == 0) continue;
            out.indices.push_back(feature);
            out.values.push_back(value);
        }
        out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
    }
    return out;
}

} // namespace proxpath
