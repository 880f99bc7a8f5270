// Newton steps on support and signs of one column, over a form (descent.hpp): what brings the gap down at once when
// coordinate descent has found nearly the right support.
//
// A point that crosses a sign or a bound is projected on it and taken only when it lowers the objective, shorter and
// shorter otherwise, so such steps cannot cycle. One that crosses nothing is taken as it is: every point of conjugate
// gradients lowers the quadratic that the objective is there. The Newton system is solved by conjugate gradients, in
// one of two ways, whichever costs less by count (newton_costs.hpp). With the kept factor (kept_factor.hpp) as
// preconditioner a few steps solve it: what is out of date in the factor or missing costs steps, not accuracy. Without
// it, where products with a sparse X̃ are cheap and the support is large (its factor costs the cube), the system is
// solved only as well as the step deserves: most steps change the support, and the next solves another system.
#pragma once

#include "host/backend/cpu/cpu_descent_memory.hpp"
#include "host/backend/descent_limits.hpp"
#include "host/backend/operations.hpp"
#include "host/backend/sign_steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

template <class Form>
class newton_steps {
public:
    newton_steps(Form& form, const restricted_problem& problem, cpu_descent_memory& memory, int threads)
        : form_(form), problem_(problem), memory_(memory), threads_(threads)
    {}

    void set_lambda(double lambda)
    {
        lambda_ = lambda;
        plain_limit_ = descent_limits::first_plain;
    }

    /// Moves on by `share` of the way from `before` to where the form is, on the support and as far as its signs last,
    /// if that lowers the objective at the lambda now set. Between changes of the support solutions are straight lines
    /// in lambda.
    void extrapolate(const std::vector<double>& before, double share)
    {
        find_support();
        std::vector<double> step(support_.size());
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            step[a] = share * (form_.coefficients()[j] - before[j]);
        }
        (void)take_projected(step, 1, true);
    }

    /// Of one step from the point the form holds, see newton_costs.
    double cost()
    {
        find_support();
        return memory_.costs.least(occasion());
    }

    /// Steps until one is taken whole: those before end where coefficients reach zero or a bound, and the next goes on
    /// without these. @return how many were taken, `most` at most
    std::int64_t run(std::int64_t most)
    {
        most = std::min(most, descent_limits::most_at_once);
        std::int64_t taken = 0;
        int clipped = 0;
        residual_share_ = descent_limits::residual_share;
        while (taken < most && clipped < descent_limits::most_clipped) {
            if (taken > 0 && problem_.keep_going && !problem_.keep_going()) break;
            const outcome step = take();
            residual_share_ =
                step == outcome::shortened
                    ? std::min(descent_limits::loosest, descent_limits::loosening * residual_share_)
                    : std::max(descent_limits::residual_share, residual_share_ / descent_limits::loosening);
            if (step == outcome::none) break;
            ++taken;
            if (step == outcome::whole) break;
            clipped += step == outcome::clipped ? 1 : 0;
        }
        return taken;
    }

private:
    enum class outcome { none, shortened, clipped, whole };

    static constexpr int longest_with_factor = 500;

    void find_support()
    {
        support_.clear();
        diagonal_.clear();
        for (std::size_t j = 0; j < form_.coefficients().size(); ++j) {
            if (!is_free(problem_.penalty, j, form_.coefficients()[j], form_.active(j))) continue;
            support_.push_back(static_cast<std::int64_t>(j));
            diagonal_.push_back(lambda_ * problem_.penalty.l2[j]);
        }
    }

    newton_costs::occasion occasion() const { return {support_, form_.hessian_cost(support_.size()), memory_.factor}; }

    outcome take()
    {
        find_support();
        if (support_.empty()) return outcome::none;
        const std::vector<double> downhill = steepest();
        const bool plain = memory_.costs.goes_plain(occasion());
        if (!plain) {
            memory_.costs.takes_update(occasion());
            memory_.factor.update(
                support_, diagonal_,
                [&](auto rows, auto columns, Eigen::MatrixXd& out) { form_.gram(rows, columns, out); }, threads_);
        }
        const std::vector<double> step = solve(downhill, plain);
        if (!(dot(downhill, step) > 0)) return outcome::none;

        std::vector<double> stops; // where coefficients reach zero or a bound, as shares of the step
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            const double length = length_to_stop(problem_.penalty, j, form_.coefficients()[j], step[a]);
            if (length < 1) stops.push_back(length);
        }
        if (take_projected(step, 1)) {
            if (limited_)
                plain_limit_ = std::min(descent_limits::longest_plain,
                                        static_cast<int>(descent_limits::limit_growth * plain_limit_));
            return stops.empty() ? outcome::whole : outcome::clipped;
        }
        // Nearly dependent columns of wrong signs make steps of any length; what counts is where coefficients stop.
        std::sort(stops.begin(), stops.end());
        for (std::size_t i = stops.size(); i > 0; i /= 2) {
            if (!take_projected(step, stops[i - 1])) continue;
            if (plain)
                plain_limit_ =
                    std::max(descent_limits::first_plain, static_cast<int>(descent_limits::limit_fall * plain_limit_));
            return outcome::shortened;
        }
        return outcome::none;
    }

    /// Minus the gradient of the objective on the support, its signs held.
    std::vector<double> steepest() const
    {
        std::vector<double> downhill(support_.size());
        form_.correlations(support_, downhill);
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            const double b = form_.coefficients()[j];
            const double sign = b > 0 ? 1.0 : b < 0 ? -1.0 : 0.0;
            downhill[a] -= lambda_ * (problem_.penalty.l1[j] * sign + problem_.penalty.l2[j] * b);
        }
        return downhill;
    }

    /// (C_SS + λ diag(l2) + ridge) x = r. Dependent columns make C singular; without the ridge rounding would send
    /// their coefficients anywhere along its null space. Newton steps that follow take back what it costs.
    std::vector<double> solve(std::vector<double> r, bool plain)
    {
        const std::size_t s = support_.size();
        const auto prepare = [&](std::vector<double>& z) {
            if (!plain) return memory_.factor.solve(support_, diagonal_, r, z, threads_);
            for (std::size_t a = 0; a < s; ++a) z[a] = r[a] / (1 + diagonal_[a]);
        };
        double goal = residual_goal();
        if (plain) goal = std::max(goal, residual_share_ * largest(r));
        const int longest = plain ? plain_limit_ : longest_with_factor;
        std::vector<double> x(s, 0.0);
        std::vector<double> z(s);
        std::vector<double> image(s);
        prepare(z);
        std::vector<double> d(z);
        double rz = dot(r, z);
        const double target = descent_limits::enough * rz;
        int steps = 0;
        for (; steps < longest && rz > target && largest(r) > goal; ++steps) {
            form_.hessian(support_, d, image);
            for (std::size_t a = 0; a < s; ++a) image[a] += (diagonal_[a] + support_factor::ridge) * d[a];
            const double curvature = dot(d, image);
            if (!(curvature > 0)) break;
            const double length = rz / curvature;
            for (std::size_t a = 0; a < s; ++a) {
                x[a] += length * d[a];
                r[a] -= length * image[a];
            }
            prepare(z);
            const double next = dot(r, z);
            for (std::size_t a = 0; a < s; ++a) d[a] = z[a] + (next / rz) * d[a];
            rz = next;
        }
        limited_ = plain && steps == longest;
        if (plain) {
            memory_.costs.took_plain(occasion(), steps, steps == descent_limits::longest_plain);
            return x;
        }
        memory_.costs.took_factor(occasion(), steps);
        // A new factor costs about as much as s/180 of these steps on a machine that does ten operations in the time it
        // reads a number. Where features of the support found no room, that is the cause, and a new factor of the same
        // size no help.
        if (memory_.factor.complete(s) && steps > 20 + static_cast<int>(s / 100)) memory_.factor.mark_outdated();
        return x;
    }

    /// The residual at which a gap is small enough: with all correlations of the support off by δ l1, the dual point
    /// shrinks by δ / λ and the gap grows by δ Σ l1 |b|. Features without l1 have no part in that; a residual r there
    /// counts as r |b| in the gap.
    double residual_goal() const
    {
        double sum = 0;
        for (const std::int64_t feature : support_) {
            const auto j = static_cast<std::size_t>(feature);
            sum += residual_unit(problem_.penalty, j) * std::fabs(form_.coefficients()[j]);
        }
        return sum > 0 ? descent_limits::share_of_gap * problem_.gap_tolerance / sum : 0;
    }

    /// max |r_j| / unit_j
    double largest(const std::vector<double>& r) const
    {
        double most = 0;
        for (std::size_t a = 0; a < r.size(); ++a)
            most = std::max(most,
                            std::fabs(r[a]) / residual_unit(problem_.penalty, static_cast<std::size_t>(support_[a])));
        return most;
    }

    static double dot(const std::vector<double>& x, const std::vector<double>& y)
    {
        double sum = 0;
        for (std::size_t a = 0; a < x.size(); ++a) sum += x[a] * y[a];
        return sum;
    }

    /// Moves by `length` times the step; coefficients stop at zero or their bound. Taken only if that is better.
    /// @param must_fall whether only a fall of the objective will do, for steps that do not minimise anything
    bool take_projected(const std::vector<double>& step, double length, bool must_fall = false)
    {
        std::vector<double> moved(support_.size());
        double change = 0;
        bool stops = false;
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            const penalty_view& penalty = problem_.penalty;
            const double b = form_.coefficients()[j];
            double to = b + length * step[a];
            const bool stop = length_to_stop(penalty, j, b, step[a]) <= length;
            stops = stops || stop;
            if (stop) to = stop_of(penalty, j, b, step[a]);
            if (!std::isfinite(to)) return false;
            moved[a] = to == 0 ? -b : to - b;
            change +=
                lambda_ * (penalty.l1[j] * (std::fabs(to) - std::fabs(b)) + 0.5 * penalty.l2[j] * (to - b) * (to + b));
        }
        change += form_.loss_change(support_, moved);
        // Without a stop the objective is the quadratic that a Newton step minimises: the last digits of the gap, which
        // is linear in the error where the objective is quadratic, come from steps whose gain is below rounding.
        if ((stops || must_fall) && !(change < 0)) return false;
        form_.accept(support_, moved);
        return true;
    }

    Form& form_;
    const restricted_problem& problem_;
    cpu_descent_memory& memory_;
    int threads_;
    double lambda_ = 0;
    double residual_share_ = descent_limits::residual_share;
    int plain_limit_ = descent_limits::first_plain;
    bool limited_ = false;              // the last step without the factor was ended by plain_limit_
    std::vector<std::int64_t> support_; // free features
    std::vector<double> diagonal_;      // λ l2 of the support
};

} // namespace proxpath::backend
