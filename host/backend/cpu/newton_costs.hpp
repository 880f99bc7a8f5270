// What Newton steps have cost so far and what the next would, with the kept factor and without it: the choice between
// the two, and between them and sweeps, is made by these numbers. They count operations and never read the clock, so
// that the choice is the same everywhere. The unit is a product of a large matrix product.
#pragma once

#include "host/backend/cpu/kept_factor.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

class newton_costs {
public:
    /// What the costs of a step depend on.
    struct occasion {
        std::span<const std::int64_t> support;
        double hessian = 0; ///< cost of one product with C on the support
        const kept_factor& factor;
    };

    /// Of a step without the factor.
    double plain(const occasion& now) const { return plain_steps_ * now.hessian; }
    /// Of a step with the factor, brought up to date for it.
    double with_factor(const occasion& now) const { return update(now) + solve(now); }
    /// Of a step, whichever way is cheaper.
    double least(const occasion& now) const { return std::min(plain(now), with_factor(now)); }

    /// Whether this step goes without the factor. An update that one step does not pay for is due once the steps before
    /// would have paid for it (as one rents until the rent would have bought: at most twice the least cost).
    bool goes_plain(const occasion& now) const
    {
        const double steps = plain(now);
        const double solves = solve(now);
        if (steps < solves) return true;
        const double due = update(now);
        return steps < due + solves && regret_ < due;
    }

    /// After a step without the factor.
    /// @param steps  of conjugate gradients that it took
    /// @param failed it could not be solved to the end that way
    void took_plain(const occasion& now, int steps, bool failed)
    {
        if (steps == 0) return; // nothing was left to solve, nothing is learnt
        went_plain_ = true;
        spent_ += steps * now.hessian;
        plain_steps_ = failed ? 10.0 * steps : steps;
        // What a factor would have saved, less what it would have grown by.
        const double saved = steps * now.hessian - solve(now) - count_met(now) * square(now);
        regret_ = std::max(0.0, regret_ + saved);
    }

    /// After a step with the factor, brought up to date for it.
    void took_factor(const occasion& now, int steps)
    {
        solves_ = steps;
        spent_ += solve(now);
        regret_ = 0;
        std::fill(met_.begin(), met_.end(), std::uint8_t{0});
    }

    /// Before the factor is brought up to date.
    void takes_update(const occasion& now) { spent_ += update(now); }
    /// Anything else that was done for a column.
    void spend(double products) { spent_ += products; }
    /// All that columns have cost so far.
    double spent() const { return spent_; }

    /// Whether any step was taken without the factor.
    bool went_plain() const { return went_plain_; }

private:
    /// A number of the factor that is read costs as much as so many products (measured on two cores: 0.05 ns for a
    /// product, 0.4 ns for a number, twice that from main memory).
    static constexpr double solve_wait = 8;
    static constexpr double far_solve_wait = 16;
    /// Features of the largest factor that caches hold (32 MB).
    static constexpr double near_features = 2800;

    static double square(const occasion& now)
    {
        const auto size = static_cast<double>(now.support.size());
        return size * size;
    }

    /// Conjugate gradients with a factor of the support, as many steps as those before needed.
    double solve(const occasion& now) const
    {
        const double size =
            static_cast<double>(std::min(static_cast<std::int64_t>(now.support.size()), now.factor.capacity()));
        return (solves_ + 1) * (size > near_features ? far_solve_wait : solve_wait) * size * size +
               solves_ * now.hessian;
    }

    /// Bringing the factor up to date.
    static double update(const occasion& now)
    {
        std::int64_t common = 0;
        for (const std::int64_t feature : now.support) common += now.factor.contains(feature) ? 1 : 0;
        const bool anew = now.factor.builds_anew(common);
        const double kept = anew ? 0.0 : static_cast<double>(now.factor.size());
        const double wanted = static_cast<double>(now.support.size()) - (anew ? 0.0 : static_cast<double>(common));
        const double fresh = std::max(0.0, std::min(wanted, static_cast<double>(now.factor.capacity()) - kept));
        return fresh * (kept * (kept + fresh) + fresh * fresh / 3);
    }

    /// Features of the support that are not in the factor and that no step since its last update has met.
    double count_met(const occasion& now)
    {
        double fresh = 0;
        for (const std::int64_t feature : now.support) {
            const auto at = static_cast<std::size_t>(feature);
            if (at >= met_.size()) met_.resize(at + 1, 0);
            if (met_[at] != 0 || now.factor.contains(feature)) continue;
            met_[at] = 1;
            ++fresh;
        }
        return fresh;
    }

    int solves_ = 2;           // conjugate-gradient steps of the last Newton step that had the factor
    double plain_steps_ = 200; // the same of the last without it
    bool went_plain_ = false;
    double spent_ = 0;
    double regret_ = 0; // what steps without the factor cost more than with it, had it been up to date
    std::vector<std::uint8_t> met_;
};

} // namespace proxpath::backend
