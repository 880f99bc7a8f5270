// Which features a correlation pass looks at, and what is left to say of them: choices, bounds, counts.

#include "kernels/cells.cuh"
#include "kernels/chosen.cuh"
#include "kernels/correlation_pass.hpp"
#include "kernels/row_sums.cuh"

#include <cmath>

namespace proxpath::kernels {

namespace {

/// How a feature is chosen: by the length of its column.
__device__ std::uint8_t choice(const std::int64_t* offsets, std::int64_t j)
{
    return offsets[j + 1] - offsets[j] > segment_length ? 2 : 1;
}

template <class T>
struct choose_feature {
    const std::int64_t* offsets;
    const std::uint8_t* skip;
    const std::int64_t* position;
    panel_view<const T> coefficients;
    std::uint8_t* in_use;
    std::uint8_t* others;

    __device__ bool used(std::int64_t j) const
    {
        if (in_use == nullptr || position[j] < 0) return false;
        for (std::int64_t c = 0; c < coefficients.cols; ++c)
            if (cell(coefficients, position[j], c) != 0) return true;
        return false;
    }
    __device__ void operator()(std::int64_t j, std::int64_t) const
    {
        const std::uint8_t kind = skip[j] != 0 ? 0 : choice(offsets, j);
        const bool is_used = kind != 0 && used(j);
        if (in_use != nullptr) in_use[j] = is_used ? kind : 0;
        others[j] = is_used ? 0 : kind;
    }
};

struct limit_of_column {
    const double* scale;
    const double* s_max;
    double* limit;
    __device__ void operator()(std::int64_t c, std::int64_t) const
    {
        const double low = s_max[c] < scale[c] ? s_max[c] : scale[c];
        limit[c] = low < 1 ? 1 : low; // NaN stays
    }
};

struct beyond_bound {
    const std::uint8_t* among;
    bound_arrays bound;
    const double* l1;
    std::uint8_t* beyond;

    __device__ bool kept(std::int64_t j) const
    {
        const double from = bound.from[j];
        const double step = bound.to[j] - from;
        for (std::int64_t c = 0; c < bound.k; ++c) {
            const double between = from + bound.position[c] * step;
            // NaN must not pass.
            if (!((std::fabs(between) + bound.radius[c]) * bound.limit[c] <= bound.lambda[c] * l1[j])) return false;
        }
        return true;
    }
    __device__ void operator()(std::int64_t j, std::int64_t) const
    {
        beyond[j] = among[j] != 0 && !kept(j) ? among[j] : 0;
    }
};

struct entries_term {
    const std::int64_t* offsets;
    const std::uint8_t* chosen;
    __device__ void operator()(std::int64_t j, std::int64_t, double* sum) const
    {
        if (chosen[j] != 0) sum[0] += static_cast<double>(offsets[j + 1] - offsets[j]);
    }
};

struct violator_words {
    const std::int64_t* ids;
    std::int64_t tiles;
    chosen_view chosen;
    const std::uint32_t* leaving;
    std::int64_t chosen_count;
    std::uint32_t* out;
    __device__ void operator()(std::int64_t v, std::int64_t t) const
    {
        out[v * tiles + t] = leaving[t * chosen_count + rank_of(chosen, ids[v])];
    }
};

} // namespace

template <class T>
void choose_features(std::int64_t p, const std::int64_t* offsets, const std::uint8_t* skip,
                     const std::int64_t* position, const panel_view<const T>& coefficients, std::uint8_t* in_use,
                     std::uint8_t* others, stream_view stream)
{
    for_each_cell("choose_features", p, 1, choose_feature<T>{offsets, skip, position, coefficients, in_use, others},
                  stream);
}

template void choose_features<float>(std::int64_t, const std::int64_t*, const std::uint8_t*, const std::int64_t*,
                                     const panel_view<const float>&, std::uint8_t*, std::uint8_t*, stream_view);
template void choose_features<double>(std::int64_t, const std::int64_t*, const std::uint8_t*, const std::int64_t*,
                                      const panel_view<const double>&, std::uint8_t*, std::uint8_t*, stream_view);

void dual_limits(std::int64_t k, const double* scale, const double* s_max, double* limit, stream_view stream)
{
    for_each_cell("dual_limits", k, 1, limit_of_column{scale, s_max, limit}, stream);
}

void choose_beyond_bound(std::int64_t p, const std::uint8_t* among, const bound_arrays& bound, const double* l1,
                         std::uint8_t* beyond, stream_view stream)
{
    for_each_cell("choose_beyond_bound", p, 1, beyond_bound{among, bound, l1, beyond}, stream);
}

void chosen_entries(std::int64_t p, const std::int64_t* offsets, const std::uint8_t* chosen, double* sum,
                    double* scratch, stream_view stream)
{
    row_sums<1>("chosen_entries", p, 1, entries_term{offsets, chosen}, sum, scratch, stream);
}

void violator_bits(const std::int64_t* ids, std::int64_t count, std::int64_t tiles, const chosen_view& chosen,
                   const std::uint32_t* leaving, std::int64_t chosen_count, std::uint32_t* out, stream_view stream)
{
    for_each_cell("violator_bits", count, tiles, violator_words{ids, tiles, chosen, leaving, chosen_count, out},
                  stream);
}

} // namespace proxpath::kernels
