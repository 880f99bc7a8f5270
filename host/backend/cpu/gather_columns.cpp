// A working set as a design of its own: the chosen columns copied side by side, in the types they have in X. One that
// has grown shares the blocks of the one before.

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/cpu_operations.hpp"

#include <cstring>

namespace proxpath::backend {

namespace {

void copy_entries(const void* from, void* to, std::uint64_t width, std::int64_t from_position, std::int64_t to_position,
                  std::int64_t count)
{
    if (width == 0 || count == 0) return;
    std::memcpy(static_cast<char*>(to) + static_cast<std::uint64_t>(to_position) * width,
                static_cast<const char*>(from) + static_cast<std::uint64_t>(from_position) * width,
                static_cast<std::uint64_t>(count) * width);
}

} // namespace

template <class T>
std::shared_ptr<const design> cpu_operations<T>::gather_columns(const design& X, std::span<const std::int64_t> columns,
                                                                const design* before) const
{
    const cpu_design& from = as_cpu(X);
    const storage::column_store& source = from.store();
    auto store = std::make_shared<storage::column_store>();
    store->n = source.n;
    column_scaling scaling;
    if (before != nullptr) {
        *store = as_cpu(*before).store();
        scaling = before->scaling();
    }
    const std::int64_t known = store->p;
    store->p += static_cast<std::int64_t>(columns.size());

    // Runs of columns of the same types become a block, closed at the usual size.
    struct run {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::int64_t entries = 0;
    };
    std::vector<run> runs;
    std::vector<const storage::column_block*> home(columns.size());
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const auto j = static_cast<std::size_t>(columns[c]);
        scaling.shift.push_back(from.scaling().shift[j]);
        scaling.center.push_back(from.scaling().center[j]);
        scaling.inverse.push_back(from.scaling().inverse[j]);
        home[c] = &storage::block_of(source, columns[c]);
        const std::int64_t local = columns[c] - home[c]->first;
        const std::int64_t entries = home[c]->offsets[local + 1] - home[c]->offsets[local];
        const bool joins = !runs.empty() && home[c]->indices_are == home[c - 1]->indices_are &&
                           home[c]->values_are == home[c - 1]->values_are &&
                           runs.back().entries + entries <= storage::block_nonzeros;
        if (!joins) runs.push_back({c, c, 0});
        runs.back().end = c + 1;
        runs.back().entries += entries;
    }

    const auto take = [&](std::uint64_t bytes) -> void* {
        store->owners.push_back(storage::allocate_bytes(bytes));
        store->stored_bytes += bytes;
        return const_cast<void*>(store->owners.back().get());
    };
    auto* offsets = static_cast<std::int64_t*>(take(sizeof(std::int64_t) * (columns.size() + runs.size())));
    for (const run& part : runs) {
        storage::column_block block = *home[part.begin];
        const std::uint64_t index_width = storage::index_bytes(block.indices_are);
        const std::uint64_t value_width = storage::value_bytes(block.values_are);
        void* const indices = index_width > 0 ? take(index_width * static_cast<std::uint64_t>(part.entries)) : nullptr;
        void* const values = value_width > 0 ? take(value_width * static_cast<std::uint64_t>(part.entries)) : nullptr;
        block.first = known + static_cast<std::int64_t>(part.begin);
        block.count = static_cast<std::int64_t>(part.end - part.begin);
        block.offsets = offsets;
        std::int64_t position = 0;
        for (std::size_t c = part.begin; c < part.end; ++c) {
            const std::int64_t local = columns[c] - home[c]->first;
            const std::int64_t begin = home[c]->offsets[local];
            const std::int64_t count = home[c]->offsets[local + 1] - begin;
            *offsets++ = position;
            copy_entries(home[c]->indices, indices, index_width, begin, position, count);
            copy_entries(home[c]->values, values, value_width, begin, position, count);
            position += count;
        }
        *offsets++ = position;
        block.indices = indices;
        block.values = values;
        store->blocks.push_back(block);
        store->nonzeros += position;
    }
    const std::uint64_t bytes = store->stored_bytes;
    return std::make_shared<cpu_design>(matrix(std::shared_ptr<const storage::column_store>(std::move(store))),
                                        std::move(scaling), bytes);
}

template std::shared_ptr<const design>
cpu_operations<float>::gather_columns(const design&, std::span<const std::int64_t>, const design*) const;
template std::shared_ptr<const design>
cpu_operations<double>::gather_columns(const design&, std::span<const std::int64_t>, const design*) const;

} // namespace proxpath::backend
