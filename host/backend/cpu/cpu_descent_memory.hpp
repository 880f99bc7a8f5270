// What both descents on the CPU keep from call to call of one growing working set, and from column to column of a call.
#pragma once

#include "host/backend/cpu/kept_factor.hpp"
#include "host/backend/cpu/newton_costs.hpp"
#include "host/backend/last_solutions.hpp"
#include "host/backend/newton_pace.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// What columns of the residual form have cost one after the other and side by side, and which way is the cheaper. By
/// counts of operations, never by the clock, so that the choice is the same everywhere.
class ways_of_columns {
public:
    enum way { in_turn, side_by_side };

    /// @param features of the working set
    way cheaper(std::int64_t features) const
    {
        if (features_[in_turn] == 0) return in_turn;
        if (features_[side_by_side] == 0) return side_by_side;
        // What was measured long ago is measured again unless it was far off.
        for (const way one : {side_by_side, in_turn})
            if (features_[one] * growth < features &&
                cost_[one] * relative(one, features) < far * cost_[1 - one] * relative(way(1 - one), features))
                return one;
        return cost_[side_by_side] * relative(side_by_side, features) <
                       preference * cost_[in_turn] * relative(in_turn, features)
                   ? side_by_side
                   : in_turn;
    }
    bool known(way one) const { return features_[one] > 0; }
    /// What a column may cost side by side before the others are solved in turn after all.
    double limit(std::int64_t features) const { return patience * cost_[in_turn] * relative(in_turn, features); }
    /// @param cost of a column
    void measured(way taken, double cost, std::int64_t features)
    {
        if (!(cost > 0)) return; // nothing was left to solve, nothing is learnt
        cost_[taken] = cost;
        features_[taken] = features;
    }

private:
    static constexpr std::int64_t growth = 2;
    static constexpr double far = 1.7;
    static constexpr double patience = 2.5;
    /// Groups of columns have threads of their own; what one column does can only be shared in part.
    static constexpr double preference = 1.5;
    double relative(way one, std::int64_t features) const
    {
        return static_cast<double>(features) / static_cast<double>(features_[one]);
    }

    double cost_[2] = {};
    std::int64_t features_[2] = {};
};

struct cpu_descent_memory final : descent_memory {
    /// @param limit the factor may take so much, and columns side by side as much again
    explicit cpu_descent_memory(std::uint64_t limit) : limit_bytes(limit), factor(limit) {}

    std::uint64_t limit_bytes;
    kept_factor factor;
    newton_costs costs;
    last_solutions solutions;
    ways_of_columns ways;
    newton_experience lanes_newton; ///< of columns side by side (lane_descent.hpp)
};

} // namespace proxpath::backend
