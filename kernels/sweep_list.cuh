// The features that a sweep goes over, side by side in the memory of one block: those in use and those that would move,
// as the correlations stand when it begins. Panels hold the columns of a batch interleaved; a sweep reads its own again
// and again, so it takes them out once and puts the coefficients back at the end.
#pragma once

#include "host/backend/penalty.hpp"
#include "kernels/block.cuh"
#include "kernels/descent_launchers.hpp"

namespace proxpath::kernels {

/// @return how many; the same in all threads, which call it together
/// @param u null, or memory for the correlations too
__device__ inline std::int64_t list_features(const restricted_view& problem, std::int64_t c,
                                             const panel_view<const double>& U, const panel_view<double>& B,
                                             std::uint32_t* list, double* b, double* u)
{
    const double lambda = problem.lambda[c];
    const penalty_arrays& penalty = problem.penalty;
    const auto moves = [&](std::int64_t j) {
        const double q = problem.curvature[j];
        if (!(q > 0)) return false;
        const double at = cell(B, j, c);
        return at != 0 || backend::prox(cell(U, j, c), q, lambda * penalty.l1[j], lambda * penalty.l2[j],
                                        penalty.lower[j], penalty.upper[j]) != 0;
    };
    return block_list(B.rows, moves, [&](std::int64_t place, std::int64_t j) {
        list[place] = static_cast<std::uint32_t>(j);
        b[place] = cell(B, j, c);
        if (u != nullptr) u[place] = cell(U, j, c);
    });
}

__device__ inline void put_back(const panel_view<double>& B, std::int64_t c, const std::uint32_t* list,
                                std::int64_t count, const double* b)
{
    for (std::int64_t e = threadIdx.x; e < count; e += block_threads)
        B.data[std::int64_t{list[e]} * B.stride + c] = b[e];
}

} // namespace proxpath::kernels
