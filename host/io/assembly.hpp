// Between the two passes of a reader: from counted columns to a matrix being filled, with the checks all formats share.
#pragma once

#include "host/io/settings.hpp"
#include "host/matrix/assembler.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace proxpath::io {

/// Most rows of a matrix.
constexpr std::int64_t most_rows = (std::int64_t{1} << 32) - 1;

/// Allocates the store, once it is known to fit into memory. The profile is freed.
std::unique_ptr<storage::matrix_assembler> begin_assembly(const read_settings& settings, std::int64_t rows,
                                                          storage::column_profile profile);

/// Sorts and checks what was put.
/// @param on_duplicate says where the entry was given twice; must throw
matrix finish_assembly(const read_settings& settings, storage::matrix_assembler& assembler,
                       const std::function<void(storage::duplicate_entry)>& on_duplicate);

/// What the second pass throws when it does not see what the first one saw.
[[noreturn]] void fail_changed(const read_settings& settings);

/// The sink of second passes.
class placing_sink {
public:
    placing_sink(const read_settings& settings, storage::matrix_assembler& assembler)
        : settings_(settings), assembler_(assembler)
    {}
    void put(std::int64_t column, std::int64_t row, double value)
    {
        if (value != 0 && !assembler_.put(column, row, value)) fail_changed(settings_);
    }

private:
    const read_settings& settings_;
    storage::matrix_assembler& assembler_;
};

/// Finds where (row, column) is given for the second time, in a third look at the entries in file order. When the
/// duplicate's row is unknown (-1), any row of its column that comes twice is meant.
class duplicate_search {
public:
    duplicate_search(storage::duplicate_entry wanted, std::int64_t rows);
    /// @return true when this entry repeats an earlier one; `first_place` is where that one was
    bool repeats(std::int64_t row, std::int64_t column, std::int64_t place);
    std::int64_t first_place() const { return first_place_; }

private:
    storage::duplicate_entry wanted_;
    std::vector<std::int64_t> places_; // by row, -1 = not seen; one element when the row is known
    std::int64_t first_place_ = -1;
};

} // namespace proxpath::io
