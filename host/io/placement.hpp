// The second pass: entries on their way into the store. Rows that are parsed side by side touch the same columns, and
// threads that write to one column wait for each other's cache lines: placing directly was slower with two threads
// than with one (hapmap3 as svmlight: 0.31 s against 0.26 s). So entries of a window are first sorted into ranges of
// columns, then every range is placed by one thread. Within a column they arrive in file order.
#pragma once

#include "host/io/settings.hpp"
#include "host/matrix/assembler.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace proxpath::io {

/// Most rows of a matrix.
constexpr std::int64_t most_rows = (std::int64_t{1} << 32) - 1;

/// What the second pass throws when it does not see what the first one saw.
[[noreturn]] void fail_changed(const read_settings& settings);

class placement {
public:
    /// Allocates the store, once it is known to fit into memory. The profile is freed.
    placement(const read_settings& settings, std::int64_t rows, storage::column_profile&& counted);

private:
    struct entry {
        double value;
        std::uint32_t row;
        std::uint32_t column; ///< within its range
    };
    /// Entries of one chunk by range, in blocks that are reused from window to window, so that memory follows what a
    /// chunk holds however it is spread over the ranges.
    struct sorted_entries {
        static constexpr std::size_t block_entries = 64;
        struct run {
            entry* at = nullptr;
            entry* end = nullptr;
            std::vector<entry*> blocks; // all full but the last, which ends at `at`
        };
        std::vector<std::unique_ptr<entry[]>> blocks;
        std::size_t used = 0;
        std::vector<run> runs;

        void open_block(run& into);
        void clear();
    };

public:
    /// Takes the entries of one chunk. Zeros are left out.
    class sink {
    public:
        void put(std::int64_t column, std::int64_t row, double value)
        {
            if (value == 0) return;
            if (sorted_ == nullptr) return owner_.place_one(column, row, value);
            if (column >= static_cast<std::int64_t>(owner_.range_of_.size())) fail_changed(owner_.settings_);
            const std::uint8_t range = owner_.range_of_[static_cast<std::size_t>(column)];
            sorted_entries::run& run = sorted_->runs[range];
            if (run.at == run.end) sorted_->open_block(run);
            *run.at++ = {value, static_cast<std::uint32_t>(row),
                         static_cast<std::uint32_t>(column - owner_.first_of_[range])};
        }

    private:
        friend class placement;
        sink(placement& owner, sorted_entries* sorted) : owner_(owner), sorted_(sorted) {}
        placement& owner_;
        sorted_entries* sorted_;
    };

    /// Makes room for the chunks of a window: slots 0 … slots − 1. Call before they are parsed.
    void prepare(std::int64_t slots);

    /// The sink of the chunk in this slot; slots may be filled side by side.
    sink chunk_sink(std::int64_t slot);

    /// Places what the sinks took. Call on the calling thread after a window.
    void place();

    /// Sorts and checks the columns. Call after the last place().
    /// @param on_duplicate says where an entry was given twice; must throw
    matrix finish(const std::function<void(storage::duplicate_entry)>& on_duplicate);

private:
    void place_one(std::int64_t column, std::int64_t row, double value)
    {
        if (!assembler_->put_alone(column, row, value)) fail_changed(settings_);
    }

    const read_settings& settings_;
    std::unique_ptr<storage::matrix_assembler> assembler_;
    std::vector<std::uint8_t> range_of_;  ///< column → range
    std::vector<std::int64_t> first_of_;  ///< range → first column
    std::vector<sorted_entries> by_slot_; ///< reused from window to window
};

/// Finds where (row, column) is given for the second time, in a third look at the entries in file order. When the
/// duplicate's row is unknown (-1), any row of its column that comes twice is meant.
class duplicate_search {
public:
    duplicate_search(storage::duplicate_entry wanted, std::int64_t rows);
    /// @return true when this entry repeats an earlier one; first_place() is where that one was
    bool repeats(std::int64_t row, std::int64_t column, std::int64_t place);
    std::int64_t first_place() const { return first_place_; }

private:
    storage::duplicate_entry wanted_;
    std::vector<std::int64_t> places_; // by row, -1 = not seen; one element when the row is known
    std::int64_t first_place_ = -1;
};

} // namespace proxpath::io
