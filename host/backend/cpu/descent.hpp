// The restricted problem, column by column of the batch: coordinate descent finds support and signs, then Newton steps
// on them bring the gap down at once. It is written over a form, which keeps the point and what the point does to the
// data: the Gram matrix (covariance_descent.cpp) or the residual (coordinate_descent.cpp). Columns go one after the
// other, each from the one before, so that support and factor carry over; the work within a step is shared by threads.
//
// A Newton point that crosses a sign or a bound is projected on it and taken only when it lowers the objective, shorter
// and shorter otherwise, so such steps cannot cycle. One that crosses nothing minimises the objective and is taken as
// it is; what rounding makes of it ends at `patience`. The Newton system is solved by conjugate gradients, in one of
// two ways, whichever costs less by count. With the kept factor (support_factor.hpp) as preconditioner a few steps
// solve it: features of the factor that left the support are held at zero by the inverse's own entries (a Schur
// complement); what else is out of date (another λ in the diagonal) or missing (its memory is limited) costs steps, not
// accuracy. Without it, where products with a sparse X̃ are cheap and the support is large (its factor costs the cube),
// the system is solved only as well as the step deserves: most steps change the support, and the next solves another
// system.
#pragma once

#include "host/backend/cpu/held_features.hpp"
#include "host/backend/cpu/support_factor.hpp"
#include "host/backend/operations.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

/// The memory of both descents on the CPU.
class cpu_descent_memory final : public descent_memory {
public:
    explicit cpu_descent_memory(std::uint64_t limit_bytes)
        : factor(static_cast<std::uint64_t>(static_cast<double>(limit_bytes) * factor_share))
    {}
    /// Half a square for the factor; held features take largest_share of a square, and twice that share squared.
    static constexpr double factor_share =
        0.5 / (0.5 + held_features::largest_share * (1 + 2 * held_features::largest_share));
    support_factor factor;
    int solves = 2;     ///< conjugate-gradient steps of the last Newton step that had the factor
    double plain = 200; ///< steps that one without it takes, as far as is known
    double regret = 0;  ///< products that steps without the factor took more than with it, had it been up to date
    std::vector<std::uint8_t> met; ///< features that a factor would have grown by in these steps
    bool outdated = false; ///< the whole support was in the factor and cost too many steps all the same: build it anew
    held_features held;    ///< features of the factor outside the present support
};

// What a form offers, S being a list of features, u = X̃'wρ, C = X̃'WX̃:
//   features()                  p
//   load(b), coefficients()     set and get the point
//   sweep_cost()                products of a large matrix product that take as long as a sweep over all
//   sweep(all, λ)               one pass of coordinate descent over all features or the non-zero ones
//   hessian_cost(|S|)           the same of a call of hessian
//   gap(λ)                      gap_value of the restricted problem, with what is left of unpenalised features in it
//   correlations(S, out)        u on S
//   hessian(S, d, out)          C_SS d
//   gram(rows, columns, out)    entries of C
//   loss_change(S, moved)       change of the loss by a move on S, kept for accept()
//   accept(S)                   takes the move of the last loss_change
template <class Form>
class descent {
public:
    descent(Form& form, const restricted_problem& problem, cpu_descent_memory& memory, int threads)
        : form_(form), problem_(problem), memory_(memory), threads_(threads)
    {}

    struct outcome {
        std::int64_t steps = 0;
        double gap = std::numeric_limits<double>::infinity();
        bool cancelled = false;
    };

    /// From the point the form holds.
    outcome solve(double lambda)
    {
        lambda_ = lambda;
        outcome result;
        gap_value now = form_.gap(lambda_);
        double best_gap = now.gap;
        double best_primal = now.primal;
        int stalled = 0;
        std::vector<double> gaps{now.gap}; // at every look since the last Newton step
        while (now.gap > problem_.gap_tolerance && stalled < patience) {
            if (problem_.keep_going && !problem_.keep_going()) {
                result.cancelled = true;
                break;
            }
            if (result.steps >= problem_.max_iterations) break;
            form_.sweep(true, lambda_);
            for (int i = 1; i < sweeps_per_look; ++i) form_.sweep(false, lambda_);
            result.steps += sweeps_per_look;
            if (newton_pays(gaps)) {
                result.steps += newton_steps();
                gaps.clear(); // the pace of the sweeps is measured anew
            }
            now = form_.gap(lambda_);
            // The gap may stand still while the objective falls; when neither moves, rounding has set a floor and the
            // column is handed back with what it has.
            const bool gained = now.gap < 0.999 * best_gap || now.primal < (1 - smallest_fall) * best_primal;
            stalled = gained ? 0 : stalled + 1;
            best_gap = std::min(best_gap, now.gap);
            gaps.push_back(now.gap);
            best_primal = std::min(best_primal, now.primal);
        }
        result.gap = now.gap;
        return result;
    }

private:
    static constexpr int sweeps_per_look = 3;
    static constexpr std::int64_t newtons_per_look = 100;
    static constexpr std::size_t looks_to_measure = 4;
    /// Costs are counted in products of a large matrix product; a number of the factor that is read costs as much as
    /// so many (measured on two cores: 0.05 ns for a product, 0.4 ns for a number, twice that from main memory).
    static constexpr double solve_wait = 8;
    static constexpr double far_solve_wait = 16;
    /// Features of the largest factor that caches hold (32 MB).
    static constexpr double near_features = 2800;
    static constexpr int patience = 20;
    static constexpr int longest_conjugate_gradients = 500;
    static constexpr int longest_plain = 4000;
    /// Relative fall of the objective that is more than rounding.
    static constexpr double smallest_fall = 1e-13;
    /// Reduction of the residual in the preconditioned norm, squared, at which conjugate gradients end.
    static constexpr double enough = 1e-18;
    /// Share of the wanted gap that conjugate gradients may leave.
    static constexpr double share_of_gap = 0.1;
    /// Without the factor a step takes the residual down to this share and no further: signs change before it is exact
    /// (on debian_counts, 62 lambdas to 16,000 features: 35 s, and 47 s with 0.05).
    static constexpr double residual_share = 0.1;
    /// Steps along nearly dependent columns have to be cut short; less exact ones do not go there.
    static constexpr double loosening = 4;
    static constexpr double loosest = 0.5;

    /// Neither at a kink nor at a bound.
    bool is_free(std::size_t j) const
    {
        const double b = form_.coefficients()[j];
        const penalty_view& penalty = problem_.penalty;
        if (b == 0) return penalty.l1[j] == 0 && penalty.upper[j] > 0 && penalty.lower[j] < 0 && form_.active(j);
        return b < penalty.upper[j] && b > penalty.lower[j];
    }

    /// Whether Newton steps are the cheaper way to the tolerance than going on with sweeps at the pace they have had
    /// lately. By counts of operations, never by the clock, so that the choice is the same everywhere.
    bool newton_pays(const std::vector<double>& gaps)
    {
        const double sweeps = sweeps_per_look * form_.sweep_cost();
        const double newton = newton_cost();
        if (newton <= looks_to_measure * sweeps) return true;
        if (gaps.size() <= looks_to_measure) return false;
        const double pace = std::pow(gaps.back() / gaps[gaps.size() - 1 - looks_to_measure], 1.0 / looks_to_measure);
        if (!(pace < 1)) return true;
        return std::log(problem_.gap_tolerance / gaps.back()) / std::log(pace) * sweeps > newton;
    }

    /// Products of a Newton step, with the factor or without, whichever is less.
    double newton_cost() const { return std::min(plain_cost(), update_cost() + solve_cost()); }

    std::size_t nonzeros() const
    {
        const auto coefficients = form_.coefficients();
        return coefficients.size() -
               static_cast<std::size_t>(std::count(coefficients.begin(), coefficients.end(), 0.0));
    }

    double plain_cost() const { return memory_.plain * form_.hessian_cost(nonzeros()); }

    /// Products that bring the factor up to date.
    double update_cost() const
    {
        const support_factor& factor = memory_.factor;
        double fresh = 0;
        double kept = memory_.outdated ? 0.0 : static_cast<double>(factor.size());
        for (std::size_t j = 0; j < form_.coefficients().size(); ++j)
            if (form_.coefficients()[j] != 0 && (memory_.outdated || factor.place(static_cast<std::int64_t>(j)) < 0))
                ++fresh;
        fresh = std::max(0.0, std::min(fresh, static_cast<double>(factor.capacity()) - kept));
        return fresh * (kept * (kept + fresh) + fresh * fresh / 3);
    }

    /// Solves with a factor of the support, as many as the step before needed.
    double solve_cost() const
    {
        const double size = std::min(static_cast<double>(nonzeros()), static_cast<double>(memory_.factor.capacity()));
        return (memory_.solves + 1) * (size > near_features ? far_solve_wait : solve_wait) * size * size;
    }

    /// Whether this step goes without the factor. An update that one step does not pay for is due once the steps before
    /// would have paid for it (as one rents until the rent would have bought: at most twice the least cost).
    bool goes_plain() const
    {
        const double plain = plain_cost();
        const double solve = solve_cost();
        if (plain < solve) return true;
        const double update = update_cost();
        return plain < update + solve && memory_.regret < update;
    }

    /// After a step without the factor: what it would have saved, less what it would have grown by.
    void count_regret(int steps)
    {
        memory_.met.resize(form_.coefficients().size(), 0);
        double fresh = 0;
        for (const std::int64_t feature : support_) {
            std::uint8_t& known = memory_.met[static_cast<std::size_t>(feature)];
            fresh += known == 0 ? 1 : 0;
            known = 1;
        }
        const auto size = static_cast<double>(support_.size());
        const double saved = steps * form_.hessian_cost(support_.size()) - solve_cost() - fresh * size * size;
        memory_.regret = std::max(0.0, memory_.regret + saved);
    }

    enum class step_kind { none, shortened, clipped, whole };

    /// Newton steps until one is taken whole: those before end where coefficients reach zero or a bound, and the next
    /// goes on without these.
    std::int64_t newton_steps()
    {
        std::int64_t taken = 0;
        int clipped = 0;
        residual_share_ = residual_share;
        while (taken < newtons_per_look && clipped < 2) {
            const step_kind step = newton();
            residual_share_ = step == step_kind::shortened ? std::min(loosest, loosening * residual_share_)
                                                           : std::max(residual_share, residual_share_ / loosening);
            if (step == step_kind::none) break;
            ++taken;
            if (step == step_kind::whole) break;
            clipped += step == step_kind::clipped ? 1 : 0;
        }
        return taken;
    }

    step_kind newton()
    {
        support_.clear();
        for (std::size_t j = 0; j < form_.coefficients().size(); ++j)
            if (is_free(j)) support_.push_back(static_cast<std::int64_t>(j));
        if (support_.empty()) return step_kind::none;
        std::vector<double> downhill(support_.size());
        form_.correlations(support_, downhill);
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            const double b = form_.coefficients()[j];
            const double sign = b > 0 ? 1.0 : b < 0 ? -1.0 : 0.0;
            downhill[a] -= lambda_ * (problem_.penalty.l1[j] * sign + problem_.penalty.l2[j] * b);
        }
        const bool plain = goes_plain();
        if (!plain) update_factor();
        const std::vector<double> step = conjugate_gradients(downhill, plain);
        if (!(dot(downhill, step) > 0)) return step_kind::none;

        std::vector<double> stops; // where coefficients reach zero or a bound, as shares of the step
        for (std::size_t a = 0; a < support_.size(); ++a)
            if (const double length = length_to_stop(a, step[a]); length < 1) stops.push_back(length);
        if (take_projected(step, 1)) return stops.empty() ? step_kind::whole : step_kind::clipped;
        // Nearly dependent columns of wrong signs make steps of any length; what counts is where coefficients stop.
        std::sort(stops.begin(), stops.end());
        for (std::size_t i = stops.size(); i > 0; i /= 2)
            if (take_projected(step, stops[i - 1])) return step_kind::shortened;
        return step_kind::none;
    }

    /// Share of the step at which a coefficient reaches zero or its bound; more than 1 when it does not.
    double length_to_stop(std::size_t a, double step) const
    {
        const auto j = static_cast<std::size_t>(support_[a]);
        const penalty_view& penalty = problem_.penalty;
        const double b = form_.coefficients()[j];
        double edge = step > 0 ? penalty.upper[j] : penalty.lower[j];
        if (penalty.l1[j] > 0 && b * step < 0) edge = 0;
        const double length = (edge - b) / step;
        return step != 0 && length < 1 ? length : 2;
    }

    double diagonal(std::int64_t feature) const
    {
        return lambda_ * problem_.penalty.l2[static_cast<std::size_t>(feature)];
    }

    void update_factor()
    {
        support_factor& factor = memory_.factor;
        std::vector<std::uint8_t> in_support(form_.coefficients().size(), 0);
        for (const std::int64_t feature : support_) in_support[static_cast<std::size_t>(feature)] = 1;
        std::vector<std::int64_t> dropped;
        for (const std::int64_t feature : factor.features())
            if (in_support[static_cast<std::size_t>(feature)] == 0) dropped.push_back(feature);
        const auto most = static_cast<std::size_t>(held_features::largest_share * static_cast<double>(factor.size()));
        if (memory_.outdated || dropped.size() > most) {
            start_anew();
            dropped.clear();
        }
        append_support();
        memory_.regret = 0;
        memory_.met.assign(in_support.begin(), in_support.end());
        if (!memory_.held.hold(factor, dropped, threads_)) {
            start_anew();
            append_support();
        }
    }

    void start_anew()
    {
        memory_.factor.clear();
        memory_.held.clear();
        memory_.outdated = false;
    }

    /// What of the support is not in the factor yet, as far as its memory goes.
    void append_support()
    {
        support_factor& factor = memory_.factor;
        std::vector<std::int64_t> fresh;
        std::vector<double> diagonals;
        const std::int64_t room = factor.capacity() - factor.size();
        for (const std::int64_t feature : support_) {
            if (static_cast<std::int64_t>(fresh.size()) >= room) break;
            if (factor.place(feature) >= 0) continue;
            fresh.push_back(feature);
            diagonals.push_back(diagonal(feature));
        }
        factor.append(
            fresh, diagonals, [&](auto rows, auto columns, Eigen::MatrixXd& out) { form_.gram(rows, columns, out); },
            threads_);
    }

    /// The factor's inverse on the support; features that are not in the factor have a diagonal of their own.
    void precondition(const std::vector<double>& r, std::vector<double>& z) const
    {
        const support_factor& factor = memory_.factor;
        Eigen::MatrixXd x = Eigen::MatrixXd::Zero(factor.size(), 1);
        for (std::size_t a = 0; a < support_.size(); ++a)
            if (const std::int64_t place = factor.place(support_[a]); place >= 0) x(place, 0) = r[a];
        factor.forward(x, 0, threads_);
        memory_.held.correct(x, threads_);
        factor.backward(x.col(0), threads_);
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const std::int64_t place = factor.place(support_[a]);
            z[a] = place >= 0 ? x(place, 0) : r[a] / (1 + diagonal(support_[a]));
        }
    }

    /// (C_SS + λ diag(l2) + ridge) x = r. Dependent columns make C singular; without the ridge rounding would send
    /// their coefficients anywhere along its null space. Newton steps that follow take back what it costs.
    std::vector<double> conjugate_gradients(std::vector<double> r, bool plain)
    {
        const std::size_t s = support_.size();
        const auto prepare = [&](std::vector<double>& z) {
            if (!plain) return precondition(r, z);
            for (std::size_t a = 0; a < s; ++a) z[a] = r[a] / (1 + diagonal(support_[a]));
        };
        double goal = residual_goal();
        if (plain && goal > 0) goal = std::max(goal, residual_share_ * largest(r));
        const int longest = plain ? longest_plain : longest_conjugate_gradients;
        std::vector<double> x(s, 0.0);
        std::vector<double> z(s);
        std::vector<double> image(s);
        prepare(z);
        std::vector<double> d(z);
        double rz = dot(r, z);
        const double target = enough * rz;
        int steps = 0;
        for (; steps < longest && rz > target && largest(r) > goal; ++steps) {
            form_.hessian(support_, d, image);
            for (std::size_t a = 0; a < s; ++a) image[a] += (diagonal(support_[a]) + support_factor::ridge) * d[a];
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
        if (plain) {
            memory_.plain = steps < longest ? steps : 10.0 * longest; // did not get there: the factor from now on
            count_regret(steps);
            return x;
        }
        memory_.solves = steps;
        // A new factor costs about as much as s/180 of these steps on a machine that does ten operations in the time it
        // reads a number.
        // Where features of the support found no room, that is the cause, and a new factor of the same size no help.
        const bool complete = memory_.factor.size() - memory_.held.size() == static_cast<std::int64_t>(s);
        memory_.outdated = complete && s > 0 && steps > 20 + static_cast<int>(s / 100);
        return x;
    }

    /// The residual at which a gap is small enough: with all correlations of the support off by δ λ l1, the dual point
    /// shrinks by δ and the gap grows by δ Σ λ l1 |b|. 0 where some of the support has no l1.
    double residual_goal() const
    {
        double sum = 0;
        for (const std::int64_t feature : support_) {
            const auto j = static_cast<std::size_t>(feature);
            if (problem_.penalty.l1[j] == 0) return 0;
            sum += problem_.penalty.l1[j] * std::fabs(form_.coefficients()[j]);
        }
        return sum > 0 ? share_of_gap * problem_.gap_tolerance / sum : 0;
    }

    /// max |r_j| / l1_j; a feature without l1 makes it infinite, and counts as no residual where it has none.
    double largest(const std::vector<double>& r) const
    {
        double most = 0;
        for (std::size_t a = 0; a < r.size(); ++a)
            if (r[a] != 0)
                most = std::max(most, std::fabs(r[a]) / problem_.penalty.l1[static_cast<std::size_t>(support_[a])]);
        return most;
    }

    static double dot(const std::vector<double>& x, const std::vector<double>& y)
    {
        double sum = 0;
        for (std::size_t a = 0; a < x.size(); ++a) sum += x[a] * y[a];
        return sum;
    }

    /// Moves by `length` times the step; coefficients stop at zero or their bound. Taken only if that is better.
    bool take_projected(const std::vector<double>& step, double length)
    {
        std::vector<double> moved(support_.size());
        double change = 0;
        bool stops = false;
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            const penalty_view& penalty = problem_.penalty;
            const double b = form_.coefficients()[j];
            double to = b + length * step[a];
            const bool stop = length_to_stop(a, step[a]) <= length;
            stops = stops || stop;
            if (stop)
                to = penalty.l1[j] > 0 && b * step[a] < 0 ? 0.0 : step[a] > 0 ? penalty.upper[j] : penalty.lower[j];
            if (!std::isfinite(to)) return false;
            moved[a] = to == 0 ? -b : to - b;
            change +=
                lambda_ * (penalty.l1[j] * (std::fabs(to) - std::fabs(b)) + 0.5 * penalty.l2[j] * (to - b) * (to + b));
        }
        change += form_.loss_change(support_, moved);
        // Without a stop the objective is the quadratic that the step minimises: the last digits of the gap, which is
        // linear in the error where the objective is quadratic, come from steps whose gain is below rounding.
        if (stops && !(change < 0)) return false;
        form_.accept(support_, moved);
        return true;
    }

    Form& form_;
    const restricted_problem& problem_;
    cpu_descent_memory& memory_;
    int threads_;
    double lambda_ = 0;
    double residual_share_ = residual_share;
    std::vector<std::int64_t> support_;
};

/// The batch: every column from the better of its own start and the column before.
template <class Form, class T>
void descend_columns(Form& form, const restricted_problem& problem, int threads, panel<T>& B,
                     std::span<std::int64_t> iterations, std::span<double> gaps)
{
    constexpr std::uint64_t passing_memory = std::uint64_t{256} << 20;
    cpu_descent_memory passing(passing_memory);
    auto* const kept = static_cast<cpu_descent_memory*>(problem.memory);
    descent<Form> work(form, problem, kept != nullptr ? *kept : passing, threads);
    bool cancelled = false;
    std::vector<double> own(static_cast<std::size_t>(B.rows));
    std::vector<double> previous;
    for (std::int64_t c = 0; c < B.cols; ++c) {
        const auto at = static_cast<std::size_t>(c);
        iterations[at] = 0;
        gaps[at] = std::numeric_limits<double>::infinity();
        if (cancelled) continue;
        const double lambda = problem.lambda[at];
        for (std::int64_t j = 0; j < B.rows; ++j) own[static_cast<std::size_t>(j)] = static_cast<double>(B.row(j)[c]);
        const double before = previous.empty() ? std::numeric_limits<double>::infinity() : form.gap(lambda).primal;
        form.load(own);
        if (!previous.empty() && before < form.gap(lambda).primal) form.load(previous);
        const auto outcome = work.solve(lambda);
        iterations[at] = outcome.steps;
        gaps[at] = outcome.gap;
        cancelled = outcome.cancelled;
        previous.assign(form.coefficients().begin(), form.coefficients().end());
        for (std::int64_t j = 0; j < B.rows; ++j) B.row(j)[c] = static_cast<T>(previous[static_cast<std::size_t>(j)]);
    }
}

} // namespace proxpath::backend
