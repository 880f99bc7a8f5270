// The caller's memory as a matrix: sorted CSC and column-major dense memory is checked and used in place, everything
// else goes through the assembler once.

#include "host/matrix/assembler.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace {

using storage::column_block;
using storage::column_profile;
using storage::column_store;
using storage::index_kind;
using storage::matrix_assembler;
using storage::value_kind;

/// Non-zeros or rows a thread takes at a time when checking or converting.
constexpr std::int64_t lines_per_piece = 256;

[[noreturn]] void bad_value(std::int64_t row, std::int64_t column, double value)
{
    throw invalid_input(fmt::format("X: value at row {}, column {} is {}; values must be finite", row, column, value));
}

void check_shape(const matrix_view& view)
{
    const auto limit = static_cast<std::int64_t>(std::numeric_limits<std::uint32_t>::max());
    if (view.rows < 0 || view.rows > limit)
        throw invalid_input(fmt::format("X: {} rows; from 0 to 2^32 - 1 are possible", view.rows));
    if (view.cols < 0 || view.cols > std::numeric_limits<std::int64_t>::max() / 64)
        throw invalid_input(fmt::format("X: {} columns are not possible", view.cols));
}

/// Compressed columns or rows with their types.
template <class I, class V>
struct compressed {
    std::int64_t major = 0; // lines: columns of CSC, rows of CSR
    std::int64_t minor = 0;
    const I* offsets = nullptr;
    const I* indices = nullptr;
    const V* values = nullptr;
    bool by_column = true;

    std::pair<std::int64_t, std::int64_t> place(std::int64_t line, std::int64_t index) const
    {
        return by_column ? std::pair{index, line} : std::pair{line, index};
    }
};

template <class I, class V>
void check_offsets(const compressed<I, V>& view, std::int64_t stored)
{
    if (view.offsets == nullptr) {
        throw invalid_input(fmt::format("X: offsets must hold {} numbers (one for each {} and one more)",
                                        view.major + 1, view.by_column ? "column" : "row"));
    }
    if (view.offsets[0] != 0) throw invalid_input(fmt::format("X: offsets[0] is {}, must be 0", view.offsets[0]));
    for (std::int64_t line = 0; line < view.major; ++line) {
        if (view.offsets[line + 1] < view.offsets[line])
            throw invalid_input(fmt::format("X: offsets[{}] = {} is less than offsets[{}] = {}", line + 1,
                                            view.offsets[line + 1], line, view.offsets[line]));
    }
    const auto last = static_cast<std::int64_t>(view.offsets[view.major]);
    if (last > stored)
        throw invalid_input(
            fmt::format("X: the last offset is {}, but indices or values hold only {} numbers", last, stored));
    if (last > 0 && (view.indices == nullptr || view.values == nullptr))
        throw invalid_input("X: indices and values must not be null");
}

/// Checks indices and values; true when every line ascends strictly.
template <class I, class V>
bool check_entries(const compressed<I, V>& view, int threads)
{
    const std::int64_t pieces = parallel::pieces(view.major, lines_per_piece);
    std::vector<std::uint8_t> sorted(static_cast<std::size_t>(pieces), 1);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        const std::int64_t end = std::min(view.major, (piece + 1) * lines_per_piece);
        for (std::int64_t line = piece * lines_per_piece; line < end; ++line) {
            std::int64_t previous = -1;
            for (auto i = static_cast<std::int64_t>(view.offsets[line]); i < view.offsets[line + 1]; ++i) {
                const auto index = static_cast<std::int64_t>(view.indices[i]);
                if (index < 0 || index >= view.minor) {
                    throw invalid_input(fmt::format("X: indices[{}] = {} ({} {}) is outside 0 … {}", i, index,
                                                    view.by_column ? "column" : "row", line, view.minor - 1));
                }
                if (!std::isfinite(view.values[i])) {
                    const auto [row, column] = view.place(line, index);
                    bad_value(row, column, static_cast<double>(view.values[i]));
                }
                if (index <= previous) sorted[static_cast<std::size_t>(piece)] = 0;
                previous = index;
            }
        }
    });
    return std::all_of(sorted.begin(), sorted.end(), [](std::uint8_t flag) { return flag != 0; });
}

/// First row that a column holds twice, for full columns, of which the assembler knows only that there is one.
template <class ForEach>
std::int64_t repeated_row(std::int64_t n, std::int64_t column, std::int64_t pieces, const ForEach& for_each)
{
    std::vector<std::uint8_t> seen(static_cast<std::size_t>(n), 0);
    std::int64_t first = n;
    for (std::int64_t piece = 0; piece < pieces; ++piece)
        for_each(piece, [&](std::int64_t row, std::int64_t j, double) {
            if (j != column) return;
            if (seen[static_cast<std::size_t>(row)] != 0) first = std::min(first, row);
            seen[static_cast<std::size_t>(row)] = 1;
        });
    return first;
}

/// Two passes over entries given by for_each(piece, f(row, column, value)).
template <class ForEach>
matrix assemble(std::int64_t n, std::int64_t p, std::int64_t pieces, int threads, const ForEach& for_each)
{
    column_profile profile;
    profile.grow(p);
    for (std::int64_t piece = 0; piece < pieces; ++piece)
        for_each(piece, [&](std::int64_t, std::int64_t column, double value) { profile.add(column, value); });
    matrix_assembler assembler(n, profile);
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        for_each(piece, [&](std::int64_t row, std::int64_t column, double value) {
            if (!assembler.put(column, row, value)) throw invalid_input("X: the memory changed while it was read");
        });
    });
    auto outcome = assembler.finish(threads);
    if (!outcome.complete) throw invalid_input("X: the memory changed while it was read");
    if (outcome.duplicate) {
        const auto [row, column] = *outcome.duplicate;
        throw invalid_input(fmt::format("X: row {}, column {} occurs twice",
                                        row >= 0 ? row : repeated_row(n, column, pieces, for_each), column));
    }
    return std::move(*outcome.result);
}

template <class I, class V>
matrix convert_compressed(const compressed<I, V>& view, std::int64_t n, std::int64_t p, int threads)
{
    const auto for_each = [&](std::int64_t piece, auto&& f) {
        const std::int64_t end = std::min(view.major, (piece + 1) * lines_per_piece);
        for (std::int64_t line = piece * lines_per_piece; line < end; ++line) {
            for (auto i = static_cast<std::int64_t>(view.offsets[line]); i < view.offsets[line + 1]; ++i) {
                const auto [row, column] = view.place(line, static_cast<std::int64_t>(view.indices[i]));
                if (view.values[i] != 0) f(row, column, static_cast<double>(view.values[i]));
            }
        }
    };
    return assemble(n, p, parallel::pieces(view.major, lines_per_piece), threads, for_each);
}

/// Cuts the columns of a borrowed matrix into blocks; only the offsets are copied (to 64 bits).
template <class Offset>
void add_borrowed_blocks(column_store& store, index_kind indices_are, value_kind values_are, const void* indices,
                         const void* values, const Offset& offset)
{
    auto owner = storage::allocate_bytes(sizeof(std::int64_t) * static_cast<std::uint64_t>(store.p + 1));
    auto* offsets = static_cast<std::int64_t*>(owner.get());
    for (std::int64_t j = 0; j <= store.p; ++j) offsets[j] = offset(j);
    store.owners.push_back(std::move(owner));
    store.nonzeros = store.p > 0 ? offsets[store.p] : 0;
    for (std::int64_t j = 0; j < store.p; ++j) {
        const bool open =
            !store.blocks.empty() && offsets[j + 1] - store.blocks.back().offsets[0] <= storage::block_nonzeros;
        if (!open) {
            column_block block;
            block.first = j;
            block.indices_are = indices_are;
            block.values_are = values_are;
            block.offsets = offsets + j;
            block.indices = indices;
            block.values = values;
            store.blocks.push_back(block);
        }
        ++store.blocks.back().count;
    }
    store.stored_bytes = sizeof(std::int64_t) * static_cast<std::uint64_t>(store.p + 1) +
                         static_cast<std::uint64_t>(store.nonzeros) *
                             (storage::index_bytes(indices_are) + storage::value_bytes(values_are));
}

template <class I, class V>
matrix from_compressed(const matrix_view& view, int threads)
{
    const bool by_column = view.order == storage_order::csc;
    compressed<I, V> lines;
    lines.major = by_column ? view.cols : view.rows;
    lines.minor = by_column ? view.rows : view.cols;
    lines.offsets = static_cast<const I*>(view.offsets);
    lines.indices = static_cast<const I*>(view.indices);
    lines.values = static_cast<const V*>(view.values);
    lines.by_column = by_column;
    check_offsets(lines, view.stored);
    const bool sorted = check_entries(lines, threads);
    if (!by_column || !sorted) return convert_compressed(lines, view.rows, view.cols, threads);

    auto store = std::make_shared<column_store>();
    store->n = view.rows;
    store->p = view.cols;
    // A signed 32-bit index that is not negative reads the same as an unsigned one.
    add_borrowed_blocks(*store, sizeof(I) == 4 ? index_kind::u32 : index_kind::i64,
                        sizeof(V) == 4 ? value_kind::f32 : value_kind::f64, lines.indices, lines.values,
                        [&](std::int64_t j) { return static_cast<std::int64_t>(lines.offsets[j]); });
    return matrix(std::shared_ptr<const column_store>(std::move(store)));
}

template <class V>
matrix from_dense(const matrix_view& view, int threads)
{
    const auto* values = static_cast<const V*>(view.values);
    const bool by_column = view.order == storage_order::dense_column_major;
    const std::int64_t major = by_column ? view.cols : view.rows;
    const std::int64_t minor = by_column ? view.rows : view.cols;
    if (view.leading_dimension < minor)
        throw invalid_input(fmt::format("X: leading dimension {} is less than {}", view.leading_dimension, minor));
    if (major > 0 && minor > 0 && values == nullptr) throw invalid_input("X: values must not be null");
    // Lines of no length are not looked at: a view may claim any number of them.
    const std::int64_t pieces = minor > 0 ? parallel::pieces(major, lines_per_piece) : 0;
    parallel::parallel_for(threads, pieces, [&](std::int64_t piece) {
        const std::int64_t end = std::min(major, (piece + 1) * lines_per_piece);
        for (std::int64_t line = piece * lines_per_piece; line < end; ++line)
            for (std::int64_t i = 0; i < minor; ++i) {
                const V value = values[line * view.leading_dimension + i];
                if (!std::isfinite(value))
                    by_column ? bad_value(i, line, static_cast<double>(value))
                              : bad_value(line, i, static_cast<double>(value));
            }
    });
    if (by_column && view.leading_dimension == view.rows) {
        auto store = std::make_shared<column_store>();
        store->n = view.rows;
        store->p = view.cols;
        add_borrowed_blocks(*store, index_kind::full, sizeof(V) == 4 ? value_kind::f32 : value_kind::f64, nullptr,
                            values, [&](std::int64_t j) { return j * view.rows; });
        return matrix(std::shared_ptr<const column_store>(std::move(store)));
    }
    const auto for_each = [&](std::int64_t piece, auto&& f) {
        const std::int64_t end = std::min(major, (piece + 1) * lines_per_piece);
        for (std::int64_t line = piece * lines_per_piece; line < end; ++line)
            for (std::int64_t i = 0; i < minor; ++i) {
                const auto value = static_cast<double>(values[line * view.leading_dimension + i]);
                if (value != 0) by_column ? f(i, line, value) : f(line, i, value);
            }
    };
    return assemble(view.rows, view.cols, pieces, threads, for_each);
}

matrix from_any(const matrix_view& view, int threads)
{
    if (view.order == storage_order::csc || view.order == storage_order::csr) {
        if (view.wide_index)
            return view.wide_value ? from_compressed<std::int64_t, double>(view, threads)
                                   : from_compressed<std::int64_t, float>(view, threads);
        return view.wide_value ? from_compressed<std::int32_t, double>(view, threads)
                               : from_compressed<std::int32_t, float>(view, threads);
    }
    return view.wide_value ? from_dense<double>(view, threads) : from_dense<float>(view, threads);
}

} // namespace

matrix matrix::from_view(const matrix_view& view, int threads)
{
    check_shape(view);
    try {
        return from_any(view, parallel::resolve_threads(threads));
    } catch (const std::bad_alloc&) {
        // Columns cost memory even when they are empty: an offset each, and counts while the matrix is made.
        const std::uint64_t needed = 8 * (static_cast<std::uint64_t>(view.cols) + 1);
        throw out_of_memory(fmt::format("X: the system refused the memory to store {} x {} (at least {} MiB)",
                                        view.rows, view.cols, (needed >> 20) + 1),
                            needed, 0);
    }
}

} // namespace proxpath
