// What elementwise operations share: every cell of a panel once, neighbours in a row by neighbouring threads.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

/// Calls f(row, column) for every cell of rows × cols. @param width tile_width(cols)
template <class F>
__global__ void __launch_bounds__(block_threads) cells_kernel(std::int64_t rows, std::int64_t cols, int width, F f)
{
    const int thread = static_cast<int>(threadIdx.x);
    const int together = block_threads / width;
    const std::int64_t c = std::int64_t{blockIdx.y} * widest_tile + thread % width;
    if (c >= cols) return;
    for (std::int64_t i = std::int64_t{blockIdx.x} * together + thread / width; i < rows;
         i += std::int64_t{gridDim.x} * together)
        f(i, c);
}

template <class F>
void for_each_cell(const char* operation, std::int64_t rows, std::int64_t cols, const F& f, stream_view stream)
{
    if (rows == 0 || cols == 0) return;
    const int width = tile_width(cols);
    launch(cells_kernel<F>, grid(operation, rows, block_threads / width, cols, stream), rows, cols, width, f);
}

} // namespace proxpath::kernels
