// Where a path has been: what descents keep from call to call to begin nearer to the next solution.
#pragma once

#include <cstddef>
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

} // namespace proxpath::backend
