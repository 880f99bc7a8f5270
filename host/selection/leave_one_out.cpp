// Leave-one-out residuals of Ridge from the diagonal of its hat matrix; see include/proxpath/leave_one_out.hpp and
// ridge_system.hpp. For row i, e_i a unit vector, what is left of it is
//
//     1 − h_ii = λ q_i'(T + λ)⁻¹ q_i             with q_i = Q'P e_i,  K = QTQ'        (rows are no more than features)
//              = ‖P e_i‖² − q_i'(T + λ)⁻¹ q_i    with q_i = Q'Z'P e_i,  Z'PZ = QTQ'    (features are fewer)
//
// The first has no difference in it: a row that is fitted closely keeps its digits.

#include "host/backend/panel.hpp"
#include "host/parallel/parallel_for.hpp"
#include "host/path/problem.hpp"
#include "host/selection/check_fitted.hpp"
#include "host/selection/ridge_system.hpp"
#include "host/selection/tridiagonal.hpp"
#include "host/selection/work_watch.hpp"

#include <proxpath/leave_one_out.hpp>
#include <proxpath/predict.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

/// Of a row with less of it left than this, a residual in double holds nothing but rounding.
constexpr double least_slack = 4096 * std::numeric_limits<double>::epsilon();

void check_ridge(const path_options& options)
{
    if (options.alpha != 0)
        throw invalid_input(fmt::format("leave-one-out: alpha is {}; without a fit for each row it is exact for Ridge "
                                        "alone, alpha 0; cross-validation takes any",
                                        options.alpha));
    for (const std::span<const double> bounds : {options.lower, options.upper})
        for (std::size_t j = 0; j < bounds.size(); ++j)
            if (std::isfinite(bounds[j]))
                throw invalid_input(fmt::format("leave-one-out: feature {} has the bound {}; a fit with bounds is not "
                                                "linear in y; cross-validation takes them",
                                                j, bounds[j]));
}

/// Sizes that follow from shape and options alone.
struct problem_sizes {
    std::int64_t rows = 0, penalised = 0, unpenalised = 0;
    std::int64_t side() const { return std::min(rows, penalised); }
};

problem_sizes sizes_of(const matrix& X, const path_options& options)
{
    const std::span<const double> factors = options.penalty_factors;
    problem_sizes sizes;
    sizes.rows = X.rows() - std::count(options.weights.begin(), options.weights.end(), 0.0);
    sizes.unpenalised = std::count(factors.begin(), factors.end(), 0.0);
    sizes.penalised = X.cols() - sizes.unpenalised -
                      std::count(factors.begin(), factors.end(), std::numeric_limits<double>::infinity());
    return sizes;
}

/// @throws invalid_input, out_of_memory
std::uint64_t planned_bytes(const matrix& X, const path_options& options, std::int64_t lambdas)
{
    const problem_sizes sizes = sizes_of(X, options);
    if (sizes.side() > largest_side)
        throw invalid_input(
            fmt::format("leave-one-out: {} rows and {} penalised features; the smaller number may be {} "
                        "at most; take cross-validation",
                        sizes.rows, sizes.penalised, largest_side));
    // In double, so that no product wraps around: two squares, Z by rows, residuals and what predicts them, the basis
    // three times over, vectors of X's preparation, a sweep for each lambda and for each thread.
    const auto n = static_cast<double>(X.rows());
    const auto p = static_cast<double>(X.cols());
    const auto m = static_cast<double>(sizes.side());
    const auto padded = static_cast<double>(backend::padded_cols(sizes.side()));
    const auto K = static_cast<double>(lambdas);
    constexpr double features_at_a_time = 32; // predict
    const double threads = parallel::resolve_threads(options.threads);
    const double numbers = 2 * m * padded + n * K + (n + p) * 2 * std::min(K, features_at_a_time) +
                           3 * n * static_cast<double>(sizes.unpenalised + 1) + 17 * p + 8 * n + 3 * m * K +
                           threads * 3 * m * static_cast<double>(swept_together);
    const double needed = 8 * numbers + 16 * static_cast<double>(X.nonzeros()) +
                          (sizes.penalised < sizes.rows ? static_cast<double>(X.stored_bytes()) : 0.0);
    const std::uint64_t limit = work_limit(options);
    constexpr double most = 0x1p63;
    const auto bytes = static_cast<std::uint64_t>(std::min(needed, most));
    if (bytes > limit)
        throw out_of_memory(fmt::format("leave-one-out: {} rows, {} penalised features and {} lambdas take {} MiB, and "
                                        "the limit is {} MiB; raise it, or take cross-validation",
                                        sizes.rows, sizes.penalised, lambdas, (bytes >> 20) + 1, limit >> 20),
                            bytes, limit);
    return bytes;
}

class leave_one_out_run {
public:
    leave_one_out_run(const matrix& X, std::span<const double> y, const path_options& options, const path_result& path)
        : y_(y), options_(options), path_(path), lambdas_(path.points.size()), system_(X, options, path.l2_divisor)
    {
        residuals_ = predict(X, path.coefficients, intercepts(), options.threads);
        for (std::size_t i = 0; i < y.size(); ++i)
            for (std::size_t k = 0; k < lambdas_; ++k) {
                double& value = residuals_[i * lambdas_ + k];
                value = y[i] - (options.offset.empty() ? 0 : options.offset[i]) - value;
            }
    }

    leave_one_out_result run(bool predictions)
    {
        watch_.stop_if_asked(lambdas_, lambdas_);
        reduce();
        watch_.stop_if_asked(lambdas_, lambdas_);
        for (const path_point& point : path_.points) out_.points.push_back(trace_of(point));
        set_gcv();
        leave_out();
        watch_.stop_if_asked(lambdas_, lambdas_);
        set_losses();
        choose();
        if (predictions) {
            out_.predictions = std::move(residuals_);
            for (std::size_t i = 0; i < y_.size(); ++i)
                for (std::size_t k = 0; k < lambdas_; ++k) {
                    double& value = out_.predictions[i * lambdas_ + k];
                    value = is_known(k) ? y_[i] - value : std::numeric_limits<double>::quiet_NaN();
                }
        }
        return std::move(out_);
    }

private:
    std::vector<double> intercepts() const
    {
        std::vector<double> all;
        for (const path_point& point : path_.points) all.push_back(point.intercept);
        return all;
    }

    double weight(std::size_t place) const
    {
        return system_.problem().weights[static_cast<std::size_t>(system_.rows()[place])];
    }
    double& residual(std::size_t place, std::size_t k)
    {
        return residuals_[static_cast<std::size_t>(system_.rows()[place]) * lambdas_ + k];
    }

    /// To T, and what q_i are made from.
    void reduce()
    {
        const std::span<const std::int64_t> features = system_.penalised();
        by_rows_ = system_.rows().size() <= features.size();
        const Eigen::MatrixXd& B = system_.basis();
        form_ = tridiagonal_form(by_rows_ ? system_.kernel(features) : system_.gram(features), true);
        if (by_rows_) {
            const Eigen::MatrixXd common = B.transpose() * form_.axes();
            axes_ = form_.take_axes();
            axes_.noalias() -= B * common; // PQ
            return;
        }
        axes_ = form_.take_axes().transpose(); // Q'
        rows_ = system_.rows_of(features);
        if (features.empty()) return;
        // Q'Z'B: what P takes out of a row of ZQ.
        const auto count = static_cast<std::int64_t>(features.size());
        const backend::operations<double>& ops = system_.operations();
        const auto transposed =
            ops.make_design(rows_.transposed(count, system_.threads()), backend::unscaled(system_.rows().size()));
        using row_by_row = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        const row_by_row basis = B;
        backend::panel<double> right = ops.allocate(B.rows(), B.cols());
        ops.upload({basis.data(), static_cast<std::size_t>(basis.size())}, right);
        backend::panel<double> product = ops.allocate(count, B.cols());
        ops.multiply(*transposed, right, product);
        row_by_row taken(count, B.cols());
        ops.download(product, {taken.data(), static_cast<std::size_t>(taken.size())});
        taken_out_ = axes_ * taken;
    }

    /// A null model, the only point with lambda 0, is the limit of large ones.
    static bool is_null(const path_point& point) { return point.lambda == 0; }

    leave_one_out_point trace_of(const path_point& point)
    {
        leave_one_out_point out;
        out.lambda = point.lambda;
        out.df = static_cast<double>(system_.unpenalised_rank());
        if (is_null(point)) return out;
        out.df = form_.loses(point.lambda) ? std::numeric_limits<double>::quiet_NaN()
                                           : out.df + form_.shrunk_trace(point.lambda);
        return out;
    }

    /// Before residuals are divided.
    void set_gcv()
    {
        const auto n = static_cast<double>(system_.rows().size());
        std::vector<double> square(lambdas_, 0.0);
        for (std::size_t at = 0; at < system_.rows().size(); ++at)
            for (std::size_t k = 0; k < lambdas_; ++k) square[k] += weight(at) * residual(at, k) * residual(at, k);
        for (std::size_t k = 0; k < lambdas_; ++k) {
            const double left = 1 - (out_.points[k].df + (options_.intercept ? 1 : 0)) / n;
            if (left > least_slack && path_.points[k].status != column_status::interrupted)
                out_.points[k].gcv = square[k] / (left * left);
        }
    }

    bool is_known(std::size_t k) const
    {
        return path_.points[k].status != column_status::interrupted && !std::isnan(out_.points[k].df);
    }

    /// Residuals become leave-one-out residuals, NaN where there is none.
    void leave_out()
    {
        std::vector<tridiagonal_form::factor> shifted(lambdas_);
        for (std::size_t k = 0; k < lambdas_; ++k)
            if (is_known(k) && !is_null(path_.points[k])) shifted[k] = form_.shifted(path_.points[k].lambda);
        const auto n = static_cast<std::int64_t>(system_.rows().size());
        const std::int64_t pieces = parallel::pieces(n, swept_together);
        std::vector<double> least(static_cast<std::size_t>(pieces) * lambdas_, 1.0);
        parallel::parallel_for(system_.threads(), pieces, [&](std::int64_t piece) {
            const std::int64_t first = piece * swept_together;
            const std::int64_t count = std::min(swept_together, n - first);
            const swept_vectors q = vectors_of(first, count);
            const Eigen::VectorXd free =
                1 - system_.basis().middleRows(first, count).rowwise().squaredNorm().array(); // ‖P e_i‖²
            for (std::size_t k = 0; k < lambdas_; ++k) {
                if (!is_known(k)) continue;
                const double lambda = path_.points[k].lambda;
                std::array<double, swept_together> form{};
                if (lambda > 0) sweep(shifted[k], q, form);
                double& smallest = least[static_cast<std::size_t>(piece) * lambdas_ + k];
                for (std::int64_t c = 0; c < count; ++c) {
                    const double part = form[static_cast<std::size_t>(c)];
                    const double slack = by_rows_ && lambda > 0 ? lambda * part : free[c] - part;
                    double& value = residual(static_cast<std::size_t>(first + c), k);
                    const bool holds = slack > least_slack && free[c] > least_slack;
                    value = holds ? value / slack : std::numeric_limits<double>::quiet_NaN();
                    if (holds) smallest = std::min(smallest, slack);
                }
            }
        });
        slack_.assign(lambdas_, 1.0);
        for (std::size_t at = 0; at < least.size(); ++at)
            slack_[at % lambdas_] = std::min(slack_[at % lambdas_], least[at]);
    }

    /// q_i of some rows, each a column. Bytes: the axes once, or a row of them for each entry of these rows.
    swept_vectors vectors_of(std::int64_t first, std::int64_t count) const
    {
        swept_vectors q = swept_vectors::Zero(form_.side(), swept_together);
        if (form_.side() == 0) return q;
        if (by_rows_) {
            q.leftCols(count) = axes_.middleRows(first, count).transpose();
            return q;
        }
        // Dense rows are spread out and multiplied as a matrix, which is ten times as fast an entry.
        constexpr double dense_from = 0.1;
        const auto begin = static_cast<std::size_t>(rows_.offsets[static_cast<std::size_t>(first)]);
        const auto end = static_cast<std::size_t>(rows_.offsets[static_cast<std::size_t>(first + count)]);
        const bool dense = static_cast<double>(end - begin) >=
                           dense_from * static_cast<double>(count) * static_cast<double>(form_.side());
        Eigen::MatrixXd Z = Eigen::MatrixXd::Zero(dense ? form_.side() : 0, count);
        Eigen::MatrixXd product = Eigen::MatrixXd::Zero(form_.side(), count);
        for (std::int64_t c = 0; c < count; ++c)
            for (auto e = static_cast<std::size_t>(rows_.offsets[static_cast<std::size_t>(first + c)]);
                 e < static_cast<std::size_t>(rows_.offsets[static_cast<std::size_t>(first + c) + 1]); ++e) {
                if (dense)
                    Z(rows_.features[e], c) = rows_.values[e];
                else
                    product.col(c) += rows_.values[e] * axes_.col(rows_.features[e]);
            }
        if (dense) product.noalias() = axes_ * Z;
        product.noalias() -= taken_out_ * system_.basis().middleRows(first, count).transpose();
        q.leftCols(count) = product;
        return q;
    }

    void set_losses()
    {
        const std::size_t n = system_.rows().size();
        std::vector<double> weights(lambdas_, 0.0), sum(lambdas_, 0.0), spread(lambdas_, 0.0);
        for (std::size_t at = 0; at < n; ++at)
            for (std::size_t k = 0; k < lambdas_; ++k) {
                const double e = residual(at, k);
                if (!is_known(k) || std::isnan(e)) continue;
                ++out_.points[k].rows;
                weights[k] += weight(at);
                sum[k] += weight(at) * e * e;
            }
        for (std::size_t k = 0; k < lambdas_; ++k)
            if (out_.points[k].rows > 0) out_.points[k].mse = sum[k] / weights[k];
        for (std::size_t at = 0; at < n; ++at)
            for (std::size_t k = 0; k < lambdas_; ++k) {
                const double e = residual(at, k);
                if (!is_known(k) || std::isnan(e)) continue;
                const double apart = e * e - out_.points[k].mse;
                spread[k] += weight(at) * apart * apart;
            }
        for (std::size_t k = 0; k < lambdas_; ++k) {
            leave_one_out_point& point = out_.points[k];
            if (point.rows == 0) continue;
            if (point.rows > 1)
                point.standard_error = std::sqrt(spread[k] / weights[k] / static_cast<double>(point.rows - 1));
            // The loss is strongly convex in fitted values: ½ Σ w (f − f*)² ≤ gap.
            point.rms_bound = std::sqrt(2 * path_.points[k].gap / weights[k]) / slack_[k];
        }
    }

    void choose()
    {
        std::int64_t lost = 0;
        // Errors over fewer rows are of another set of them, from which the worst may be missing.
        std::int64_t most = 0;
        for (const leave_one_out_point& point : out_.points) most = std::max(most, point.rows);
        auto rows = static_cast<std::int64_t>(system_.rows().size());
        const std::int64_t all_rows = rows;
        for (std::size_t k = 0; k < lambdas_; ++k) {
            const leave_one_out_point& point = out_.points[k];
            lost += std::isnan(point.df) ? 1 : 0;
            if (std::isfinite(point.gcv) && (!out_.at_gcv || point.gcv < out_.points[*out_.at_gcv].gcv))
                out_.at_gcv = k;
            if (!is_known(k)) continue;
            rows = std::min(rows, point.rows);
            if (point.rows > 0 && point.rows == most && (!out_.at_loo || point.mse < out_.points[*out_.at_loo].mse))
                out_.at_loo = k;
        }
        std::vector<std::string>& notes = out_.notes;
        if (rows < all_rows)
            notes.push_back(
                fmt::format("{} of {} rows are fitted exactly whatever their response is (their leverage is "
                            "1), at some lambda or all: they are left out of the leave-one-out error there",
                            all_rows - rows, all_rows));
        if (lost > 0)
            notes.push_back(fmt::format("{} of {} lambdas are lost in the rounding of X'WX: nothing is known of them",
                                        lost, lambdas_));
        if (!out_.at_loo) return;
        const leave_one_out_point& best = out_.points[*out_.at_loo];
        if (lambdas_ > 1 && *out_.at_loo + 1 == lambdas_)
            notes.emplace_back("the leave-one-out error is smallest at the smallest lambda: smaller ones may predict "
                               "better (lambda_min_ratio)");
        constexpr double share_of_note = 0.01;
        if (best.rms_bound > share_of_note * std::sqrt(best.mse))
            notes.push_back(
                fmt::format("the fit's gap at lambda {:.6g} allows the root of the leave-one-out error, {:.6g}, "
                            "to be off by {:.2g}: a smaller tol sharpens it",
                            best.lambda, std::sqrt(best.mse), best.rms_bound));
    }

    std::span<const double> y_;
    const path_options& options_;
    work_watch watch_{options_, "stopped during leave-one-out"};
    const path_result& path_;
    std::size_t lambdas_;
    ridge_system system_;
    std::vector<double> residuals_; // n × lambdas, row-major
    bool by_rows_ = false;
    tridiagonal_form form_;
    Eigen::MatrixXd axes_;      // by rows: PQ, else Q'
    Eigen::MatrixXd taken_out_; // Q'Z'B
    scaled_rows rows_;
    std::vector<double> slack_; // of each lambda, the smallest
    leave_one_out_result out_;
};

} // namespace

} // namespace selection

leave_one_out_result compute_leave_one_out(const matrix& X, std::span<const double> y, const path_options& options,
                                           const path_result& path, bool predictions)
{
    selection::check_ridge(options);
    selection::check_fitted(X, options, path);
    path::check_response(y, X.rows());
    const std::uint64_t bytes = selection::planned_bytes(X, options, static_cast<std::int64_t>(path.points.size()));
    try {
        return selection::leave_one_out_run(X, y, options, path).run(predictions);
    } catch (const std::bad_alloc&) {
        throw out_of_memory(
            fmt::format("leave-one-out: the system refused memory; it takes about {} MiB beside X", (bytes >> 20) + 1),
            bytes, options.memory_limit);
    }
}

leave_one_out_result compute_leave_one_out(const matrix_view& X, std::span<const double> y, const path_options& options,
                                           const path_result& path, bool predictions)
{
    return compute_leave_one_out(matrix::from_view(X, options.threads), y, options, path, predictions);
}

std::uint64_t plan_leave_one_out(const matrix& X, const path_options& options)
{
    path::check_options(options, X.rows(), X.cols());
    selection::check_ridge(options);
    return selection::planned_bytes(
        X, options, options.lambda.empty() ? options.n_lambda : static_cast<std::int64_t>(options.lambda.size()));
}

} // namespace proxpath
