// Writing matrices as text; the inverse of matrix_market.cpp and svmlight.cpp.

#include "host/io/output_file.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <algorithm>
#include <vector>

namespace proxpath {

namespace {

using storage::column_block;
using storage::column_store;

/// Calls f(row, column, value) for each non-zero of rows [begin, end), by columns, rows ascending.
template <class F>
void for_each_entry(const column_store& store, std::int64_t begin, std::int64_t end, F&& f)
{
    for (const column_block& block : store.blocks) {
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                const std::int64_t first = storage::lower_position(rows, block.offsets[c], block.offsets[c + 1], begin);
                for (std::int64_t i = first; i < block.offsets[c + 1] && static_cast<std::int64_t>(rows[i]) < end;
                     ++i) {
                    const auto value = static_cast<double>(values[i]);
                    if (value != 0) f(static_cast<std::int64_t>(rows[i]), block.first + c, value);
                }
            }
        });
    }
}

} // namespace

void write_matrix_market(const std::string& path, const matrix& X)
{
    const column_store& store = X.store();
    std::int64_t entries = 0; // borrowed memory may hold explicit zeros
    for_each_entry(store, 0, store.n, [&](std::int64_t, std::int64_t, double) { ++entries; });
    io::output_file file(path);
    file.print("%%MatrixMarket matrix coordinate real general\n{} {} {}\n", store.n, store.p, entries);
    for_each_entry(store, 0, store.n, [&](std::int64_t row, std::int64_t column, double value) {
        file.print("{} {} {}\n", row + 1, column + 1, value);
    });
    file.commit();
}

void write_svmlight(const std::string& path, const matrix& X, const std::vector<double>& y)
{
    const column_store& store = X.store();
    if (static_cast<std::int64_t>(y.size()) != store.n)
        throw invalid_input(fmt::format("y: {} values for {} rows", y.size(), store.n));
    std::vector<std::int64_t> counts(static_cast<std::size_t>(store.n), 0);
    for_each_entry(store, 0, store.n,
                   [&](std::int64_t row, std::int64_t, double) { ++counts[static_cast<std::size_t>(row)]; });

    // Columns are turned into rows a range at a time, so that memory stays bounded.
    constexpr std::int64_t range_entries = std::int64_t{1} << 21;
    struct entry {
        std::int64_t column;
        double value;
    };
    std::vector<entry> entries;
    std::vector<std::size_t> cursors;
    io::output_file file(path);
    for (std::int64_t begin = 0; begin < store.n;) {
        std::int64_t end = begin;
        std::int64_t held = 0;
        cursors.clear();
        while (end < store.n && (end == begin || held + counts[static_cast<std::size_t>(end)] <= range_entries)) {
            cursors.push_back(static_cast<std::size_t>(held));
            held += counts[static_cast<std::size_t>(end++)];
        }
        entries.resize(static_cast<std::size_t>(held));
        for_each_entry(store, begin, end, [&](std::int64_t row, std::int64_t column, double value) {
            entries[cursors[static_cast<std::size_t>(row - begin)]++] = {column, value};
        });
        std::size_t at = 0;
        for (std::int64_t row = begin; row < end; ++row) {
            file.print("{}", y[static_cast<std::size_t>(row)]);
            for (; at < cursors[static_cast<std::size_t>(row - begin)]; ++at)
                file.print(" {}:{}", entries[at].column + 1, entries[at].value);
            file.write("\n");
        }
        begin = end;
    }
    file.commit();
}

} // namespace proxpath
