// The restricted problem, column by column of the batch: coordinate descent finds support and signs, then Newton steps
// on them (newton_steps.hpp) bring the gap down at once. It is written over a form, which keeps the point and what the
// point does to the data: the Gram matrix (covariance_descent.cpp) or the residual (coordinate_descent.cpp). Columns go
// one after the other, each from the one before, so that support and factor carry over; the work within a step is
// shared by threads.
#pragma once

#include "host/backend/cpu/cpu_descent_memory.hpp"
#include "host/backend/cpu/newton_steps.hpp"
#include "host/backend/descent_limits.hpp"
#include "host/backend/operations.hpp"
#include "host/backend/stall_watch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace proxpath::backend {

// What a form offers, S being a list of features, u = X̃'wρ, C = X̃'WX̃:
//   load(b), coefficients()     set and get the point, p numbers
//   active(j)                   feature j has any variation
//   sweep_cost()                products of a large matrix product that take as long as a sweep over all
//   sweep(all, λ)               one pass of coordinate descent over all features or the non-zero ones
//   hessian_cost(|S|)           the same of a call of hessian
//   gap(λ)                      gap_value of the restricted problem, with what is left of unpenalised features in it
//   correlations(S, out)        u on S
//   hessian(S, d, out)          C_SS d
//   gram(rows, columns, out)    entries of C
//   loss_change(S, moved)       change of the loss by a move on S, kept for accept()
//   accept(S, moved)            takes the move of the last loss_change
template <class Form>
class descent {
public:
    descent(Form& form, const restricted_problem& problem, cpu_descent_memory& memory, int threads)
        : form_(form), problem_(problem), newton_(form, problem, memory, threads), costs_(memory.costs)
    {}

    struct outcome {
        std::int64_t steps = 0;
        double gap = std::numeric_limits<double>::infinity();
        bool cancelled = false;
    };

    /// From the point the form holds, the solution at `from`, moved on along the line from that of an earlier lambda.
    void extrapolate(const std::vector<double>& before, double earlier, double from, double lambda)
    {
        newton_.set_lambda(lambda);
        newton_.extrapolate(before, (lambda - from) / (from - earlier));
    }

    /// From the point the form holds.
    outcome solve(double lambda)
    {
        lambda_ = lambda;
        newton_.set_lambda(lambda);
        outcome result;
        gap_value now = form_.gap(lambda_);
        stall_watch watch;
        watch.look(now);
        std::vector<double> gaps{now.gap}; // at every look since the last Newton step
        while (now.gap > problem_.gap_tolerance && !watch.stalled()) {
            if (problem_.keep_going && !problem_.keep_going()) {
                result.cancelled = true;
                break;
            }
            if (result.steps >= problem_.max_iterations) break;
            form_.sweep(true, lambda_);
            for (int i = 1; i < descent_limits::sweeps_per_look; ++i) form_.sweep(false, lambda_);
            result.steps += descent_limits::sweeps_per_look;
            costs_.spend(sweeps_in_full * form_.sweep_cost());
            if (newton_pays(gaps)) {
                result.steps += newton_.run(problem_.max_iterations - result.steps);
                gaps.clear(); // the pace of the sweeps is measured anew
            }
            now = form_.gap(lambda_);
            watch.look(now);
            gaps.push_back(now.gap);
        }
        result.gap = now.gap;
        return result;
    }

private:
    /// Sweeps over all features that take as long: all but the first go over those in use.
    static constexpr double sweeps_in_full = 1.7;
    static constexpr std::size_t looks_to_measure = 4;

    /// Whether Newton steps are the cheaper way to the tolerance than going on with sweeps at the pace they have had
    /// lately. By counts of operations, never by the clock, so that the choice is the same everywhere.
    bool newton_pays(const std::vector<double>& gaps)
    {
        const double sweeps = descent_limits::sweeps_per_look * form_.sweep_cost();
        const double newton = newton_.cost();
        if (newton <= looks_to_measure * sweeps) return true;
        if (gaps.size() <= looks_to_measure) return false;
        const double pace = std::pow(gaps.back() / gaps[gaps.size() - 1 - looks_to_measure], 1.0 / looks_to_measure);
        if (!(pace < 1)) return true;
        return std::log(problem_.gap_tolerance / gaps.back()) / std::log(pace) * sweeps > newton;
    }

    Form& form_;
    const restricted_problem& problem_;
    newton_steps<Form> newton_;
    newton_costs& costs_;
    double lambda_ = 0;
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
    last_solutions& last = (kept != nullptr ? *kept : passing).solutions;
    bool cancelled = false;
    std::vector<double> own(static_cast<std::size_t>(B.rows));
    std::vector<double> own_before;
    last.grow(own.size());
    for (std::int64_t c = 0; c < B.cols; ++c) {
        const auto at = static_cast<std::size_t>(c);
        iterations[at] = 0;
        gaps[at] = std::numeric_limits<double>::infinity();
        if (cancelled) continue;
        const double lambda = problem.lambda[at];
        for (std::int64_t j = 0; j < B.rows; ++j) own[static_cast<std::size_t>(j)] = static_cast<double>(B.row(j)[c]);
        // A start that the column before had, too, is farther from here than that column's solution. Else the better
        // one is taken.
        bool goes_on = c > 0 && own == own_before;
        if (!goes_on) {
            const double before = c > 0 ? form.gap(lambda).primal : std::numeric_limits<double>::infinity();
            form.load(own);
            goes_on = c > 0 ? before < form.gap(lambda).primal : own == last.latest;
            if (c > 0 && goes_on) form.load(last.latest);
        }
        if (goes_on && last.lambda_before > last.lambda && last.lambda > lambda)
            work.extrapolate(last.before, last.lambda_before, last.lambda, lambda);
        own_before = own;
        const auto outcome = work.solve(lambda);
        iterations[at] = outcome.steps;
        gaps[at] = outcome.gap;
        cancelled = outcome.cancelled;
        last.take(lambda, form.coefficients());
        for (std::int64_t j = 0; j < B.rows; ++j)
            B.row(j)[c] = static_cast<T>(last.latest[static_cast<std::size_t>(j)]);
    }
}

} // namespace proxpath::backend
