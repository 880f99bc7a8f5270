// C = X̃'WX̃, for sparse columns: every column walks down its rows and meets the others there, so the work is that of the
// products that are not zero. A warp takes up to segment_length entries of a column and has sums of its own, in memory
// that the caches hold; no two lanes ever meet at one of them, because a row has a column once. Moves, for each entry
// of a column, 16 bytes and its row, 4 + sizeof(V) bytes an entry, and 16 for each product, mostly from the caches.
//
// Bits: a part's sums run over its entries in their order.

#include "kernels/device.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

/// The row of the matrix that a part belongs to: the last one that begins at or before it.
__device__ std::int64_t row_of_part(const std::int64_t* offsets, std::int64_t rows, std::int64_t part)
{
    std::int64_t row = 0;
    for (std::int64_t end = rows; end - row > 1;) {
        const std::int64_t middle = row + (end - row) / 2;
        if (offsets[middle] <= part)
            row = middle;
        else
            end = middle;
    }
    return row;
}

template <class V>
__global__ void __launch_bounds__(block_threads)
    gram_rows_kernel(design_view<V> X, lists_view<V> rows, const double* __restrict__ w, gram_parts parts)
{
    constexpr int warps_a_block = block_threads / warp_size;
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const std::int64_t warp = std::int64_t{blockIdx.x} * warps_a_block + static_cast<int>(threadIdx.x) / warp_size;
    for (std::int64_t part = warp; part < parts.count; part += std::int64_t{gridDim.x} * warps_a_block) {
        const std::int64_t j = row_of_part(parts.offsets, parts.rows, part);
        const std::int64_t last = j < parts.known ? parts.width - 1 : j - parts.first; // column that is wanted
        const std::int64_t begin = X.columns.offsets[j] + (part - parts.offsets[j]) * segment_length;
        const std::int64_t end =
            begin + segment_length < X.columns.offsets[j + 1] ? begin + segment_length : X.columns.offsets[j + 1];
        double* const sums = parts.sums + part * parts.width;
        for (std::int64_t first = begin; first < end; first += warp_size) {
            // Each lane looks one entry up; then the warp takes their rows one after the other.
            const std::int64_t at = first + lane;
            std::int64_t row_begin = 0;
            std::int64_t row_end = 0;
            double weighted = 0;
            if (at < end) {
                const std::int64_t i = X.columns.indices[at];
                row_begin = rows.offsets[i];
                row_end = rows.offsets[i + 1];
                weighted = w[i] * ((static_cast<double>(X.columns.values[at]) - X.shift[j]) * X.inverse[j]);
            }
            for (int entry = 0; entry < warp_size && first + entry < end; ++entry) {
                const std::int64_t from = __shfl_sync(whole_warp, row_begin, entry);
                const std::int64_t to = __shfl_sync(whole_warp, row_end, entry);
                const double x = __shfl_sync(whole_warp, weighted, entry);
                for (std::int64_t in_row = from + lane; in_row < to; in_row += warp_size) {
                    const std::int64_t c = rows.indices[in_row];
                    if (c > last) continue;
                    const std::int64_t e = parts.first + c;
                    sums[c] += x * ((static_cast<double>(rows.values[in_row]) - X.shift[e]) * X.inverse[e]);
                }
                __syncwarp(); // another lane may have the column next
            }
        }
    }
}

} // namespace

template <class V>
void gram_rows(const design_view<V>& X, const lists_view<V>& rows, const double* w, const gram_parts& parts,
               stream_view stream)
{
    if (parts.count == 0 || parts.width == 0) return;
    launch(gram_rows_kernel<V>, grid("gram_rows", parts.count, block_threads / warp_size, 1, stream), X, rows, w,
           parts);
}

template void gram_rows<float>(const design_view<float>&, const lists_view<float>&, const double*, const gram_parts&,
                               stream_view);
template void gram_rows<double>(const design_view<double>&, const lists_view<double>&, const double*, const gram_parts&,
                                stream_view);

} // namespace proxpath::kernels
