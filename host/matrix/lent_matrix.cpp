// See lent_matrix.hpp.

#include "host/matrix/lent_matrix.hpp"

#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>

#include <cstdint>
#include <limits>
#include <memory>

#include <fmt/format.h>

namespace proxpath::storage {

namespace {

void check_lists(const device_compressed& lists, std::int64_t stored, bool wide_value, const char* what)
{
    if (stored > 0 && (lists.indices == nullptr || lists.values == nullptr))
        throw invalid_input(fmt::format("X: indices and values of its {} must not be null", what));
    const auto check_place = [&](const void* memory, std::size_t size, const char* of) {
        if (reinterpret_cast<std::uintptr_t>(memory) % size != 0)
            throw invalid_input(fmt::format("X: {} of its {} do not lie at a multiple of {} bytes", of, what, size));
    };
    check_place(lists.offsets, lists.wide_offset ? sizeof(std::int64_t) : sizeof(std::int32_t), "offsets");
    check_place(lists.indices, sizeof(std::int32_t), "indices");
    check_place(lists.values, wide_value ? sizeof(double) : sizeof(float), "values");
}

} // namespace

matrix lent_matrix(const device_matrix_view& view)
{
    constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
    if (view.rows < 0 || view.rows > limit || view.cols < 0 || view.cols > limit)
        throw invalid_input(fmt::format("X: {} x {}; in device memory from 0 to 2^31 - 1 rows and columns are possible",
                                        view.rows, view.cols));
    constexpr std::int64_t entries_limit = std::numeric_limits<std::int64_t>::max() / 64;
    if (view.stored < 0 || view.stored > entries_limit)
        throw invalid_input(fmt::format("X: {} entries are not possible", view.stored));
    if (!view.by_columns.is_given() && !view.by_rows.is_given()) throw invalid_input("X: offsets must not be null");
    if (view.by_columns.is_given()) check_lists(view.by_columns, view.stored, view.wide_value, "columns");
    if (view.by_rows.is_given()) check_lists(view.by_rows, view.stored, view.wide_value, "rows");

    const auto store = std::make_shared<column_store>();
    store->n = view.rows;
    store->p = view.cols;
    store->nonzeros = view.stored;
    store->stored_bytes = static_cast<std::uint64_t>(view.stored) *
                              (sizeof(std::int32_t) + (view.wide_value ? sizeof(double) : sizeof(float))) +
                          sizeof(std::int64_t) * static_cast<std::uint64_t>(view.cols + 1);
    store->lent = view;
    return matrix(std::shared_ptr<const column_store>(store));
}

} // namespace proxpath::storage
