// What kernels share that give a whole block to one column of the batch: sums over the block's threads and lists in
// ascending order. Sums are made in an order that the number of threads fixes.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

constexpr int block_warps = block_threads / warp_size;

/// Tags of the arrays below.
struct block_sum_parts;
struct block_list_parts;

/// Σ of N numbers over the threads of the block, the same in all of them. All threads call it together.
template <int N>
__device__ void block_sums(double (&sum)[N])
{
    // Numbers to the first warp, each of whose lanes adds eight, then a tree over its lanes. Fewer steps that all
    // threads have to take together than a tree in every warp.
    double* const parts = shared_array<double, N * block_threads, block_sum_parts>();
    const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
    for (int s = 0; s < N; ++s) parts[s * block_threads + thread] = sum[s];
    __syncthreads();
    if (thread < warp_size) {
#pragma unroll
        for (int s = 0; s < N; ++s) {
            double total = 0;
            for (int w = 0; w < block_warps; ++w) total += parts[s * block_threads + w * warp_size + thread];
            for (int reach = warp_size / 2; reach > 0; reach /= 2) total += __shfl_xor_sync(whole_warp, total, reach);
            if (thread == 0) parts[s * block_threads] = total;
        }
    }
    __syncthreads();
#pragma unroll
    for (int s = 0; s < N; ++s) sum[s] = parts[s * block_threads];
    __syncthreads(); // before the next call overwrites
}

/// Calls put(place, i) for the i in [0, n) that `take(i)` chooses, places ascending with i.
/// @return how many there are, the same in all threads, which call it together
template <class Take, class Put>
__device__ std::int64_t block_list(std::int64_t n, const Take& take, const Put& put)
{
    int* const counts = shared_array<int, block_warps, block_list_parts>();
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % warp_size;
    const int warp = thread / warp_size;
    std::int64_t before = 0;
    for (std::int64_t first = 0; first < n; first += block_threads) {
        const std::int64_t i = first + thread;
        const bool taken = i < n && take(i);
        const unsigned votes = __ballot_sync(whole_warp, taken ? 1 : 0);
        if (lane == 0) counts[warp] = __popc(votes);
        __syncthreads();
        std::int64_t place = before;
        std::int64_t all = 0;
        for (int w = 0; w < block_warps; ++w) {
            if (w < warp) place += counts[w];
            all += counts[w];
        }
        if (taken) put(place + __popc(votes & ((1u << lane) - 1)), i);
        before += all;
        __syncthreads(); // before the next counts overwrite, and so that what was put is seen
    }
    return before;
}

} // namespace proxpath::kernels
