// Placing entries into column blocks; see assembler.hpp.

#include "host/matrix/assembler.hpp"

#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace proxpath::storage {

std::shared_ptr<void> allocate_bytes(std::uint64_t bytes)
{
    void* const pointer = std::malloc(bytes > 0 ? bytes : 1);
    if (pointer == nullptr) throw std::bad_alloc();
    return {pointer, free_deleter{}};
}

std::uint64_t index_bytes(index_kind kind)
{
    switch (kind) {
    case index_kind::full:
        return 0;
    case index_kind::u16:
        return 2;
    case index_kind::u32:
        return 4;
    default:
        return 8;
    }
}

std::uint64_t value_bytes(value_kind kind)
{
    switch (kind) {
    case value_kind::one:
        return 0;
    case value_kind::u8:
        return 1;
    case value_kind::f32:
        return 4;
    default:
        return 8;
    }
}

void column_profile::grow(std::int64_t p)
{
    if (p <= size()) return;
    counts_.resize(static_cast<std::size_t>(p), 0);
    kinds_.resize(static_cast<std::size_t>(p), value_kind::one);
}

void column_profile::merge(const column_profile& other)
{
    grow(other.size());
    for (std::size_t j = 0; j < other.counts_.size(); ++j) {
        counts_[j] += other.counts_[j];
        kinds_[j] = std::max(kinds_[j], other.kinds_[j]);
    }
}

namespace {

/// Cuts columns into blocks: closed at block_nonzeros entries, and where full columns begin or end.
std::vector<column_block> plan_blocks(std::int64_t n, std::span<const std::int64_t> counts,
                                      std::span<const value_kind> kinds)
{
    std::vector<column_block> blocks;
    std::int64_t entries = 0;
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(counts.size()); ++j) {
        const std::int64_t count = counts[static_cast<std::size_t>(j)];
        const bool full = count == n && n > 0;
        const bool block_is_full = !blocks.empty() && blocks.back().indices_are == index_kind::full;
        if (blocks.empty() || entries + count > block_nonzeros || full != block_is_full) {
            column_block block;
            block.first = j;
            block.indices_are = full ? index_kind::full : n <= 65536 ? index_kind::u16 : index_kind::u32;
            block.values_are = value_kind::one;
            blocks.push_back(block);
            entries = 0;
        }
        ++blocks.back().count;
        blocks.back().values_are = std::max(blocks.back().values_are, kinds[static_cast<std::size_t>(j)]);
        entries += count;
    }
    return blocks;
}

template <class T>
void write_value(void* values, std::int64_t position, double value)
{
    static_cast<T*>(values)[position] = static_cast<T>(value);
}

void store_value(value_kind kind, void* values, std::int64_t position, double value)
{
    switch (kind) {
    case value_kind::one:
        return;
    case value_kind::u8:
        return write_value<std::uint8_t>(values, position, value);
    case value_kind::f32:
        return write_value<float>(values, position, value);
    default:
        return write_value<double>(values, position, value);
    }
}

} // namespace

std::uint64_t predict_stored_bytes(std::int64_t n, const column_profile& profile)
{
    std::uint64_t bytes = sizeof(std::int64_t) * static_cast<std::uint64_t>(profile.size() + 1);
    for (const column_block& block : plan_blocks(n, profile.counts(), profile.kinds())) {
        std::uint64_t entries = 0;
        for (std::int64_t j = block.first; j < block.first + block.count; ++j)
            entries += static_cast<std::uint64_t>(profile.counts()[static_cast<std::size_t>(j)]);
        bytes += entries * (index_bytes(block.indices_are) + value_bytes(block.values_are));
    }
    return bytes;
}

struct matrix_assembler::writable_block {
    void* indices = nullptr;
    void* values = nullptr;
    // Full blocks store no indices, so a bit per place says which rows have come.
    std::unique_ptr<std::atomic<std::uint32_t>[]> seen;
};

matrix_assembler::matrix_assembler(std::int64_t n, const column_profile& profile)
    : n_(n), store_(std::make_shared<column_store>())
{
    const std::int64_t p = profile.size();
    store_->n = n;
    store_->p = p;
    store_->blocks = plan_blocks(n, profile.counts(), profile.kinds());
    blocks_.resize(store_->blocks.size());
    block_of_.resize(static_cast<std::size_t>(p));
    cursors_ = std::make_unique<std::atomic<std::int64_t>[]>(static_cast<std::size_t>(p));

    // Offsets of all blocks live in one array: block b uses [first, first + count], restarting at 0, so neighbours
    // need a separate end; hence one more entry for each block.
    const auto offsets_length = static_cast<std::uint64_t>(p) + store_->blocks.size();
    const auto offsets_owner = allocate_bytes(sizeof(std::int64_t) * offsets_length);
    auto* offsets = static_cast<std::int64_t*>(offsets_owner.get());
    store_->owners.push_back(offsets_owner);
    store_->stored_bytes = sizeof(std::int64_t) * offsets_length;

    for (std::size_t b = 0; b < store_->blocks.size(); ++b) {
        column_block& block = store_->blocks[b];
        std::int64_t entries = 0;
        for (std::int64_t c = 0; c < block.count; ++c) {
            const auto j = static_cast<std::size_t>(block.first + c);
            offsets[c] = entries;
            cursors_[j].store(entries, std::memory_order_relaxed);
            block_of_[j] = static_cast<std::uint32_t>(b);
            entries += profile.counts()[j];
        }
        offsets[block.count] = entries;
        block.offsets = offsets;
        offsets += block.count + 1;
        store_->nonzeros += entries;

        const auto add = [&](std::uint64_t bytes) -> void* {
            if (bytes == 0) return nullptr;
            store_->owners.push_back(allocate_bytes(bytes));
            store_->stored_bytes += bytes;
            return const_cast<void*>(store_->owners.back().get());
        };
        const auto count = static_cast<std::uint64_t>(entries);
        block.indices = blocks_[b].indices = add(count * index_bytes(block.indices_are));
        block.values = blocks_[b].values = add(count * value_bytes(block.values_are));
        if (block.indices_are == index_kind::full)
            blocks_[b].seen = std::make_unique<std::atomic<std::uint32_t>[]>(static_cast<std::size_t>(count / 32 + 1));
    }
}

matrix_assembler::~matrix_assembler() = default;

template <bool shared>
bool matrix_assembler::store(std::int64_t column, std::int64_t row, double value)
{
    if (column < 0 || column >= store_->p || row < 0 || row >= n_) return false;
    const std::size_t b = block_of_[static_cast<std::size_t>(column)];
    const column_block& block = store_->blocks[b];
    writable_block& target = blocks_[b];
    if (kind_of(value) > block.values_are) return false;
    std::atomic<std::int64_t>& cursor = cursors_[static_cast<std::size_t>(column)];
    std::int64_t position = 0;
    if constexpr (shared) {
        position = cursor.fetch_add(1, std::memory_order_relaxed);
    } else {
        position = cursor.load(std::memory_order_relaxed);
        cursor.store(position + 1, std::memory_order_relaxed);
    }
    const std::int64_t local = column - block.first;
    if (position >= block.offsets[local + 1]) return false;
    if (block.indices_are == index_kind::full) {
        const std::int64_t place = block.offsets[local] + row;
        const std::uint32_t bit = std::uint32_t{1} << (place % 32);
        if ((target.seen[static_cast<std::size_t>(place / 32)].fetch_or(bit, std::memory_order_relaxed) & bit) == 0)
            store_value(block.values_are, target.values, place, value);
        return true; // a place taken twice leaves another one empty: finish() finds it
    }
    if (block.indices_are == index_kind::u16)
        static_cast<std::uint16_t*>(target.indices)[position] = static_cast<std::uint16_t>(row);
    else
        static_cast<std::uint32_t*>(target.indices)[position] = static_cast<std::uint32_t>(row);
    store_value(block.values_are, target.values, position, value);
    return true;
}

template bool matrix_assembler::store<true>(std::int64_t, std::int64_t, double);
template bool matrix_assembler::store<false>(std::int64_t, std::int64_t, double);

namespace {

/// Sorts one column by row; returns the first row that occurs twice, or -1.
template <class Index, class Value>
std::int64_t sort_column(Index* rows, Value* values, std::int64_t begin, std::int64_t end,
                         std::vector<std::pair<Index, double>>& scratch)
{
    bool ascending = true;
    for (std::int64_t i = begin + 1; i < end && ascending; ++i) ascending = rows[i - 1] < rows[i];
    if (ascending) return -1;
    scratch.clear();
    for (std::int64_t i = begin; i < end; ++i)
        scratch.emplace_back(rows[i], values == nullptr ? 1.0 : static_cast<double>(values[i]));
    std::sort(scratch.begin(), scratch.end());
    for (std::int64_t i = begin; i < end; ++i) {
        const auto& entry = scratch[static_cast<std::size_t>(i - begin)];
        rows[i] = entry.first;
        if (values != nullptr) values[i] = static_cast<Value>(entry.second);
    }
    for (std::int64_t i = begin + 1; i < end; ++i)
        if (rows[i - 1] == rows[i]) return static_cast<std::int64_t>(rows[i]);
    return -1;
}

template <class Index>
std::int64_t sort_typed(const column_block& block, void* indices, void* values, std::int64_t c)
{
    std::vector<std::pair<Index, double>> scratch;
    auto* rows = static_cast<Index*>(indices);
    const std::int64_t begin = block.offsets[c];
    const std::int64_t end = block.offsets[c + 1];
    switch (block.values_are) {
    case value_kind::one:
        return sort_column(rows, static_cast<std::uint8_t*>(nullptr), begin, end, scratch);
    case value_kind::u8:
        return sort_column(rows, static_cast<std::uint8_t*>(values), begin, end, scratch);
    case value_kind::f32:
        return sort_column(rows, static_cast<float*>(values), begin, end, scratch);
    default:
        return sort_column(rows, static_cast<double*>(values), begin, end, scratch);
    }
}

} // namespace

matrix_assembler::outcome matrix_assembler::finish(int threads)
{
    outcome result;
    const auto block_count = static_cast<std::int64_t>(blocks_.size());
    std::vector<std::optional<duplicate_entry>> duplicates(blocks_.size());
    std::vector<std::uint8_t> incomplete(blocks_.size(), 0);
    parallel::parallel_for(threads, block_count, [&](std::int64_t b) {
        const column_block& block = store_->blocks[static_cast<std::size_t>(b)];
        writable_block& target = blocks_[static_cast<std::size_t>(b)];
        for (std::int64_t c = 0; c < block.count; ++c) {
            const std::int64_t j = block.first + c;
            if (cursors_[static_cast<std::size_t>(j)].load(std::memory_order_relaxed) != block.offsets[c + 1]) {
                incomplete[static_cast<std::size_t>(b)] = 1;
                return;
            }
        }
        for (std::int64_t c = 0; c < block.count && !duplicates[static_cast<std::size_t>(b)]; ++c) {
            const std::int64_t j = block.first + c;
            if (block.indices_are == index_kind::full) {
                // As many entries as rows came: a row that is missing means that another came twice. Which one is not
                // known here; the first missing row stands for it and readers look the duplicate up.
                for (std::int64_t i = 0; i < n_; ++i) {
                    const std::int64_t place = block.offsets[c] + i;
                    const std::uint32_t word =
                        target.seen[static_cast<std::size_t>(place / 32)].load(std::memory_order_relaxed);
                    if ((word >> (place % 32) & 1) == 0) {
                        duplicates[static_cast<std::size_t>(b)] = duplicate_entry{-1, j};
                        break;
                    }
                }
                continue;
            }
            const std::int64_t row = block.indices_are == index_kind::u16
                                         ? sort_typed<std::uint16_t>(block, target.indices, target.values, c)
                                         : sort_typed<std::uint32_t>(block, target.indices, target.values, c);
            if (row >= 0) duplicates[static_cast<std::size_t>(b)] = duplicate_entry{row, j};
        }
    });
    for (const std::uint8_t flag : incomplete) result.complete = result.complete && flag == 0;
    if (!result.complete) return result;
    for (const auto& duplicate : duplicates)
        if (duplicate) {
            result.duplicate = duplicate;
            return result;
        }
    blocks_.clear();
    cursors_.reset();
    block_of_ = {};
    result.result = matrix(std::shared_ptr<const column_store>(std::move(store_)));
    return result;
}

} // namespace proxpath::storage
