// Coordinates of one column on the device: the minimiser along one of them, whether it may move with its sign held, and
// where it stops. The twins for the host are in host/backend/penalty.hpp and host/backend/sign_steps.hpp.
#pragma once

#include "kernels/descent_launchers.hpp"
#include "kernels/device.cuh"

namespace proxpath::kernels {

/// argmin_b of ½ q (b − z/q)² + l1 |b| + l2/2 b² within bounds, q > 0.
__device__ inline double prox_of(double z, double q, double l1, double l2, double lower, double upper)
{
    const double rise = z - l1;
    const double fall = z + l1;
    const double kept = rise > 0 ? rise : fall < 0 ? fall : 0.0;
    const double b = kept / (q + l2);
    return b < lower ? lower : b > upper ? upper : b;
}

/// Neither at a kink nor at a bound. @param q curvature, 0 for features without variation
__device__ inline bool is_free(const penalty_arrays& penalty, std::int64_t j, double b, double q)
{
    if (b == 0) return penalty.l1[j] == 0 && penalty.upper[j] > 0 && penalty.lower[j] < 0 && q > 0;
    return b < penalty.upper[j] && b > penalty.lower[j];
}

/// Where a step stops: at zero, if it has a penalty there, or at the bound.
__device__ inline double stop_of(const penalty_arrays& penalty, std::int64_t j, double b, double step)
{
    if (penalty.l1[j] > 0 && b * step < 0) return 0.0;
    return step > 0 ? penalty.upper[j] : penalty.lower[j];
}

/// Share of the step at which it stops; more than 1 when it does not.
__device__ inline double length_to_stop(const penalty_arrays& penalty, std::int64_t j, double b, double step)
{
    const double length = (stop_of(penalty, j, b, step) - b) / step;
    return step != 0 && length < 1 ? length : 2;
}

/// The unit of a feature's residual: l1, or 1 where it has none.
__device__ inline double residual_unit(const penalty_arrays& penalty, std::int64_t j)
{
    return penalty.l1[j] > 0 ? penalty.l1[j] : 1.0;
}

/// Minus the gradient of the objective where feature j is free in column c, its sign held; 0 elsewhere.
__device__ inline double downhill(const restricted_view& problem, std::int64_t j, std::int64_t c, double u, double b)
{
    if (!is_free(problem.penalty, j, b, problem.curvature[j])) return 0.0;
    const double sign = b > 0 ? 1.0 : b < 0 ? -1.0 : 0.0;
    return u - problem.lambda[c] * (problem.penalty.l1[j] * sign + problem.penalty.l2[j] * b);
}

} // namespace proxpath::kernels
