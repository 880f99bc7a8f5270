// C = X̃'R on the CPU: one column of X at a time against the whole batch. R is read by gather, k numbers in a row for
// each non-zero; blocks of columns are the pieces of work.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>

namespace proxpath::backend {

template <class T>
std::vector<double> panel_column_sums(const panel<T>& R, int threads)
{
    const std::int64_t pieces = parallel::pieces(R.rows, rows_per_piece);
    const auto stride = static_cast<std::size_t>(R.stride);
    std::vector<double> partial(static_cast<std::size_t>(pieces) * stride, 0.0);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        double* const sums = partial.data() + static_cast<std::size_t>(piece) * stride;
        const std::int64_t end = std::min(R.rows, (piece + 1) * rows_per_piece);
        for (std::int64_t i = piece * rows_per_piece; i < end; ++i)
            for (std::int64_t c = 0; c < R.stride; ++c) sums[c] += static_cast<double>(R.row(i)[c]);
    });
    std::vector<double> sums(stride, 0.0);
    for (std::size_t piece = 0; piece < static_cast<std::size_t>(pieces); ++piece)
        for (std::size_t c = 0; c < stride; ++c) sums[c] += partial[piece * stride + c];
    return sums;
}

template std::vector<double> panel_column_sums<float>(const panel<float>&, int);
template std::vector<double> panel_column_sums<double>(const panel<double>&, int);

template <class T>
void cpu_operations<T>::transpose_multiply(const design& X, const panel<T>& R, panel<T>& C) const
{
    const cpu_design& columns = as_cpu(X);
    const auto& blocks = columns.store().blocks;
    const std::vector<double> row_sums = panel_column_sums(R, threads_);
    parallel::parallel_for(threads_, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t b) {
        std::vector<double> scratch(static_cast<std::size_t>(R.stride));
        correlate_block(
            columns, blocks[static_cast<std::size_t>(b)], R, row_sums.data(), scratch.data(),
            [](std::int64_t) { return true; },
            [&](std::int64_t j, const double* correlation) {
                for (std::int64_t c = 0; c < R.cols; ++c) C.row(j)[c] = static_cast<T>(correlation[c]);
            });
    });
}

template void cpu_operations<float>::transpose_multiply(const design&, const panel<float>&, panel<float>&) const;
template void cpu_operations<double>::transpose_multiply(const design&, const panel<double>&, panel<double>&) const;

} // namespace proxpath::backend
