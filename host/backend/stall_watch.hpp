// Whether a descent still comes closer: the gap may stand still while the objective falls; when neither moves, rounding
// has set a floor and the column is handed back with what it has.
#pragma once

#include "host/backend/penalty.hpp"

#include <algorithm>
#include <limits>

namespace proxpath::backend {

class stall_watch {
public:
    void look(const gap_value& now)
    {
        const bool gained = now.gap < 0.999 * best_gap_ || now.primal < (1 - smallest_fall) * best_primal_;
        looks_without_ = gained ? 0 : looks_without_ + 1;
        best_gap_ = std::min(best_gap_, now.gap);
        best_primal_ = std::min(best_primal_, now.primal);
    }
    bool stalled() const { return looks_without_ >= patience; }

private:
    static constexpr int patience = 20;
    /// Relative fall of the objective that is more than rounding.
    static constexpr double smallest_fall = 1e-13;

    double best_gap_ = std::numeric_limits<double>::infinity();
    double best_primal_ = std::numeric_limits<double>::infinity();
    int looks_without_ = 0;
};

} // namespace proxpath::backend
