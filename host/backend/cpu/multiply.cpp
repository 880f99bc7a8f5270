// V = X̃B on the CPU. Each piece of work owns a range of rows and walks all columns whose row of B is not zero, in
// order, so every V_i is summed in the same order however many pieces there are.

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>

namespace proxpath::backend {

namespace {

/// First position in [begin, end) whose row is at least `row`.
template <class Rows>
std::int64_t lower_position(const Rows& rows, std::int64_t begin, std::int64_t end, std::int64_t row)
{
    while (begin < end) {
        const std::int64_t middle = begin + (end - begin) / 2;
        if (static_cast<std::int64_t>(rows[middle]) < row)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/// V[row] += (x − shift) b over the stored entries of rows [first, last).
template <class Rows, class Values>
void add_column(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, double shift,
                const double* b, std::int64_t stride, double* V, std::int64_t first)
{
    for (std::int64_t i = begin; i < end; ++i) {
        const double x = static_cast<double>(values[i]) - shift;
        double* const v = V + (static_cast<std::int64_t>(rows[i]) - first) * stride;
        if (stride == 1) {
            v[0] += x * b[0];
        } else {
#pragma omp simd
            for (std::int64_t c = 0; c < stride; ++c) v[c] += x * b[c];
        }
    }
}

} // namespace

template <class T>
void cpu_operations<T>::multiply(const design& X, const panel<T>& B, panel<T>& V) const
{
    const cpu_design& columns = as_cpu(X);
    const column_scaling& scaling = columns.scaling();
    const std::int64_t stride = B.stride;

    // Rows of B scaled once; which columns of X take part; what centring takes from every row.
    std::vector<std::int64_t> used;
    std::vector<double> scaled;
    std::vector<double> taken(static_cast<std::size_t>(stride), 0.0);
    for (std::int64_t j = 0; j < B.rows; ++j) {
        const T* const b = B.row(j);
        const double inverse = scaling.inverse[static_cast<std::size_t>(j)];
        if (inverse == 0 || std::all_of(b, b + B.cols, [](T value) { return value == 0; })) continue;
        used.push_back(j);
        for (std::int64_t c = 0; c < stride; ++c) {
            scaled.push_back(static_cast<double>(b[c]) * inverse);
            taken[static_cast<std::size_t>(c)] += scaling.center[static_cast<std::size_t>(j)] * scaled.back();
        }
    }

    // At least a piece a thread, and pieces whose rows of V (kept in double) stay in the cache.
    constexpr std::int64_t cached_numbers = 32768;
    const std::int64_t for_cache = parallel::pieces(V.rows * stride, cached_numbers);
    const std::int64_t pieces =
        std::max<std::int64_t>(1, std::min({V.rows, std::int64_t{4096}, std::max<std::int64_t>(threads_, for_cache)}));
    parallel::parallel_for(threads_, pieces, [&](std::int64_t piece) {
        const std::int64_t first = V.rows * piece / pieces;
        const std::int64_t last = V.rows * (piece + 1) / pieces;
        std::vector<double> sums(static_cast<std::size_t>((last - first) * stride), 0.0);
        for (std::size_t u = 0; u < used.size(); ++u) {
            const std::int64_t j = used[u];
            const storage::column_block& block = storage::block_of(columns.store(), j);
            storage::visit_block(block, [&](auto indices, auto values) {
                const std::int64_t local = j - block.first;
                const std::int64_t begin = block.offsets[local];
                const std::int64_t end = block.offsets[local + 1];
                const auto rows = indices.column(begin);
                const std::int64_t from = lower_position(rows, begin, end, first);
                const std::int64_t to = lower_position(rows, from, end, last);
                add_column(rows, values, from, to, scaling.shift[static_cast<std::size_t>(j)],
                           scaled.data() + u * static_cast<std::size_t>(stride), stride, sums.data(), first);
            });
        }
        for (std::int64_t i = first; i < last; ++i)
            for (std::int64_t c = 0; c < V.cols; ++c)
                V.row(i)[c] = static_cast<T>(sums[static_cast<std::size_t>((i - first) * stride + c)] -
                                             taken[static_cast<std::size_t>(c)]);
    });
}

template void cpu_operations<float>::multiply(const design&, const panel<float>&, panel<float>&) const;
template void cpu_operations<double>::multiply(const design&, const panel<double>&, panel<double>&) const;

} // namespace proxpath::backend
