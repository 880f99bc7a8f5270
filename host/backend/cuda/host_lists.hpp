// Columns of X, or its rows, as lists of (index, value) pairs in host memory, in the types that a device takes: on
// their way into its memory whole (device_matrix.hpp), or part by part (list_stream.hpp) where that is too small for
// them.
#pragma once

#include "kernels/views.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Lists in host memory. List l is positions offsets[l] … offsets[l + 1).
template <class V>
struct host_lists {
    std::vector<std::int64_t> offsets;
    std::vector<std::uint32_t> indices;
    std::vector<V> values;
};

/// True where a block sums list l, false where a part of a warp does.
/// @param offsets one more than there are lists
inline bool is_long_list(std::span<const std::int64_t> offsets, std::int64_t l)
{
    const auto at = static_cast<std::size_t>(l);
    return offsets[at + 1] - offsets[at] > kernels::segment_length;
}
/// The lists by that.
struct list_lengths {
    std::vector<std::int64_t> short_ids;
    std::vector<std::int64_t> long_ids;
};
/// @param offsets one more than there are lists
list_lengths sort_by_length(std::span<const std::int64_t> offsets);

/// The same pairs listed by their index: columns to rows. Entries of a list come in the order that the lists are taken
/// in.
/// @param count number of lists to make
/// @param order of the lists, each once
template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count, std::span<const std::uint32_t> order);
/// The same, ascending.
template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count);

/// True where float holds every value of X exactly.
bool fits_float(const matrix& X);

/// p + 1: where the columns of X begin and end.
std::vector<std::int64_t> column_offsets_of(const matrix& X);
/// All columns of X.
template <class V>
host_lists<V> stored_columns(const matrix& X);
/// All rows of X; beside them no more than 8 bytes for each.
template <class V>
host_lists<V> stored_rows(const matrix& X);

/// Where entries come from that do not stay in device memory. Host memory in all that there is now; a file is another
/// one of these.
template <class V>
class list_source {
public:
    virtual ~list_source() = default;
    /// One more than there are lists; the same memory as long as the source lives.
    virtual std::span<const std::int64_t> offsets() const = 0;
    /// The entries of chosen lists, one list after the other. Called from several threads at once.
    /// @param lists ascending
    virtual void read(std::span<const std::int64_t> lists, std::uint32_t* indices, V* values) const = 0;
};

/// The columns of X, from where and as it is stored.
template <class V>
class column_source final : public list_source<V> {
public:
    explicit column_source(const matrix& X) : X_(X), offsets_(column_offsets_of(X)) {}
    std::span<const std::int64_t> offsets() const override { return offsets_; }
    void read(std::span<const std::int64_t> lists, std::uint32_t* indices, V* values) const override;

private:
    matrix X_;
    std::vector<std::int64_t> offsets_;
};

/// Lists that were made in host memory.
template <class V>
class made_source final : public list_source<V> {
public:
    explicit made_source(host_lists<V> lists) : lists_(std::move(lists)) {}
    std::span<const std::int64_t> offsets() const override { return lists_.offsets; }
    void read(std::span<const std::int64_t> lists, std::uint32_t* indices, V* values) const override;

private:
    host_lists<V> lists_;
};

} // namespace proxpath::backend
