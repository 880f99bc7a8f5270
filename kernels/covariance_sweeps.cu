// Sweeps of coordinate descent in covariance form (Friedman, Hastie & Tibshirani 2010, section 2.2), a block for each
// column of the batch. Coordinates go in groups of 32: one warp takes them one after the other on their own square of
// C, then the whole block brings the correlations of all listed features up to date, which is where the bytes are:
// |list| sizeof(T) for each coordinate that moved.

#include "kernels/sweep_list.cuh"

namespace proxpath::kernels {

namespace {

constexpr int group = warp_size;

struct square_of_C;
struct moves_of_group;

/// One coordinate after the other, a lane for each: everyone computes where its own would go, and the one whose turn it
/// is goes there. @return how far this lane's moved
__device__ double descend_group(const restricted_view& problem, double lambda, std::int64_t j, bool exists, int width,
                                const double* square, double u, double& b)
{
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    const penalty_arrays& penalty = problem.penalty;
    const double q = exists ? problem.curvature[j] : 1.0;
    const double l1 = exists ? lambda * penalty.l1[j] : 0.0;
    const double l2 = exists ? lambda * penalty.l2[j] : 0.0;
    const double lower = exists ? penalty.lower[j] : 0.0;
    const double upper = exists ? penalty.upper[j] : 0.0;
    const double start = b;
    for (int turn = 0; turn < width; ++turn) {
        const double next = backend::prox(u + q * b, q, l1, l2, lower, upper);
        const double moved = __shfl_sync(whole_warp, next - b, turn);
        if (lane == turn) b = next;
        u -= moved * square[turn * (group + 1) + lane];
    }
    return b - start;
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    covariance_sweeps_kernel(panel_view<const T> C, restricted_view problem, int sweeps, const int* open,
                             panel_view<const double> U, panel_view<double> B, sweep_scratch scratch)
{
    double* const square = shared_array<double, group*(group + 1), square_of_C>();
    double* const moves = shared_array<double, group, moves_of_group>();
    const int thread = static_cast<int>(threadIdx.x);
    const std::int64_t p = B.rows;
    for (std::int64_t c = blockIdx.x; c < B.cols; c += gridDim.x) {
        if (open[c] == 0) continue;
        std::uint32_t* const list = scratch.list + c * p;
        double* const b = scratch.work + 2 * c * p;
        double* const u = b + p;
        const std::int64_t count = list_features(problem, c, U, B, list, b, u);
        for (int sweep = 0; sweep < sweeps; ++sweep)
            for (std::int64_t first = 0; first < count; first += group) {
                const int width = static_cast<int>(count - first < group ? count - first : group);
                for (int e = thread; e < width * width; e += block_threads) {
                    const int i = e / width;
                    const int k = e % width;
                    square[i * (group + 1) + k] = cell(C, list[first + i], list[first + k]);
                }
                __syncthreads();
                if (thread < warp_size) {
                    const bool exists = thread < width;
                    // Lanes without a coordinate read what is there, which may be anything, and keep nothing of it.
                    if (!exists)
                        for (int i = 0; i < width; ++i) square[i * (group + 1) + thread] = 0;
                    __syncwarp();
                    const std::int64_t e = first + (exists ? thread : 0);
                    double at = exists ? b[e] : 0.0;
                    moves[thread] = descend_group(problem, problem.lambda[c], list[e], exists, width, square,
                                                  exists ? u[e] : 0.0, at);
                    if (exists) b[e] = at;
                }
                __syncthreads();
                for (int i = 0; i < width; ++i) {
                    const double moved = moves[i];
                    if (moved == 0) continue;
                    const T* const row = C.data + std::int64_t{list[first + i]} * C.stride;
                    for (std::int64_t e = thread; e < count; e += block_threads)
                        u[e] -= moved * static_cast<double>(row[list[e]]);
                }
                __syncthreads(); // before the next group reads
            }
        put_back(B, c, list, count, b);
        __syncthreads(); // before the next column's list overwrites
    }
}

} // namespace

template <class T>
void covariance_sweeps(const panel_view<const T>& C, const restricted_view& problem, int sweeps, const int* open,
                       const panel_view<const double>& U, const panel_view<double>& B, const sweep_scratch& scratch,
                       stream_view stream)
{
    if (B.rows == 0 || B.cols == 0) return;
    launch(covariance_sweeps_kernel<T>, grid("covariance_sweeps", B.cols, 1, 1, stream), C, problem, sweeps, open, U, B,
           scratch);
}

template void covariance_sweeps<float>(const panel_view<const float>&, const restricted_view&, int, const int*,
                                       const panel_view<const double>&, const panel_view<double>&, const sweep_scratch&,
                                       stream_view);
template void covariance_sweeps<double>(const panel_view<const double>&, const restricted_view&, int, const int*,
                                        const panel_view<const double>&, const panel_view<double>&,
                                        const sweep_scratch&, stream_view);

} // namespace proxpath::kernels
