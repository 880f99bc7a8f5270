// C = X̃'WX̃, for dense columns: rows of X̃ are spread out strip by strip and multiplied as dense matrices. Moves, for
// each strip, 8 strip p bytes there and, for each tile of 64 columns, back, mostly from the second-level cache, and 16
// bytes for each sum of a part; the products are n p² / 2. Finishing reads the parts and writes both halves of C.
//
// Bits: a sum runs over gram_slice_rows rows of a strip in their order, a part over its slices of all strips, an entry
// over its parts.

#include "kernels/cells.cuh"
#include "kernels/dense_tiles.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

/// A warp writes a row: what centring takes, then, over it, what is stored.
template <class V>
__global__ void __launch_bounds__(block_threads)
    spread_rows_kernel(design_view<V> X, std::int64_t first_row, panel_view<double> strip)
{
    constexpr int warps_a_block = block_threads / warp_size;
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const std::int64_t warp = std::int64_t{blockIdx.x} * warps_a_block + static_cast<int>(threadIdx.x) / warp_size;
    for (std::int64_t i = warp; i < strip.rows; i += std::int64_t{gridDim.x} * warps_a_block) {
        double* const row = strip.data + i * strip.stride;
        for (std::int64_t j = lane; j < X.p; j += warp_size) row[j] = -X.center[j] * X.inverse[j];
        __syncwarp();
        const std::int64_t end = X.rows.offsets[first_row + i + 1];
        for (std::int64_t at = X.rows.offsets[first_row + i] + lane; at < end; at += warp_size) {
            const std::int64_t j = X.rows.indices[at];
            row[j] = (static_cast<double>(X.rows.values[at]) - X.shift[j] - X.center[j]) * X.inverse[j];
        }
    }
}

struct gram_product {
    panel_view<const double> strip;
    const double* w;
    gram_parts parts;

    __device__ dense_tile tile(dense_tile at) const
    {
        const bool needed = at.left < parts.known || at.left + tile_height > parts.first + at.right;
        at.wanted = needed && at.begin < at.end;
        return at;
    }
    __device__ double left(std::int64_t i, std::int64_t j) const { return strip.data[i * strip.stride + j]; }
    __device__ double right(std::int64_t i, std::int64_t c) const
    {
        return w[i] * strip.data[i * strip.stride + parts.first + c];
    }
    __device__ void finish(std::int64_t j, std::int64_t c, std::int64_t slice, double sum) const
    {
        if (j >= parts.known && j < parts.first) return; // has no parts
        parts.sums[(parts.offsets[j] + slice) * parts.width + c] += sum;
    }
};

template <class T>
struct finish_cell {
    gram_parts parts;
    gram_centering centering;
    panel_view<T> C;

    __device__ void operator()(std::int64_t j, std::int64_t c) const
    {
        const std::int64_t e = parts.first + c;
        if (j >= parts.known && e > j) return; // the mirror image of what another thread has
        double sum = 0;
        for (std::int64_t part = parts.offsets[j]; part < parts.offsets[j + 1]; ++part)
            sum += parts.sums[part * parts.width + c];
        if (centering.center != nullptr) {
            const double mean_j = centering.center[j] * centering.inverse[j];
            const double mean_e = centering.center[e] * centering.inverse[e];
            sum = sum + mean_j * mean_e * *centering.weights - mean_j * centering.sums[e] - mean_e * centering.sums[j];
        }
        C.data[j * C.stride + e] = static_cast<T>(sum);
        C.data[e * C.stride + j] = static_cast<T>(sum);
    }
};

} // namespace

template <class V>
void spread_rows(const design_view<V>& X, std::int64_t first_row, const panel_view<double>& strip, stream_view stream)
{
    if (strip.rows == 0 || X.p == 0) return;
    launch(spread_rows_kernel<V>, grid("spread_rows", strip.rows, block_threads / warp_size, 1, stream), X, first_row,
           strip);
}

void gram_tiles(const panel_view<const double>& strip, const double* w, std::int64_t slices, const gram_parts& parts,
                stream_view stream)
{
    dense_tiles<64>("gram_tiles", {parts.rows, parts.width, strip.rows, slices, gram_slice_rows},
                    gram_product{strip, w, parts}, stream);
}

template <class T>
void gram_finish(const gram_parts& parts, const gram_centering& centering, const panel_view<T>& C, stream_view stream)
{
    for_each_cell("gram_finish", parts.rows, parts.width, finish_cell<T>{parts, centering, C}, stream);
}

template void spread_rows<float>(const design_view<float>&, std::int64_t, const panel_view<double>&, stream_view);
template void spread_rows<double>(const design_view<double>&, std::int64_t, const panel_view<double>&, stream_view);
template void gram_finish<float>(const gram_parts&, const gram_centering&, const panel_view<float>&, stream_view);
template void gram_finish<double>(const gram_parts&, const gram_centering&, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
