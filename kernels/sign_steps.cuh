// Minus the gradient of a column's objective with signs held, which Newton systems and their steps are made of. The
// rules of such steps are those of the host.
#pragma once

#include "host/backend/sign_steps.hpp"
#include "kernels/descent_launchers.hpp"
#include "kernels/device.cuh"

namespace proxpath::kernels {

using backend::length_to_stop;
using backend::residual_unit;
using backend::stop_of;

/// Whether feature j, at coefficient b, may move with its sign held.
__device__ inline bool is_free(const restricted_view& problem, std::int64_t j, double b)
{
    return backend::is_free(problem.penalty, j, b, problem.curvature[j] > 0);
}

/// Minus the gradient of the objective where feature j is free in column c, its sign held; 0 elsewhere.
__device__ inline double downhill(const restricted_view& problem, std::int64_t j, std::int64_t c, double u, double b)
{
    if (!is_free(problem, j, b)) return 0.0;
    const double sign = b > 0 ? 1.0 : b < 0 ? -1.0 : 0.0;
    return u - problem.lambda[c] * (problem.penalty.l1[j] * sign + problem.penalty.l2[j] * b);
}

} // namespace proxpath::kernels
