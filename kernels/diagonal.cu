// The diagonal of a Gram matrix, the curvatures of its features. Reads p numbers.

#include "kernels/descent_launchers.hpp"
#include "kernels/device.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
__global__ void __launch_bounds__(block_threads) diagonal_kernel(panel_view<const T> C, double* q)
{
    for (std::int64_t j = std::int64_t{blockIdx.x} * block_threads + threadIdx.x; j < C.rows;
         j += std::int64_t{gridDim.x} * block_threads)
        q[j] = cell(C, j, j);
}

} // namespace

template <class T>
void diagonal(const panel_view<const T>& C, double* q, stream_view stream)
{
    if (C.rows == 0) return;
    launch(diagonal_kernel<T>, grid("diagonal", C.rows, block_threads, 1, stream), C, q);
}

template void diagonal<float>(const panel_view<const float>&, double*, stream_view);
template void diagonal<double>(const panel_view<const double>&, double*, stream_view);

} // namespace proxpath::kernels
