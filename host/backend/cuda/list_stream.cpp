// See list_stream.hpp.

#include "host/backend/cuda/list_stream.hpp"

#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <string>

namespace proxpath::backend {

namespace {

/// Entries that a thread reads at a time: some 100 KB, as long as waking it takes.
constexpr std::int64_t entries_together = 1 << 14;

/// Where the parts of a part lie in its bytes.
template <class V>
struct part_layout {
    std::uint64_t ids;
    std::uint64_t values;
    std::uint64_t indices;
    std::uint64_t bytes;

    explicit part_layout(const list_part& part)
        : ids(sizeof(std::int64_t) * static_cast<std::uint64_t>(part.end - part.first + 1)),
          values(ids + sizeof(std::int64_t) * part.chosen.size()),
          indices(values + sizeof(V) * static_cast<std::uint64_t>(part.entries)),
          bytes(part_bytes<V>(part.end - part.first, static_cast<std::int64_t>(part.chosen.size()), part.entries))
    {}
};

/// So that list `first` of a view is found at the array's begin. The result may lie outside of any array; what is read
/// through it does not.
const std::int64_t* counted_from(std::int64_t first, const std::byte* offsets)
{
    const auto begin = reinterpret_cast<std::uintptr_t>(offsets);
    return reinterpret_cast<const std::int64_t*>(begin - static_cast<std::uintptr_t>(first) * sizeof(std::int64_t));
}

/// Lists not chosen are empty in a part.
void write_offsets(std::span<const std::int64_t> offsets, const list_part& part, std::int64_t* to)
{
    std::int64_t before = 0;
    std::int64_t next = part.first;
    for (const std::int64_t list : part.chosen) {
        for (; next <= list; ++next) *to++ = before;
        const auto l = static_cast<std::size_t>(list);
        before += offsets[l + 1] - offsets[l];
    }
    *to = before;
}

/// Short lists first. @return how many these are
std::int64_t write_ids(std::span<const std::int64_t> offsets, const list_part& part, std::int64_t* to)
{
    const auto is_long = [&](std::int64_t list) { return is_long_list(offsets, list); };
    std::int64_t* const end =
        std::copy_if(part.chosen.begin(), part.chosen.end(), to, [&](std::int64_t list) { return !is_long(list); });
    std::copy_if(part.chosen.begin(), part.chosen.end(), end, is_long);
    return end - to;
}

/// Chosen lists from one begin to the next are read together, by one thread.
struct reading_plan {
    std::vector<std::size_t> begins; ///< in part.chosen, and its end
    std::vector<std::int64_t> entries_before;
};
reading_plan plan_reading(std::span<const std::int64_t> offsets, const list_part& part)
{
    reading_plan plan;
    std::int64_t before = 0;
    for (std::size_t c = 0; c < part.chosen.size(); ++c) {
        if (plan.begins.empty() || before - plan.entries_before.back() >= entries_together) {
            plan.begins.push_back(c);
            plan.entries_before.push_back(before);
        }
        const auto l = static_cast<std::size_t>(part.chosen[c]);
        before += offsets[l + 1] - offsets[l];
    }
    plan.begins.push_back(part.chosen.size());
    return plan;
}

} // namespace

template <class V>
kernels::lists_view<V> write_part(const list_source<V>& source, const list_part& part, int threads, std::byte* host,
                                  const std::byte* device)
{
    const std::span<const std::int64_t> offsets = source.offsets();
    const part_layout<V> at(part);
    write_offsets(offsets, part, reinterpret_cast<std::int64_t*>(host));
    const std::int64_t short_count = write_ids(offsets, part, reinterpret_cast<std::int64_t*>(host + at.ids));
    auto* const values = reinterpret_cast<V*>(host + at.values);
    auto* const indices = reinterpret_cast<std::uint32_t*>(host + at.indices);
    const reading_plan plan = plan_reading(offsets, part);
    parallel::parallel_for(threads, static_cast<std::int64_t>(plan.entries_before.size()), [&](std::int64_t piece) {
        const auto i = static_cast<std::size_t>(piece);
        source.read(std::span(part.chosen).subspan(plan.begins[i], plan.begins[i + 1] - plan.begins[i]),
                    indices + plan.entries_before[i], values + plan.entries_before[i]);
    });
    const auto* const ids = reinterpret_cast<const std::int64_t*>(device + at.ids);
    return {static_cast<std::int64_t>(offsets.size()) - 1,
            counted_from(part.first, device),
            reinterpret_cast<const std::uint32_t*>(device + at.indices),
            reinterpret_cast<const V*>(device + at.values),
            ids,
            short_count,
            ids + short_count,
            static_cast<std::int64_t>(part.chosen.size()) - short_count};
}

template <class V>
list_stream<V>::list_stream(const list_source<V>& source, staging_ring& ring, int threads)
    : source_(source), ring_(ring), threads_(threads)
{
    const std::uint64_t least = least_part_bytes<V>(source.offsets());
    if (least > ring.piece_bytes())
        throw out_of_memory("the longest column or row of X takes " + std::to_string(least) +
                                " bytes, of which the device has to hold three at a time; a third of what X may take "
                                "of its memory is " +
                                std::to_string(ring.piece_bytes()) + " bytes: raise the limit of the device's memory",
                            least, ring.piece_bytes());
}

template <class V>
kernels::lists_view<V> list_stream<V>::send(const list_part& part) const
{
    const staging_ring::place place = ring_.next();
    const kernels::lists_view<V> view = write_part(source_, part, threads_, place.host, place.device);
    ring_.send(part_layout<V>(part).bytes);
    return view;
}

template kernels::lists_view<float> write_part(const list_source<float>&, const list_part&, int, std::byte*,
                                               const std::byte*);
template kernels::lists_view<double> write_part(const list_source<double>&, const list_part&, int, std::byte*,
                                                const std::byte*);
template class list_stream<float>;
template class list_stream<double>;

} // namespace proxpath::backend
