// How a matrix is kept: column blocks, each with its own narrowest exact index and value type. Readers and views
// produce it (assembler.hpp, from_view.cpp); every backend operation reads it through visit_block.
#pragma once

#include <proxpath/device_matrix_view.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

namespace proxpath::storage {

enum class index_kind : std::uint8_t {
    full, ///< every column of the block is full: value i of a column is row i, no indices stored
    u16,
    u32,
    i64 ///< borrowed 64-bit indices only
};

enum class value_kind : std::uint8_t { one, u8, f32, f64 };

/// Non-zeros at which a block is closed. Fixed, because sums over blocks are combined in block order.
constexpr std::int64_t block_nonzeros = std::int64_t{1} << 16;

/// Columns [first, first + count). Non-zeros of local column c: positions offsets[c] … offsets[c + 1) of indices and
/// values, rows ascending. Pointers are owned by column_store::owners or borrowed from the caller.
struct column_block {
    std::int64_t first = 0;
    std::int64_t count = 0;
    index_kind indices_are = index_kind::u32;
    value_kind values_are = value_kind::f64;
    const std::int64_t* offsets = nullptr;
    const void* indices = nullptr; ///< null when full
    const void* values = nullptr;  ///< null when one

    std::int64_t nonzeros() const { return offsets[count] - offsets[0]; }
};

struct column_store {
    std::int64_t n = 0;
    std::int64_t p = 0;
    std::int64_t nonzeros = 0;
    std::vector<column_block> blocks; ///< ascending, covering 0 … p without gaps
    std::vector<std::shared_ptr<const void>> owners;
    std::uint64_t stored_bytes = 0;
    /// A matrix that lies in a device's memory has no blocks: only that device's operations read it.
    std::optional<device_matrix_view> lent;
};

/// Frees what was taken with std::malloc; large arrays are allocated uninitialised that way.
struct free_deleter {
    void operator()(void* pointer) const noexcept { std::free(pointer); }
};

/// `count` uninitialised T, shared. Throws std::bad_alloc.
std::shared_ptr<void> allocate_bytes(std::uint64_t bytes);

std::uint64_t index_bytes(index_kind kind);
std::uint64_t value_bytes(value_kind kind);

/// Narrowest kind that holds the value exactly.
inline value_kind kind_of(double value)
{
    if (value == 1.0) return value_kind::one;
    if (value >= 0 && value <= 255 && value == static_cast<double>(static_cast<std::uint8_t>(value)))
        return value_kind::u8;
    return static_cast<double>(static_cast<float>(value)) == value ? value_kind::f32 : value_kind::f64;
}

/// Stands for "every value is 1".
struct all_ones {
    constexpr double operator[](std::int64_t) const { return 1.0; }
};

/// Stands for "position i of a full column is row i".
struct all_rows {
    std::int64_t begin = 0;
    constexpr std::int64_t operator[](std::int64_t position) const { return position - begin; }
};

/// Rows of local column c of a block with typed indices; all_rows for full blocks.
template <class Index>
struct typed_indices {
    const Index* data;
    const Index* column(std::int64_t) const { return data; }
};
struct full_indices {
    all_rows column(std::int64_t begin) const { return {begin}; }
};

/// Calls f(indices, values) with the block's types: `indices.column(offsets[c])[position]` is a row, `values[position]`
/// a number, for positions offsets[c] … offsets[c + 1).
template <class F>
decltype(auto) visit_block(const column_block& block, F&& f)
{
    const auto with_values = [&](auto indices) -> decltype(auto) {
        switch (block.values_are) {
        case value_kind::one:
            return f(indices, all_ones{});
        case value_kind::u8:
            return f(indices, static_cast<const std::uint8_t*>(block.values));
        case value_kind::f32:
            return f(indices, static_cast<const float*>(block.values));
        default:
            return f(indices, static_cast<const double*>(block.values));
        }
    };
    switch (block.indices_are) {
    case index_kind::full:
        return with_values(full_indices{});
    case index_kind::u16:
        return with_values(typed_indices<std::uint16_t>{static_cast<const std::uint16_t*>(block.indices)});
    case index_kind::u32:
        return with_values(typed_indices<std::uint32_t>{static_cast<const std::uint32_t*>(block.indices)});
    default:
        return with_values(typed_indices<std::int64_t>{static_cast<const std::int64_t*>(block.indices)});
    }
}

/// First position in [begin, end) of a column whose row is at least `row`; rows ascend.
template <class Rows>
std::int64_t lower_position(const Rows& rows, std::int64_t begin, std::int64_t end, std::int64_t row)
{
    while (begin < end) {
        const std::int64_t middle = begin + (end - begin) / 2;
        if (static_cast<std::int64_t>(rows[middle]) < row)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/// Block that holds column j.
inline const column_block& block_of(const column_store& store, std::int64_t j)
{
    std::size_t low = 0;
    std::size_t high = store.blocks.size();
    while (high - low > 1) {
        const std::size_t middle = (low + high) / 2;
        (store.blocks[middle].first <= j ? low : high) = middle;
    }
    return store.blocks[low];
}

} // namespace proxpath::storage
