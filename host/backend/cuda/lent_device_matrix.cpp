// See lent_device_matrix.hpp.

#include "host/backend/cuda/lent_device_matrix.hpp"

#include "host/backend/cuda/device_session.hpp"
#include "kernels/launchers.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace proxpath::backend {

namespace {

/// One order of a lent matrix.
struct lent_order {
    const device_compressed* lists;
    std::int64_t count;   ///< of lists
    std::int64_t indices; ///< the smallest index that is too large
    bool by_column;

    const char* list_word() const { return by_column ? "column" : "row"; }
    const char* index_word() const { return by_column ? "row" : "column"; }
};

lent_order columns_of(const device_matrix_view& X) { return {&X.by_columns, X.cols, X.rows, true}; }
lent_order rows_of(const device_matrix_view& X) { return {&X.by_rows, X.rows, X.cols, false}; }

template <class Offset>
std::vector<std::int64_t> downloaded_offsets(device_session& session, const void* from, std::int64_t count)
{
    std::vector<Offset> offsets(static_cast<std::size_t>(count) + 1);
    session.download(static_cast<const Offset*>(from), std::span(offsets));
    return {offsets.begin(), offsets.end()};
}

/// An address that the device cannot read would take the process's use of the device with it.
void check_memory(device_session& session, const lent_order& order, std::int64_t entries)
{
    const auto check = [&](const void* memory, const char* what) {
        const std::string problem = session.runtime().why_unreadable(memory);
        if (!problem.empty())
            throw invalid_input(
                fmt::format("X: what its device is to read as {} of its {}s {}", what, order.list_word(), problem));
    };
    check(order.lists->offsets, "offsets");
    if (entries == 0) return;
    check(order.lists->indices, "indices");
    check(order.lists->values, "values");
}

/// @return of all lists, in host memory
std::vector<std::int64_t> good_offsets(device_session& session, const lent_order& order, std::int64_t entries)
{
    std::vector<std::int64_t> offsets =
        order.lists->wide_offset ? downloaded_offsets<std::int64_t>(session, order.lists->offsets, order.count)
                                 : downloaded_offsets<std::int32_t>(session, order.lists->offsets, order.count);
    const auto complain = [&](std::size_t at, const std::string& what) {
        throw invalid_input(
            fmt::format("X: offsets[{}] of its {}s is {}, {}", at, order.list_word(), offsets[at], what));
    };
    if (offsets.front() != 0) complain(0, "must be 0");
    for (std::size_t l = 1; l < offsets.size(); ++l)
        if (offsets[l] < offsets[l - 1]) complain(l, fmt::format("less than the one before it, {}", offsets[l - 1]));
    if (offsets.back() != entries)
        complain(offsets.size() - 1, fmt::format("must be the number of entries, {}", entries));
    return offsets;
}

/// Says what is wrong with the entry at a position.
template <class V>
[[noreturn]] void complain(device_session& session, const lent_order& order, const kernels::lists_view<V>& lists,
                           std::span<const std::int64_t> offsets, std::int64_t at)
{
    const auto next = std::upper_bound(offsets.begin(), offsets.end(), at);
    const std::int64_t list = next - offsets.begin() - 1;
    const std::int64_t before = std::max(offsets[static_cast<std::size_t>(list)], at - 1);
    std::vector<std::uint32_t> indices(static_cast<std::size_t>(at - before) + 1);
    std::vector<V> value(1);
    session.download(lists.indices + before, std::span(indices));
    session.download(lists.values + at, std::span(value));
    const auto index = static_cast<std::int32_t>(indices.back());
    if (index < 0 || index >= order.indices)
        throw invalid_input(fmt::format("X: indices[{}] = {} ({} {}) is outside 0 … {}", at, index, order.list_word(),
                                        list, order.indices - 1));
    if (!std::isfinite(value[0])) {
        const std::int64_t row = order.by_column ? index : list;
        const std::int64_t column = order.by_column ? list : index;
        throw invalid_input(
            fmt::format("X: value at row {}, column {} is {}; values must be finite", row, column, value[0]));
    }
    throw invalid_input(fmt::format("X: {} {} holds {} {} behind {} {}: in device memory the entries of a {} must "
                                    "ascend, each once",
                                    order.list_word(), list, order.index_word(), index, order.index_word(),
                                    indices.front(), order.list_word()));
}

/// Looks through the entries. @return their checksum
template <class V>
std::uint64_t good_entries(device_session& session, const lent_order& order, const kernels::lists_view<V>& lists,
                           std::span<const std::int64_t> offsets)
{
    const std::int64_t entries = offsets.back();
    std::vector<std::int64_t> bad(static_cast<std::size_t>(kernels::check_results(entries)), entries);
    std::vector<std::int64_t> sums(bad.size(), 0);
    const auto device_bad = session.buffer<std::int64_t>(std::ssize(bad));
    const auto device_sums = session.buffer<std::int64_t>(std::ssize(sums));
    kernels::check_entries(lists, entries, order.indices, order.by_column, device_bad.data(), device_sums.data(),
                           session.stream());
    session.download(device_bad, std::span(bad));
    session.download(device_sums, std::span(sums));
    const std::int64_t first = bad.empty() ? entries : *std::min_element(bad.begin(), bad.end());
    if (first < entries) complain(session, order, lists, offsets, first);
    return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0},
                           [](std::uint64_t sum, std::int64_t of) { return sum + static_cast<std::uint64_t>(of); });
}

template <class V>
struct lent_lists {
    device_lists<V> lists;
    std::vector<std::int64_t> offsets; ///< in host memory
    std::uint64_t checksum;
};

template <class V>
lent_lists<V> looked_through(device_session& session, const lent_order& order, std::int64_t entries)
{
    check_memory(session, order, entries);
    std::vector<std::int64_t> offsets = good_offsets(session, order, entries);
    const bool widened = !order.lists->wide_offset;
    auto own_offsets =
        widened ? session.upload(std::span<const std::int64_t>(offsets)) : session.buffer<std::int64_t>(0);
    kernels::lists_view<V> view;
    view.count = order.count;
    view.offsets = widened ? own_offsets.data() : static_cast<const std::int64_t*>(order.lists->offsets);
    // A signed index that is not negative reads the same as an unsigned one, and a negative one is too large.
    view.indices = reinterpret_cast<const std::uint32_t*>(order.lists->indices);
    view.values = static_cast<const V*>(order.lists->values);
    const std::uint64_t checksum = good_entries(session, order, view, offsets);
    const list_lengths lengths = sort_by_length(offsets);
    auto short_ids = session.upload(std::span(lengths.short_ids));
    auto long_ids = session.upload(std::span(lengths.long_ids));
    session.wait();
    return {device_lists<V>(view, std::move(own_offsets), std::move(short_ids), std::move(long_ids)),
            std::move(offsets), checksum};
}

/// The other order. @param count of its lists
template <class V>
host_lists<V> turned_over(device_session& session, const lent_lists<V>& of, std::int64_t count)
{
    host_lists<V> given;
    given.offsets = of.offsets;
    given.indices.resize(static_cast<std::size_t>(of.offsets.back()));
    given.values.resize(given.indices.size());
    session.download(of.lists.view().indices, std::span(given.indices));
    session.download(of.lists.view().values, std::span(given.values));
    return transposed(given, count);
}

template <class V>
std::shared_ptr<const device_matrix> lent_as(const device_matrix_view& X, device_session& session)
{
    const auto made = [&](lent_lists<V> columns, device_lists<V> rows) {
        return std::make_shared<device_matrix>(X.rows, std::move(columns.offsets),
                                               both_ways<V>{std::move(columns.lists), std::move(rows)});
    };
    const auto on_device = [&](const host_lists<V>& lists) {
        return device_lists<V>(lists, session.stream(), session.runtime());
    };
    if (!X.by_columns.is_given()) {
        lent_lists<V> rows = looked_through<V>(session, rows_of(X), X.stored);
        host_lists<V> columns = turned_over(session, rows, X.cols);
        device_lists<V> lists = on_device(columns);
        return made({std::move(lists), std::move(columns.offsets), rows.checksum}, std::move(rows.lists));
    }
    lent_lists<V> columns = looked_through<V>(session, columns_of(X), X.stored);
    if (!X.by_rows.is_given()) {
        device_lists<V> rows = on_device(turned_over(session, columns, X.rows));
        return made(std::move(columns), std::move(rows));
    }
    lent_lists<V> rows = looked_through<V>(session, rows_of(X), X.stored);
    if (rows.checksum != columns.checksum)
        throw invalid_input("X: its columns and its rows do not hold the same entries");
    return made(std::move(columns), std::move(rows.lists));
}

} // namespace

std::uint64_t bytes_beside_lent(const device_matrix_view& X)
{
    const auto entries = static_cast<std::uint64_t>(X.stored);
    const auto lists = static_cast<std::uint64_t>(X.rows) + static_cast<std::uint64_t>(X.cols);
    const std::uint64_t entry = sizeof(std::uint32_t) + (X.wide_value ? sizeof(double) : sizeof(float));
    // Ids and, as if none were in place, offsets of both.
    return (X.has_both_orders() ? 0 : entries * entry) + 2 * sizeof(std::int64_t) * (lists + 1);
}

std::shared_ptr<const device_matrix> lent_device_matrix(const device_matrix_view& X, device_session& session)
{
    if (X.wide_value) return lent_as<double>(X, session);
    return lent_as<float>(X, session);
}

} // namespace proxpath::backend
