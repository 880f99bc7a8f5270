// The residual form of the restricted problem: the point b and its residual, kept up to date move by move (coordinate
// descent in naive form, Friedman, Hastie & Tibshirani 2010, section 2.1). It is the form of large working sets on
// sparse designs, where a move costs the non-zeros of a column and a row of a Gram matrix would cost |W| numbers.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/descent.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/backend/cpu/lane_descent.hpp"
#include "host/backend/cpu/residual_data.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace proxpath::backend {

namespace {

/// Features that one piece of work takes.
constexpr std::int64_t features_together = 256;
/// Rows that one piece of work takes.
constexpr std::int64_t image_rows = 1024;

class residual_form {
public:
    residual_form(residual_data& data, const cpu_operations<double>& in_double, int threads)
        : data_(data), problem_(data.problem), in_double_(in_double), X_(data.X), threads_(threads),
          b_(static_cast<std::size_t>(X_.cols()), 0.0), q_(problem_.response.size(), 0.0), image_(q_.size(), 0.0)
    {}

    std::span<const double> coefficients() const { return b_; }
    bool active(std::size_t j) const { return data_.active(j); }

    /// An entry of a sweep waits for its row of the residual, twice where the coefficient moves: 5 to 10 ns.
    double sweep_cost() const { return 128.0 * static_cast<double>(X_.nonzeros()); }
    /// Two products with X̃. On sparse columns both are shared by the threads, on dense ones the second.
    double hessian_cost(std::size_t) const { return 40.0 * static_cast<double>(X_.nonzeros() + X_.rows()); }

    void load(const std::vector<double>& b)
    {
        for (std::size_t i = 0; i < q_.size(); ++i) q_[i] = problem_.weights[i] * problem_.response[i];
        offset_ = 0;
        std::fill(b_.begin(), b_.end(), 0.0);
        data_.for_each_column(
            [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                if (b[j] != 0) move(j, b[j], rows, values, begin, end);
            });
    }

    void sweep(bool all, double lambda)
    {
        const penalty_view& penalty = problem_.penalty;
        data_.for_each_column(
            [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                if (!all && b_[j] == 0) return;
                const double u = correlation(j, rows, values, begin, end, q_, offset_);
                const double next = prox(u + b_[j], 1.0, lambda * penalty.l1[j], lambda * penalty.l2[j],
                                         penalty.lower[j], penalty.upper[j]);
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
            data_.for_each_column_of(
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
            const double residual = q_[i] * data_.inverse_weights[i] + offset_;
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
        if (data_.sparse())
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
            const double delta = image_[i] * data_.inverse_weights[i] + image_offset_;
            const double residual = q_[i] * data_.inverse_weights[i] + offset_;
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
        return X_.scaling().inverse[j] * ((sum[0] + sum[1]) + (sum[2] + sum[3]) + offset * data_.stored_sum[j]);
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
                data_.with_column(
                    S[at], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
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
        if (data_.sparse()) return make_image_by_rows(S, d);
        std::fill(image_.begin(), image_.end(), 0.0);
        double offset = 0;
        const column_scaling& scaling = X_.scaling();
        for (std::size_t a = 0; a < S.size(); ++a) {
            if (d[a] == 0) continue;
            const auto j = static_cast<std::size_t>(S[a]);
            const double length = d[a] * scaling.inverse[j];
            const double shift = scaling.shift[j];
            data_.with_column(S[a], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
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
        const row_lists& entries = data_.by_rows();
        std::vector<double> spread(b_.size(), 0.0);
        double offset = 0;
        for (std::size_t a = 0; a < S.size(); ++a) {
            spread[static_cast<std::size_t>(S[a])] = d[a];
            offset -= d[a] * data_.centre(static_cast<std::size_t>(S[a]));
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

    double weighted_sum(std::size_t j) const { return data_.stored_sum[j] * X_.scaling().inverse[j]; }

    void gram_by_rows(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns, Eigen::MatrixXd& out)
    {
        const row_lists& entries = data_.by_rows();
        const column_scaling& scaling = X_.scaling();
        parallel::parallel_for(threads_, static_cast<std::int64_t>(columns.size()), [&](std::int64_t e) {
            const std::int64_t k = columns[static_cast<std::size_t>(e)];
            const auto at = static_cast<std::size_t>(k);
            std::vector<double> products(b_.size(), 0.0);
            data_.with_column(k, [&](const auto& entry_rows, const auto& values, std::int64_t begin, std::int64_t end) {
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
                const auto j = static_cast<std::size_t>(rows[a]);
                out(static_cast<std::int64_t>(a), e) = products[j] - data_.centre(j) * weighted_sum(at) -
                                                       data_.centre(at) * weighted_sum(j) +
                                                       data_.centre(j) * data_.centre(at);
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
                    data_.with_column(static_cast<std::int64_t>(j), [&](const auto& entry_rows, const auto& values,
                                                                        std::int64_t begin, std::int64_t end) {
                        column_times_panel(entry_rows, values, begin, end, R.data, R.stride, scaling.shift[j],
                                           products.data());
                    });
                    for (std::size_t e = 0; e < part.size(); ++e)
                        out(a, static_cast<std::int64_t>(first + e)) =
                            scaling.inverse[j] * (products[e] - scaling.center[j] * sums[e]);
                }
            });
        }
    }

    residual_data& data_;
    const residual_problem& problem_;
    const cpu_operations<double>& in_double_;
    const cpu_design& X_;
    int threads_;
    std::vector<double> b_;
    std::vector<double> q_; // w (ρ − offset)
    double offset_ = 0;     // what centring adds to every residual
    std::vector<double> image_;
    double image_offset_ = 0;
};

} // namespace

template <class T>
void cpu_operations<T>::coordinate_descent(const residual_problem& problem, panel<T>& B,
                                           std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    residual_data data(problem);
    auto* const memory = static_cast<cpu_descent_memory*>(problem.memory);
    const bool several =
        memory != nullptr && B.cols >= fewest_lanes && lane_bytes(data.X, B.cols) <= memory->limit_bytes;
    std::vector<std::int64_t> before(iterations.size(), 0);
    bool tried = false;
    if (several && memory->ways.cheaper(B.rows) == ways_of_columns::side_by_side) {
        std::vector<double> host(static_cast<std::size_t>(B.rows * B.cols));
        for (std::int64_t j = 0; j < B.rows; ++j) std::copy_n(B.row(j), B.cols, host.begin() + j * B.cols);
        const bool done = descend_in_lanes(data, *memory, threads_, memory->ways.limit(B.rows), host, iterations, gaps);
        for (std::int64_t j = 0; j < B.rows; ++j)
            for (std::int64_t c = 0; c < B.cols; ++c)
                B.row(j)[c] = static_cast<T>(host[static_cast<std::size_t>(j * B.cols + c)]);
        if (done) return;
        tried = true;
        std::copy(iterations.begin(), iterations.end(), before.begin());
    }
    // What the columns side by side have used up, the others may not use again.
    residual_problem rest = problem;
    rest.max_iterations =
        std::max<std::int64_t>(1, problem.max_iterations - *std::max_element(before.begin(), before.end()));
    const cpu_operations<double> in_double(threads_);
    residual_form form(data, in_double, threads_);
    const double spent = memory != nullptr ? memory->costs.spent() : 0;
    descend_columns(form, rest, threads_, B, iterations, gaps);
    for (std::size_t c = 0; c < iterations.size(); ++c) iterations[c] += before[c];
    if (several && !tried) // else the columns started from where the others had brought them
        memory->ways.measured(ways_of_columns::in_turn, (memory->costs.spent() - spent) / static_cast<double>(B.cols),
                              B.rows);
}

template void cpu_operations<float>::coordinate_descent(const residual_problem&, panel<float>&, std::span<std::int64_t>,
                                                        std::span<double>) const;
template void cpu_operations<double>::coordinate_descent(const residual_problem&, panel<double>&,
                                                         std::span<std::int64_t>, std::span<double>) const;

} // namespace proxpath::backend
