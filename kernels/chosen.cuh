// How kernels read what `select` leaves.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

/// Items chosen before item i.
__device__ inline std::int64_t rank_of(const chosen_view& chosen, std::int64_t i)
{
    const std::uint32_t lower = (std::uint32_t{1} << (i % 32)) - 1;
    return chosen.before[i / 32] + __popc(chosen.bits[i / 32] & lower);
}

} // namespace proxpath::kernels
