// Counts to offsets: every number becomes the sum of those up to it. Pieces of 2048 numbers are summed, their sums are
// scanned in the same way, and every piece is scanned from where the pieces before it end. Moves 24 n bytes. Integers,
// so the order of additions says nothing.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

constexpr int numbers_a_thread = 8;
constexpr std::int64_t scan_piece = std::int64_t{block_threads} * numbers_a_thread;

struct scanned_threads;

/// Sum of what threads up to this one bring. All threads of the block call it.
__device__ std::int64_t block_scan(std::int64_t value)
{
    std::int64_t* const sums = shared_array<std::int64_t, block_threads, scanned_threads>();
    const int thread = static_cast<int>(threadIdx.x);
    sums[thread] = value;
    __syncthreads();
    for (int reach = 1; reach < block_threads; reach *= 2) {
        const std::int64_t before = thread >= reach ? sums[thread - reach] : 0;
        __syncthreads();
        sums[thread] += before;
        __syncthreads();
    }
    const std::int64_t sum = sums[thread];
    __syncthreads(); // before the next call overwrites
    return sum;
}

__device__ std::int64_t thread_begin(std::int64_t piece)
{
    return piece * scan_piece + std::int64_t{threadIdx.x} * numbers_a_thread;
}

__global__ void __launch_bounds__(block_threads)
    piece_sums_kernel(std::int64_t n, const std::int64_t* __restrict__ numbers, std::int64_t* __restrict__ sums)
{
    for (std::int64_t piece = blockIdx.x; piece * scan_piece < n; piece += gridDim.x) {
        const std::int64_t begin = thread_begin(piece);
        std::int64_t own = 0;
        for (std::int64_t i = begin; i < begin + numbers_a_thread && i < n; ++i) own += numbers[i];
        const std::int64_t sum = block_scan(own);
        if (static_cast<int>(threadIdx.x) == block_threads - 1) sums[piece] = sum;
    }
}

/// @param ends sums of all pieces up to each; null: there is one piece
__global__ void __launch_bounds__(block_threads)
    scan_pieces_kernel(std::int64_t n, const std::int64_t* __restrict__ ends, std::int64_t* __restrict__ numbers)
{
    for (std::int64_t piece = blockIdx.x; piece * scan_piece < n; piece += gridDim.x) {
        const std::int64_t begin = thread_begin(piece);
        std::int64_t own = 0;
        for (std::int64_t i = begin; i < begin + numbers_a_thread && i < n; ++i) own += numbers[i];
        std::int64_t sum = block_scan(own) - own + (piece == 0 || ends == nullptr ? 0 : ends[piece - 1]);
        for (std::int64_t i = begin; i < begin + numbers_a_thread && i < n; ++i) numbers[i] = sum += numbers[i];
    }
}

struct count_up_cell {
    std::int64_t* to;
    __device__ void operator()(std::int64_t i, std::int64_t) const { to[i] = i; }
};

} // namespace

std::int64_t scan_numbers(std::int64_t n)
{
    std::int64_t numbers = 0;
    for (std::int64_t left = ceil_div(n, scan_piece); left > 1; left = ceil_div(left, scan_piece)) numbers += left;
    return numbers;
}

void inclusive_scan(std::int64_t n, std::int64_t* numbers, std::int64_t* scratch, stream_view stream)
{
    if (n == 0) return;
    const std::int64_t pieces = ceil_div(n, scan_piece);
    std::int64_t* const ends = pieces > 1 ? scratch : nullptr;
    if (pieces > 1) {
        launch(piece_sums_kernel, grid("inclusive_scan", pieces, 1, 1, stream), n, numbers, ends);
        inclusive_scan(pieces, ends, scratch + pieces, stream);
    }
    launch(scan_pieces_kernel, grid("inclusive_scan", pieces, 1, 1, stream), n, ends, numbers);
}

void count_up(std::int64_t n, std::int64_t* to, stream_view stream)
{
    for_each_cell("count_up", n, 1, count_up_cell{to}, stream);
}

} // namespace proxpath::kernels
