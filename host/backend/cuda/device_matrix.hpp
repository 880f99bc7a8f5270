// The stored entries of a matrix as kernels read them: by columns for X̃'R and by rows for X̃B, 32-bit indices, 64-bit
// offsets, values in float where that is exact for all of them. In device memory as a whole where they fit; else they
// stay in host memory and come in parts (list_stream.hpp), whenever an operation goes through them. Who goes through
// for_columns and for_rows does not see which it is.
#pragma once

#include "host/backend/cuda/device_buffer.hpp"
#include "host/backend/cuda/host_lists.hpp"
#include "host/backend/cuda/list_stream.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace proxpath::backend {

class device_session;

template <class V>
class device_lists {
public:
    /// Waits for the stream, after which `lists` may go.
    device_lists(const host_lists<V>& lists, stream_view stream, device_runtime& runtime);
    /// Lists that were made on the device.
    device_lists(device_buffer<std::int64_t> offsets, device_buffer<std::uint32_t> indices, device_buffer<V> values,
                 device_buffer<std::int64_t> short_ids, device_buffer<std::int64_t> long_ids);
    /// Somebody else's entries, which outlive these lists.
    /// @param entries count, offsets, indices and values
    /// @param offsets what entries.offsets points to, or empty where that is somebody else's, too
    device_lists(const kernels::lists_view<V>& entries, device_buffer<std::int64_t> offsets,
                 device_buffer<std::int64_t> short_ids, device_buffer<std::int64_t> long_ids);
    kernels::lists_view<V> view() const { return view_; }
    /// Of its own.
    std::uint64_t bytes() const;

private:
    device_lists(const host_lists<V>& lists, const list_lengths& lengths, stream_view stream, device_runtime& runtime);

    device_buffer<std::int64_t> offsets_;
    std::optional<device_buffer<std::uint32_t>> indices_;
    std::optional<device_buffer<V>> values_;
    device_buffer<std::int64_t> short_ids_;
    device_buffer<std::int64_t> long_ids_;
    kernels::lists_view<V> view_;
};

/// In device memory, by columns and by rows.
template <class V>
struct both_ways {
    device_lists<V> columns;
    device_lists<V> rows;

    static constexpr bool is_resident = true;
    /// Columns and rows as they can be read at any time.
    std::pair<kernels::lists_view<V>, kernels::lists_view<V>> views() const { return {columns.view(), rows.view()}; }
    std::uint64_t bytes() const { return columns.bytes() + rows.bytes(); }
    /// All in one part.
    template <class F>
    void for_columns(const list_choice&, const F& f) const
    {
        f(columns.view());
    }
    template <class F>
    void for_rows(std::int64_t first, std::int64_t end, const F& f) const
    {
        f(rows.view(), first, end);
    }
};

/// Bytes that both ways take in device memory.
std::uint64_t resident_bytes(std::int64_t n, std::int64_t p, std::int64_t nonzeros, bool as_float);

/// In host memory. On the device are the offsets of the columns alone.
template <class V>
class streamed_ways {
public:
    /// @param make_rows called when rows are first asked for; they take as much memory as the columns
    streamed_ways(std::unique_ptr<list_source<V>> columns, std::function<host_lists<V>()> make_rows,
                  device_session& session);
    streamed_ways(std::unique_ptr<list_source<V>> columns, std::unique_ptr<list_source<V>> rows,
                  device_session& session);

    static constexpr bool is_resident = false;
    /// Offsets of the columns, and how many are short and long, at any time; nothing else.
    std::pair<kernels::lists_view<V>, kernels::lists_view<V>> views() const;
    std::uint64_t bytes() const { return offsets_.bytes(); }
    const list_source<V>& columns() const { return *columns_; }

    /// f(lists_view) for parts of the wanted columns.
    template <class F>
    void for_columns(const list_choice& wanted, const F& f) const
    {
        stream_of(*columns_).for_each_part(wanted, [&](const auto& view, const list_part&) { f(view); });
    }
    /// f(lists_view, its first row, its end) for parts of rows [first, end).
    template <class F>
    void for_rows(std::int64_t first, std::int64_t end, const F& f) const
    {
        if (rows_ == nullptr) rows_ = std::make_unique<made_source<V>>(make_rows_());
        stream_of(*rows_).for_each_part(
            {first, end}, [&](const auto& view, const list_part& part) { f(view, part.first, part.end); });
    }

private:
    list_stream<V> stream_of(const list_source<V>& source) const;

    std::unique_ptr<list_source<V>> columns_;
    std::function<host_lists<V>()> make_rows_;
    mutable std::unique_ptr<list_source<V>> rows_;
    device_session* session_; // outlives its matrices
    device_buffer<std::int64_t> offsets_;
    std::int64_t short_count_ = 0;
    std::int64_t long_count_ = 0;
};

class device_matrix {
public:
    /// As a whole in device memory. Waits for the stream: X may go.
    /// @throws invalid_input where n or p is beyond 32-bit indices
    device_matrix(const matrix& X, stream_view stream, device_runtime& runtime);
    /// In host memory, where X stays.
    /// @throws as above
    device_matrix(const matrix& X, device_session& session);
    /// Made on the device. @param offsets of the columns, p + 1
    template <class V>
    device_matrix(std::int64_t n, std::vector<std::int64_t> offsets, both_ways<V> lists)
        : n_(n), column_offsets_(std::move(offsets)), lists_(std::move(lists))
    {}
    /// Made in host memory.
    template <class V>
    device_matrix(std::int64_t n, std::vector<std::int64_t> offsets, streamed_ways<V> lists)
        : n_(n), column_offsets_(std::move(offsets)), lists_(std::move(lists))
    {}

    std::int64_t rows() const { return n_; }
    std::int64_t cols() const { return static_cast<std::int64_t>(column_offsets_.size()) - 1; }
    std::int64_t nonzeros() const { return column_offsets_.back(); }
    /// In device memory.
    std::uint64_t bytes() const;
    /// p + 1, in host memory: where columns begin and end can be planned with.
    const std::vector<std::int64_t>& column_offsets() const { return column_offsets_; }
    bool is_resident() const { return lists_.index() < 2; }

    /// Calls f(both_ways<V>) or f(streamed_ways<V>).
    template <class F>
    decltype(auto) visit(const F& f) const
    {
        return std::visit(f, lists_);
    }

private:
    using stored = std::variant<both_ways<float>, both_ways<double>, streamed_ways<float>, streamed_ways<double>>;

    static stored store(const matrix& X, stream_view stream, device_runtime& runtime);
    static stored stream(const matrix& X, device_session& session);

    std::int64_t n_;
    std::vector<std::int64_t> column_offsets_;
    stored lists_;
};

} // namespace proxpath::backend
