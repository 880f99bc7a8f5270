// The inner loop that X'R, the correlation pass and the Gram matrix share: one stored column against K columns of a
// row-major panel, gathered in registers. The sum runs over the non-zeros in row order for every K, so a column of the
// batch gets the same bits whichever tile it falls in (K ≥ 8; narrow panels use four partial sums to hide latency).
#pragma once

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/panel.hpp"
#include "host/matrix/column_store.hpp"

#include <cstdint>
#include <vector>

namespace proxpath::backend {

/// Widest tile of the batch: 32 doubles are four AVX-512 or eight AVX2 registers.
constexpr std::int64_t widest_tile = 32;

/// out[0 … K) = Σ (x − shift) R[row][0 … K). Bytes for each non-zero: its own and K sizeof(T) gathered.
template <int K, class T, class Rows, class Values>
inline void column_times_tile(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, const T* R,
                              std::int64_t stride, double shift, double* out)
{
    constexpr int lanes = K < 8 ? 4 : 1;
    double sum[lanes][K] = {};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            const double x = static_cast<double>(values[i + lane]) - shift;
            const T* const r = R + static_cast<std::int64_t>(rows[i + lane]) * stride;
#pragma GCC unroll 32
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

/// The whole padded width of the panel, in tiles of 32, 16, 8 and what is narrower.
template <class T, class Rows, class Values>
inline void column_times_panel(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, const T* R,
                               std::int64_t stride, double shift, double* out)
{
    std::int64_t c = 0;
    for (; c + 32 <= stride; c += 32) column_times_tile<32>(rows, values, begin, end, R + c, stride, shift, out + c);
    for (; c + 16 <= stride; c += 16) column_times_tile<16>(rows, values, begin, end, R + c, stride, shift, out + c);
    for (; c + 8 <= stride; c += 8) column_times_tile<8>(rows, values, begin, end, R + c, stride, shift, out + c);
    for (; c + 4 <= stride; c += 4) column_times_tile<4>(rows, values, begin, end, R + c, stride, shift, out + c);
    for (; c + 2 <= stride; c += 2) column_times_tile<2>(rows, values, begin, end, R + c, stride, shift, out + c);
    for (; c < stride; ++c) column_times_tile<1>(rows, values, begin, end, R + c, stride, shift, out + c);
}

/// Calls f(j, correlations) for every column of a block, correlations[0 … stride) = x̃_j'R before padding is cut.
/// @param row_sums Σ_i R_ic, stride numbers
/// @param take     take(j) false skips the column
template <class T, class Take, class F>
void correlate_block(const cpu_design& X, const storage::column_block& block, const panel<T>& R, const double* row_sums,
                     double* scratch, const Take& take, const F& f)
{
    const column_scaling& scaling = X.scaling();
    storage::visit_block(block, [&](auto indices, auto values) {
        for (std::int64_t local = 0; local < block.count; ++local) {
            const std::int64_t j = block.first + local;
            if (!take(j)) continue;
            const auto at = static_cast<std::size_t>(j);
            const std::int64_t begin = block.offsets[local];
            column_times_panel(indices.column(begin), values, begin, block.offsets[local + 1], R.data, R.stride,
                               scaling.shift[at], scratch);
            const double center = scaling.center[at];
            const double inverse = scaling.inverse[at];
            for (std::int64_t c = 0; c < R.stride; ++c) scratch[c] = inverse * (scratch[c] - center * row_sums[c]);
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
