// See row_gather.hpp. As in kernels/gather_sum.cuh a lane has a column of every tile of 32 and eight loads under way;
// but there is nothing to read beside the row's number, and nothing to multiply with. Moves count (4 + 8 k) bytes.

#include "bench/gpu/row_gather.hpp"

#include "kernels/device.cuh"

namespace proxpath::bench {

namespace {

using namespace kernels;

/// As for the long lists of gather_sum.cuh: by itself ptxas takes too few registers, and spills.
constexpr int resident_blocks = 4;

template <int tiles>
__global__ void __launch_bounds__(block_threads, resident_blocks)
    row_gather_kernel(panel_view<const double> P, const std::uint32_t* __restrict__ indices, std::int64_t count,
                      double* __restrict__ out)
{
    constexpr int under_way = 8 / tiles;
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const std::int64_t warps = std::int64_t{gridDim.x} * (block_threads / warp_size);
    const std::int64_t warp =
        std::int64_t{blockIdx.x} * (block_threads / warp_size) + static_cast<int>(threadIdx.x) / warp_size;
    for (std::int64_t piece = warp; piece * rows_a_piece < count; piece += warps) {
        const std::int64_t begin = piece * rows_a_piece;
        const std::int64_t end = begin + rows_a_piece < count ? begin + rows_a_piece : count;
        double sum[tiles] = {};
        for (std::int64_t i = begin; i < end; i += under_way) {
#pragma unroll
            for (int e = 0; e < under_way; ++e) {
                if (i + e >= end) continue;
                const double* const row = P.data + indices[i + e] * P.stride;
#pragma unroll
                for (int t = 0; t < tiles; ++t)
                    if (t * warp_size + lane < P.cols) sum[t] += row[t * warp_size + lane];
            }
        }
#pragma unroll
        for (int t = 0; t < tiles; ++t)
            if (t * warp_size + lane < P.cols) out[piece * P.cols + t * warp_size + lane] = sum[t];
    }
}

} // namespace

void row_gather(const panel_view<const double>& P, const std::uint32_t* indices, std::int64_t count, double* out,
                stream_view stream)
{
    if (count == 0) return;
    const launch_config on =
        grid("row_gather", ceil_div(count, rows_a_piece), block_threads / warp_size, warp_size, stream);
    switch (ceil_div(P.cols, warp_size)) {
    case 1:
        return launch(row_gather_kernel<1>, on, P, indices, count, out);
    case 2:
        return launch(row_gather_kernel<2>, on, P, indices, count, out);
    default:
        return launch(row_gather_kernel<4>, on, P, indices, count, out);
    }
}

} // namespace proxpath::bench
