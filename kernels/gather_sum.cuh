// The sum that X'R and XB share: for every list of (index, value) pairs, Σ weight · P[index][0 … k), P row-major. The
// lists are the columns of X and P is R, or they are its rows and P is B; a Policy says which, and what is done with a
// sum. Bytes for each entry: its own and k sizeof(T) gathered, mostly from the second-level cache.
//
// Bits: a list is cut into segments of segment_length entries; entry i of a segment goes to partial sum i mod 8, in
// order; the eight are added as a tree of neighbours; segments are added in order. That holds for every width of the
// batch, because the width decides only which lanes hold which of the eight partial sums: a lane of a tile of 32
// columns holds all of them (and has eight loads under way), eight lanes of a single column hold one each.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

/// Partial sums of a segment.
constexpr int partial_sums = 8;

/// How a warp is shared out for tiles of W columns: lane = (list of the warp, group of partial sums, column).
template <int W>
struct warp_layout {
    static constexpr int partials_a_lane = W * partial_sums > warp_size ? W* partial_sums / warp_size : 1;
    static constexpr int groups = partial_sums / partials_a_lane;
    static constexpr int lanes_a_list = groups * W;
    static constexpr int lists_a_warp = warp_size / lanes_a_list;

    int list;
    int group;
    int column;

    __device__ explicit warp_layout(int lane)
        : list(lane / lanes_a_list), group(lane % lanes_a_list / W), column(lane % W)
    {}
};

/// Σ over positions [begin, end) for one column of P, the same in all groups of the list. All lanes of the warp call
/// this together; those without a list bring an empty range.
/// @param weight weight(position, index), in double
/// @param P      first number of the lane's column
template <int W, class T, class Weight>
__device__ double segment_sum(std::int64_t begin, std::int64_t end, const std::uint32_t* __restrict__ indices,
                              const Weight& weight, const T* __restrict__ P, std::int64_t stride, int group)
{
    constexpr int Q = warp_layout<W>::partials_a_lane;
    double sum[Q] = {};
    std::int64_t i = begin + group * Q;
    // While all of the lane's partial sums get an entry; then what is left.
    for (; i + Q <= end; i += partial_sums) {
#pragma unroll
        for (int q = 0; q < Q; ++q) {
            const std::int64_t index = indices[i + q];
            sum[q] += weight(i + q, index) * static_cast<double>(P[index * stride]);
        }
    }
#pragma unroll
    for (int q = 0; q < Q; ++q)
        if (i + q < end) {
            const std::int64_t index = indices[i + q];
            sum[q] += weight(i + q, index) * static_cast<double>(P[index * stride]);
        }
#pragma unroll
    for (int reach = 1; reach < Q; reach *= 2) {
#pragma unroll
        for (int q = 0; q < Q; q += 2 * reach) sum[q] += sum[q + reach];
    }
#pragma unroll
    for (int reach = W; reach < warp_layout<W>::lanes_a_list; reach *= 2)
        sum[0] += __shfl_xor_sync(whole_warp, sum[0], reach);
    return sum[0];
}

/// Lists of one segment at most: a warp takes lists_a_warp of them at a time.
template <int W, class V, class T, class Policy>
__global__ void __launch_bounds__(block_threads)
    short_lists_kernel(lists_view<V> lists, panel_view<const T> P, Policy policy)
{
    using layout = warp_layout<W>;
    const layout at(static_cast<int>(threadIdx.x) % warp_size);
    const std::int64_t c = std::int64_t{blockIdx.y} * widest_tile + at.column;
    const bool column_exists = c < P.cols;
    const std::int64_t warps = std::int64_t{gridDim.x} * (block_threads / warp_size);
    const std::int64_t warp =
        std::int64_t{blockIdx.x} * (block_threads / warp_size) + static_cast<int>(threadIdx.x) / warp_size;
    // The bound is of the whole warp, which stays together for the shuffles.
    for (std::int64_t first = warp * layout::lists_a_warp; first < lists.short_count;
         first += warps * layout::lists_a_warp) {
        const bool active = column_exists && first + at.list < lists.short_count;
        const std::int64_t list = active ? lists.short_ids[first + at.list] : 0;
        const std::int64_t begin = active ? lists.offsets[list] : 0;
        const std::int64_t end = active ? lists.offsets[list + 1] : 0;
        const auto weight = policy.weight(list, active);
        const double sum =
            segment_sum<W>(begin, end, lists.indices, weight, P.data + (active ? c : 0), P.stride, at.group);
        if (active && at.group == 0) policy.finish(list, c, sum);
    }
}

/// Blocks that a multiprocessor has to hold: leaves a thread 64 registers, where ptxas 13.0 by itself takes 40 and
/// spills (multiply, one column, sm_80).
constexpr int resident_long_blocks = 4;

/// Tag of the sums that a block's segments leave for their addition.
struct segment_sums;

/// Longer lists: a block takes one at a time, each of its warps (or parts of warps) a segment.
template <int W, class V, class T, class Policy>
__global__ void __launch_bounds__(block_threads, resident_long_blocks)
    long_lists_kernel(lists_view<V> lists, panel_view<const T> P, Policy policy)
{
    using layout = warp_layout<W>;
    constexpr int together = block_threads / layout::lanes_a_list; // segments
    double* const sums = shared_array<double, together * W, segment_sums>();
    const int thread = static_cast<int>(threadIdx.x);
    const layout at(thread % warp_size);
    const int slot = thread / warp_size * layout::lists_a_warp + at.list;
    const std::int64_t tile = std::int64_t{blockIdx.y} * widest_tile;
    const bool column_exists = tile + at.column < P.cols;
    for (std::int64_t l = blockIdx.x; l < lists.long_count; l += gridDim.x) {
        const std::int64_t list = lists.long_ids[l];
        const std::int64_t list_begin = lists.offsets[list];
        const std::int64_t list_end = lists.offsets[list + 1];
        const std::int64_t segments = ceil_div(list_end - list_begin, segment_length);
        const auto weight = policy.weight(list, true);
        double total = 0; // of column `thread` of the tile, in the first W threads
        for (std::int64_t round = 0; round < segments; round += together) {
            std::int64_t begin = list_begin + (round + slot) * segment_length;
            std::int64_t end = begin + segment_length < list_end ? begin + segment_length : list_end;
            if (round + slot >= segments || !column_exists) begin = end = 0;
            const double sum = segment_sum<W>(begin, end, lists.indices, weight,
                                              P.data + (column_exists ? tile + at.column : 0), P.stride, at.group);
            if (at.group == 0) sums[slot * W + at.column] = sum;
            __syncthreads();
            const std::int64_t left = segments - round;
            if (thread < W)
                for (int s = 0; s < together && s < left; ++s) total += sums[s * W + thread];
            __syncthreads(); // before the next round overwrites
        }
        if (thread < W && tile + thread < P.cols) policy.finish(list, tile + thread, total);
    }
}

template <int W, class V, class T, class Policy>
void gather_sums_of_width(const char* operation, const lists_view<V>& lists, const panel_view<const T>& P,
                          const Policy& policy, stream_view stream)
{
    constexpr int lists_a_block = block_threads / warp_layout<W>::lanes_a_list;
    if (lists.short_count > 0)
        launch(short_lists_kernel<W, V, T, Policy>, grid(operation, lists.short_count, lists_a_block, P.cols, stream),
               lists, P, policy);
    if (lists.long_count > 0)
        launch(long_lists_kernel<W, V, T, Policy>, grid(operation, lists.long_count, 1, P.cols, stream), lists, P,
               policy);
}

/// Calls policy.finish(list, column of P, sum) once for every list and column.
template <class V, class T, class Policy>
void gather_sums(const char* operation, const lists_view<V>& lists, const panel_view<const T>& P, const Policy& policy,
                 stream_view stream)
{
    if (P.cols == 0) return;
    switch (tile_width(P.cols)) {
    case 1:
        return gather_sums_of_width<1>(operation, lists, P, policy, stream);
    case 2:
        return gather_sums_of_width<2>(operation, lists, P, policy, stream);
    case 4:
        return gather_sums_of_width<4>(operation, lists, P, policy, stream);
    case 8:
        return gather_sums_of_width<8>(operation, lists, P, policy, stream);
    case 16:
        return gather_sums_of_width<16>(operation, lists, P, policy, stream);
    default:
        return gather_sums_of_width<32>(operation, lists, P, policy, stream);
    }
}

} // namespace proxpath::kernels
