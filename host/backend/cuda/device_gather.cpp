// A working set as a design of its own, made on the device; see kernels/gather_columns.cu. One that grows is gathered
// anew: its rows have to be filtered from X's in any case, and that reading of X's column numbers is the larger part.

#include "host/backend/cuda/device_gather.hpp"

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace proxpath::backend {

namespace {

/// The places of chosen columns, by the columns; those of one column in their order.
std::vector<std::uint32_t> places_by_column(std::span<const std::int64_t> chosen)
{
    std::vector<std::uint32_t> order(chosen.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return chosen[a] < chosen[b]; });
    return order;
}

/// For each column that is chosen: its first place, and behind that its further ones. Places count from 1.
struct chosen_columns {
    std::vector<std::int64_t> columns; ///< each once, ascending
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> next; ///< one for each place, 0: none

    explicit chosen_columns(std::span<const std::int64_t> chosen) : next(chosen.size(), 0)
    {
        const std::vector<std::uint32_t> order = places_by_column(chosen);
        for (std::size_t i = 0; i < order.size(); ++i) {
            const bool again = i > 0 && chosen[order[i]] == chosen[order[i - 1]];
            if (again) {
                next[order[i - 1]] = order[i] + 1;
            } else {
                columns.push_back(chosen[order[i]]);
                first.push_back(order[i] + 1);
            }
        }
    }
};

struct list_ids {
    device_buffer<std::int64_t> short_ids;
    device_buffer<std::int64_t> long_ids;
};

list_ids upload_ids(device_session& session, std::span<const std::int64_t> offsets)
{
    const list_lengths lengths = sort_by_length(offsets);
    return {session.upload(std::span(lengths.short_ids)), session.upload(std::span(lengths.long_ids))};
}

/// @param longest no list is longer
list_ids ids_of_lists(device_session& session, const device_buffer<std::int64_t>& offsets, std::int64_t longest)
{
    const std::int64_t count = offsets.size() - 1;
    if (longest > kernels::segment_length) {
        std::vector<std::int64_t> host(static_cast<std::size_t>(count) + 1);
        session.download(offsets, std::span(host));
        return upload_ids(session, host);
    }
    list_ids made{session.buffer<std::int64_t>(count), session.buffer<std::int64_t>(0)};
    kernels::count_up(count, made.short_ids.data(), session.stream());
    return made;
}

template <class V>
device_lists<V> copied_columns(device_session& session, const kernels::lists_view<V>& from,
                               std::span<const std::int64_t> columns, std::span<const std::int64_t> offsets)
{
    const std::int64_t entries = offsets.back();
    auto device_offsets = session.upload(offsets);
    auto indices = session.buffer<std::uint32_t>(entries);
    auto values = session.buffer<V>(entries);
    const auto chosen = session.upload(columns);
    kernels::copy_lists(from, static_cast<std::int64_t>(columns.size()), chosen.data(), device_offsets.data(), entries,
                        indices.data(), values.data(), session.stream());
    list_ids ids = upload_ids(session, offsets);
    return {std::move(device_offsets), std::move(indices), std::move(values), std::move(ids.short_ids),
            std::move(ids.long_ids)};
}

template <class V>
device_lists<V> gathered_rows(device_session& session, const kernels::lists_view<V>& from, std::int64_t p,
                              std::span<const std::int64_t> columns, std::int64_t entries)
{
    row_entries<V> rows = rows_of_columns(session, from, p, columns, entries);
    list_ids ids = ids_of_lists(session, rows.offsets, static_cast<std::int64_t>(columns.size()));
    return {std::move(rows.offsets), std::move(rows.indices), std::move(rows.values), std::move(ids.short_ids),
            std::move(ids.long_ids)};
}

std::vector<std::int64_t> offsets_of_chosen(const device_matrix& X, std::span<const std::int64_t> columns)
{
    std::vector<std::int64_t> offsets{0};
    offsets.reserve(columns.size() + 1);
    for (const std::int64_t column : columns) {
        const auto j = static_cast<std::size_t>(column);
        offsets.push_back(offsets.back() + X.column_offsets()[j + 1] - X.column_offsets()[j]);
    }
    return offsets;
}

template <class V>
std::shared_ptr<const device_matrix> gathered_matrix(device_session& session, const device_matrix& X,
                                                     const both_ways<V>& lists, std::span<const std::int64_t> columns)
{
    std::vector<std::int64_t> offsets = offsets_of_chosen(X, columns);
    both_ways<V> both{copied_columns(session, lists.columns.view(), columns, std::span<const std::int64_t>(offsets)),
                      gathered_rows(session, lists.rows.view(), X.cols(), columns, offsets.back())};
    return std::make_shared<device_matrix>(X.rows(), std::move(offsets), std::move(both));
}

/// Rows of chosen columns, whose entries come in the order of the columns that they were chosen from: where no column
/// is chosen twice, as they do in rows_of_columns.
template <class V>
host_lists<V> rows_of_chosen(const host_lists<V>& columns, std::span<const std::int64_t> chosen, std::int64_t n)
{
    const std::vector<std::uint32_t> order = places_by_column(chosen);
    return transposed(columns, n, std::span(order));
}

/// Of a matrix that stays in host memory: the columns are read from there, and put into device memory if they fit.
template <class V>
std::shared_ptr<const device_matrix> gathered_matrix(device_session& session, const device_matrix& X,
                                                     const streamed_ways<V>& lists,
                                                     std::span<const std::int64_t> columns)
{
    host_lists<V> made;
    made.offsets = offsets_of_chosen(X, columns);
    made.indices.resize(static_cast<std::size_t>(made.offsets.back()));
    made.values.resize(made.indices.size());
    for (std::size_t u = 0; u < columns.size(); ++u)
        lists.columns().read(columns.subspan(u, 1), made.indices.data() + made.offsets[u],
                             made.values.data() + made.offsets[u]);
    std::vector<std::int64_t> offsets = made.offsets;
    const std::int64_t n = X.rows();
    const bool as_float = std::is_same_v<V, float>;
    if (resident_bytes(n, static_cast<std::int64_t>(columns.size()), offsets.back(), as_float) <=
        session.memory().working_set) {
        both_ways<V> both{device_lists<V>(made, session.stream(), session.runtime()),
                          device_lists<V>(rows_of_chosen(made, columns, n), session.stream(), session.runtime())};
        return std::make_shared<device_matrix>(n, std::move(offsets), std::move(both));
    }
    host_lists<V> rows = rows_of_chosen(made, columns, n);
    streamed_ways<V> streamed(std::make_unique<made_source<V>>(std::move(made)),
                              std::make_unique<made_source<V>>(std::move(rows)), session);
    return std::make_shared<device_matrix>(n, std::move(offsets), std::move(streamed));
}

void check_places(std::size_t columns)
{
    constexpr std::size_t limit = std::numeric_limits<std::uint32_t>::max() - 1;
    if (columns > limit)
        throw invalid_input(std::to_string(columns) + " columns are to be gathered: the CUDA backend takes at most " +
                            std::to_string(limit));
}

} // namespace

template <class V>
row_entries<V> rows_of_columns(device_session& session, const kernels::lists_view<V>& rows, std::int64_t p,
                               std::span<const std::int64_t> columns, std::int64_t entries)
{
    device_runtime& runtime = session.runtime();
    const chosen_columns chosen(columns);
    const auto first = session.buffer<std::uint32_t>(p);
    if (p > 0) runtime.clear(first.data(), first.bytes(), session.stream());
    const auto listed = session.upload(std::span(chosen.columns));
    const auto listed_first = session.upload(std::span(chosen.first));
    const auto next = session.upload(std::span(chosen.next));
    kernels::place_columns(listed.size(), listed.data(), listed_first.data(), first.data(), session.stream());
    const kernels::column_places places{first.data(), next.data()};

    auto offsets = session.buffer<std::int64_t>(rows.count + 1);
    runtime.clear(offsets.data(), offsets.bytes(), session.stream());
    kernels::count_chosen(rows, places, offsets.data() + 1, session.stream());
    const auto work = session.buffer<std::int64_t>(kernels::scan_numbers(rows.count));
    kernels::inclusive_scan(rows.count, offsets.data() + 1, work.data(), session.stream());

    auto indices = session.buffer<std::uint32_t>(entries);
    auto values = session.buffer<V>(entries);
    kernels::copy_chosen(rows, places, offsets.data(), indices.data(), values.data(), session.stream());
    return {std::move(offsets), std::move(indices), std::move(values)};
}

template row_entries<float> rows_of_columns(device_session&, const kernels::lists_view<float>&, std::int64_t,
                                            std::span<const std::int64_t>, std::int64_t);
template row_entries<double> rows_of_columns(device_session&, const kernels::lists_view<double>&, std::int64_t,
                                             std::span<const std::int64_t>, std::int64_t);

template <class T>
std::shared_ptr<const design> cuda_operations<T>::gather_columns(const design& X, std::span<const std::int64_t> columns,
                                                                 const design* before) const
{
    const device_design& from = as_device(X);
    std::vector<std::int64_t> all;
    if (before != nullptr) all = as_device(*before).gathered();
    all.insert(all.end(), columns.begin(), columns.end());
    check_places(all.size());
    column_scaling scaling;
    for (const std::int64_t column : all) {
        const auto j = static_cast<std::size_t>(column);
        scaling.shift.push_back(from.scaling().shift[j]);
        scaling.center.push_back(from.scaling().center[j]);
        scaling.inverse.push_back(from.scaling().inverse[j]);
    }
    auto made =
        from.stored()->visit([&](const auto& lists) { return gathered_matrix(*session_, *from.stored(), lists, all); });
    session_->wait(); // what was staged may go
    return keep(
        device_design(std::move(made), std::move(scaling), session_->stream(), session_->runtime(), std::move(all)));
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
