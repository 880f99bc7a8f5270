// See device_design.hpp: the stored blocks are brought to one type, turned over for the rows, and copied.

#include "host/backend/cuda/device_design.hpp"

#include "host/matrix/column_store.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace proxpath::backend {

list_lengths sort_by_length(std::span<const std::int64_t> offsets)
{
    list_lengths sorted;
    for (std::size_t l = 0; l + 1 < offsets.size(); ++l) {
        const bool is_long = offsets[l + 1] - offsets[l] > kernels::segment_length;
        (is_long ? sorted.long_ids : sorted.short_ids).push_back(static_cast<std::int64_t>(l));
    }
    return sorted;
}

template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count)
{
    host_lists<V> turned;
    turned.offsets.assign(static_cast<std::size_t>(count) + 1, 0);
    turned.indices.resize(lists.indices.size());
    turned.values.resize(lists.values.size());
    for (const std::uint32_t index : lists.indices) ++turned.offsets[std::size_t{index} + 1];
    for (std::size_t l = 1; l < turned.offsets.size(); ++l) turned.offsets[l] += turned.offsets[l - 1];
    std::vector<std::int64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
    for (std::size_t l = 0; l + 1 < lists.offsets.size(); ++l)
        for (std::int64_t i = lists.offsets[l]; i < lists.offsets[l + 1]; ++i) {
            const auto from = static_cast<std::size_t>(i);
            const auto to = static_cast<std::size_t>(next[lists.indices[from]]++);
            turned.indices[to] = static_cast<std::uint32_t>(l);
            turned.values[to] = lists.values[from];
        }
    return turned;
}

template host_lists<float> transposed(const host_lists<float>&, std::int64_t);
template host_lists<double> transposed(const host_lists<double>&, std::int64_t);

namespace {

template <class V>
host_lists<V> columns_of(const storage::column_store& store)
{
    host_lists<V> lists;
    lists.offsets.push_back(0);
    lists.indices.reserve(static_cast<std::size_t>(store.nonzeros));
    lists.values.reserve(static_cast<std::size_t>(store.nonzeros));
    for (const storage::column_block& block : store.blocks)
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const std::int64_t begin = block.offsets[local];
                const auto rows = indices.column(begin);
                for (std::int64_t i = begin; i < block.offsets[local + 1]; ++i) {
                    lists.indices.push_back(static_cast<std::uint32_t>(rows[i]));
                    lists.values.push_back(static_cast<V>(values[i]));
                }
                lists.offsets.push_back(static_cast<std::int64_t>(lists.indices.size()));
            }
        });
    return lists;
}

std::vector<std::int64_t> offsets_of(const storage::column_store& store)
{
    std::vector<std::int64_t> offsets{0};
    offsets.reserve(static_cast<std::size_t>(store.p) + 1);
    for (const storage::column_block& block : store.blocks)
        for (std::int64_t local = 0; local < block.count; ++local)
            offsets.push_back(offsets.back() + block.offsets[local + 1] - block.offsets[local]);
    return offsets;
}

void check_shape(const matrix& X)
{
    constexpr std::int64_t limit = std::numeric_limits<std::uint32_t>::max();
    if (X.rows() > limit || X.cols() > limit)
        throw invalid_input("X is " + std::to_string(X.rows()) + " x " + std::to_string(X.cols()) +
                            ": the CUDA backend takes at most " + std::to_string(limit) + " rows and columns");
}

} // namespace

template <class V>
device_lists<V>::device_lists(const host_lists<V>& lists, stream_view stream, device_runtime& runtime)
    : device_lists(lists, sort_by_length(lists.offsets), stream, runtime)
{}

template <class V>
device_lists<V>::device_lists(const host_lists<V>& lists, const list_lengths& lengths, stream_view stream,
                              device_runtime& runtime)
    : offsets_(static_cast<std::int64_t>(lists.offsets.size()), stream, runtime),
      indices_(static_cast<std::int64_t>(lists.indices.size()), stream, runtime),
      values_(static_cast<std::int64_t>(lists.values.size()), stream, runtime),
      short_ids_(static_cast<std::int64_t>(lengths.short_ids.size()), stream, runtime),
      long_ids_(static_cast<std::int64_t>(lengths.long_ids.size()), stream, runtime)
{
    copies_under_way copies(stream, runtime);
    offsets_.upload(lists.offsets);
    indices_.upload(lists.indices);
    values_.upload(lists.values);
    short_ids_.upload(lengths.short_ids);
    long_ids_.upload(lengths.long_ids);
    copies.wait();
}

template <class V>
kernels::lists_view<V> device_lists<V>::view() const
{
    return {offsets_.size() - 1, offsets_.data(),   indices_.data(),  values_.data(),
            short_ids_.data(),   short_ids_.size(), long_ids_.data(), long_ids_.size()};
}

template <class V>
std::uint64_t device_lists<V>::bytes() const
{
    return offsets_.bytes() + indices_.bytes() + values_.bytes() + short_ids_.bytes() + long_ids_.bytes();
}

template class device_lists<float>;
template class device_lists<double>;

template <class V>
device_matrix::both_ways<V> device_matrix::store(const matrix& X, stream_view stream, device_runtime& runtime)
{
    const host_lists<V> columns = columns_of<V>(X.store());
    return {device_lists<V>(columns, stream, runtime), device_lists<V>(transposed(columns, X.rows()), stream, runtime)};
}

device_matrix::stored device_matrix::store_narrowest(const matrix& X, stream_view stream, device_runtime& runtime)
{
    check_shape(X);
    const auto& blocks = X.store().blocks;
    const bool wide = std::any_of(blocks.begin(), blocks.end(), [](const storage::column_block& block) {
        return block.values_are == storage::value_kind::f64;
    });
    if (wide) return store<double>(X, stream, runtime);
    return store<float>(X, stream, runtime);
}

device_matrix::device_matrix(const matrix& X, stream_view stream, device_runtime& runtime)
    : n_(X.rows()), p_(X.cols()), nonzeros_(X.nonzeros()), column_offsets_(offsets_of(X.store())),
      lists_(store_narrowest(X, stream, runtime))
{}

std::uint64_t device_matrix::bytes() const
{
    return visit([](const auto& both) { return both.columns.bytes() + both.rows.bytes(); });
}

device_design::device_design(std::shared_ptr<const device_matrix> X, column_scaling scaling, stream_view stream,
                             device_runtime& runtime, std::vector<std::int64_t> gathered)
    : X_(std::move(X)), scaling_(std::move(scaling)), gathered_(std::move(gathered)),
      centered_(std::any_of(scaling_.center.begin(), scaling_.center.end(), [](double center) { return center != 0; })),
      shift_(X_->cols(), stream, runtime), center_(X_->cols(), stream, runtime), inverse_(X_->cols(), stream, runtime)
{
    copies_under_way copies(stream, runtime);
    shift_.upload(scaling_.shift);
    center_.upload(scaling_.center);
    inverse_.upload(scaling_.inverse);
    copies.wait();
}

std::uint64_t device_design::bytes() const { return X_->bytes() + shift_.bytes() + center_.bytes() + inverse_.bytes(); }

} // namespace proxpath::backend
