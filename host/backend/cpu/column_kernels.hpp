// The inner loop that X'R, the correlation pass and the Gram matrix share: one stored column against K columns of a
// row-major panel, gathered in registers. The sum runs over the non-zeros in row order for every K, so a column of the
// batch gets the same bits whichever tile it falls in (K ≥ 8; narrower ones use partial sums to hide latency).
#pragma once

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/panel.hpp"
#include "host/matrix/column_store.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

namespace proxpath::backend {

/// Widest tile of the batch: 32 doubles are eight AVX2 registers.
constexpr std::int64_t widest_tile = 32;

/// Non-zeros ahead of which rows of the panel are asked for. The processor looks ahead by itself, but not far enough to
/// hide the third-level cache: X'R with k = 32 on debian_counts took 40 ms without, 27 ms with 8, 24 ms with 16 (one
/// core; float 39, 20 and 18).
constexpr std::int64_t prefetch_distance = 16;

namespace detail {

// Four numbers at a time, in the vectors that gcc and clang know on every processor. Float is widened on the way from
// memory; left to themselves compilers load eight and take them apart.
typedef double four_doubles __attribute__((vector_size(32)));
template <class T>
struct four_in_memory;
template <>
struct four_in_memory<double> {
    typedef double type __attribute__((vector_size(32), aligned(8), may_alias));
};
template <>
struct four_in_memory<float> {
    typedef float type __attribute__((vector_size(16), aligned(4), may_alias));
};

} // namespace detail

/// out[0 … K) = Σ (x − shift) R[row][0 … K). Bytes for each non-zero: its own and K sizeof(T) gathered.
/// @param foreseen positions up to here belong to columns that are likely to come next; at least `end`
template <int K, class T, class Rows, class Values>
inline void column_times_tile(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                              std::int64_t foreseen, const T* R, std::int64_t stride, double shift, double* out)
{
    static_assert(K % 8 == 0);
    constexpr int line_numbers = 64 / sizeof(T);
    using detail::four_doubles;
    four_doubles sum[K / 4] = {};
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t ahead = i + prefetch_distance < foreseen ? i + prefetch_distance : foreseen - 1;
        const T* const later = R + static_cast<std::int64_t>(rows[ahead]) * stride;
#pragma GCC unroll 8
        for (int c = 0; c < K; c += line_numbers) __builtin_prefetch(later + c, 0, 3);
        const double x = static_cast<double>(values[i]) - shift;
        const T* const r = R + static_cast<std::int64_t>(rows[i]) * stride;
        using memory = typename detail::four_in_memory<T>::type;
#pragma GCC unroll 8
        for (int c = 0; c < K / 4; ++c)
            sum[c] += x * __builtin_convertvector(reinterpret_cast<const memory*>(r)[c], four_doubles);
    }
    std::memcpy(out, sum, sizeof sum);
}

/// The same for fewer than eight columns: four partial sums, because one would wait for itself.
template <int K, class T, class Rows, class Values>
inline void column_times_narrow_tile(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                                     const T* R, std::int64_t stride, double shift, double* out)
{
    constexpr int lanes = 4;
    double sum[lanes][K] = {};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            const double x = static_cast<double>(values[i + lane]) - shift;
            const T* const r = R + static_cast<std::int64_t>(rows[i + lane]) * stride;
            for (int c = 0; c < K; ++c) sum[lane][c] += x * static_cast<double>(r[c]);
        }
    }
    for (; i < end; ++i) {
        const double x = static_cast<double>(values[i]) - shift;
        const T* const r = R + static_cast<std::int64_t>(rows[i]) * stride;
        for (int c = 0; c < K; ++c) sum[0][c] += x * static_cast<double>(r[c]);
    }
    for (int c = 0; c < K; ++c) {
        double total = sum[0][c];
        for (int lane = 1; lane < lanes; ++lane) total += sum[lane][c];
        out[c] = total;
    }
}

/// The same for one packed column: nothing but the non-zeros and one number each is read, and many at a time.
template <class T, class Rows, class Values>
inline double column_times_vector(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                                  const T* r, double shift)
{
    constexpr int lanes = 8;
    double sum[lanes] = {};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes)
#pragma GCC unroll 8
        for (int lane = 0; lane < lanes; ++lane)
            sum[lane] += (static_cast<double>(values[i + lane]) - shift) *
                         static_cast<double>(r[static_cast<std::int64_t>(rows[i + lane])]);
    for (; i < end; ++i)
        sum[0] += (static_cast<double>(values[i]) - shift) * static_cast<double>(r[static_cast<std::int64_t>(rows[i])]);
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/// The whole padded width of the panel, in tiles of 32, 16, 8 and what is narrower.
template <class T, class Rows, class Values>
inline void column_times_panel(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                               std::int64_t foreseen, const T* R, std::int64_t stride, double shift, double* out)
{
    if (stride == 1) {
        out[0] = column_times_vector(rows, values, begin, end, R, shift);
        return;
    }
    std::int64_t c = 0;
    const auto tiles = [&]<int K>() {
        for (; c + K <= stride; c += K)
            column_times_tile<K>(rows, values, begin, end, foreseen, R + c, stride, shift, out + c);
    };
    tiles.template operator()<32>();
    tiles.template operator()<16>();
    tiles.template operator()<8>();
    const auto narrow_tiles = [&]<int K>() {
        for (; c + K <= stride; c += K)
            column_times_narrow_tile<K>(rows, values, begin, end, R + c, stride, shift, out + c);
    };
    narrow_tiles.template operator()<4>();
    narrow_tiles.template operator()<2>();
}

/// As above for a column that is not followed by its neighbour.
template <class T, class Rows, class Values>
inline void column_times_panel(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, const T* R,
                               std::int64_t stride, double shift, double* out)
{
    column_times_panel(rows, values, begin, end, end, R, stride, shift, out);
}

/// Last position of the block that may be looked at early. Rows of full columns follow one another anyway.
template <class Index>
std::int64_t foreseen_end(const storage::typed_indices<Index>&, const storage::column_block& block, std::int64_t)
{
    return block.offsets[block.count];
}
inline std::int64_t foreseen_end(const storage::full_indices&, const storage::column_block&, std::int64_t end)
{
    return end;
}

/// correlations[0 … stride) = x̃_j'R of column block.first + local, before padding is cut.
/// @param row_sums Σ_i R_ic, stride numbers
/// @param end_seen where looking ahead ends, see column_times_panel
template <class T, class Indices, class Values>
inline void correlate_column(const cpu_design& X, const storage::column_block& block, std::int64_t local,
                             const Indices& indices, const Values& values, const panel<T>& R, const double* row_sums,
                             std::int64_t end_seen, double* correlations)
{
    const auto at = static_cast<std::size_t>(block.first + local);
    const std::int64_t begin = block.offsets[local];
    column_times_panel(indices.column(begin), values, begin, block.offsets[local + 1], end_seen, R.data, R.stride,
                       X.scaling().shift[at], correlations);
    const double center = X.scaling().center[at];
    const double inverse = X.scaling().inverse[at];
    for (std::int64_t c = 0; c < R.stride; ++c) correlations[c] = inverse * (correlations[c] - center * row_sums[c]);
}

/// Calls f(j, correlations) for every column of a block, correlations[0 … stride) = x̃_j'R before padding is cut.
/// @param row_sums Σ_i R_ic, stride numbers
/// @param take     take(j) false skips the column
template <class T, class Take, class F>
void correlate_block(const cpu_design& X, const storage::column_block& block, const panel<T>& R, const double* row_sums,
                     double* scratch, const Take& take, const F& f)
{
    storage::visit_block(block, [&](auto indices, auto values) {
        for (std::int64_t local = 0; local < block.count; ++local) {
            const std::int64_t j = block.first + local;
            if (!take(j)) continue;
            correlate_column(X, block, local, indices, values, R, row_sums,
                             foreseen_end(indices, block, block.offsets[local + 1]), scratch);
            f(j, static_cast<const double*>(scratch));
        }
    });
}

/// Σ_i R_ic in pieces of fixed size, combined in order; `stride` numbers.
template <class T>
std::vector<double> panel_column_sums(const panel<T>& R, int threads);

extern template std::vector<double> panel_column_sums<float>(const panel<float>&, int);
extern template std::vector<double> panel_column_sums<double>(const panel<double>&, int);

} // namespace proxpath::backend
