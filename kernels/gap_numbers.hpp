// The gap sums of a column as plain numbers, the way they lie in device memory.
#pragma once

#include "host/backend/penalty.hpp"
#include "kernels/host_device.hpp"

#include <cstdint>

namespace proxpath::kernels {

using backend::gap_sums;

constexpr int gap_numbers = 7;
/// Which of them is s_max.
constexpr int gap_number_of_s_max = 4;

/// @param stride from one number to the next
PROXPATH_HOST_DEVICE inline void put_gap_sums(const gap_sums& sums, double* to, std::int64_t stride)
{
    to[0] = sums.l1;
    to[stride] = sums.l2;
    to[2 * stride] = sums.support;
    to[3 * stride] = sums.conjugate;
    to[gap_number_of_s_max * stride] = sums.s_max;
    to[5 * stride] = sums.kkt;
    to[6 * stride] = sums.unpenalised;
}

PROXPATH_HOST_DEVICE inline gap_sums get_gap_sums(const double* from, std::int64_t stride)
{
    return {from[0],          from[stride],    from[2 * stride], from[3 * stride], from[gap_number_of_s_max * stride],
            from[5 * stride], from[6 * stride]};
}

} // namespace proxpath::kernels
