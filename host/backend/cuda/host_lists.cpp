// See host_lists.hpp: the stored blocks are brought to one type, or turned over for the rows.

#include "host/backend/cuda/host_lists.hpp"

#include "host/matrix/column_store.hpp"

#include <algorithm>
#include <numeric>

namespace proxpath::backend {

namespace {

/// Calls f(row, value) for the entries of columns [from, to) of a block, which are counted from its first.
template <class F>
void for_each_entry(const storage::column_block& block, std::int64_t from, std::int64_t to, const F& f)
{
    storage::visit_block(block, [&](auto indices, auto values) {
        for (std::int64_t local = from; local < to; ++local) {
            const std::int64_t begin = block.offsets[local];
            const auto rows = indices.column(begin);
            for (std::int64_t i = begin; i < block.offsets[local + 1]; ++i)
                f(block.first + local, static_cast<std::uint32_t>(rows[i]), values[i]);
        }
    });
}

/// Each index becomes the place behind what comes before it.
void add_up(std::vector<std::int64_t>& offsets)
{
    for (std::size_t l = 1; l < offsets.size(); ++l) offsets[l] += offsets[l - 1];
}

} // namespace

list_lengths sort_by_length(std::span<const std::int64_t> offsets)
{
    list_lengths sorted;
    for (std::int64_t l = 0; l + 1 < std::ssize(offsets); ++l)
        (is_long_list(offsets, l) ? sorted.long_ids : sorted.short_ids).push_back(l);
    return sorted;
}

template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count, std::span<const std::uint32_t> order)
{
    host_lists<V> turned;
    turned.offsets.assign(static_cast<std::size_t>(count) + 1, 0);
    turned.indices.resize(lists.indices.size());
    turned.values.resize(lists.values.size());
    for (const std::uint32_t index : lists.indices) ++turned.offsets[std::size_t{index} + 1];
    add_up(turned.offsets);
    std::vector<std::int64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
    for (const std::uint32_t l : order)
        for (std::int64_t i = lists.offsets[l]; i < lists.offsets[std::size_t{l} + 1]; ++i) {
            const auto from = static_cast<std::size_t>(i);
            const auto to = static_cast<std::size_t>(next[lists.indices[from]]++);
            turned.indices[to] = l;
            turned.values[to] = lists.values[from];
        }
    return turned;
}

template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count)
{
    std::vector<std::uint32_t> order(lists.offsets.size() - 1);
    std::iota(order.begin(), order.end(), 0u);
    return transposed(lists, count, std::span<const std::uint32_t>(order));
}

bool fits_float(const matrix& X)
{
    const auto& blocks = X.store().blocks;
    return std::none_of(blocks.begin(), blocks.end(), [](const storage::column_block& block) {
        return block.values_are == storage::value_kind::f64;
    });
}

std::vector<std::int64_t> column_offsets_of(const matrix& X)
{
    std::vector<std::int64_t> offsets{0};
    offsets.reserve(static_cast<std::size_t>(X.cols()) + 1);
    for (const storage::column_block& block : X.store().blocks)
        for (std::int64_t local = 0; local < block.count; ++local)
            offsets.push_back(offsets.back() + block.offsets[local + 1] - block.offsets[local]);
    return offsets;
}

template <class V>
host_lists<V> stored_columns(const matrix& X)
{
    host_lists<V> lists;
    lists.offsets = column_offsets_of(X);
    lists.indices.reserve(static_cast<std::size_t>(X.nonzeros()));
    lists.values.reserve(static_cast<std::size_t>(X.nonzeros()));
    for (const storage::column_block& block : X.store().blocks)
        for_each_entry(block, 0, block.count, [&](std::int64_t, std::uint32_t row, auto value) {
            lists.indices.push_back(row);
            lists.values.push_back(static_cast<V>(value));
        });
    return lists;
}

template <class V>
host_lists<V> stored_rows(const matrix& X)
{
    host_lists<V> lists;
    lists.offsets.assign(static_cast<std::size_t>(X.rows()) + 1, 0);
    for (const storage::column_block& block : X.store().blocks)
        for_each_entry(block, 0, block.count,
                       [&](std::int64_t, std::uint32_t row, auto) { ++lists.offsets[std::size_t{row} + 1]; });
    add_up(lists.offsets);
    lists.indices.resize(static_cast<std::size_t>(X.nonzeros()));
    lists.values.resize(static_cast<std::size_t>(X.nonzeros()));
    std::vector<std::int64_t> next(lists.offsets.begin(), lists.offsets.end() - 1);
    for (const storage::column_block& block : X.store().blocks)
        for_each_entry(block, 0, block.count, [&](std::int64_t column, std::uint32_t row, auto value) {
            const auto to = static_cast<std::size_t>(next[row]++);
            lists.indices[to] = static_cast<std::uint32_t>(column);
            lists.values[to] = static_cast<V>(value);
        });
    return lists;
}

template <class V>
void column_source<V>::read(std::span<const std::int64_t> lists, std::uint32_t* indices, V* values) const
{
    // Neighbours in one block are read together: its types are looked up once.
    for (std::size_t first = 0; first < lists.size();) {
        const storage::column_block& block = storage::block_of(X_.store(), lists[first]);
        std::size_t end = first;
        while (end < lists.size() && lists[end] < block.first + block.count) ++end;
        storage::visit_block(block, [&](auto rows_of_block, auto values_of_block) {
            for (std::size_t l = first; l < end; ++l) {
                const std::int64_t local = lists[l] - block.first;
                const std::int64_t begin = block.offsets[local];
                const std::int64_t stop = block.offsets[local + 1];
                const auto rows = rows_of_block.column(begin);
                for (std::int64_t i = begin; i < stop; ++i) {
                    *indices++ = static_cast<std::uint32_t>(rows[i]);
                    *values++ = static_cast<V>(values_of_block[i]);
                }
            }
        });
        first = end;
    }
}

template <class V>
void made_source<V>::read(std::span<const std::int64_t> lists, std::uint32_t* indices, V* values) const
{
    for (const std::int64_t list : lists) {
        const std::int64_t begin = lists_.offsets[static_cast<std::size_t>(list)];
        const std::int64_t count = lists_.offsets[static_cast<std::size_t>(list) + 1] - begin;
        indices = std::copy_n(lists_.indices.begin() + begin, count, indices);
        values = std::copy_n(lists_.values.begin() + begin, count, values);
    }
}

template host_lists<float> transposed(const host_lists<float>&, std::int64_t, std::span<const std::uint32_t>);
template host_lists<double> transposed(const host_lists<double>&, std::int64_t, std::span<const std::uint32_t>);
template host_lists<float> transposed(const host_lists<float>&, std::int64_t);
template host_lists<double> transposed(const host_lists<double>&, std::int64_t);
template host_lists<float> stored_columns<float>(const matrix&);
template host_lists<double> stored_columns<double>(const matrix&);
template host_lists<float> stored_rows<float>(const matrix&);
template host_lists<double> stored_rows<double>(const matrix&);
template class column_source<float>;
template class column_source<double>;
template class made_source<float>;
template class made_source<double>;

} // namespace proxpath::backend
