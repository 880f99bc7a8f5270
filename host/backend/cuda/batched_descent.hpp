// The restricted problem on the device, all columns of the batch side by side: sweeps of coordinate descent find
// support and signs, then Newton steps on them (batched_newton.hpp) bring the gap down at once. Columns that are done
// leave the batch. The twin on the CPU is lane_descent.cpp, whose rules these are.
#pragma once

#include "host/backend/cuda/device_session.hpp"
#include "host/backend/cuda/restricted_form.hpp"
#include "host/backend/last_solutions.hpp"
#include "host/backend/newton_pace.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>
#include <span>

namespace proxpath::backend {

struct device_descent_memory final : descent_memory {
    last_solutions solutions;
    newton_experience newton;
};

/// @param B p × k, coefficients at the start and at the end
/// @param memory or null
void descend_batch(device_session& session, restricted_form& form, const restricted_problem& problem,
                   device_descent_memory* memory, panel<double>& B, std::span<std::int64_t> iterations,
                   std::span<double> gaps);

} // namespace proxpath::backend
