// Sums over the rows of panels, one or two for each column of the batch: what the reductions share. A Term adds what
// one cell contributes (and may write the cell of another panel on the way, as prox_step does).
//
// Bits: rows are cut into pieces of piece_rows; row i of a piece goes to partial sum i mod 8, in order; the eight are
// added as a tree of neighbours. The pieces' sums are rows of a panel that is summed in the same way, until there is
// one piece. So the order depends on the number of rows alone, and it takes log_256(rows) launches.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

constexpr std::int64_t piece_rows = 256;
constexpr int row_partials = 8;

/// Blocks that a multiprocessor has to hold: leaves a thread 128 registers. Left to itself ptxas 13.0 saves registers
/// for occupancy and spills (column_dots, sm_80), and so it does with three.
constexpr int resident_blocks = 2;

/// Pieces of so many rows; no rows are one piece, whose sum is 0.
__host__ __device__ constexpr std::int64_t row_pieces(std::int64_t rows)
{
    return rows == 0 ? 1 : ceil_div(rows, piece_rows);
}

/// Tag of the partial sums of a block's pieces.
struct piece_sums;

/// out[piece][s][c] for s < N sums of `cols` columns.
/// @param width tile_width(cols); a block takes block_threads / (8 width) pieces at a time
template <int N, class Term>
__global__ void __launch_bounds__(block_threads, resident_blocks)
    row_sums_kernel(std::int64_t rows, std::int64_t cols, int width, Term term, double* __restrict__ out)
{
    double* const partial = shared_array<double, N * block_threads, piece_sums>();
    const int thread = static_cast<int>(threadIdx.x);
    const int q = thread / width % row_partials;
    const int slot = thread / (width * row_partials);
    const int together = block_threads / (width * row_partials);
    const std::int64_t c = std::int64_t{blockIdx.y} * widest_tile + thread % width;
    const std::int64_t pieces = row_pieces(rows);
    // The bound is of the whole block, which stays together for the barriers.
    for (std::int64_t first = std::int64_t{blockIdx.x} * together; first < pieces;
         first += std::int64_t{gridDim.x} * together) {
        const std::int64_t piece = first + slot;
        const bool active = piece < pieces && c < cols;
        double sum[N] = {};
        if (active) {
            const std::int64_t end = (piece + 1) * piece_rows < rows ? (piece + 1) * piece_rows : rows;
            for (std::int64_t i = piece * piece_rows + q; i < end; i += row_partials) term(i, c, sum);
        }
#pragma unroll
        for (int s = 0; s < N; ++s) partial[s * block_threads + thread] = sum[s];
        __syncthreads();
        if (active && q == 0) {
#pragma unroll
            for (int s = 0; s < N; ++s) {
                const double* const of = partial + s * block_threads + thread;
                const double half = (of[0] + of[width]) + (of[2 * width] + of[3 * width]);
                const double rest = (of[4 * width] + of[5 * width]) + (of[6 * width] + of[7 * width]);
                out[(piece * N + s) * cols + c] = half + rest;
            }
        }
        __syncthreads(); // before the next pieces overwrite
    }
}

/// One cell of a panel of T as it is.
template <class T>
struct cell_term {
    panel_view<const T> X;
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const { sum[0] += cell(X, i, c); }
};

template <int N, class Term>
void row_sums_once(const char* operation, std::int64_t rows, std::int64_t cols, const Term& term, double* out,
                   stream_view stream)
{
    const int width = tile_width(cols);
    launch(row_sums_kernel<N, Term>,
           grid(operation, row_pieces(rows), block_threads / (width * row_partials), cols, stream), rows, cols, width,
           term, out);
}

/// sums[s cols + c] = Σ_i of what term(i, c, …) adds to its sum s < N.
/// @param scratch scratch_numbers(rows, N cols) doubles
template <int N, class Term>
void row_sums(const char* operation, std::int64_t rows, std::int64_t cols, const Term& term, double* sums,
              double* scratch, stream_view stream)
{
    if (cols == 0) return;
    const std::int64_t width = N * cols;
    std::int64_t pieces = row_pieces(rows);
    double* level = scratch;
    row_sums_once<N>(operation, rows, cols, term, pieces == 1 ? sums : level, stream);
    while (pieces > 1) {
        const cell_term<double> of_level{{level, pieces, width, width}};
        level += pieces * width;
        pieces = row_pieces(of_level.X.rows);
        row_sums_once<1>(operation, of_level.X.rows, width, of_level, pieces == 1 ? sums : level, stream);
    }
}

} // namespace proxpath::kernels
