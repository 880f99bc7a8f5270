// Products of dense matrices, Σ_i left(i, a) right(i, b): a block takes a tile of 64 × W results over a slice of the
// rows i, 16 of them in shared memory at a time. A Product says what the factors are, which slices there are and what
// is done with a sum. A tile reads 64 + W numbers for 64 W products; with W = 64 a thread has 16 sums and loads eight
// numbers from shared memory for each step of them.
//
// Bits: a sum runs over the rows of its slice in their order, whatever W is.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

constexpr int tile_height = 64;
/// Rows in shared memory at a time.
constexpr int tile_depth = 16;

/// A work item: results from (left, right) on, over rows [begin, end).
struct dense_tile {
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t slice = 0;
    bool wanted = true; ///< false: nobody asks for any of its results
};

/// All tiles of left × right results, for each slice of the rows.
struct tile_space {
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::int64_t rows = 0;
    std::int64_t slices = 1;
    std::int64_t slice_rows = 0;

    __host__ __device__ std::int64_t items(int width) const
    {
        return slices * ceil_div(left, tile_height) * ceil_div(right, width);
    }
    __device__ dense_tile tile(std::int64_t item, int width) const
    {
        const std::int64_t across = ceil_div(right, width);
        const std::int64_t in_slice = across * ceil_div(left, tile_height);
        dense_tile made;
        made.slice = item / in_slice;
        made.left = item % in_slice / across * tile_height;
        made.right = item % in_slice % across * width;
        made.begin = made.slice * slice_rows;
        made.end = made.begin + slice_rows < rows ? made.begin + slice_rows : rows;
        return made;
    }
};

/// Tags of the tiles of the two factors.
struct left_factor;
struct right_factor;

/// Rows [first, first + tile_depth) of W columns of a factor into shared memory, zeros where it has none.
template <int W, class Read>
__device__ void load_factor(double* to, std::int64_t first, std::int64_t end, std::int64_t column, std::int64_t columns,
                            const Read& read)
{
    const int thread = static_cast<int>(threadIdx.x);
    constexpr int numbers = tile_depth * W;
#pragma unroll
    for (int round = 0; round < numbers; round += block_threads) {
        const int number = round + thread;
        if (number >= numbers) break;
        const std::int64_t i = first + number / W;
        const std::int64_t c = column + number % W;
        to[number] = i < end && c < columns ? read(i, c) : 0.0;
    }
}

template <int W, class Product>
__global__ void __launch_bounds__(block_threads, 2) dense_tiles_kernel(tile_space space, Product of)
{
    constexpr int across = W < 16 ? W : 16;
    constexpr int down = block_threads / across;
    constexpr int sums_down = tile_height / down;
    constexpr int sums_across = W / across;
    static_assert(sums_down * down == tile_height && sums_across * across == W);
    double* const left = shared_array<double, tile_depth * tile_height, left_factor>();
    double* const right = shared_array<double, tile_depth * W, right_factor>();
    const int thread = static_cast<int>(threadIdx.x);
    const int a = thread / across;
    const int b = thread % across;
    for (std::int64_t item = blockIdx.x; item < space.items(W); item += gridDim.x) {
        const dense_tile at = of.tile(space.tile(item, W));
        if (!at.wanted) continue;
        double sum[sums_down][sums_across] = {};
        for (std::int64_t first = at.begin; first < at.end; first += tile_depth) {
            load_factor<tile_height>(left, first, at.end, at.left, space.left,
                                     [&](std::int64_t i, std::int64_t column) { return of.left(i, column); });
            load_factor<W>(right, first, at.end, at.right, space.right,
                           [&](std::int64_t i, std::int64_t column) { return of.right(i, column); });
            __syncthreads();
#pragma unroll
            for (int i = 0; i < tile_depth; ++i) {
                double from_left[sums_down];
                double from_right[sums_across];
#pragma unroll
                for (int r = 0; r < sums_down; ++r) from_left[r] = left[i * tile_height + a + r * down];
#pragma unroll
                for (int c = 0; c < sums_across; ++c) from_right[c] = right[i * W + b + c * across];
#pragma unroll
                for (int r = 0; r < sums_down; ++r) {
#pragma unroll
                    for (int c = 0; c < sums_across; ++c) sum[r][c] += from_left[r] * from_right[c];
                }
            }
            __syncthreads(); // before the next rows overwrite
        }
#pragma unroll
        for (int r = 0; r < sums_down; ++r) {
#pragma unroll
            for (int c = 0; c < sums_across; ++c) {
                const std::int64_t row = at.left + a + r * down;
                const std::int64_t column = at.right + b + c * across;
                if (row < space.left && column < space.right) of.finish(row, column, at.slice, sum[r][c]);
            }
        }
    }
}

template <int W, class Product>
void dense_tiles(const char* operation, const tile_space& space, const Product& product, stream_view stream)
{
    const std::int64_t items = space.items(W);
    if (items == 0) return;
    launch(dense_tiles_kernel<W, Product>, grid(operation, items, 1, 1, stream), space, product);
}

} // namespace proxpath::kernels
