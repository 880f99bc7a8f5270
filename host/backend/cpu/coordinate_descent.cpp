// The restricted problem in residual form, one column of the batch after the other as a task of its own: cyclic
// coordinate descent on the stored columns (Friedman, Hastie & Tibshirani 2010, section 2.1), with Anderson
// extrapolation of the sweeps (Bertrand & Massias 2021, proceedings.mlr.press/v130/bertrand21a). It is the method of
// large working sets on sparse designs, where a coordinate costs its non-zeros and a Gram matrix would cost a row of
// |W| numbers.

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <Eigen/Core>
#include <Eigen/LU>

namespace proxpath::backend {

namespace {

/// Sweeps between two extrapolations (M of the paper).
constexpr int memory = 5;
/// Sweeps over the support between two looks at the gap.
constexpr int sweeps_per_look = 2 * memory;
/// Newton steps join in when so many looks have not halved the gap.
constexpr int patient_looks = 5;
/// Conjugate-gradient steps of one Newton step, and the reduction of the residual that ends them earlier.
constexpr int newton_steps = 200;
constexpr double newton_reduction = 1e-4;

/// What all columns of the batch share.
struct shared_parts {
    const cpu_design& X;
    std::span<const double> response;
    std::span<const double> weights;
    penalty_view penalty;
    std::vector<double> stored_sum; // Σ w (x − shift) over the stored entries of each column
};

/// A point: coefficients, and its residual ρ_i = r_i + offset kept as q_i = w_i r_i. The offset carries the centring of
/// sparse columns, which touches every row alike.
struct point {
    std::vector<double> b;
    std::vector<double> q;
    double offset = 0;
};

class descent {
public:
    descent(const shared_parts& shared, double lambda) : shared_(shared), lambda_(lambda)
    {
        now_.b.assign(static_cast<std::size_t>(shared.X.cols()), 0.0);
        now_.q.resize(shared.response.size());
        for (std::size_t i = 0; i < now_.q.size(); ++i) now_.q[i] = shared.weights[i] * shared.response[i];
    }

    template <class T>
    void start(const panel<T>& B, std::int64_t c)
    {
        for_each_column(
            [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                const auto to = static_cast<double>(B.row(j)[c]);
                if (to != 0) move(j, to, rows, values, begin, end);
            });
    }

    template <class T>
    void store(panel<T>& B, std::int64_t c) const
    {
        for (std::size_t j = 0; j < now_.b.size(); ++j)
            B.row(static_cast<std::int64_t>(j))[c] = static_cast<T>(now_.b[j]);
    }

    /// One pass over all features, or over those that are not zero.
    void sweep(bool all)
    {
        const penalty_view& penalty = shared_.penalty;
        for_each_column(
            [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                const auto at = static_cast<std::size_t>(j);
                if (!all && now_.b[at] == 0) return;
                const double u = correlation(at, rows, values, begin, end, now_.q, now_.offset);
                const double next = prox(u + now_.b[at], 1.0, lambda_ * penalty.l1[at], lambda_ * penalty.l2[at],
                                         penalty.lower[at], penalty.upper[at]);
                if (next != now_.b[at]) move(j, next, rows, values, begin, end);
            });
    }

    gap_value gap() const
    {
        gap_sums sums;
        for_each_column(
            [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                const auto at = static_cast<std::size_t>(j);
                const penalty_view& penalty = shared_.penalty;
                add_gap_terms(sums, correlation(at, rows, values, begin, end, now_.q, now_.offset), now_.b[at],
                              penalty.l1[at], penalty.l2[at], lambda_, penalty.lower[at], penalty.upper[at],
                              penalty.kkt_scale[at]);
            });
        double dot = 0;
        for (std::size_t i = 0; i < now_.q.size(); ++i)
            dot += shared_.response[i] * (now_.q[i] + shared_.weights[i] * now_.offset);
        return duality_gap(sums, residual_square(now_), dot, lambda_);
    }

    void remember()
    {
        std::rotate(history_.begin(), history_.begin() + 1, history_.end());
        history_.back() = now_;
        remembered_ = std::min(remembered_ + 1, memory + 1);
    }

    void forget() { remembered_ = 0; }

    /// Replaces the point by the affine combination of the last sweeps with the smallest step, when that is better.
    void extrapolate()
    {
        if (remembered_ < memory + 1) return;
        Eigen::Matrix<double, memory, memory> products;
        for (int a = 0; a < memory; ++a)
            for (int e = 0; e <= a; ++e) {
                double sum = 0;
                for (std::size_t j = 0; j < now_.b.size(); ++j)
                    sum += (history_[slot(a + 1)].b[j] - history_[slot(a)].b[j]) *
                           (history_[slot(e + 1)].b[j] - history_[slot(e)].b[j]);
                products(a, e) = products(e, a) = sum;
            }
        const double trace = products.trace();
        if (!(trace > 0)) return;
        products.diagonal().array() += 1e-12 * trace;
        const Eigen::Matrix<double, memory, 1> ones = Eigen::Matrix<double, memory, 1>::Ones();
        Eigen::Matrix<double, memory, 1> weight = products.partialPivLu().solve(ones);
        const double total = weight.sum();
        if (!std::isfinite(total) || total == 0) return;
        weight /= total;

        point trial;
        trial.b.assign(now_.b.size(), 0.0);
        trial.q.assign(now_.q.size(), 0.0);
        for (int a = 0; a < memory; ++a) {
            const point& from = history_[slot(a + 1)];
            for (std::size_t j = 0; j < trial.b.size(); ++j) trial.b[j] += weight[a] * from.b[j];
            for (std::size_t i = 0; i < trial.q.size(); ++i) trial.q[i] += weight[a] * from.q[i];
            trial.offset += weight[a] * from.offset;
        }
        for (std::size_t j = 0; j < trial.b.size(); ++j)
            if (trial.b[j] < shared_.penalty.lower[j] || trial.b[j] > shared_.penalty.upper[j]) return;
        if (objective(trial) < objective(now_)) {
            now_ = std::move(trial);
            forget();
        }
    }

    /// A truncated Newton step on the coefficients that are neither zero nor at a bound, projected on signs and bounds,
    /// taken when it lowers the objective. @return conjugate-gradient steps spent
    int newton()
    {
        const penalty_view& penalty = shared_.penalty;
        const std::size_t p = now_.b.size();
        std::vector<double> r(p, 0.0); // downhill gradient on the support, zero elsewhere
        std::vector<std::uint8_t> free(p, 0);
        double rr = 0;
        for_each_column(
            [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                const auto at = static_cast<std::size_t>(j);
                const double b = now_.b[at];
                if (b == 0 || b <= penalty.lower[at] || b >= penalty.upper[at]) return;
                free[at] = 1;
                r[at] = correlation(at, rows, values, begin, end, now_.q, now_.offset) -
                        lambda_ * (penalty.l1[at] * (b > 0 ? 1.0 : -1.0) + penalty.l2[at] * b);
                rr += r[at] * r[at];
            });
        std::vector<double> x(p, 0.0);
        std::vector<double> d = r;
        const double enough = newton_reduction * newton_reduction * rr;
        int step = 0;
        for (; step < newton_steps && rr > enough; ++step) {
            const auto [image, offset] = weighted_image(d);
            std::vector<double> product(p, 0.0);
            double curvature = 0;
            for_each_column(
                [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    const auto at = static_cast<std::size_t>(j);
                    if (free[at] == 0) return;
                    product[at] =
                        correlation(at, rows, values, begin, end, image, offset) + lambda_ * penalty.l2[at] * d[at];
                    curvature += d[at] * product[at];
                });
            if (!(curvature > 0)) break;
            const double length = rr / curvature;
            double next = 0;
            for (std::size_t j = 0; j < p; ++j) {
                x[j] += length * d[j];
                r[j] -= length * product[j];
                next += r[j] * r[j];
            }
            for (std::size_t j = 0; j < p; ++j) d[j] = r[j] + (next / rr) * d[j];
            rr = next;
        }
        take_projected(x, free);
        return step;
    }

private:
    static std::size_t slot(int i) { return static_cast<std::size_t>(i); }

    template <class F>
    void for_each_column(const F& f) const
    {
        for (const storage::column_block& block : shared_.X.store().blocks)
            storage::visit_block(block, [&](auto indices, auto values) {
                for (std::int64_t local = 0; local < block.count; ++local) {
                    const std::int64_t j = block.first + local;
                    if (shared_.X.scaling().inverse[static_cast<std::size_t>(j)] == 0) continue;
                    const std::int64_t begin = block.offsets[local];
                    f(j, indices.column(begin), values, begin, block.offsets[local + 1]);
                }
            });
    }

    /// x̃_j'wρ for wρ = q + w offset. Centred columns leave Σ w ρ at zero, so the centre itself drops out.
    template <class Rows, class Values>
    double correlation(std::size_t j, const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                       const std::vector<double>& q, double offset) const
    {
        const double shift = shared_.X.scaling().shift[j];
        std::array<double, 4> sum{};
        std::int64_t i = begin;
        for (; i + 4 <= end; i += 4)
            for (std::int64_t lane = 0; lane < 4; ++lane)
                sum[static_cast<std::size_t>(lane)] +=
                    (static_cast<double>(values[i + lane]) - shift) * q[static_cast<std::size_t>(rows[i + lane])];
        for (; i < end; ++i) sum[0] += (static_cast<double>(values[i]) - shift) * q[static_cast<std::size_t>(rows[i])];
        return shared_.X.scaling().inverse[j] *
               ((sum[0] + sum[1]) + (sum[2] + sum[3]) + offset * shared_.stored_sum[j]);
    }

    template <class Rows, class Values>
    void move(std::int64_t j, double to, const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end)
    {
        const auto at = static_cast<std::size_t>(j);
        const column_scaling& scaling = shared_.X.scaling();
        const double length = (to - now_.b[at]) * scaling.inverse[at];
        const double shift = scaling.shift[at];
        now_.b[at] = to;
        for (std::int64_t i = begin; i < end; ++i) {
            const auto row = static_cast<std::size_t>(rows[i]);
            now_.q[row] -= length * (static_cast<double>(values[i]) - shift) * shared_.weights[row];
        }
        now_.offset += length * scaling.center[at];
    }

    /// w X̃d as stored part and offset, like a residual.
    std::pair<std::vector<double>, double> weighted_image(const std::vector<double>& d) const
    {
        std::vector<double> image(now_.q.size(), 0.0);
        double offset = 0;
        const column_scaling& scaling = shared_.X.scaling();
        for_each_column(
            [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                const auto at = static_cast<std::size_t>(j);
                if (d[at] == 0) return;
                const double length = d[at] * scaling.inverse[at];
                for (std::int64_t i = begin; i < end; ++i) {
                    const auto row = static_cast<std::size_t>(rows[i]);
                    image[row] += length * (static_cast<double>(values[i]) - scaling.shift[at]) * shared_.weights[row];
                }
                offset -= length * scaling.center[at];
            });
        return {std::move(image), offset};
    }

    /// Moves along x, stopping each coefficient at zero or its bound; shorter and shorter until the point is better.
    void take_projected(const std::vector<double>& x, const std::vector<std::uint8_t>& free)
    {
        const double before = objective(now_);
        for (double length = 1; length > 1e-3; length /= 2) {
            point trial = now_;
            std::vector<double> moved(x.size(), 0.0);
            for (std::size_t j = 0; j < x.size(); ++j) {
                if (free[j] == 0) continue;
                double to = now_.b[j] + length * x[j];
                if (shared_.penalty.l1[j] > 0 && to * now_.b[j] < 0) to = 0;
                to = std::clamp(to, shared_.penalty.lower[j], shared_.penalty.upper[j]);
                if (!std::isfinite(to)) return;
                moved[j] = to - now_.b[j];
                trial.b[j] = to;
            }
            const auto [image, offset] = weighted_image(moved);
            for (std::size_t i = 0; i < trial.q.size(); ++i) trial.q[i] -= image[i];
            trial.offset -= offset;
            if (objective(trial) < before) {
                now_ = std::move(trial);
                return;
            }
        }
    }

    double residual_square(const point& at) const
    {
        double sum = 0;
        for (std::size_t i = 0; i < at.q.size(); ++i) {
            const double w = shared_.weights[i];
            if (w == 0) continue;
            const double residual = at.q[i] / w + at.offset;
            sum += w * residual * residual;
        }
        return sum;
    }

    double objective(const point& at) const
    {
        double value = 0.5 * residual_square(at);
        for (std::size_t j = 0; j < at.b.size(); ++j)
            if (at.b[j] != 0)
                value += lambda_ *
                         (shared_.penalty.l1[j] * std::fabs(at.b[j]) + 0.5 * shared_.penalty.l2[j] * at.b[j] * at.b[j]);
        return value;
    }

    const shared_parts& shared_;
    double lambda_;
    point now_;
    std::array<point, memory + 1> history_;
    int remembered_ = 0;
};

std::vector<double> stored_sums(const cpu_design& X, std::span<const double> weights, int threads)
{
    std::vector<double> sums(static_cast<std::size_t>(X.cols()), 0.0);
    const auto& blocks = X.store().blocks;
    parallel::parallel_for(threads, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t b) {
        const storage::column_block& block = blocks[static_cast<std::size_t>(b)];
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const auto j = static_cast<std::size_t>(block.first + local);
                const std::int64_t begin = block.offsets[local];
                const auto rows = indices.column(begin);
                for (std::int64_t i = begin; i < block.offsets[local + 1]; ++i)
                    sums[j] += weights[static_cast<std::size_t>(rows[i])] *
                               (static_cast<double>(values[i]) - X.scaling().shift[j]);
            }
        });
    });
    return sums;
}

} // namespace

template <class T>
void cpu_operations<T>::coordinate_descent(const residual_problem& problem, panel<T>& B,
                                           std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    const cpu_design& X = as_cpu(*problem.X);
    const shared_parts shared{X, problem.response, problem.weights, problem.penalty,
                              stored_sums(X, problem.weights, threads_)};
    parallel::parallel_for(threads_, B.cols, [&](std::int64_t c) {
        const auto at = static_cast<std::size_t>(c);
        descent column(shared, problem.lambda[at]);
        column.start(B, c);
        std::int64_t sweeps = 0;
        double gap = column.gap().gap;
        double reference = gap;
        int looks = 0;
        while (gap > problem.gap_tolerance && sweeps < problem.max_iterations) {
            column.forget();
            column.sweep(true);
            column.remember();
            for (int i = 1; i <= sweeps_per_look; ++i) {
                column.sweep(false);
                column.remember();
                if (i % memory == 0) column.extrapolate();
            }
            sweeps += sweeps_per_look + 1;
            gap = column.gap().gap;
            if (gap < 0.5 * reference) {
                reference = gap;
                looks = 0;
            } else if (++looks >= patient_looks) {
                sweeps += column.newton();
            }
        }
        column.store(B, c);
        iterations[at] = sweeps;
        gaps[at] = gap;
    });
}

template void cpu_operations<float>::coordinate_descent(const residual_problem&, panel<float>&, std::span<std::int64_t>,
                                                        std::span<double>) const;
template void cpu_operations<double>::coordinate_descent(const residual_problem&, panel<double>&,
                                                         std::span<std::int64_t>, std::span<double>) const;

} // namespace proxpath::backend
