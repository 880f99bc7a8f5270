// What both descents on the CPU keep from call to call of one growing working set, and from column to column of a call.
#pragma once

#include "host/backend/cpu/kept_factor.hpp"
#include "host/backend/cpu/newton_costs.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// The two latest solutions. Between changes of the support a path is a straight line in lambda, so they tell where the
/// next one is.
struct last_solutions {
    std::vector<double> latest, before;
    double lambda = 0, lambda_before = 0; ///< 0: there is none yet

    /// New features come behind, with coefficients zero.
    void grow(std::size_t features)
    {
        latest.resize(features, 0.0);
        before.resize(features, 0.0);
    }
    void take(double at, std::span<const double> solution)
    {
        before.swap(latest);
        lambda_before = lambda;
        latest.assign(solution.begin(), solution.end());
        lambda = at;
    }
};

struct cpu_descent_memory final : descent_memory {
    explicit cpu_descent_memory(std::uint64_t limit_bytes) : factor(limit_bytes) {}

    kept_factor factor;
    newton_costs costs;
    last_solutions solutions;
};

} // namespace proxpath::backend
