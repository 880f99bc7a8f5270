// Gap sums over the rows of panels, seven numbers for each column of the batch: as row_sums.cuh, but some of them are
// extremes, and features that were not chosen cost nothing.
//
// Bits: features are cut into pieces of piece_rows, these into eight runs of run_rows neighbours, whose terms are added
// in order; the eight are added as a tree of neighbours. The pieces' sums are rows that are summed in the same way,
// until there is one. So the order depends on the number of features alone, and features that add nothing may be left
// out.
#pragma once

#include "kernels/gap_numbers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

constexpr std::int64_t run_rows = piece_rows / row_partials;

/// Tag of the partial sums of a block's pieces.
struct gap_piece_sums;

/// out[piece][number][c], one sum for each piece. source.add_run(run, c, sums) adds the terms of rows run · run_rows …
/// in column c; neighbouring threads of a warp call it together for the columns of a tile.
/// @param width tile_width(cols) @param out_cols from one number to the next
template <class Source>
__global__ void __launch_bounds__(block_threads, resident_blocks)
    gap_sums_kernel(std::int64_t pieces, std::int64_t cols, int width, Source source, double* __restrict__ out,
                    std::int64_t out_cols)
{
    double* const partial = shared_array<double, gap_numbers * block_threads, gap_piece_sums>();
    const int thread = static_cast<int>(threadIdx.x);
    const int q = thread / width % row_partials;
    const int slot = thread / (width * row_partials);
    const int together = block_threads / (width * row_partials);
    const std::int64_t c = std::int64_t{blockIdx.y} * widest_tile + thread % width;
    // The bound is of the whole block, which stays together for the barriers.
    for (std::int64_t first = std::int64_t{blockIdx.x} * together; first < pieces;
         first += std::int64_t{gridDim.x} * together) {
        const std::int64_t piece = first + slot;
        const bool active = piece < pieces && c < cols;
        gap_sums sums;
        if (active) source.add_run(piece * row_partials + q, c, sums);
        put_gap_sums(sums, partial + thread, block_threads);
        __syncthreads();
        // A tree of neighbours, each level by the threads that have both.
        for (int reach = 1; reach < row_partials; reach *= 2) {
            if (q % (2 * reach) == 0) {
                sums.add(get_gap_sums(partial + thread + reach * width, block_threads));
                put_gap_sums(sums, partial + thread, block_threads);
            }
            __syncthreads();
        }
        if (active && q == 0) put_gap_sums(sums, out + piece * gap_numbers * out_cols + c, out_cols);
    }
}

/// Sums of sums: rows are the pieces of the level before.
struct gap_level {
    const double* of; ///< rows × gap_numbers × cols
    std::int64_t rows;
    std::int64_t cols;
    __device__ void add_run(std::int64_t run, std::int64_t c, gap_sums& sums) const
    {
        const std::int64_t end = (run + 1) * run_rows < rows ? (run + 1) * run_rows : rows;
        for (std::int64_t i = run * run_rows; i < end; ++i)
            sums.add(get_gap_sums(of + i * gap_numbers * cols + c, cols));
    }
};

template <class Source>
void gap_sums_once(const char* operation, std::int64_t pieces, std::int64_t cols, const Source& source, double* out,
                   std::int64_t out_cols, stream_view stream)
{
    const int width = tile_width(cols);
    launch(gap_sums_kernel<Source>, grid(operation, pieces, block_threads / (width * row_partials), cols, stream),
           pieces, cols, width, source, out, out_cols);
}

/// The sums of pieces, level by level down to one. @param levels pieces × gap_numbers × cols, then room for the others
inline void add_gap_pieces(const char* operation, std::int64_t pieces, std::int64_t cols, double* levels, double* sums,
                           std::int64_t sums_cols, stream_view stream)
{
    for (;;) {
        const gap_level level{levels, pieces, cols};
        levels += pieces * gap_numbers * cols;
        pieces = row_pieces(pieces);
        if (pieces == 1) return gap_sums_once(operation, 1, cols, level, sums, sums_cols, stream);
        gap_sums_once(operation, pieces, cols, level, levels, cols, stream);
    }
}

} // namespace proxpath::kernels
