// See device_matrix.hpp.

#include "host/backend/cuda/device_matrix.hpp"

#include "host/backend/cuda/device_session.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace proxpath::backend {

namespace {

void check_shape(const matrix& X)
{
    constexpr std::int64_t limit = std::numeric_limits<std::uint32_t>::max();
    if (X.rows() > limit || X.cols() > limit)
        throw invalid_input("X is " + std::to_string(X.rows()) + " x " + std::to_string(X.cols()) +
                            ": the CUDA backend takes at most " + std::to_string(limit) + " rows and columns");
}

template <class V>
both_ways<V> store_as(const matrix& X, stream_view stream, device_runtime& runtime)
{
    const host_lists<V> columns = stored_columns<V>(X);
    return {device_lists<V>(columns, stream, runtime), device_lists<V>(transposed(columns, X.rows()), stream, runtime)};
}

template <class V>
streamed_ways<V> stream_as(const matrix& X, device_session& session)
{
    return {std::make_unique<column_source<V>>(X), [X] { return stored_rows<V>(X); }, session};
}

} // namespace

template <class V>
device_lists<V>::device_lists(const host_lists<V>& lists, stream_view stream, device_runtime& runtime)
    : device_lists(lists, sort_by_length(lists.offsets), stream, runtime)
{}

template <class V>
device_lists<V>::device_lists(const host_lists<V>& lists, const list_lengths& lengths, stream_view stream,
                              device_runtime& runtime)
    : device_lists({static_cast<std::int64_t>(lists.offsets.size()), stream, runtime},
                   {static_cast<std::int64_t>(lists.indices.size()), stream, runtime},
                   {static_cast<std::int64_t>(lists.values.size()), stream, runtime},
                   {static_cast<std::int64_t>(lengths.short_ids.size()), stream, runtime},
                   {static_cast<std::int64_t>(lengths.long_ids.size()), stream, runtime})
{
    copies_under_way copies(stream, runtime);
    offsets_.upload(lists.offsets);
    indices_->upload(lists.indices);
    values_->upload(lists.values);
    short_ids_.upload(lengths.short_ids);
    long_ids_.upload(lengths.long_ids);
    copies.wait();
}

template <class V>
device_lists<V>::device_lists(device_buffer<std::int64_t> offsets, device_buffer<std::uint32_t> indices,
                              device_buffer<V> values, device_buffer<std::int64_t> short_ids,
                              device_buffer<std::int64_t> long_ids)
    : offsets_(std::move(offsets)), indices_(std::move(indices)), values_(std::move(values)),
      short_ids_(std::move(short_ids)),
      long_ids_(std::move(long_ids)), view_{offsets_.size() - 1, offsets_.data(),   indices_->data(), values_->data(),
                                            short_ids_.data(),   short_ids_.size(), long_ids_.data(), long_ids_.size()}
{}

template <class V>
device_lists<V>::device_lists(const kernels::lists_view<V>& entries, device_buffer<std::int64_t> offsets,
                              device_buffer<std::int64_t> short_ids, device_buffer<std::int64_t> long_ids)
    : offsets_(std::move(offsets)), short_ids_(std::move(short_ids)),
      long_ids_(std::move(long_ids)), view_{entries.count,     entries.offsets,   entries.indices,  entries.values,
                                            short_ids_.data(), short_ids_.size(), long_ids_.data(), long_ids_.size()}
{}

template <class V>
std::uint64_t device_lists<V>::bytes() const
{
    return offsets_.bytes() + (indices_ ? indices_->bytes() : 0) + (values_ ? values_->bytes() : 0) +
           short_ids_.bytes() + long_ids_.bytes();
}

template class device_lists<float>;
template class device_lists<double>;

std::uint64_t resident_bytes(std::int64_t n, std::int64_t p, std::int64_t nonzeros, bool as_float)
{
    const std::uint64_t entry = sizeof(std::uint32_t) + (as_float ? sizeof(float) : sizeof(double));
    // Offsets and ids of both.
    return 2 * (static_cast<std::uint64_t>(nonzeros) * entry +
                sizeof(std::int64_t) * (static_cast<std::uint64_t>(n) + static_cast<std::uint64_t>(p) + 1));
}

template <class V>
streamed_ways<V>::streamed_ways(std::unique_ptr<list_source<V>> columns, std::function<host_lists<V>()> make_rows,
                                device_session& session)
    : columns_(std::move(columns)), make_rows_(std::move(make_rows)), session_(&session),
      offsets_(session.upload(columns_->offsets()))
{
    const std::span<const std::int64_t> offsets = columns_->offsets();
    for (std::int64_t l = 0; l + 1 < std::ssize(offsets); ++l)
        ++(is_long_list(offsets, l) ? long_count_ : short_count_);
    session.wait(); // what was staged may go
}

template <class V>
streamed_ways<V>::streamed_ways(std::unique_ptr<list_source<V>> columns, std::unique_ptr<list_source<V>> rows,
                                device_session& session)
    : streamed_ways(std::move(columns), std::function<host_lists<V>()>(), session)
{
    rows_ = std::move(rows);
}

template <class V>
std::pair<kernels::lists_view<V>, kernels::lists_view<V>> streamed_ways<V>::views() const
{
    kernels::lists_view<V> columns;
    columns.count = offsets_.size() - 1;
    columns.offsets = offsets_.data();
    columns.short_count = short_count_;
    columns.long_count = long_count_;
    return {columns, {}};
}

template <class V>
list_stream<V> streamed_ways<V>::stream_of(const list_source<V>& source) const
{
    return {source, session_->ring(least_part_bytes<V>(source.offsets())), session_->threads()};
}

template class streamed_ways<float>;
template class streamed_ways<double>;

device_matrix::stored device_matrix::store(const matrix& X, stream_view stream, device_runtime& runtime)
{
    check_shape(X);
    if (fits_float(X)) return store_as<float>(X, stream, runtime);
    return store_as<double>(X, stream, runtime);
}

device_matrix::stored device_matrix::stream(const matrix& X, device_session& session)
{
    check_shape(X);
    if (fits_float(X)) return stream_as<float>(X, session);
    return stream_as<double>(X, session);
}

device_matrix::device_matrix(const matrix& X, stream_view stream, device_runtime& runtime)
    : n_(X.rows()), column_offsets_(column_offsets_of(X)), lists_(store(X, stream, runtime))
{}

device_matrix::device_matrix(const matrix& X, device_session& session)
    : n_(X.rows()), column_offsets_(column_offsets_of(X)), lists_(stream(X, session))
{}

std::uint64_t device_matrix::bytes() const
{
    return visit([](const auto& lists) { return lists.bytes(); });
}

} // namespace proxpath::backend
