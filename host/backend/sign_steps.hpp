// Where a coefficient may go on a step that holds support and signs: shared by the Newton steps of one column
// (newton_steps.hpp), of several side by side (lane_newton.hpp) and of a batch on the device
// (kernels/newton_systems.cu). A Penalty is a penalty_view on the host and kernels::penalty_arrays on the device.
#pragma once

#include "kernels/host_device.hpp"

namespace proxpath::backend {

/// Neither at a kink nor at a bound.
/// @param active the feature has any variation
template <class Penalty, class Index>
PROXPATH_HOST_DEVICE bool is_free(const Penalty& penalty, Index j, double b, bool active)
{
    if (b == 0) return penalty.l1[j] == 0 && penalty.upper[j] > 0 && penalty.lower[j] < 0 && active;
    return b < penalty.upper[j] && b > penalty.lower[j];
}

/// Where a step stops: at zero, if it has a penalty there, or at the bound.
template <class Penalty, class Index>
PROXPATH_HOST_DEVICE double stop_of(const Penalty& penalty, Index j, double b, double step)
{
    if (penalty.l1[j] > 0 && b * step < 0) return 0.0;
    return step > 0 ? penalty.upper[j] : penalty.lower[j];
}

/// Share of the step at which it stops; more than 1 when it does not.
template <class Penalty, class Index>
PROXPATH_HOST_DEVICE double length_to_stop(const Penalty& penalty, Index j, double b, double step)
{
    const double length = (stop_of(penalty, j, b, step) - b) / step;
    return step != 0 && length < 1 ? length : 2;
}

/// The unit of a feature's residual: l1, or 1 where it has none.
template <class Penalty, class Index>
PROXPATH_HOST_DEVICE double residual_unit(const Penalty& penalty, Index j)
{
    return penalty.l1[j] > 0 ? penalty.l1[j] : 1.0;
}

} // namespace proxpath::backend
