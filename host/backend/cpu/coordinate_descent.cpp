// The residual form of the restricted problem: the point b and its residual, kept up to date move by move (coordinate
// descent in naive form, Friedman, Hastie & Tibshirani 2010, section 2.1). It is the form of large working sets on
// sparse designs, where a move costs the non-zeros of a column and a row of a Gram matrix would cost |W| numbers.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/descent.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace proxpath::backend {

namespace {

/// Features that one piece of work takes.
constexpr std::int64_t features_together = 256;
/// Rows that one piece of work takes.
constexpr std::int64_t image_rows = 1024;

class residual_form {
public:
    residual_form(const residual_problem& problem, const cpu_operations<double>& in_double, int threads)
        : problem_(problem), in_double_(in_double), X_(as_cpu(*problem.X)), threads_(threads),
          b_(static_cast<std::size_t>(X_.cols()), 0.0), q_(problem.response.size(), 0.0),
          inverse_weights_(problem.weights.size(), 0.0), stored_sum_(b_.size(), 0.0), image_(q_.size(), 0.0)
    {
        for (std::size_t i = 0; i < inverse_weights_.size(); ++i)
            if (problem.weights[i] > 0) inverse_weights_[i] = 1 / problem.weights[i];
        for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                stored_sum_[j] += problem.weights[static_cast<std::size_t>(rows[i])] *
                                  (static_cast<double>(values[i]) - X_.scaling().shift[j]);
        });
    }

    std::span<const double> coefficients() const { return b_; }
    bool active(std::size_t j) const { return X_.scaling().inverse[j] > 0; }

    /// An entry of a sweep waits for its row of the residual, twice where the coefficient moves: 5 to 10 ns.
    double sweep_cost() const { return 128.0 * static_cast<double>(X_.nonzeros()); }
    /// Two products with X̃. On sparse columns both are shared by the threads, on dense ones the second.
    double hessian_cost(std::size_t) const { return 40.0 * static_cast<double>(X_.nonzeros()); }

    void load(const std::vector<double>& b)
    {
        for (std::size_t i = 0; i < q_.size(); ++i) q_[i] = problem_.weights[i] * problem_.response[i];
        offset_ = 0;
        std::fill(b_.begin(), b_.end(), 0.0);
        for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
            if (b[j] != 0) move(j, b[j], rows, values, begin, end);
        });
    }

    void sweep(bool all, double lambda)
    {
        const penalty_view& penalty = problem_.penalty;
        for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
            if (!all && b_[j] == 0) return;
            const double u = correlation(j, rows, values, begin, end, q_, offset_);
            const double next = prox(u + b_[j], 1.0, lambda * penalty.l1[j], lambda * penalty.l2[j], penalty.lower[j],
                                     penalty.upper[j]);
            if (next != b_[j]) move(j, next, rows, values, begin, end);
        });
    }

    gap_value gap(double lambda) const
    {
        const auto& blocks = X_.store().blocks;
        std::vector<gap_sums> pieces(blocks.size());
        parallel::parallel_for(threads_, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t piece) {
            gap_sums& sums = pieces[static_cast<std::size_t>(piece)];
            const penalty_view& penalty = problem_.penalty;
            for_each_column_of(
                blocks[static_cast<std::size_t>(piece)],
                [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    add_gap_terms(sums, correlation(j, rows, values, begin, end, q_, offset_), b_[j], penalty.l1[j],
                                  penalty.l2[j], lambda, penalty.lower[j], penalty.upper[j], penalty.kkt_scale[j]);
                });
        });
        gap_sums sums;
        for (const gap_sums& piece : pieces) sums.add(piece);
        double square = 0;
        double dot = 0;
        for (std::size_t i = 0; i < q_.size(); ++i) {
            if (problem_.weights[i] == 0) continue;
            const double residual = q_[i] * inverse_weights_[i] + offset_;
            square += problem_.weights[i] * residual * residual;
            dot += problem_.weights[i] * problem_.response[i] * residual;
        }
        gap_value value = duality_gap(sums, square, dot, lambda);
        value.gap += sums.unpenalised;
        return value;
    }

    void correlations(std::span<const std::int64_t> S, std::span<double> out) const { correlate(S, q_, offset_, out); }

    void hessian(std::span<const std::int64_t> S, const std::vector<double>& d, std::vector<double>& out)
    {
        const double offset = make_image(S, d);
        correlate(S, image_, offset, out);
    }

    void gram(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns, Eigen::MatrixXd& out)
    {
        if (sparse())
            gram_by_rows(rows, columns, out);
        else
            gram_by_spreading(rows, columns, out);
    }

    double loss_change(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        image_offset_ = make_image(S, moved);
        // With δ = X̃ moved: Σ w δ (δ/2 − ρ); no difference of two large sums.
        double change = 0;
        for (std::size_t i = 0; i < q_.size(); ++i) {
            const double w = problem_.weights[i];
            const double delta = image_[i] * inverse_weights_[i] + image_offset_;
            const double residual = q_[i] * inverse_weights_[i] + offset_;
            change += w * delta * (0.5 * delta - residual);
        }
        return change;
    }

    void accept(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        for (std::size_t a = 0; a < S.size(); ++a) b_[static_cast<std::size_t>(S[a])] += moved[a];
        for (std::size_t i = 0; i < q_.size(); ++i) q_[i] -= image_[i];
        offset_ -= image_offset_;
    }

private:
    bool sparse() const
    {
        const double cells = static_cast<double>(X_.rows()) * static_cast<double>(X_.cols());
        return static_cast<double>(X_.nonzeros()) < spread_from_density * cells;
    }
    const row_lists& lists()
    {
        if (!lists_) lists_ = make_row_lists(X_);
        return *lists_;
    }

    template <class F>
    void for_each_column_of(const storage::column_block& block, const F& f) const
    {
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const auto j = static_cast<std::size_t>(block.first + local);
                if (X_.scaling().inverse[j] == 0) continue;
                const std::int64_t begin = block.offsets[local];
                f(j, indices.column(begin), values, begin, block.offsets[local + 1]);
            }
        });
    }

    template <class F>
    void for_each_column(const F& f) const
    {
        for (const storage::column_block& block : X_.store().blocks) for_each_column_of(block, f);
    }

    template <class F>
    void with_column(std::int64_t j, const F& f) const
    {
        const storage::column_block& block = storage::block_of(X_.store(), j);
        storage::visit_block(block, [&](auto indices, auto values) {
            const std::int64_t begin = block.offsets[j - block.first];
            f(indices.column(begin), values, begin, block.offsets[j - block.first + 1]);
        });
    }

    /// x̃_j'v for v = q + w offset. Centred columns leave Σ v at zero, so the centre itself drops out.
    template <class Rows, class Values>
    double correlation(std::size_t j, const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                       const std::vector<double>& q, double offset) const
    {
        const double shift = X_.scaling().shift[j];
        std::array<double, 4> sum{};
        std::int64_t i = begin;
        for (; i + 4 <= end; i += 4)
            for (std::int64_t lane = 0; lane < 4; ++lane)
                sum[static_cast<std::size_t>(lane)] +=
                    (static_cast<double>(values[i + lane]) - shift) * q[static_cast<std::size_t>(rows[i + lane])];
        for (; i < end; ++i) sum[0] += (static_cast<double>(values[i]) - shift) * q[static_cast<std::size_t>(rows[i])];
        return X_.scaling().inverse[j] * ((sum[0] + sum[1]) + (sum[2] + sum[3]) + offset * stored_sum_[j]);
    }

    void correlate(std::span<const std::int64_t> S, const std::vector<double>& q, double offset,
                   std::span<double> out) const
    {
        const auto s = static_cast<std::int64_t>(S.size());
        parallel::parallel_for(threads_, parallel::pieces(s, features_together), [&](std::int64_t piece) {
            for (std::int64_t a = piece * features_together; a < std::min(s, (piece + 1) * features_together); ++a) {
                const auto at = static_cast<std::size_t>(a);
                if (!active(static_cast<std::size_t>(S[at]))) {
                    out[at] = 0;
                    continue;
                }
                with_column(S[at], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    out[at] = correlation(static_cast<std::size_t>(S[at]), rows, values, begin, end, q, offset);
                });
            }
        });
    }

    template <class Rows, class Values>
    void move(std::size_t j, double to, const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end)
    {
        const column_scaling& scaling = X_.scaling();
        const double length = (to - b_[j]) * scaling.inverse[j];
        const double shift = scaling.shift[j];
        b_[j] = to;
        for (std::int64_t i = begin; i < end; ++i) {
            const auto row = static_cast<std::size_t>(rows[i]);
            q_[row] -= length * (static_cast<double>(values[i]) - shift) * problem_.weights[row];
        }
        offset_ += length * scaling.center[j];
    }

    /// image = stored part of w X̃d. @return its offset, which acts on all rows alike
    double make_image(std::span<const std::int64_t> S, const std::vector<double>& d)
    {
        if (sparse()) return make_image_by_rows(S, d);
        std::fill(image_.begin(), image_.end(), 0.0);
        double offset = 0;
        const column_scaling& scaling = X_.scaling();
        for (std::size_t a = 0; a < S.size(); ++a) {
            if (d[a] == 0) continue;
            const auto j = static_cast<std::size_t>(S[a]);
            const double length = d[a] * scaling.inverse[j];
            const double shift = scaling.shift[j];
            with_column(S[a], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i)
                    image_[static_cast<std::size_t>(rows[i])] += length * (static_cast<double>(values[i]) - shift);
            });
            offset -= length * scaling.center[j];
        }
        for (std::size_t i = 0; i < image_.size(); ++i) image_[i] *= problem_.weights[i];
        return offset;
    }

    double make_image_by_rows(std::span<const std::int64_t> S, const std::vector<double>& d)
    {
        const row_lists& entries = lists();
        std::vector<double> spread(b_.size(), 0.0);
        double offset = 0;
        for (std::size_t a = 0; a < S.size(); ++a) {
            spread[static_cast<std::size_t>(S[a])] = d[a];
            offset -= d[a] * centre(S[a]);
        }
        const auto n = static_cast<std::int64_t>(image_.size());
        parallel::parallel_for(threads_, parallel::pieces(n, image_rows), [&](std::int64_t piece) {
            const std::int64_t end = std::min(n, (piece + 1) * image_rows);
            for (auto i = static_cast<std::size_t>(piece * image_rows); i < static_cast<std::size_t>(end); ++i) {
                double sum = 0;
                for (auto entry = static_cast<std::size_t>(entries.offsets[i]);
                     entry < static_cast<std::size_t>(entries.offsets[i + 1]); ++entry)
                    sum += entries.values[entry] * spread[static_cast<std::size_t>(entries.columns[entry])];
                image_[i] = sum * problem_.weights[i];
            }
        });
        return offset;
    }

    /// What of the mean acts on every row alike, on the scale of the solver.
    double centre(std::int64_t j) const
    {
        const auto at = static_cast<std::size_t>(j);
        return X_.scaling().center[at] * X_.scaling().inverse[at];
    }
    double weighted_sum(std::int64_t j) const
    {
        const auto at = static_cast<std::size_t>(j);
        return stored_sum_[at] * X_.scaling().inverse[at];
    }

    void gram_by_rows(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns, Eigen::MatrixXd& out)
    {
        const row_lists& entries = lists();
        const column_scaling& scaling = X_.scaling();
        parallel::parallel_for(threads_, static_cast<std::int64_t>(columns.size()), [&](std::int64_t e) {
            const std::int64_t k = columns[static_cast<std::size_t>(e)];
            const auto at = static_cast<std::size_t>(k);
            std::vector<double> products(b_.size(), 0.0);
            with_column(k, [&](const auto& entry_rows, const auto& values, std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const auto row = static_cast<std::size_t>(entry_rows[i]);
                    const double x = problem_.weights[row] * (static_cast<double>(values[i]) - scaling.shift[at]) *
                                     scaling.inverse[at];
                    for (auto entry = static_cast<std::size_t>(entries.offsets[row]);
                         entry < static_cast<std::size_t>(entries.offsets[row + 1]); ++entry)
                        products[static_cast<std::size_t>(entries.columns[entry])] += x * entries.values[entry];
                }
            });
            for (std::size_t a = 0; a < rows.size(); ++a) {
                const std::int64_t j = rows[a];
                out(static_cast<std::int64_t>(a), e) = products[static_cast<std::size_t>(j)] -
                                                       centre(j) * weighted_sum(k) - centre(k) * weighted_sum(j) +
                                                       centre(j) * centre(k);
            }
        });
    }

    void gram_by_spreading(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns,
                           Eigen::MatrixXd& out)
    {
        const column_scaling& scaling = X_.scaling();
        const auto count = static_cast<std::int64_t>(rows.size());
        for (std::size_t first = 0; first < columns.size(); first += static_cast<std::size_t>(widest_tile)) {
            const auto part =
                columns.subspan(first, std::min(columns.size() - first, static_cast<std::size_t>(widest_tile)));
            panel<double> R = in_double_.allocate(X_.rows(), static_cast<std::int64_t>(part.size()));
            spread_columns(X_, problem_.weights, part, R, threads_);
            const std::vector<double> sums = panel_column_sums(R, threads_);
            parallel::parallel_for(threads_, parallel::pieces(count, features_together), [&](std::int64_t piece) {
                std::vector<double> products(static_cast<std::size_t>(R.stride));
                for (std::int64_t a = piece * features_together; a < std::min(count, (piece + 1) * features_together);
                     ++a) {
                    const auto j = static_cast<std::size_t>(rows[static_cast<std::size_t>(a)]);
                    with_column(static_cast<std::int64_t>(j),
                                [&](const auto& entry_rows, const auto& values, std::int64_t begin, std::int64_t end) {
                                    column_times_panel(entry_rows, values, begin, end, R.data, R.stride,
                                                       scaling.shift[j], products.data());
                                });
                    for (std::size_t e = 0; e < part.size(); ++e)
                        out(a, static_cast<std::int64_t>(first + e)) =
                            scaling.inverse[j] * (products[e] - scaling.center[j] * sums[e]);
                }
            });
        }
    }

    const residual_problem& problem_;
    const cpu_operations<double>& in_double_;
    const cpu_design& X_;
    int threads_;
    std::vector<double> b_;
    std::vector<double> q_; // w (ρ − offset)
    double offset_ = 0;     // what centring adds to every residual
    std::vector<double> inverse_weights_;
    std::vector<double> stored_sum_; // Σ w (x − shift) over the stored entries of each column
    std::vector<double> image_;
    double image_offset_ = 0;
    std::optional<row_lists> lists_;
};

} // namespace

template <class T>
void cpu_operations<T>::coordinate_descent(const residual_problem& problem, panel<T>& B,
                                           std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    const cpu_operations<double> in_double(threads_);
    residual_form form(problem, in_double, threads_);
    descend_columns(form, problem, threads_, B, iterations, gaps);
}

template void cpu_operations<float>::coordinate_descent(const residual_problem&, panel<float>&, std::span<std::int64_t>,
                                                        std::span<double>) const;
template void cpu_operations<double>::coordinate_descent(const residual_problem&, panel<double>&,
                                                         std::span<std::int64_t>, std::span<double>) const;

} // namespace proxpath::backend
