// Z = C B for a Gram matrix C of T and a batch B of doubles, in tiles of 32 × 32: what gradients and Newton systems in
// Gram form take. Each entry is one sum over the features in ascending order, so neither tiles nor the batch's width
// show in it. Reads p² sizeof(T) for each tile of 32 columns; 2 p² k operations.

#include "kernels/descent_launchers.hpp"
#include "kernels/device.cuh"

namespace proxpath::kernels {

namespace {

constexpr int tile = 32;
constexpr int rows_a_thread = tile * tile / block_threads;

struct tile_of_C;
struct tile_of_B;

template <class T>
__global__ void __launch_bounds__(block_threads)
    gram_product_kernel(panel_view<const T> C, panel_view<const double> B, panel_view<double> Z)
{
    // A column of padding: threads of a warp that read down a column meet different banks.
    double* const c_tile = shared_array<double, tile*(tile + 1), tile_of_C>();
    double* const b_tile = shared_array<double, tile * tile, tile_of_B>();
    const int thread = static_cast<int>(threadIdx.x);
    const int column = thread % tile;
    const int first_row = thread / tile; // and every eighth after it
    constexpr int step = block_threads / tile;
    const std::int64_t c = std::int64_t{blockIdx.y} * tile + column;
    const std::int64_t p = C.rows;
    for (std::int64_t row_tile = std::int64_t{blockIdx.x} * tile; row_tile < p;
         row_tile += std::int64_t{gridDim.x} * tile) {
        double sum[rows_a_thread] = {};
        for (std::int64_t inner = 0; inner < p; inner += tile) {
#pragma unroll
            for (int q = 0; q < rows_a_thread; ++q) {
                const int r = first_row + q * step;
                const bool in_C = row_tile + r < p && inner + column < p;
                c_tile[r * (tile + 1) + column] = in_C ? cell(C, row_tile + r, inner + column) : 0.0;
                const bool in_B = inner + r < p && c < B.cols;
                b_tile[r * tile + column] = in_B ? cell(B, inner + r, c) : 0.0;
            }
            __syncthreads();
            for (int i = 0; i < tile; ++i) {
                const double b = b_tile[i * tile + column];
#pragma unroll
                for (int q = 0; q < rows_a_thread; ++q) sum[q] += c_tile[(first_row + q * step) * (tile + 1) + i] * b;
            }
            __syncthreads(); // before the next tiles overwrite
        }
#pragma unroll
        for (int q = 0; q < rows_a_thread; ++q) {
            const std::int64_t r = row_tile + first_row + q * step;
            if (r < p && c < B.cols) Z.data[r * Z.stride + c] = sum[q];
        }
    }
}

template <class T>
__global__ void __launch_bounds__(block_threads) diagonal_kernel(panel_view<const T> C, double* q)
{
    for (std::int64_t j = std::int64_t{blockIdx.x} * block_threads + threadIdx.x; j < C.rows;
         j += std::int64_t{gridDim.x} * block_threads)
        q[j] = cell(C, j, j);
}

} // namespace

template <class T>
void gram_product(const panel_view<const T>& C, const panel_view<const double>& B, const panel_view<double>& Z,
                  stream_view stream)
{
    if (C.rows == 0 || B.cols == 0) return;
    launch(gram_product_kernel<T>, grid("gram_product", C.rows, tile, B.cols, stream), C, B, Z);
}

template <class T>
void diagonal(const panel_view<const T>& C, double* q, stream_view stream)
{
    if (C.rows == 0) return;
    launch(diagonal_kernel<T>, grid("diagonal", C.rows, block_threads, 1, stream), C, q);
}

template void gram_product<float>(const panel_view<const float>&, const panel_view<const double>&,
                                  const panel_view<double>&, stream_view);
template void gram_product<double>(const panel_view<const double>&, const panel_view<const double>&,
                                   const panel_view<double>&, stream_view);
template void diagonal<float>(const panel_view<const float>&, double*, stream_view);
template void diagonal<double>(const panel_view<const double>&, double*, stream_view);

} // namespace proxpath::kernels
