// The restricted problem in Gram form, one column of the batch after the other as a task of its own: coordinate descent
// in covariance form (Friedman, Hastie & Tibshirani 2010, section 2.2) finds support and signs, then Newton steps on
// them (Cholesky, or conjugate gradients when the support is large) bring the gap down at once. A Newton point is
// projected on the signs and the bounds and kept only when it lowers the objective; otherwise the step stops where the
// first coefficient reaches zero or its bound. Every step decreases the objective, so neither can cycle.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace proxpath::backend {

namespace {

using vector = Eigen::VectorXd;

/// Supports above this use conjugate gradients instead of a factorisation.
constexpr std::int64_t largest_factored_support = 1500;
/// Sweeps between two looks at the gap.
constexpr int sweeps_per_round = 3;

template <class T>
class descent {
public:
    descent(const covariance_problem<T>& problem, double lambda)
        : problem_(problem), lambda_(lambda), p_(problem.gram->rows), b_(vector::Zero(p_)), g_(vector::Zero(p_))
    {}

    /// Starts at column c of B: g = c0 − C b.
    void start(const panel<T>& B, std::int64_t c)
    {
        for (std::int64_t j = 0; j < p_; ++j) g_[j] = problem_.correlation[static_cast<std::size_t>(j)];
        for (std::int64_t j = 0; j < p_; ++j) move(j, static_cast<double>(B.row(j)[c]));
    }

    double gap() const
    {
        gap_sums sums;
        double linear = 0; // b'c0
        double image = 0;  // b'g
        for (std::int64_t j = 0; j < p_; ++j) {
            const auto at = static_cast<std::size_t>(j);
            const penalty_view& penalty = problem_.penalty;
            add_gap_terms(sums, g_[j], b_[j], penalty.l1[at], penalty.l2[at], lambda_, penalty.lower[at],
                          penalty.upper[at], penalty.kkt_scale[at]);
            linear += b_[j] * problem_.correlation[at];
            image += b_[j] * g_[j];
        }
        // Σ w ρ² = y'y − 2 b'c0 + b'Cb, and Cb = c0 − g.
        const double square = std::max(0.0, problem_.response_square - linear - image);
        // Unpenalised features are solved to a gradient near zero, not exactly; what is left of it counts as gap.
        return duality_gap(sums, square, problem_.response_square - linear, lambda_).gap + unpenalised_error();
    }

    /// One pass of coordinate descent over all features, or over those that are not zero.
    /// @return largest decrease of the objective by a single move, times two
    double sweep(bool all)
    {
        double largest = 0;
        for (std::int64_t j = 0; j < p_; ++j) {
            if (!all && b_[j] == 0) continue;
            const auto at = static_cast<std::size_t>(j);
            const auto q = static_cast<double>(problem_.gram->row(j)[j]);
            if (!(q > 0)) continue;
            const penalty_view& penalty = problem_.penalty;
            const double next = prox(g_[j] + q * b_[j], q, lambda_ * penalty.l1[at], lambda_ * penalty.l2[at],
                                     penalty.lower[at], penalty.upper[at]);
            const double moved = next - b_[j];
            if (moved == 0) continue;
            move(j, next);
            largest = std::max(largest, q * moved * moved);
        }
        return largest;
    }

    /// A Newton step on support and signs. @return false when it could not lower the objective
    bool newton()
    {
        support_.clear();
        for (std::int64_t j = 0; j < p_; ++j)
            if (is_free(j)) support_.push_back(j);
        if (support_.empty()) return false;
        const vector step = solve_support();
        if (!step.allFinite()) return false;
        return projected_step(step) || short_step(step);
    }

    void store(panel<T>& B, std::int64_t c) const
    {
        for (std::int64_t j = 0; j < p_; ++j) B.row(j)[c] = static_cast<T>(b_[j]);
    }

private:
    bool is_free(std::int64_t j) const
    {
        const auto at = static_cast<std::size_t>(j);
        const penalty_view& penalty = problem_.penalty;
        if (b_[j] == 0) return penalty.l1[at] == 0 && penalty.upper[at] > 0 && penalty.lower[at] < 0;
        return b_[j] < penalty.upper[at] && b_[j] > penalty.lower[at];
    }

    /// Gradient of the objective, negated, for a feature that is not at a kink.
    double downhill(std::int64_t j) const
    {
        const auto at = static_cast<std::size_t>(j);
        const double sign = b_[j] > 0 ? 1.0 : b_[j] < 0 ? -1.0 : 0.0;
        return g_[j] - lambda_ * (problem_.penalty.l1[at] * sign + problem_.penalty.l2[at] * b_[j]);
    }

    double gram(std::int64_t i, std::int64_t j) const { return static_cast<double>(problem_.gram->row(i)[j]); }

    void move(std::int64_t j, double to)
    {
        const double moved = to - b_[j];
        b_[j] = to;
        if (moved == 0) return;
        const T* const row = problem_.gram->row(j);
        for (std::int64_t i = 0; i < p_; ++i) g_[i] -= moved * static_cast<double>(row[i]);
    }

    double unpenalised_error() const
    {
        double error = 0;
        for (std::int64_t j = 0; j < p_; ++j) {
            const auto at = static_cast<std::size_t>(j);
            const penalty_view& penalty = problem_.penalty;
            const bool bounded = std::isfinite(penalty.upper[at]) || std::isfinite(penalty.lower[at]);
            if (penalty.l1[at] == 0 && penalty.l2[at] == 0 && !bounded)
                error += std::fabs(g_[j] * b_[j]) + g_[j] * g_[j];
        }
        return error;
    }

    vector solve_support() const
    {
        const auto s = static_cast<std::int64_t>(support_.size());
        vector right(s);
        for (std::int64_t a = 0; a < s; ++a) right[a] = downhill(support_[static_cast<std::size_t>(a)]);
        const auto l2 = [&](std::int64_t a) {
            return lambda_ * problem_.penalty.l2[static_cast<std::size_t>(support_[static_cast<std::size_t>(a)])];
        };
        if (s > largest_factored_support) return conjugate_gradients(right, l2);
        Eigen::MatrixXd H(s, s);
        for (std::int64_t a = 0; a < s; ++a) {
            for (std::int64_t e = 0; e <= a; ++e)
                H(a, e) = gram(support_[static_cast<std::size_t>(a)], support_[static_cast<std::size_t>(e)]);
            // Columns have unit norm, so this is relative: it keeps duplicates factorable and costs the step nothing.
            H(a, a) += l2(a) + 1e-12;
        }
        const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>, Eigen::Lower> factor(H);
        if (factor.info() != Eigen::Success) return conjugate_gradients(right, l2);
        return factor.solve(right);
    }

    template <class L2>
    vector conjugate_gradients(const vector& right, const L2& l2) const
    {
        const auto s = static_cast<std::int64_t>(support_.size());
        vector x = vector::Zero(s);
        vector r = right;
        vector d = r;
        vector image(s);
        double rr = r.squaredNorm();
        const double enough = 1e-20 * rr;
        for (int iteration = 0; iteration < 300 && rr > enough; ++iteration) {
            for (std::int64_t a = 0; a < s; ++a) {
                const T* const row = problem_.gram->row(support_[static_cast<std::size_t>(a)]);
                double sum = l2(a) * d[a];
                for (std::int64_t e = 0; e < s; ++e)
                    sum += static_cast<double>(row[support_[static_cast<std::size_t>(e)]]) * d[e];
                image[a] = sum;
            }
            const double curvature = d.dot(image);
            if (!(curvature > 0)) break;
            const double length = rr / curvature;
            x += length * d;
            r -= length * image;
            const double next = r.squaredNorm();
            d = r + (next / rr) * d;
            rr = next;
        }
        return x;
    }

    /// Change of the objective from moving b to `to` on the support (other coefficients stay), exact for a quadratic.
    double change(const vector& moved, const vector& image) const
    {
        double value = 0;
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const std::int64_t j = support_[a];
            const auto at = static_cast<std::size_t>(j);
            const auto e = static_cast<std::int64_t>(a);
            const double to = b_[j] + moved[e];
            value += moved[e] * (0.5 * image[j] - g_[j]);
            value += lambda_ * problem_.penalty.l1[at] * (std::fabs(to) - std::fabs(b_[j]));
            value += 0.5 * lambda_ * problem_.penalty.l2[at] * (to * to - b_[j] * b_[j]);
        }
        return value;
    }

    /// C times a move on the support, all p entries.
    vector image_of(const vector& moved) const
    {
        vector image = vector::Zero(p_);
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const double length = moved[static_cast<std::int64_t>(a)];
            if (length == 0) continue;
            const T* const row = problem_.gram->row(support_[a]);
            for (std::int64_t i = 0; i < p_; ++i) image[i] += length * static_cast<double>(row[i]);
        }
        return image;
    }

    bool accept(const vector& moved)
    {
        const vector image = image_of(moved);
        if (!(change(moved, image) < 0)) return false;
        for (std::size_t a = 0; a < support_.size(); ++a) b_[support_[a]] += moved[static_cast<std::int64_t>(a)];
        g_ -= image;
        return true;
    }

    /// The whole step; coefficients that would change sign stop at zero, others at their bound.
    bool projected_step(const vector& step)
    {
        vector moved(step.size());
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const std::int64_t j = support_[a];
            const auto at = static_cast<std::size_t>(j);
            const auto e = static_cast<std::int64_t>(a);
            double to = b_[j] + step[e];
            if (problem_.penalty.l1[at] > 0 && to * b_[j] < 0) to = 0;
            to = std::clamp(to, problem_.penalty.lower[at], problem_.penalty.upper[at]);
            moved[e] = to == 0 ? -b_[j] : to - b_[j];
        }
        return accept(moved);
    }

    /// As far as the first coefficient that reaches zero or a bound.
    bool short_step(const vector& step)
    {
        double length = 1;
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const std::int64_t j = support_[a];
            const auto at = static_cast<std::size_t>(j);
            const double d = step[static_cast<std::int64_t>(a)];
            if (d == 0) continue;
            double edge = d > 0 ? problem_.penalty.upper[at] : problem_.penalty.lower[at];
            if (problem_.penalty.l1[at] > 0 && b_[j] * d < 0) edge = 0;
            if (std::isfinite(edge)) length = std::min(length, (edge - b_[j]) / d);
        }
        return length > 0 && length < 1 && accept(length * step);
    }

    const covariance_problem<T>& problem_;
    double lambda_;
    std::int64_t p_;
    vector b_;
    vector g_;
    std::vector<std::int64_t> support_;
};

} // namespace

template <class T>
void cpu_operations<T>::covariance_descent(const covariance_problem<T>& problem, panel<T>& B,
                                           std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    parallel::parallel_for(threads_, B.cols, [&](std::int64_t c) {
        const auto at = static_cast<std::size_t>(c);
        descent<T> column(problem, problem.lambda[at]);
        column.start(B, c);
        std::int64_t steps = 0;
        double gap = column.gap();
        double best = gap;
        int stalled = 0;
        while (gap > problem.gap_tolerance && steps < problem.max_iterations && stalled < 20) {
            column.sweep(true);
            ++steps;
            for (int i = 1; i < sweeps_per_round; ++i, ++steps) column.sweep(false);
            for (int i = 0; i < 3 && column.newton(); ++i) ++steps;
            gap = column.gap();
            // Rounding sets a floor; a column that has met it is handed back with what it has.
            stalled = gap < 0.999 * best ? 0 : stalled + 1;
            best = std::min(best, gap);
        }
        column.store(B, c);
        iterations[at] = steps;
        gaps[at] = gap;
    });
}

template void cpu_operations<float>::covariance_descent(const covariance_problem<float>&, panel<float>&,
                                                        std::span<std::int64_t>, std::span<double>) const;
template void cpu_operations<double>::covariance_descent(const covariance_problem<double>&, panel<double>&,
                                                         std::span<std::int64_t>, std::span<double>) const;

} // namespace proxpath::backend
