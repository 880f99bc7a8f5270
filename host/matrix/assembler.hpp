// Builds a column_store from entries that arrive in any order and from any thread. Readers make two passes over their
// input: the first fills a column_profile (how many entries, how wide), the second puts each entry in its place. So
// memory stays at the stored matrix plus the counts, never a copy of the entries.
#pragma once

#include "host/matrix/column_store.hpp"

#include <proxpath/matrix.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace proxpath::storage {

/// What the first pass learns of the columns. Grows as columns appear; profiles of several threads are merged.
class column_profile {
public:
    /// Counts one entry. Zeros are not to be counted: they are not stored.
    void add(std::int64_t column, double value)
    {
        if (column >= size()) grow(column + 1);
        ++counts_[static_cast<std::size_t>(column)];
        auto& kind = kinds_[static_cast<std::size_t>(column)];
        const value_kind now = kind_of(value);
        if (now > kind) kind = now;
    }
    /// Makes room for columns 0 … p − 1 (those without entries included).
    void grow(std::int64_t p);
    void merge(const column_profile& other);
    std::int64_t size() const { return static_cast<std::int64_t>(counts_.size()); }
    std::span<const std::int64_t> counts() const { return counts_; }
    std::span<const value_kind> kinds() const { return kinds_; }

private:
    std::vector<std::int64_t> counts_;
    std::vector<value_kind> kinds_;
};

/// Where two entries share a place; 0-based. `row` is -1 when only the column is known (full columns).
struct duplicate_entry {
    std::int64_t row = 0;
    std::int64_t column = 0;
};

/// Bytes of the store that assemble(n, profile) makes, without making it.
std::uint64_t predict_stored_bytes(std::int64_t n, const column_profile& profile);

class matrix_assembler {
public:
    /// Allocates the whole store. Rows 0 … n − 1, n ≤ 2³² − 1 (checked by the caller, who can name the file).
    matrix_assembler(std::int64_t n, const column_profile& profile);
    ~matrix_assembler();
    matrix_assembler(const matrix_assembler&) = delete;
    matrix_assembler& operator=(const matrix_assembler&) = delete;

    /// Stores one non-zero entry; may be called from several threads at once.
    /// @return false when the column already holds as many entries as the profile counted, when the column or row is
    ///         out of range, or when the value is wider than the profile said: the input changed between the passes.
    bool put(std::int64_t column, std::int64_t row, double value) { return store<true>(column, row, value); }

    /// As put, while no other thread stores into this column: without the atomic step that lets each entry wait for
    /// the one before it, which was half the time of reading hapmap3.
    bool put_alone(std::int64_t column, std::int64_t row, double value) { return store<false>(column, row, value); }

    /// Sorts each column by row. Call once, after the last put.
    /// @return the matrix; or the first duplicate in column, then row order; or `complete` false when a column got
    ///         fewer entries than counted (the input changed between the passes).
    struct outcome {
        std::optional<matrix> result;
        std::optional<duplicate_entry> duplicate;
        bool complete = true;
    };
    outcome finish(int threads);

private:
    struct writable_block;
    template <bool shared>
    bool store(std::int64_t column, std::int64_t row, double value);
    std::int64_t n_;
    std::shared_ptr<column_store> store_;
    std::vector<writable_block> blocks_;
    std::unique_ptr<std::atomic<std::int64_t>[]> cursors_; // next free position of each column, within its block
    std::vector<std::uint32_t> block_of_;                  // column → block
};

} // namespace proxpath::storage
