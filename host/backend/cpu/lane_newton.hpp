// Newton steps on support and signs for K columns side by side: the steps of newton_steps.hpp without the factor, each
// lane on its own support, its own system and its own length, sharing every reading of X. Lanes that are done wait,
// masked, for the others.
#pragma once

#include "host/backend/cpu/residual_lanes.hpp"
#include "host/backend/cpu/support_factor.hpp"
#include "host/backend/descent_limits.hpp"
#include "host/backend/sign_steps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace proxpath::backend {

template <int K>
class lane_newton {
public:
    using numbers = typename residual_lanes<K>::numbers;
    using lane_set = typename residual_lanes<K>::lane_set;

    lane_newton(residual_lanes<K>& form, const numbers& lambda)
        : form_(form), penalty_(form.data().problem.penalty), lambda_(lambda)
    {
        plain_limit_.fill(descent_limits::first_plain);
    }

    /// Moves lanes on by `share` of the way from `before` (p) to where they are, on the support and as far as its signs
    /// last, if that lowers the objective.
    void extrapolate(const std::vector<double>& before, const numbers& share, const lane_set& lanes)
    {
        find_support(lanes);
        if (support_.empty()) return; // nobody goes on
        std::vector<double> step(free_.size());
        for (std::size_t a = 0; a < support_.size(); ++a)
            for (int c = 0; c < K; ++c)
                step[a * K + c] =
                    free_[a * K + c] * (share[c] * (coefficient(a, c) - before[static_cast<std::size_t>(support_[a])]));
        numbers whole;
        whole.fill(1);
        (void)take_projected(step, whole, lanes, true);
    }

    /// Starts a run of steps in these lanes: until one is taken whole, as those before end where coefficients reach
    /// zero or a bound.
    /// @param most steps allowed to each
    void begin(const lane_set& lanes, const std::array<std::int64_t, K>& most)
    {
        running_ = lanes;
        for (int c = 0; c < K; ++c) most_[c] = std::min(most[c], descent_limits::most_at_once);
        taken_.fill(0);
        clipped_.fill(0);
        products_.fill(0);
        residual_share_.fill(descent_limits::residual_share);
        for (int c = 0; c < K; ++c) running_[c] = running_[c] && most_[c] > 0;
    }
    bool running() const
    {
        return std::any_of(running_.begin(), running_.end(), [](bool lane) { return lane; });
    }
    /// Steps that each lane has taken in this run.
    const std::array<std::int64_t, K>& taken() const { return taken_; }
    /// Products with C_SS, or what took as long, that each lane has used in this run.
    const numbers& products() const { return products_; }

    /// One step in every lane that runs.
    void step()
    {
        const auto outcomes = take(running_);
        for (int c = 0; c < K; ++c) {
            if (!running_[c]) continue;
            residual_share_[c] =
                outcomes[c] == outcome::shortened
                    ? std::min(descent_limits::loosest, descent_limits::loosening * residual_share_[c])
                    : std::max(descent_limits::residual_share, residual_share_[c] / descent_limits::loosening);
            if (outcomes[c] != outcome::none) ++taken_[c];
            clipped_[c] += outcomes[c] == outcome::clipped ? 1 : 0;
            running_[c] = outcomes[c] != outcome::none && outcomes[c] != outcome::whole && taken_[c] < most_[c] &&
                          clipped_[c] < descent_limits::most_clipped;
        }
    }

private:
    enum class outcome { none, shortened, clipped, whole };

    double coefficient(std::size_t a, int c) const
    {
        return form_.coefficients(static_cast<std::size_t>(support_[a]))[c];
    }

    /// Features that are free in any of the lanes, and in which.
    void find_support(const lane_set& lanes)
    {
        support_.clear();
        free_.clear();
        diagonal_.clear();
        for (std::size_t j = 0; j < penalty_.l1.size(); ++j) {
            const double* const b = form_.coefficients(j);
            double free[K];
            bool any = false;
            for (int c = 0; c < K; ++c) {
                const bool one = lanes[c] && is_free(penalty_, j, b[c], form_.data().active(j));
                free[c] = one ? 1.0 : 0.0;
                any = any || one;
            }
            if (!any) continue;
            support_.push_back(static_cast<std::int64_t>(j));
            free_.insert(free_.end(), free, free + K);
            for (int c = 0; c < K; ++c) diagonal_.push_back(lambda_[c] * penalty_.l2[j]);
        }
    }

    std::array<outcome, K> take(const lane_set& lanes)
    {
        std::array<outcome, K> outcomes;
        outcomes.fill(outcome::none);
        find_support(lanes);
        if (support_.empty()) return outcomes;
        form_.prepare_products(support_);
        find_steepest();
        for (int c = 0; c < K; ++c) products_[c] += lanes[c] ? 0.5 : 0.0;
        solve(lanes);
        const std::vector<double>& step = x_;
        const numbers fall = dots(downhill_, step);
        lane_set open = lanes;
        for (int c = 0; c < K; ++c) open[c] = lanes[c] && fall[c] > 0;

        std::array<std::vector<double>, K> stops; // where coefficients reach zero or a bound, as shares of the step
        for (std::size_t a = 0; a < support_.size(); ++a)
            for (int c = 0; c < K; ++c)
                if (const double length = length_to_stop(penalty_, static_cast<std::size_t>(support_[a]),
                                                         coefficient(a, c), step[a * K + c]);
                    open[c] && length < 1)
                    stops[c].push_back(length);
        numbers length;
        length.fill(1);
        lane_set taken = take_projected(step, length, open);
        std::array<std::size_t, K> left{};
        for (int c = 0; c < K; ++c) {
            if (!open[c]) continue;
            if (taken[c]) {
                outcomes[c] = stops[c].empty() ? outcome::whole : outcome::clipped;
                if (limited_[c])
                    plain_limit_[c] = std::min(descent_limits::longest_plain,
                                               static_cast<int>(descent_limits::limit_growth * plain_limit_[c]));
                open[c] = false;
                continue;
            }
            // Nearly dependent columns of wrong signs make steps of any length; what counts is where coefficients stop.
            std::sort(stops[c].begin(), stops[c].end());
            left[c] = stops[c].size();
        }
        for (;;) {
            bool any = false;
            for (int c = 0; c < K; ++c) {
                open[c] = open[c] && left[c] > 0;
                if (open[c]) length[c] = stops[c][left[c] - 1];
                any = any || open[c];
            }
            if (!any) return outcomes;
            taken = take_projected(step, length, open);
            for (int c = 0; c < K; ++c) {
                left[c] /= 2;
                if (!open[c] || !taken[c]) continue;
                outcomes[c] = outcome::shortened;
                plain_limit_[c] = std::max(descent_limits::first_plain,
                                           static_cast<int>(descent_limits::limit_fall * plain_limit_[c]));
                open[c] = false;
            }
        }
    }

    /// downhill = minus the gradient of the objective on the supports, their signs held.
    void find_steepest()
    {
        downhill_.resize(free_.size());
        form_.correlations(support_, downhill_);
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            for (int c = 0; c < K; ++c) {
                const double b = coefficient(a, c);
                const double sign = b > 0 ? 1.0 : b < 0 ? -1.0 : 0.0;
                downhill_[a * K + c] -= lambda_[c] * (penalty_.l1[j] * sign + penalty_.l2[j] * b);
                downhill_[a * K + c] *= free_[a * K + c];
            }
        }
    }

    /// x with (C_SS + λ diag(l2) + ridge) x = downhill in every lane, by conjugate gradients on the lanes that are not
    /// there yet.
    void solve(const lane_set& lanes)
    {
        const std::size_t cells = free_.size();
        std::vector<double>& x = x_;
        std::vector<double>& r = r_;
        std::vector<double>& z = z_;
        std::vector<double>& d = d_;
        std::vector<double>& image = image_;
        x.assign(cells, 0.0);
        r = downhill_;
        z.resize(cells);
        image.resize(cells);
        for (std::size_t e = 0; e < cells; ++e) z[e] = r[e] / (1 + diagonal_[e]);
        d = z;
        numbers rz = dots(r, z);
        numbers now = largest(r);
        numbers goal = residual_goals();
        numbers target;
        for (int c = 0; c < K; ++c) {
            goal[c] = std::max(goal[c], residual_share_[c] * now[c]);
            target[c] = descent_limits::enough * rz[c];
        }
        lane_set open = lanes;
        std::array<int, K> steps{};
        for (;;) {
            bool any = false;
            bool all = true;
            for (int c = 0; c < K; ++c) {
                open[c] = open[c] && steps[c] < plain_limit_[c] && rz[c] > target[c] && now[c] > goal[c];
                any = any || open[c];
                all = all && open[c];
            }
            if (!any) break;
            if (!all)
                for (std::size_t e = 0; e < cells; e += K)
                    for (int c = 0; c < K; ++c) d[e + c] = open[c] ? d[e + c] : 0.0;
            form_.hessian(support_, d, image);
            for (std::size_t e = 0; e < cells; ++e)
                image[e] = free_[e] * (image[e] + (diagonal_[e] + support_factor::ridge) * d[e]);
            const numbers curvature = dots(d, image);
            numbers length{};
            for (int c = 0; c < K; ++c) {
                open[c] = open[c] && curvature[c] > 0;
                if (!open[c]) continue;
                length[c] = rz[c] / curvature[c];
                ++steps[c];
            }
            for (std::size_t e = 0; e < cells; e += K)
                for (int c = 0; c < K; ++c) {
                    x[e + c] += length[c] * d[e + c];
                    r[e + c] -= length[c] * image[e + c];
                    z[e + c] = r[e + c] / (1 + diagonal_[e + c]);
                }
            const numbers next = dots(r, z);
            now = largest(r);
            numbers turn{};
            for (int c = 0; c < K; ++c) {
                if (!open[c]) continue;
                turn[c] = next[c] / rz[c];
                rz[c] = next[c];
            }
            for (std::size_t e = 0; e < cells; e += K)
                for (int c = 0; c < K; ++c) d[e + c] = z[e + c] + turn[c] * d[e + c];
        }
        for (int c = 0; c < K; ++c) {
            limited_[c] = steps[c] == plain_limit_[c];
            products_[c] += steps[c];
        }
    }

    /// The residual at which a gap is small enough, see newton_steps.
    numbers residual_goals() const
    {
        numbers sum{};
        for (std::size_t a = 0; a < support_.size(); ++a)
            for (int c = 0; c < K; ++c)
                sum[c] += free_[a * K + c] * residual_unit(penalty_, static_cast<std::size_t>(support_[a])) *
                          std::fabs(coefficient(a, c));
        for (double& each : sum)
            each = each > 0 ? descent_limits::share_of_gap * form_.data().problem.gap_tolerance / each : 0;
        return sum;
    }

    /// max |r_j| / unit_j
    numbers largest(const std::vector<double>& r) const
    {
        numbers most{};
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const double scale = 1 / residual_unit(penalty_, static_cast<std::size_t>(support_[a]));
            for (int c = 0; c < K; ++c) most[c] = std::max(most[c], std::fabs(r[a * K + c]) * scale);
        }
        return most;
    }

    static numbers dots(const std::vector<double>& x, const std::vector<double>& y)
    {
        numbers sum{};
        for (std::size_t e = 0; e < x.size(); e += K)
            for (int c = 0; c < K; ++c) sum[c] += x[e + c] * y[e + c];
        return sum;
    }

    /// Moves by `length` times the step; coefficients stop at zero or their bound.
    /// @param must_fall whether only a fall of the objective will do, for steps that do not minimise anything
    /// @return the lanes in which the move was taken
    lane_set take_projected(const std::vector<double>& step, const numbers& length, const lane_set& lanes,
                            bool must_fall = false)
    {
        std::vector<double>& moved = image_;
        moved.assign(free_.size(), 0.0);
        numbers change{};
        lane_set stops{};
        lane_set sound = lanes;
        for (std::size_t a = 0; a < support_.size(); ++a) {
            const auto j = static_cast<std::size_t>(support_[a]);
            for (int c = 0; c < K; ++c) {
                const double by = step[a * K + c];
                if (!lanes[c] || by == 0) continue;
                const double b = coefficient(a, c);
                double to = b + length[c] * by;
                if (length_to_stop(penalty_, j, b, by) <= length[c]) {
                    stops[c] = true;
                    to = stop_of(penalty_, j, b, by);
                }
                if (!std::isfinite(to)) {
                    sound[c] = false;
                    continue;
                }
                moved[a * K + c] = to == 0 ? -b : to - b;
                change[c] += lambda_[c] * (penalty_.l1[j] * (std::fabs(to) - std::fabs(b)) +
                                           0.5 * penalty_.l2[j] * (to - b) * (to + b));
            }
        }
        const numbers loss = form_.loss_change(support_, moved);
        for (int c = 0; c < K; ++c) products_[c] += lanes[c] ? 0.5 : 0.0;
        // Without a stop the objective is the quadratic that a Newton step minimises: the last digits of the gap, which
        // is linear in the error where the objective is quadratic, come from steps whose gain is below rounding.
        for (int c = 0; c < K; ++c) sound[c] = sound[c] && (change[c] + loss[c] < 0 || (!stops[c] && !must_fall));
        form_.accept(support_, moved, sound);
        return sound;
    }

    residual_lanes<K>& form_;
    const penalty_view& penalty_;
    numbers lambda_;
    lane_set running_{};
    lane_set limited_{}; // the last step was ended by plain_limit_
    std::array<int, K> plain_limit_{};
    std::array<std::int64_t, K> most_{};
    std::array<std::int64_t, K> taken_{};
    std::array<int, K> clipped_{};
    numbers residual_share_{};
    numbers products_{};
    std::vector<std::int64_t> support_; // free in any lane
    std::vector<double> free_;          // |S| × K, 1 where it is free in that lane
    std::vector<double> diagonal_;      // |S| × K, λ l2
    // |S| × K, kept for their memory.
    std::vector<double> downhill_, x_, r_, z_, d_, image_;
};

} // namespace proxpath::backend
