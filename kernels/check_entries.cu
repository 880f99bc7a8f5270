// Lists of somebody else's, looked through once before a fit trusts them: the first entry that is out of place, and a
// checksum of all, the same for columns and for rows of one matrix. Reads nnz (4 + sizeof(V)) bytes. Integers, so the
// order of additions says nothing.

#include "kernels/launchers.hpp"
#include "kernels/list_runs.cuh"

namespace proxpath::kernels {

namespace {

/// Blocks at most: several waves on any device, and few enough results for the host.
constexpr std::int64_t most_blocks = 2048;

/// Spreads every bit of x over all of the result (the finaliser of SplitMix64: Steele, Lea & Flood 2014,
/// doi:10.1145/2660193.2660195).
__device__ std::uint64_t mixed(std::uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

__device__ std::uint64_t bits_of(float value) { return __float_as_uint(value); }
__device__ std::uint64_t bits_of(double value) { return static_cast<std::uint64_t>(__double_as_longlong(value)); }

/// A warp takes a run of positions, wherever lists begin and end in it, and leaves one result.
template <class V>
__global__ void __launch_bounds__(block_threads)
    check_entries_kernel(lists_view<V> lists, std::int64_t entries, std::int64_t indices_end, bool by_column,
                         std::int64_t* __restrict__ first_bad, std::int64_t* __restrict__ checksum)
{
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const warp_share share = share_of_warp();
    std::int64_t bad = entries;
    std::uint64_t sum = 0;
    for (std::int64_t run = share.first; run * entries_a_warp < entries; run += share.step) {
        std::int64_t at = run * entries_a_warp + lane;
        const std::int64_t last = at + entries_a_warp;
        std::int64_t list = 0;
        for (; at < last && at < entries; at += warp_size) {
            list = list_at(lists.offsets, lists.count, list, at);
            const std::int64_t index = lists.indices[at];
            const V value = lists.values[at];
            const bool ascends = at == lists.offsets[list] || lists.indices[at - 1] < lists.indices[at];
            const bool finite = value - value == 0; // NaN and infinity leave NaN
            if (index >= indices_end || !ascends || !finite) bad = at < bad ? at : bad;
            const auto row = static_cast<std::uint64_t>(by_column ? index : list);
            const auto column = static_cast<std::uint64_t>(by_column ? list : index);
            sum += mixed(mixed(row << 32 | column) ^ bits_of(value));
        }
    }
#pragma unroll
    for (int reach = 1; reach < warp_size; reach *= 2) {
        const std::int64_t other = __shfl_xor_sync(whole_warp, bad, reach);
        bad = other < bad ? other : bad;
        sum += static_cast<std::uint64_t>(__shfl_xor_sync(whole_warp, static_cast<std::int64_t>(sum), reach));
    }
    if (lane == 0) {
        first_bad[share.first] = bad;
        checksum[share.first] = static_cast<std::int64_t>(sum);
    }
}

std::int64_t blocks_of(std::int64_t entries)
{
    const std::int64_t blocks = ceil_div(entries, entries_a_warp * warps_a_block);
    return blocks < most_blocks ? blocks : most_blocks;
}

} // namespace

std::int64_t check_results(std::int64_t entries)
{
    const std::int64_t blocks = blocks_of(entries);
    const std::int64_t limit = block_limit();
    return (blocks < limit ? blocks : limit) * warps_a_block;
}

template <class V>
void check_entries(const lists_view<V>& lists, std::int64_t entries, std::int64_t indices_end, bool by_column,
                   std::int64_t* first_bad, std::int64_t* checksum, stream_view stream)
{
    if (entries == 0) return;
    launch(check_entries_kernel<V>, grid("check_entries", blocks_of(entries), 1, 1, stream), lists, entries,
           indices_end, by_column, first_bad, checksum);
}

template void check_entries<float>(const lists_view<float>&, std::int64_t, std::int64_t, bool, std::int64_t*,
                                   std::int64_t*, stream_view);
template void check_entries<double>(const lists_view<double>&, std::int64_t, std::int64_t, bool, std::int64_t*,
                                    std::int64_t*, stream_view);

} // namespace proxpath::kernels
