// Conjugate gradients on the Newton systems of all columns at once (masked: each column on the features that are free
// in it, and until its own end), in the form of Hestenes & Stiefel 1952 with the diagonal 1 + λ l2 as preconditioner.
// The products with C are the caller's; here is what is done with them, and the control of every column, which stays on
// the device: the host asks only now and then whether any column is open. A step moves 8 p k numbers.

#include "kernels/cells.cuh"
#include "kernels/descent_launchers.hpp"
#include "kernels/row_sums.cuh"
#include "kernels/sign_steps.cuh"

namespace proxpath::kernels {

namespace {

constexpr int begin_sums = 3;
constexpr int step_sums = 2;

__device__ inline double& at(const panel_view<double>& of, std::int64_t j, std::int64_t c)
{
    return of.data[j * of.stride + c];
}

__device__ inline double diagonal_of(const restricted_view& problem, std::int64_t j, std::int64_t c)
{
    return problem.lambda[c] * problem.penalty.l2[j];
}

/// Sums: r'z, ‖r / unit‖², Σ unit |b| over S.
struct begin_term {
    restricted_view problem;
    newton_systems systems;
    const int* taken;
    panel_view<const double> U;
    panel_view<const double> B;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        const double b = cell(B, j, c);
        const double r = taken[c] != 0 ? downhill(problem, j, c, cell(U, j, c), b) : 0.0;
        const double z = r / (1 + diagonal_of(problem, j, c));
        const double unit = residual_unit(problem.penalty, j);
        at(systems.x, j, c) = 0;
        at(systems.r, j, c) = r;
        at(systems.d, j, c) = z;
        sum[0] += r * z;
        sum[1] += (r / unit) * (r / unit);
        if (is_free(problem, j, b)) sum[2] += unit * fabs(b);
    }
};

__global__ void __launch_bounds__(block_threads)
    open_systems_kernel(newton_systems systems, std::int64_t k, const int* taken, double gap_goal,
                        const double* residual_share, double enough)
{
    const std::int64_t c = std::int64_t{blockIdx.x} * block_threads + threadIdx.x;
    if (c >= k) return;
    const double rz = systems.sums[c];
    const double norm_square = systems.sums[k + c];
    const double size = systems.sums[2 * k + c];
    // With all correlations of the support off by δ l1, the dual point shrinks by δ / λ and the gap grows by
    // δ Σ l1 |b|. The norm is at least the largest of them.
    const double goal = size > 0 ? gap_goal / size : 0.0;
    const double share = residual_share[c] * residual_share[c] * norm_square;
    systems.rz[c] = rz;
    systems.goal[c] = goal * goal > share ? goal * goal : share;
    systems.target[c] = enough * rz;
    systems.steps[c] = 0;
    systems.open[c] = taken[c] != 0 && rz > 0 && systems.limit[c] > 0;
}

/// d'(C + λ diag(l2) + ridge)d
struct curvature_term {
    restricted_view problem;
    newton_systems systems;
    panel_view<const double> H;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        const double d = at(systems.d, j, c);
        if (d != 0) sum[0] += d * (cell(H, j, c) + (diagonal_of(problem, j, c) + systems.ridge) * d);
    }
};

__global__ void __launch_bounds__(block_threads) set_lengths_kernel(newton_systems systems, std::int64_t k)
{
    const std::int64_t c = std::int64_t{blockIdx.x} * block_threads + threadIdx.x;
    if (c >= k) return;
    const double curvature = systems.sums[c];
    const bool goes = systems.open[c] != 0 && curvature > 0;
    systems.length[c] = goes ? systems.rz[c] / curvature : 0.0;
    if (goes) ++systems.steps[c];
    systems.open[c] = goes ? 1 : 0;
}

/// x and r after the step. Sums: r'z, ‖r / unit‖².
struct move_term {
    restricted_view problem;
    newton_systems systems;
    panel_view<const double> B;
    panel_view<const double> H;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        if (systems.open[c] == 0) return;
        if (!is_free(problem, j, cell(B, j, c))) return;
        const double length = systems.length[c];
        const double d = at(systems.d, j, c);
        const double diagonal = diagonal_of(problem, j, c);
        double& r = at(systems.r, j, c);
        at(systems.x, j, c) += length * d;
        r -= length * (cell(H, j, c) + (diagonal + systems.ridge) * d);
        const double scaled = r / residual_unit(problem.penalty, j);
        sum[0] += r * (r / (1 + diagonal));
        sum[1] += scaled * scaled;
    }
};

__global__ void __launch_bounds__(block_threads) set_turns_kernel(newton_systems systems, std::int64_t k)
{
    const std::int64_t c = std::int64_t{blockIdx.x} * block_threads + threadIdx.x;
    if (c >= k || systems.open[c] == 0) return;
    const double rz = systems.sums[c];
    systems.turn[c] = rz / systems.rz[c];
    systems.rz[c] = rz;
    systems.open[c] =
        rz > systems.target[c] && systems.sums[k + c] > systems.goal[c] && systems.steps[c] < systems.limit[c];
}

/// d = z + turn d
struct turn_cell {
    restricted_view problem;
    newton_systems systems;
    __device__ void operator()(std::int64_t j, std::int64_t c) const
    {
        if (systems.open[c] == 0) return;
        double& d = at(systems.d, j, c);
        d = at(systems.r, j, c) / (1 + diagonal_of(problem, j, c)) + systems.turn[c] * d;
    }
};

} // namespace

void begin_newton(const restricted_view& problem, const newton_systems& systems, const int* taken, double gap_goal,
                  const double* residual_share, double enough, const panel_view<const double>& U,
                  const panel_view<const double>& B, double* scratch, stream_view stream)
{
    const std::int64_t k = B.cols;
    if (k == 0) return;
    row_sums<begin_sums>("begin_newton", B.rows, k, begin_term{problem, systems, taken, U, B}, systems.sums, scratch,
                         stream);
    launch(open_systems_kernel, grid("begin_newton", k, block_threads, 1, stream), systems, k, taken, gap_goal,
           residual_share, enough);
}

void step_newton(const restricted_view& problem, const newton_systems& systems, const panel_view<const double>& B,
                 const panel_view<const double>& H, double* scratch, stream_view stream)
{
    const std::int64_t k = B.cols;
    if (k == 0) return;
    const launch_config one_each = grid("step_newton", k, block_threads, 1, stream);
    row_sums<1>("step_newton", B.rows, k, curvature_term{problem, systems, H}, systems.sums, scratch, stream);
    launch(set_lengths_kernel, one_each, systems, k);
    row_sums<step_sums>("step_newton", B.rows, k, move_term{problem, systems, B, H}, systems.sums, scratch, stream);
    launch(set_turns_kernel, one_each, systems, k);
    for_each_cell("step_newton", B.rows, k, turn_cell{problem, systems}, stream);
}

} // namespace proxpath::kernels
