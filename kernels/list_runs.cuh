// Work on the entries of lists by their positions, so that it is shared out evenly however long lists are: a warp takes
// runs of positions, wherever lists begin and end in them, and each thread finds the list of its position.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

/// Entries of a run that a thread takes, one warp apart.
constexpr int entries_a_lane = 8;
constexpr std::int64_t entries_a_warp = std::int64_t{warp_size} * entries_a_lane;
constexpr int warps_a_block = block_threads / warp_size;

/// The warp of this thread, and how many there are: each takes every so manieth item.
struct warp_share {
    std::int64_t first;
    std::int64_t step;
};
__device__ inline warp_share share_of_warp()
{
    return {std::int64_t{blockIdx.x} * warps_a_block + static_cast<int>(threadIdx.x) / warp_size,
            std::int64_t{gridDim.x} * warps_a_block};
}

/// The last list that begins at or before a position, looked for from `list` on, which does: in strides that double, so
/// that neither short lists nor any number of empty ones cost much.
__device__ inline std::int64_t list_at(const std::int64_t* offsets, std::int64_t count, std::int64_t list,
                                       std::int64_t at)
{
    std::int64_t stride = 1;
    while (list + stride < count && offsets[list + stride] <= at) {
        list += stride;
        stride *= 2;
    }
    for (std::int64_t end = list + stride < count ? list + stride : count; end - list > 1;) {
        const std::int64_t middle = list + (end - list) / 2;
        if (offsets[middle] <= at)
            list = middle;
        else
            end = middle;
    }
    return list;
}

} // namespace proxpath::kernels
