// What every kernel file includes first: how a kernel is launched, and the few things that the two targets do
// differently. <proxpath_target.hpp> is found through the include path: kernels/nvcc compiles for the device,
// tests/emulation compiles the same files with the host's compiler and runs them there. Both define
//
//   launch(kernel, config, arguments...)   enqueues; throws device_error where the target refuses
//   shared_array<T, N, Tag>()              N numbers of static shared memory, one array for each Tag
//   dynamic_shared<T>()                    the config's shared_bytes of the block
//   block_limit()                          most blocks of a grid in x; kernels stride over what is beyond
//
// and, in this namespace or globally, the CUDA names that kernels use. Nothing here or in kernels asks which it is.
#pragma once

#include "kernels/views.hpp"

#include <cstddef>
#include <cstdint>

namespace proxpath::kernels {

/// A grid of blocks_x × blocks_y blocks of `threads` threads in a row.
struct launch_config {
    const char* operation = ""; ///< for messages
    std::int64_t blocks_x = 1;
    std::int64_t blocks_y = 1;
    int threads = 0;
    stream_view stream;
    std::int64_t shared_bytes = 0; ///< dynamic
};

constexpr int warp_size = 32;
constexpr unsigned whole_warp = 0xffffffffu;

/// Threads of a block in every kernel here: eight warps.
constexpr int block_threads = 256;

/// Columns of a batch that neighbouring threads take: a warp then reads 32 numbers in a row, 256 bytes in double.
constexpr std::int64_t widest_tile = 32;

} // namespace proxpath::kernels

#include <proxpath_target.hpp>

namespace proxpath::kernels {

/// The smallest power of two that holds k columns, up to the widest tile.
constexpr int tile_width(std::int64_t k)
{
    int width = 1;
    while (width < k && width < widest_tile) width *= 2;
    return width;
}

/// Cell of a panel in double, which everything is computed in.
template <class T>
__device__ double cell(const panel_view<T>& of, std::int64_t i, std::int64_t c)
{
    return static_cast<double>(of.data[i * of.stride + c]);
}

/// The same where one column may stand for all.
template <class T>
__device__ double cell_or_first(const panel_view<T>& of, std::int64_t i, std::int64_t c)
{
    return cell(of, i, of.cols == 1 ? 0 : c);
}

/// Of what row i counts; null: all 1.
__device__ inline double row_factor(const double* a, std::int64_t i) { return a == nullptr ? 1.0 : a[i]; }

__host__ __device__ constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The grid for `items` work items of which a block takes `per_block` at a time, for every tile of k columns.
inline launch_config grid(const char* operation, std::int64_t items, std::int64_t per_block, std::int64_t k,
                          stream_view stream)
{
    const std::int64_t blocks = ceil_div(items, per_block);
    const std::int64_t limit = block_limit();
    return {operation, blocks < limit ? blocks : limit, ceil_div(k, widest_tile), block_threads, stream};
}

} // namespace proxpath::kernels
