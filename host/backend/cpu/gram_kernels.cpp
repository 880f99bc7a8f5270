// Spreading columns and listing rows; see gram_kernels.hpp.

#include "host/backend/cpu/gram_kernels.hpp"

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>

namespace proxpath::backend {

void spread_columns(const cpu_design& X, std::span<const double> weights, std::span<const std::int64_t> columns,
                    panel<double>& R, int threads)
{
    const column_scaling& scaling = X.scaling();
    const auto count = static_cast<std::int64_t>(columns.size());
    parallel::parallel_for(threads, parallel::pieces(R.rows, rows_per_piece), [&](std::int64_t piece) {
        const std::int64_t end = std::min(R.rows, (piece + 1) * rows_per_piece);
        for (std::int64_t i = piece * rows_per_piece; i < end; ++i)
            for (std::int64_t c = 0; c < count; ++c) {
                const auto j = static_cast<std::size_t>(columns[static_cast<std::size_t>(c)]);
                R.row(i)[c] = -weights[static_cast<std::size_t>(i)] * scaling.center[j] * scaling.inverse[j];
            }
    });
    parallel::parallel_for(threads, count, [&](std::int64_t c) {
        const std::int64_t j = columns[static_cast<std::size_t>(c)];
        const storage::column_block& block = storage::block_of(X.store(), j);
        const auto at = static_cast<std::size_t>(j);
        storage::visit_block(block, [&](auto indices, auto values) {
            const std::int64_t begin = block.offsets[j - block.first];
            const std::int64_t end = block.offsets[j - block.first + 1];
            const auto rows = indices.column(begin);
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = static_cast<std::int64_t>(rows[i]);
                const double x = (static_cast<double>(values[i]) - scaling.shift[at]) * scaling.inverse[at];
                R.row(row)[c] += weights[static_cast<std::size_t>(row)] * x;
            }
        });
    });
}

row_lists make_row_lists(const cpu_design& X, std::int64_t first_column, std::span<const std::uint8_t> wanted)
{
    const storage::column_store& store = X.store();
    row_lists lists;
    lists.offsets.assign(static_cast<std::size_t>(store.n) + 1, 0);
    const auto for_each = [&](auto&& f) {
        for (const storage::column_block& block : store.blocks)
            storage::visit_block(block, [&](auto indices, auto values) {
                for (std::int64_t local = std::max<std::int64_t>(0, first_column - block.first); local < block.count;
                     ++local) {
                    if (!wanted.empty() && wanted[static_cast<std::size_t>(block.first + local)] == 0) continue;
                    const std::int64_t begin = block.offsets[local];
                    const auto rows = indices.column(begin);
                    for (std::int64_t i = begin; i < block.offsets[local + 1]; ++i)
                        f(static_cast<std::size_t>(rows[i]), block.first + local, static_cast<double>(values[i]));
                }
            });
    };
    for_each([&](std::size_t row, std::int64_t, double) { ++lists.offsets[row + 1]; });
    for (std::size_t i = 1; i < lists.offsets.size(); ++i) lists.offsets[i] += lists.offsets[i - 1];
    lists.columns.resize(static_cast<std::size_t>(lists.offsets.back()));
    lists.values.resize(lists.columns.size());
    std::vector<std::int64_t> next(lists.offsets.begin(), lists.offsets.end() - 1);
    for_each([&](std::size_t row, std::int64_t j, double value) {
        const auto at = static_cast<std::size_t>(next[row]++);
        lists.columns[at] = static_cast<std::int32_t>(j);
        lists.values[at] =
            (value - X.scaling().shift[static_cast<std::size_t>(j)]) * X.scaling().inverse[static_cast<std::size_t>(j)];
    });
    return lists;
}

} // namespace proxpath::backend
