// Sweeps of coordinate descent on the columns of X and the weighted residual, a block for each column of the batch: for
// every listed feature a gather, a sum over the block and, where it moves, a scatter, whose rows are all different.
// What centring adds to every residual alike is kept as one number. Moves 2 |column| (4 + sizeof(V) + 8) bytes for each
// feature that moves, half of it for the others.

#include "kernels/sweep_list.cuh"

namespace proxpath::kernels {

namespace {

template <class V>
__global__ void __launch_bounds__(block_threads)
    residual_sweeps_kernel(design_view<V> X, restricted_view problem, int sweeps, const int* open,
                           const double* weights, const double* stored_sum, panel_view<const double> R,
                           panel_view<const double> U, panel_view<double> B, sweep_scratch scratch)
{
    const int thread = static_cast<int>(threadIdx.x);
    const penalty_arrays& penalty = problem.penalty;
    const std::int64_t p = B.rows;
    for (std::int64_t c = blockIdx.x; c < B.cols; c += gridDim.x) {
        if (open[c] == 0) continue;
        std::uint32_t* const list = scratch.list + c * p;
        double* const b = scratch.work + c * (p + X.n);
        double* const q = b + p; // w (ρ − offset)
        const std::int64_t count = list_features(problem, c, U, B, list, b, nullptr);
        double sum_q[1] = {};
        for (std::int64_t i = thread; i < X.n; i += block_threads) {
            q[i] = weights[i] * cell(R, i, c);
            sum_q[0] += q[i];
        }
        block_sums(sum_q);              // its barriers make q visible, too
        double weighted_sum = sum_q[0]; // Σ w ρ
        double offset = 0;
        const double lambda = problem.lambda[c];
        for (int sweep = 0; sweep < sweeps; ++sweep)
            for (std::int64_t e = 0; e < count; ++e) {
                const std::int64_t j = list[e];
                const double inverse = X.inverse[j];
                const double shift = X.shift[j];
                const std::int64_t begin = X.columns.offsets[j];
                const std::int64_t end = X.columns.offsets[j + 1];
                double sum[1] = {};
                for (std::int64_t i = begin + thread; i < end; i += block_threads)
                    sum[0] += (static_cast<double>(X.columns.values[i]) - shift) * q[X.columns.indices[i]];
                block_sums(sum);
                const double u = inverse * (sum[0] + offset * stored_sum[j] - X.center[j] * weighted_sum);
                const double at = b[e];
                const double next = backend::prox(u + at, 1.0, lambda * penalty.l1[j], lambda * penalty.l2[j],
                                                  penalty.lower[j], penalty.upper[j]);
                const double moved = inverse * (next - at);
                if (moved != 0) {
                    for (std::int64_t i = begin + thread; i < end; i += block_threads) {
                        const std::uint32_t row = X.columns.indices[i];
                        q[row] -= moved * (weights[row] * (static_cast<double>(X.columns.values[i]) - shift));
                    }
                    offset += moved * X.center[j];
                    weighted_sum -= moved * (stored_sum[j] - X.center[j]);
                }
                __syncthreads(); // everyone has read b, and the next gather sees q
                if (thread == 0) b[e] = next;
            }
        __syncthreads();
        put_back(B, c, list, count, b);
        __syncthreads(); // before the next column's list overwrites
    }
}

} // namespace

template <class V>
void residual_sweeps(const design_view<V>& X, const restricted_view& problem, int sweeps, const int* open,
                     const double* weights, const double* stored_sum, const panel_view<const double>& R,
                     const panel_view<const double>& U, const panel_view<double>& B, const sweep_scratch& scratch,
                     stream_view stream)
{
    if (B.rows == 0 || B.cols == 0) return;
    launch(residual_sweeps_kernel<V>, grid("residual_sweeps", B.cols, 1, 1, stream), X, problem, sweeps, open, weights,
           stored_sum, R, U, B, scratch);
}

template void residual_sweeps<float>(const design_view<float>&, const restricted_view&, int, const int*, const double*,
                                     const double*, const panel_view<const double>&, const panel_view<const double>&,
                                     const panel_view<double>&, const sweep_scratch&, stream_view);
template void residual_sweeps<double>(const design_view<double>&, const restricted_view&, int, const int*,
                                      const double*, const double*, const panel_view<const double>&,
                                      const panel_view<const double>&, const panel_view<double>&, const sweep_scratch&,
                                      stream_view);

} // namespace proxpath::kernels
