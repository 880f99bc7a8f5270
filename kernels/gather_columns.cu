// A working set as lists of its own: chosen columns copied side by side, and X's rows filtered for them, so that
// nothing is sorted and no order is left to the device. Columns: moves 2 nnz_W (4 + sizeof(V)) bytes. Rows: reads all
// of X's column numbers to count, those of rows with chosen ones once more, and for each the place of its column,
// mostly from the second-level cache: 8 nnz bytes once or twice. Writes nnz_W (4 + sizeof(V)). A warp takes a row, so
// few very long rows are slow.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"
#include "kernels/list_runs.cuh"

namespace proxpath::kernels {

namespace {

struct place_cell {
    const std::int64_t* columns;
    const std::uint32_t* places;
    std::uint32_t* to;
    __device__ void operator()(std::int64_t u, std::int64_t) const { to[columns[u]] = places[u]; }
};

/// A warp takes a run of positions, wherever lists begin and end in it.
template <class V>
__global__ void __launch_bounds__(block_threads)
    copy_lists_kernel(lists_view<V> from, std::int64_t count, const std::int64_t* __restrict__ columns,
                      const std::int64_t* __restrict__ offsets, std::int64_t entries,
                      std::uint32_t* __restrict__ indices, V* __restrict__ values)
{
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const warp_share share = share_of_warp();
    for (std::int64_t run = share.first; run * entries_a_warp < entries; run += share.step) {
        std::int64_t at = run * entries_a_warp + lane;
        const std::int64_t last = at + entries_a_warp;
        std::int64_t list = 0;
        for (; at < last && at < entries; at += warp_size) {
            list = list_at(offsets, count, list, at);
            const std::int64_t source = from.offsets[columns[list]] + (at - offsets[list]);
            indices[at] = from.indices[source];
            values[at] = from.values[source];
        }
    }
}

template <class V>
__global__ void __launch_bounds__(block_threads)
    count_chosen_kernel(lists_view<V> lists, column_places places, std::int64_t* __restrict__ counts)
{
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const warp_share share = share_of_warp();
    for (std::int64_t list = share.first; list < lists.count; list += share.step) {
        const std::int64_t end = lists.offsets[list + 1];
        std::int64_t count = 0; // of this lane, then of the warp
        for (std::int64_t at = lists.offsets[list] + lane; at < end; at += warp_size)
            for (std::uint32_t here = places.first[lists.indices[at]]; here != 0; here = places.next[here - 1]) ++count;
#pragma unroll
        for (int reach = 1; reach < warp_size; reach *= 2) count += __shfl_xor_sync(whole_warp, count, reach);
        if (lane == 0) counts[list] = count;
    }
}

/// Entries of a row that a lane has under way.
constexpr int loads_a_lane = 4;

/// 32 entries at a time, first their first places, then their second ones and so on, until the row has all that were
/// counted: rows without any are not read again.
template <class V>
__global__ void __launch_bounds__(block_threads)
    copy_chosen_kernel(lists_view<V> lists, column_places places, const std::int64_t* __restrict__ offsets,
                       std::uint32_t* __restrict__ indices, V* __restrict__ values)
{
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const unsigned in_front = (1u << lane) - 1u;
    const warp_share share = share_of_warp();
    for (std::int64_t list = share.first; list < lists.count; list += share.step) {
        const std::int64_t end = lists.offsets[list + 1];
        const std::int64_t all = offsets[list + 1];
        std::int64_t next = offsets[list];
        for (std::int64_t first = lists.offsets[list]; next < all; first += loads_a_lane * warp_size) {
            std::uint32_t place[loads_a_lane];
#pragma unroll
            for (int load = 0; load < loads_a_lane; ++load) {
                const std::int64_t at = first + load * warp_size + lane;
                place[load] = at < end ? places.first[lists.indices[at]] : 0;
            }
#pragma unroll
            for (int load = 0; load < loads_a_lane; ++load) {
                std::uint32_t here = place[load];
                while (next < all) {
                    const unsigned chosen = __ballot_sync(whole_warp, here != 0 ? 1 : 0);
                    if (chosen == 0) break;
                    if (here != 0) {
                        const std::int64_t to = next + __popc(chosen & in_front);
                        indices[to] = here - 1;
                        values[to] = lists.values[first + load * warp_size + lane];
                        here = places.next[here - 1];
                    }
                    next += __popc(chosen);
                }
            }
        }
    }
}

launch_config warp_grid(const char* operation, std::int64_t items, stream_view stream)
{
    return grid(operation, items, block_threads / warp_size, 1, stream);
}

} // namespace

void place_columns(std::int64_t count, const std::int64_t* columns, const std::uint32_t* places, std::uint32_t* to,
                   stream_view stream)
{
    for_each_cell("place_columns", count, 1, place_cell{columns, places, to}, stream);
}

template <class V>
void copy_lists(const lists_view<V>& from, std::int64_t count, const std::int64_t* columns, const std::int64_t* offsets,
                std::int64_t entries, std::uint32_t* indices, V* values, stream_view stream)
{
    if (entries == 0) return;
    launch(copy_lists_kernel<V>, warp_grid("copy_lists", ceil_div(entries, entries_a_warp), stream), from, count,
           columns, offsets, entries, indices, values);
}

template <class V>
void count_chosen(const lists_view<V>& lists, const column_places& places, std::int64_t* counts, stream_view stream)
{
    if (lists.count == 0) return;
    launch(count_chosen_kernel<V>, warp_grid("count_chosen", lists.count, stream), lists, places, counts);
}

template <class V>
void copy_chosen(const lists_view<V>& lists, const column_places& places, const std::int64_t* offsets,
                 std::uint32_t* indices, V* values, stream_view stream)
{
    if (lists.count == 0) return;
    launch(copy_chosen_kernel<V>, warp_grid("copy_chosen", lists.count, stream), lists, places, offsets, indices,
           values);
}

template void copy_lists<float>(const lists_view<float>&, std::int64_t, const std::int64_t*, const std::int64_t*,
                                std::int64_t, std::uint32_t*, float*, stream_view);
template void copy_lists<double>(const lists_view<double>&, std::int64_t, const std::int64_t*, const std::int64_t*,
                                 std::int64_t, std::uint32_t*, double*, stream_view);
template void count_chosen<float>(const lists_view<float>&, const column_places&, std::int64_t*, stream_view);
template void count_chosen<double>(const lists_view<double>&, const column_places&, std::int64_t*, stream_view);
template void copy_chosen<float>(const lists_view<float>&, const column_places&, const std::int64_t*, std::uint32_t*,
                                 float*, stream_view);
template void copy_chosen<double>(const lists_view<double>&, const column_places&, const std::int64_t*, std::uint32_t*,
                                  double*, stream_view);

} // namespace proxpath::kernels
