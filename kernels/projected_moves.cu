// Newton steps taken: how far a step may go, the point it leads to with coefficients stopping at zero or their bounds,
// what that does to the objective, and the move itself. A step reads 3 p k numbers for each length that is tried.

#include "kernels/block.cuh"
#include "kernels/cells.cuh"
#include "kernels/descent_launchers.hpp"
#include "kernels/row_sums.cuh"
#include "kernels/sign_steps.cuh"

namespace proxpath::kernels {

namespace {

__device__ inline double stop_length(const restricted_view& problem, const panel_view<const double>& x,
                                     const panel_view<const double>& B, std::int64_t j, std::int64_t c)
{
    const double step = cell(x, j, c);
    // Only free features have a step.
    return step == 0 ? 2.0 : length_to_stop(problem.penalty, j, cell(B, j, c), step);
}

/// Fall of the objective along x, per unit.
struct fall_term {
    restricted_view problem;
    panel_view<const double> x;
    panel_view<const double> U;
    panel_view<const double> B;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        const double step = cell(x, j, c);
        if (step == 0) return;
        sum[0] += step * downhill(problem, j, c, cell(U, j, c), cell(B, j, c));
    }
};

__global__ void __launch_bounds__(block_threads)
    find_stops_kernel(restricted_view problem, panel_view<const double> x, const int* taken, panel_view<const double> B,
                      double* lengths, std::int64_t* count)
{
    for (std::int64_t c = blockIdx.x; c < B.cols; c += gridDim.x) {
        double* const own = lengths + c * B.rows;
        const std::int64_t found =
            taken[c] == 0
                ? 0
                : block_list(
                      B.rows, [&](std::int64_t j) { return stop_length(problem, x, B, j, c) < 1; },
                      [&](std::int64_t place, std::int64_t j) { own[place] = stop_length(problem, x, B, j, c); });
        if (threadIdx.x == 0) count[c] = found;
    }
}

/// Positive doubles are ordered as their bits are: halving the bits finds the rank-th in 63 counts.
__global__ void __launch_bounds__(block_threads)
    select_stops_kernel(const double* lengths, const std::int64_t* count, const std::int64_t* rank, std::int64_t p,
                        std::int64_t k, const int* taken, double* length)
{
    for (std::int64_t c = blockIdx.x; c < k; c += gridDim.x) {
        if (taken[c] == 0) continue;
        const double* const own = lengths + c * p;
        std::uint64_t low = 0;
        std::uint64_t high = 0x3ff0000000000000u; // the bits of 1, below which all of them are
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            const double limit = __longlong_as_double(static_cast<long long>(middle));
            double within[1] = {};
            for (std::int64_t e = threadIdx.x; e < count[c]; e += block_threads) within[0] += own[e] <= limit ? 1 : 0;
            block_sums(within);
            if (within[0] >= static_cast<double>(rank[c]))
                high = middle;
            else
                low = middle + 1;
        }
        if (threadIdx.x == 0) length[c] = __longlong_as_double(static_cast<long long>(low));
    }
}

struct move_term {
    restricted_view problem;
    panel_view<const double> x;
    const double* length;
    const int* taken;
    panel_view<const double> B;
    panel_view<double> M;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        double& move = M.data[j * M.stride + c];
        move = 0;
        const double step = cell(x, j, c);
        if (taken[c] == 0 || step == 0) return;
        const penalty_arrays& penalty = problem.penalty;
        const double b = cell(B, j, c);
        double to = b + length[c] * step;
        if (length_to_stop(penalty, j, b, step) <= length[c]) {
            to = stop_of(penalty, j, b, step);
            sum[1] += 1;
        }
        if (!(fabs(to) <= 1.7976931348623157e308)) { // infinite or NaN
            sum[2] += 1;
            return;
        }
        move = to == 0 ? -b : to - b;
        sum[0] +=
            problem.lambda[c] * (penalty.l1[j] * (fabs(to) - fabs(b)) + 0.5 * penalty.l2[j] * (to - b) * (to + b));
    }
};

struct loss_term {
    panel_view<const double> M;
    panel_view<const double> H;
    panel_view<const double> U;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        const double move = cell(M, j, c);
        if (move != 0) sum[0] += move * (0.5 * cell(H, j, c) - cell(U, j, c));
    }
};

struct accepted_cell {
    restricted_view problem;
    const int* taken;
    panel_view<const double> M;
    panel_view<const double> H;
    panel_view<double> B;
    panel_view<double> U;
    __device__ void operator()(std::int64_t j, std::int64_t c) const
    {
        if (taken[c] == 0) return;
        U.data[j * U.stride + c] -= cell(H, j, c);
        const double move = cell(M, j, c);
        if (move == 0) return;
        const double to = cell(B, j, c) + move;
        const double raised = to < problem.penalty.lower[j] ? problem.penalty.lower[j] : to;
        B.data[j * B.stride + c] = raised > problem.penalty.upper[j] ? problem.penalty.upper[j] : raised;
    }
};

} // namespace

void find_stops(const restricted_view& problem, const panel_view<const double>& x, const int* taken,
                const panel_view<const double>& U, const panel_view<const double>& B, double* lengths,
                std::int64_t* count, double* fall, double* scratch, stream_view stream)
{
    if (B.cols == 0) return;
    row_sums<1>("find_stops", B.rows, B.cols, fall_term{problem, x, U, B}, fall, scratch, stream);
    launch(find_stops_kernel, grid("find_stops", B.cols, 1, 1, stream), problem, x, taken, B, lengths, count);
}

void select_stops(const double* lengths, const std::int64_t* count, const std::int64_t* rank, std::int64_t p,
                  std::int64_t k, const int* taken, double* length, stream_view stream)
{
    if (k == 0) return;
    launch(select_stops_kernel, grid("select_stops", k, 1, 1, stream), lengths, count, rank, p, k, taken, length);
}

void projected_moves(const restricted_view& problem, const panel_view<const double>& x, const double* length,
                     const int* taken, const panel_view<const double>& B, const panel_view<double>& M, double* sums,
                     double* scratch, stream_view stream)
{
    row_sums<3>("projected_moves", B.rows, B.cols, move_term{problem, x, length, taken, B, M}, sums, scratch, stream);
}

void loss_changes(const panel_view<const double>& M, const panel_view<const double>& H,
                  const panel_view<const double>& U, double* change, double* scratch, stream_view stream)
{
    row_sums<1>("loss_changes", M.rows, M.cols, loss_term{M, H, U}, change, scratch, stream);
}

void accept_moves(const restricted_view& problem, const int* taken, const panel_view<const double>& M,
                  const panel_view<const double>& H, const panel_view<double>& B, const panel_view<double>& U,
                  stream_view stream)
{
    for_each_cell("accept_moves", B.rows, B.cols, accepted_cell{problem, taken, M, H, B, U}, stream);
}

} // namespace proxpath::kernels
