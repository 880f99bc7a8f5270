// Which of n items are chosen, from a byte for each to ascending lists, a bit set and ranks: what lets kernels work on
// the few features that matter. Three launches: counts of pieces, their running sums in one block, positions. Reads 2 n
// bytes, writes 8 bytes for each chosen item and 12 for 32 items.

#include "kernels/device.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

constexpr int kinds = 2;
constexpr int words_a_piece = select_piece / warp_size;
constexpr int warps = block_threads / warp_size;

/// Which items of a word are of each kind.
struct word_bits {
    unsigned of[kinds];
};

/// All lanes of the warp call this together. @param word of all items, for 32 of them
__device__ word_bits bits_of_word(const std::uint8_t* kind, std::int64_t n, std::int64_t word)
{
    const std::int64_t i = word * warp_size + static_cast<int>(threadIdx.x) % warp_size;
    const int is = i < n ? kind[i] : 0;
    return {{__ballot_sync(whole_warp, is == 1), __ballot_sync(whole_warp, is == 2)}};
}

/// Tag of the counts of words.
struct word_counts;

/// starts[piece][kind] = items of the piece; and the bit set.
__global__ void __launch_bounds__(block_threads)
    count_kernel(const std::uint8_t* __restrict__ kind, std::int64_t n, std::int64_t pieces,
                 std::uint32_t* __restrict__ bits, std::int64_t* __restrict__ starts)
{
    int* const counts = shared_array<int, kinds * warps, word_counts>();
    const int thread = static_cast<int>(threadIdx.x);
    const int warp = thread / warp_size;
    for (std::int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
        int count[kinds] = {};
        for (int w = warp; w < words_a_piece; w += warps) {
            const std::int64_t word = piece * words_a_piece + w;
            const word_bits found = bits_of_word(kind, n, word);
            for (int e = 0; e < kinds; ++e) count[e] += __popc(found.of[e]);
            if (thread % warp_size == 0 && word * warp_size < n) bits[word] = found.of[0] | found.of[1];
        }
        if (thread % warp_size == 0)
            for (int e = 0; e < kinds; ++e) counts[e * warps + warp] = count[e];
        __syncthreads();
        if (thread < kinds) {
            std::int64_t total = 0;
            for (int w = 0; w < warps; ++w) total += counts[thread * warps + w];
            starts[piece * kinds + thread] = total;
        }
        __syncthreads(); // before the next piece overwrites
    }
}

/// Tag of the running sums.
struct running_sums;

/// Counts become sums of what comes before, in place, and all behind the last: one block, block_threads pieces at a
/// time.
__global__ void __launch_bounds__(block_threads) running_sums_kernel(std::int64_t pieces, std::int64_t* starts)
{
    constexpr int level = kinds * block_threads;
    std::int64_t* const sums = shared_array<std::int64_t, 2 * level, running_sums>(); // two, read and written in turn
    const int thread = static_cast<int>(threadIdx.x);
    std::int64_t before[kinds] = {};
    for (std::int64_t first = 0; first < pieces; first += block_threads) {
        const std::int64_t piece = first + thread;
        std::int64_t own[kinds];
        for (int e = 0; e < kinds; ++e) {
            own[e] = piece < pieces ? starts[piece * kinds + e] : 0;
            sums[e * block_threads + thread] = own[e];
        }
        __syncthreads();
        int from = 0;
        for (int reach = 1; reach < block_threads; reach *= 2) {
            for (int e = 0; e < kinds; ++e) {
                const std::int64_t* const old = sums + from * level + e * block_threads + thread;
                sums[(1 - from) * level + e * block_threads + thread] = *old + (thread >= reach ? *(old - reach) : 0);
            }
            from = 1 - from;
            __syncthreads();
        }
        for (int e = 0; e < kinds; ++e) {
            const std::int64_t* const last = sums + from * level + e * block_threads;
            if (piece < pieces) starts[piece * kinds + e] = before[e] + last[thread] - own[e];
            before[e] += last[block_threads - 1];
        }
        __syncthreads(); // before the next pieces overwrite
    }
    if (thread == 0)
        for (int e = 0; e < kinds; ++e) starts[pieces * kinds + e] = before[e];
}

/// Tag of the sums over the words of a piece.
struct words_before;

__global__ void __launch_bounds__(block_threads)
    place_kernel(const std::uint8_t* __restrict__ kind, std::int64_t n, std::int64_t pieces, selection out)
{
    int* const counts = shared_array<int, kinds * words_a_piece, word_counts>();
    int* const before = shared_array<int, kinds * words_a_piece, words_before>();
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % warp_size;
    const unsigned lower = (1u << lane) - 1;
    for (std::int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
        for (int w = thread / warp_size; w < words_a_piece; w += warps) {
            const word_bits found = bits_of_word(kind, n, piece * words_a_piece + w);
            if (lane == 0)
                for (int e = 0; e < kinds; ++e) counts[e * words_a_piece + w] = __popc(found.of[e]);
        }
        __syncthreads();
        if (thread < kinds * words_a_piece) {
            const int first = thread / words_a_piece * words_a_piece;
            int sum = 0;
            for (int w = first; w < thread; ++w) sum += counts[w];
            before[thread] = sum;
        }
        __syncthreads();
        const std::int64_t* const start = out.starts + piece * kinds;
        for (int w = thread / warp_size; w < words_a_piece; w += warps) {
            const std::int64_t word = piece * words_a_piece + w;
            const word_bits found = bits_of_word(kind, n, word);
            std::int64_t at[kinds];
            for (int e = 0; e < kinds; ++e) at[e] = start[e] + before[e * words_a_piece + w];
            if (lane == 0 && word * warp_size < n) out.before[word] = at[0] + at[1];
            const std::int64_t i = word * warp_size + lane;
            if (found.of[0] >> lane & 1u) out.first[at[0] + __popc(found.of[0] & lower)] = i;
            if (found.of[1] >> lane & 1u) out.second[at[1] + __popc(found.of[1] & lower)] = i;
        }
        __syncthreads(); // before the next piece overwrites
    }
}

} // namespace

void select(const std::uint8_t* kind, std::int64_t n, const selection& out, stream_view stream)
{
    const std::int64_t pieces = ceil_div(n, select_piece);
    if (pieces > 0) launch(count_kernel, grid("select", pieces, 1, 1, stream), kind, n, pieces, out.bits, out.starts);
    launch(running_sums_kernel, grid("select", 1, 1, 1, stream), pieces, out.starts);
    if (pieces > 0) launch(place_kernel, grid("select", pieces, 1, 1, stream), kind, n, pieces, out);
}

} // namespace proxpath::kernels
