// Walking down the rows of a design strip by strip, as what multiplies strips of rows needs it: every column remembers
// where the strip before ended, so each entry is looked at once.
#pragma once

#include "host/backend/cpu/cpu_design.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace proxpath::backend {

class row_strips {
public:
    /// From this row on.
    row_strips(const cpu_design& X, std::int64_t first_row) : X_(X), cursors_(static_cast<std::size_t>(X.cols()))
    {
        for (const storage::column_block& block : X.store().blocks)
            storage::visit_block(block, [&](auto indices, auto) {
                for (std::int64_t local = 0; local < block.count; ++local) {
                    const std::int64_t begin = block.offsets[local];
                    cursors_[static_cast<std::size_t>(block.first + local)] =
                        storage::lower_position(indices.column(begin), begin, block.offsets[local + 1], first_row);
                }
            });
    }

    /// Calls f(j, rows, values, begin, end) for the columns [from, to) with the positions of their entries in rows up
    /// to `last`, from where the call before ended.
    template <class F>
    void next(std::int64_t from, std::int64_t to, std::int64_t last, const F& f)
    {
        for (std::int64_t j = from; j < to;) {
            const storage::column_block& block = storage::block_of(X_.store(), j);
            const std::int64_t stop = std::min(to, block.first + block.count);
            storage::visit_block(block, [&](auto indices, auto values) {
                for (; j < stop; ++j) {
                    const auto rows = indices.column(block.offsets[j - block.first]);
                    const std::int64_t end = block.offsets[j - block.first + 1];
                    const std::int64_t begin = cursors_[static_cast<std::size_t>(j)];
                    std::int64_t cursor = begin;
                    if constexpr (std::is_same_v<decltype(indices), storage::full_indices>)
                        cursor = std::min(end, rows.begin + last);
                    else
                        while (cursor < end && static_cast<std::int64_t>(rows[cursor]) < last) ++cursor;
                    cursors_[static_cast<std::size_t>(j)] = cursor;
                    f(j, rows, values, begin, cursor);
                }
            });
        }
    }

    /// Columns [from, to) of X̃ in rows [first, last) as dense columns, `stride` numbers from one to the next.
    void spread(std::int64_t from, std::int64_t to, std::int64_t first, std::int64_t last, double* out,
                std::int64_t stride)
    {
        next(from, to, last,
             [&](std::int64_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                 const auto at = static_cast<std::size_t>(j);
                 const double inverse = X_.scaling().inverse[at];
                 const double shift = X_.scaling().shift[at];
                 double* const column = out + (j - from) * stride;
                 const double centre = -X_.scaling().center[at] * inverse;
                 if constexpr (std::is_same_v<std::decay_t<decltype(rows)>, storage::all_rows>) {
                     for (std::int64_t i = begin; i < end; ++i)
                         column[i - begin] = centre + (static_cast<double>(values[i]) - shift) * inverse;
                 } else {
                     std::fill(column, column + (last - first), centre);
                     for (std::int64_t i = begin; i < end; ++i)
                         column[static_cast<std::int64_t>(rows[i]) - first] +=
                             (static_cast<double>(values[i]) - shift) * inverse;
                 }
             });
    }

private:
    const cpu_design& X_;
    std::vector<std::int64_t> cursors_;
};

} // namespace proxpath::backend
