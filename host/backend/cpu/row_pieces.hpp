// Elementwise operations on panels: rows in pieces of fixed size, per-column sums combined in the order of the pieces.
#pragma once

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace proxpath::backend {

/// Rows cut into 16 pieces at most, for what keeps large sums of its own for each: the same cut for any number of
/// threads.
struct few_row_pieces {
    explicit few_row_pieces(std::int64_t n)
        : rows(n), count(std::clamp<std::int64_t>(parallel::pieces(n, rows_per_piece), 1, 16))
    {}
    std::int64_t first(std::int64_t piece) const { return rows * piece / count; }
    std::int64_t last(std::int64_t piece) const { return first(piece + 1); }

    std::int64_t rows;
    std::int64_t count;
};

/// Calls f(row) for each row.
template <class F>
void for_each_row(int threads, std::int64_t rows, const F& f)
{
    parallel::parallel_for(threads, parallel::pieces(rows, rows_per_piece), [&](std::int64_t piece) {
        const std::int64_t end = std::min(rows, (piece + 1) * rows_per_piece);
        for (std::int64_t i = piece * rows_per_piece; i < end; ++i) f(i);
    });
}

/// Calls f(row, sums) for each row; `sums` has one Sum per column for each piece, merged by `merge` into `total`.
template <class Sum, class F, class Merge>
void sum_rows(int threads, std::int64_t rows, std::int64_t columns, Sum* total, const F& f, const Merge& merge)
{
    const std::int64_t pieces = parallel::pieces(rows, rows_per_piece);
    const auto width = static_cast<std::size_t>(columns);
    std::vector<Sum> partial(static_cast<std::size_t>(pieces) * width);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        Sum* const sums = partial.data() + static_cast<std::size_t>(piece) * width;
        const std::int64_t end = std::min(rows, (piece + 1) * rows_per_piece);
        for (std::int64_t i = piece * rows_per_piece; i < end; ++i) f(i, sums);
    });
    for (std::size_t c = 0; c < width; ++c) total[c] = Sum{};
    for (std::size_t piece = 0; piece < static_cast<std::size_t>(pieces); ++piece)
        for (std::size_t c = 0; c < width; ++c) merge(total[c], partial[piece * width + c]);
}

} // namespace proxpath::backend
