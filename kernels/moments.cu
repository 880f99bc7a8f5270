// Weighted mean and variance of every column: a warp (or, for more than segment_length entries, a block) reads it
// twice, so that the variance is a sum of squares about the mean and never a difference of large numbers. The second
// reading finds shorter columns in a cache. Moves nnz (4 + sizeof(V)) bytes and gathers 8 for each entry, twice.
//
// Bits: thread t of 32 (or 256) takes every 32nd (256th) entry in order; threads are added as a butterfly, warps of a
// block in order.

#include "kernels/device.cuh"
#include "kernels/launchers.hpp"

#include <limits>

namespace proxpath::kernels {

namespace {

constexpr double largest_double = std::numeric_limits<double>::max();
constexpr double infinite = std::numeric_limits<double>::infinity();

/// A sum in twice the digits (Knuth's two-sum): of a nearly full column the weights that are not stored are a small
/// difference of two sums near 1.
struct exact_sum {
    double high;
    double low;

    __device__ void add(double value)
    {
        const double sum = high + value;
        const double from_value = sum - high;
        low += (high - (sum - from_value)) + (value - from_value);
        high = sum;
    }
    __device__ void add(const exact_sum& other)
    {
        const double both = low + other.low;
        low = 0;
        add(other.high);
        low += both;
    }
};

/// Sums of the first reading.
struct stored_sums {
    static constexpr int numbers = 7;
    double sum = 0, square = 0;
    double count = 0; ///< in rows of positive weight, like the next two
    double lowest = infinite, highest = -infinite;
    exact_sum weights{0, 0};

    __device__ void add(double w, double x)
    {
        const double weighted = w * x;
        sum += weighted;
        square += weighted * x;
        weights.add(w);
        if (!(w > 0)) return;
        count += 1;
        lowest = x < lowest ? x : lowest;
        highest = x > highest ? x : highest;
    }
    __device__ void add(const stored_sums& other)
    {
        sum += other.sum;
        square += other.square;
        count += other.count;
        lowest = other.lowest < lowest ? other.lowest : lowest;
        highest = other.highest > highest ? other.highest : highest;
        weights.add(other.weights);
    }
    /// f(number) for each.
    template <class F>
    __device__ void for_each(const F& f)
    {
        f(sum), f(square), f(count), f(lowest), f(highest), f(weights.high), f(weights.low);
    }
};

/// Sums of the second: about the mean.
struct centered_sums {
    static constexpr int numbers = 2;
    double off = 0, square = 0;

    __device__ void add(const centered_sums& other)
    {
        off += other.off;
        square += other.square;
    }
    template <class F>
    __device__ void for_each(const F& f)
    {
        f(off), f(square);
    }
};

template <class Sums>
struct warps_sums;

/// What all threads of the warp or block bring, known to each of them.
template <bool whole_block, class Sums>
__device__ Sums total(Sums sums)
{
#pragma unroll
    for (int reach = 1; reach < warp_size; reach *= 2) {
        Sums other = sums;
        other.for_each([&](double& number) { number = __shfl_xor_sync(whole_warp, number, reach); });
        sums.add(other);
    }
    if constexpr (whole_block) {
        constexpr int warps = block_threads / warp_size;
        double* const shared = shared_array<double, warps * Sums::numbers, warps_sums<Sums>>();
        const int thread = static_cast<int>(threadIdx.x);
        if (thread % warp_size == 0) {
            double* to = shared + thread / warp_size * Sums::numbers;
            sums.for_each([&](double& number) { *to++ = number; });
        }
        __syncthreads();
        const double* from = shared;
        sums.for_each([&](double& number) { number = *from++; });
        for (int warp = 1; warp < warps; ++warp) {
            Sums other;
            other.for_each([&](double& number) { number = *from++; });
            sums.add(other);
        }
        __syncthreads(); // before the next column overwrites
    }
    return sums;
}

template <bool whole_block, class V>
__global__ void __launch_bounds__(block_threads)
    moments_kernel(lists_view<V> columns, const double* __restrict__ w, weight_totals totals, moment_arrays made)
{
    constexpr int together = whole_block ? block_threads : warp_size;
    constexpr int groups = block_threads / together;
    const int thread = static_cast<int>(threadIdx.x) % together;
    const std::int64_t group = std::int64_t{blockIdx.x} * groups + static_cast<int>(threadIdx.x) / together;
    const std::int64_t count = whole_block ? columns.long_count : columns.short_count;
    const std::int64_t* const ids = whole_block ? columns.long_ids : columns.short_ids;
    for (std::int64_t l = group; l < count; l += std::int64_t{gridDim.x} * groups) {
        const std::int64_t j = ids[l];
        const std::int64_t end = columns.offsets[j + 1];
        stored_sums own;
        for (std::int64_t at = columns.offsets[j] + thread; at < end; at += together)
            own.add(w[columns.indices[at]], static_cast<double>(columns.values[at]));
        const stored_sums stored = total<whole_block>(own);
        const bool zeros = stored.count < static_cast<double>(totals.positive); // entries not stored are zeros
        const double first = stored.count > 0 ? stored.lowest : 0.0;
        const bool constant = (stored.count == 0 || stored.lowest == stored.highest) && (!zeros || first == 0);
        const double about = stored.sum;
        centered_sums mine;
        if (!constant)
            for (std::int64_t at = columns.offsets[j] + thread; at < end; at += together) {
                const double x = static_cast<double>(columns.values[at]) - about;
                const double weighted = w[columns.indices[at]] * x;
                mine.off += weighted;
                mine.square += weighted * x;
            }
        const centered_sums centered = total<whole_block>(mine);
        if (thread != 0) continue;
        const double rest = (totals.high - stored.weights.high) + (totals.low - stored.weights.low);
        const double missing = zeros && rest > 0 ? rest : 0.0;
        const double off = centered.off - missing * about; // what is left of the sum's rounding
        double variance = centered.square + missing * about * about;
        if (variance <= largest_double) {
            variance -= off * off;
            if (variance < 0) variance = 0;
        }
        made.mean[j] = constant ? first : about + off;
        made.variance[j] = constant ? 0.0 : variance;
        made.mean_square[j] = stored.square;
        made.full[j] = zeros ? 0 : 1;
        made.constant[j] = constant ? 1 : 0;
    }
}

} // namespace

template <class V>
void moments(const lists_view<V>& columns, const double* w, const weight_totals& totals, const moment_arrays& made,
             stream_view stream)
{
    if (columns.short_count > 0)
        launch(moments_kernel<false, V>, grid("moments", columns.short_count, block_threads / warp_size, 1, stream),
               columns, w, totals, made);
    if (columns.long_count > 0)
        launch(moments_kernel<true, V>, grid("moments", columns.long_count, 1, 1, stream), columns, w, totals, made);
}

template void moments<float>(const lists_view<float>&, const double*, const weight_totals&, const moment_arrays&,
                             stream_view);
template void moments<double>(const lists_view<double>&, const double*, const weight_totals&, const moment_arrays&,
                              stream_view);

} // namespace proxpath::kernels
