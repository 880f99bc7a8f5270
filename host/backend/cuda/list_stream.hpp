// Lists that stay in host memory, brought to the device part by part: as many of the chosen lists as go into a piece of
// the staging ring, with their offsets and what tells short ones from long ones. Kernels take a part for the lists of
// the whole, for lists keep their numbers; those outside the part, or not chosen, are in no list of ids. A list is
// never cut, so sums over it have the same bits however the parts are.
#pragma once

#include "host/backend/cuda/host_lists.hpp"
#include "host/backend/cuda/staging_ring.hpp"
#include "kernels/views.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Bytes that a part of lists takes: its offsets, an id for each list, its entries.
/// @param range lists from its first to its last, chosen or not
template <class V>
constexpr std::uint64_t part_bytes(std::int64_t range, std::int64_t chosen, std::int64_t entries)
{
    const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
    return sizeof(std::int64_t) * count(range + 1 + chosen) + (sizeof(std::uint32_t) + sizeof(V)) * count(entries);
}

/// The bytes that any part may need: those of the longest list alone.
template <class V>
std::uint64_t least_part_bytes(std::span<const std::int64_t> offsets)
{
    std::int64_t longest = 0;
    for (std::size_t l = 0; l + 1 < offsets.size(); ++l) longest = std::max(longest, offsets[l + 1] - offsets[l]);
    return part_bytes<V>(1, 1, longest);
}

/// Which lists are wanted, ascending: the given ones, or all of [first, end).
class list_choice {
public:
    explicit list_choice(std::span<const std::int64_t> ids)
        : ids_(ids), first_(0), size_(static_cast<std::int64_t>(ids.size()))
    {}
    list_choice(std::int64_t first, std::int64_t end) : first_(first), size_(end - first), all_(true) {}

    std::int64_t size() const { return size_; }
    std::int64_t operator[](std::int64_t i) const
    {
        return all_ ? first_ + i : ids_[static_cast<std::size_t>(first_ + i)];
    }
    void drop_first(std::int64_t count)
    {
        first_ += count;
        size_ -= count;
    }

private:
    std::span<const std::int64_t> ids_;
    std::int64_t first_;
    std::int64_t size_;
    bool all_ = false;
};

/// Neighbouring lists [first, end), of which `chosen` are sent, with so many entries together.
struct list_part {
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::vector<std::int64_t> chosen; ///< ascending
    std::int64_t entries = 0;
};

/// As many of the wanted lists, from the first on, as go into so many bytes together; at least one.
/// @param wanted not empty
template <class V>
list_part next_part(std::span<const std::int64_t> offsets, const list_choice& wanted, std::uint64_t bytes)
{
    list_part part{wanted[0], wanted[0], {}, 0};
    for (std::int64_t i = 0; i < wanted.size(); ++i) {
        const std::int64_t list = wanted[i];
        const auto l = static_cast<std::size_t>(list);
        const std::int64_t entries = part.entries + offsets[l + 1] - offsets[l];
        if (i > 0 && part_bytes<V>(list + 1 - part.first, i + 1, entries) > bytes) break;
        part.chosen.push_back(list);
        part.entries = entries;
        part.end = list + 1;
    }
    return part;
}

/// Writes a part as it goes over: offsets, ids of short lists, of long ones, values, indices.
/// @param threads entries are read by
/// @return the view of it that is right when it lies at `device`
template <class V>
kernels::lists_view<V> write_part(const list_source<V>& source, const list_part& part, int threads, std::byte* host,
                                  const std::byte* device);

template <class V>
class list_stream {
public:
    /// All three stay as long as this.
    /// @throws out_of_memory where the longest list is too long for the ring
    list_stream(const list_source<V>& source, staging_ring& ring, int threads);

    /// Calls f(lists_view, list_part) for parts that hold all wanted lists together, in their order; f enqueues work on
    /// the compute stream.
    template <class F>
    void for_each_part(list_choice wanted, const F& f) const
    {
        while (wanted.size() > 0) {
            const list_part part = next_part<V>(source_.offsets(), wanted, ring_.piece_bytes());
            const kernels::lists_view<V> view = send(part);
            try {
                f(view, part);
            } catch (...) {
                ring_.release(); // of what f has enqueued so far
                throw;
            }
            ring_.release();
            wanted.drop_first(static_cast<std::int64_t>(part.chosen.size()));
        }
    }

private:
    kernels::lists_view<V> send(const list_part& part) const;

    const list_source<V>& source_;
    staging_ring& ring_;
    int threads_;
};

} // namespace proxpath::backend
