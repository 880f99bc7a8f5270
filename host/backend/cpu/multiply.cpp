// V = X̃B and V = y − X̃B on the CPU. Each piece of work owns a range of rows and walks all columns whose row of B is not
// zero, in order, so every V_i is summed in the same order however many pieces there are.

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <vector>

namespace proxpath::backend {

namespace {

/// V[row] += (x − shift) b over the stored entries from `begin` on whose row is below `last`; returns where it stopped.
template <class Rows, class Values>
std::int64_t add_column(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, double shift,
                        const double* b, std::int64_t stride, double* V, std::int64_t first, std::int64_t last)
{
    std::int64_t i = begin;
    for (; i < end && static_cast<std::int64_t>(rows[i]) < last; ++i) {
        const double x = static_cast<double>(values[i]) - shift;
        double* const v = V + (static_cast<std::int64_t>(rows[i]) - first) * stride;
        if (stride == 1) {
            v[0] += x * b[0];
        } else {
#pragma omp simd
            for (std::int64_t c = 0; c < stride; ++c) v[c] += x * b[c];
        }
    }
    return i;
}

/// The columns that take part, in order, by the blocks that hold them.
struct block_share {
    const storage::column_block* block;
    std::size_t first; ///< in the list of columns
    std::size_t last;
};

std::vector<block_share> by_blocks(const storage::column_store& store, const std::vector<std::int64_t>& columns)
{
    std::vector<block_share> shares;
    for (std::size_t u = 0; u < columns.size(); ++u) {
        const bool same = !shares.empty() && columns[u] < shares.back().block->first + shares.back().block->count;
        if (same)
            shares.back().last = u + 1;
        else
            shares.push_back({&storage::block_of(store, columns[u]), u, u + 1});
    }
    return shares;
}

/// Calls f(list index, block's indices, block's values, first position, end position) for each column of the list.
template <class F>
void for_each_column(const std::vector<block_share>& shares, const std::vector<std::int64_t>& columns, const F& f)
{
    for (const block_share& share : shares)
        storage::visit_block(*share.block, [&](auto indices, auto values) {
            for (std::size_t u = share.first; u < share.last; ++u) {
                const std::int64_t local = columns[u] - share.block->first;
                f(u, indices, values, share.block->offsets[local], share.block->offsets[local + 1]);
            }
        });
}

/// V_ic = finish(i, (X̃B)_ic)
template <class T, class Finish>
void multiply_rows(const design& X, const panel<T>& B, panel<T>& V, int threads, const Finish& finish)
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

    // A piece of work is a range of rows, cut into strips whose rows of V (kept in double) stay in the cache. Each
    // column remembers where the strip before ended: looking it up anew took half of the time on debian_counts.
    const std::vector<block_share> shares = by_blocks(columns.store(), used);
    constexpr std::int64_t cached_numbers = 32768;
    const std::int64_t strip_rows = std::max<std::int64_t>(1, cached_numbers / std::max<std::int64_t>(stride, 1));
    const std::int64_t strips = parallel::pieces(V.rows, strip_rows);
    const std::int64_t wanted = std::clamp<std::int64_t>(strips, threads, std::int64_t{4} * threads);
    const std::int64_t pieces = std::clamp<std::int64_t>(V.rows, 1, wanted); // a row's sum is the same in any piece
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        const std::int64_t piece_first = V.rows * piece / pieces;
        const std::int64_t piece_last = V.rows * (piece + 1) / pieces;
        std::vector<std::int64_t> cursors(used.size());
        for_each_column(shares, used, [&](std::size_t u, auto indices, auto, std::int64_t begin, std::int64_t end) {
            cursors[u] = storage::lower_position(indices.column(begin), begin, end, piece_first);
        });
        std::vector<double> sums(static_cast<std::size_t>(std::min(strip_rows, piece_last - piece_first) * stride));
        for (std::int64_t first = piece_first; first < piece_last; first += strip_rows) {
            const std::int64_t last = std::min(piece_last, first + strip_rows);
            std::fill(sums.begin(), sums.end(), 0.0);
            for_each_column(shares, used,
                            [&](std::size_t u, auto indices, auto values, std::int64_t begin, std::int64_t end) {
                                cursors[u] = add_column(indices.column(begin), values, cursors[u], end,
                                                        scaling.shift[static_cast<std::size_t>(used[u])],
                                                        scaled.data() + u * static_cast<std::size_t>(stride), stride,
                                                        sums.data(), first, last);
                            });
            for (std::int64_t i = first; i < last; ++i)
                for (std::int64_t c = 0; c < V.cols; ++c)
                    V.row(i)[c] = static_cast<T>(finish(i, sums[static_cast<std::size_t>((i - first) * stride + c)] -
                                                               taken[static_cast<std::size_t>(c)]));
        }
    });
}

} // namespace

template <class T>
void cpu_operations<T>::multiply(const design& X, const panel<T>& B, panel<T>& V) const
{
    multiply_rows(X, B, V, threads_, [](std::int64_t, double product) { return product; });
}

template <class T>
void cpu_operations<T>::residual(const design& X, const panel<T>& B, const panel<T>& y, panel<T>& V) const
{
    multiply_rows(X, B, V, threads_,
                  [&](std::int64_t i, double product) { return static_cast<double>(y.row(i)[0]) - product; });
}

template void cpu_operations<float>::multiply(const design&, const panel<float>&, panel<float>&) const;
template void cpu_operations<double>::multiply(const design&, const panel<double>&, panel<double>&) const;
template void cpu_operations<float>::residual(const design&, const panel<float>&, const panel<float>&,
                                              panel<float>&) const;
template void cpu_operations<double>::residual(const design&, const panel<double>&, const panel<double>&,
                                               panel<double>&) const;

} // namespace proxpath::backend
