// A borrowed design matrix: pointers into the caller's memory and what they mean. Nothing is checked or copied here;
// matrix.hpp turns a view into a checked, immutable matrix.
#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <type_traits>

namespace proxpath {

/// How the caller's numbers are laid out.
enum class storage_order : std::uint8_t {
    csc,                ///< compressed columns: offsets (p + 1), row indices, values
    csr,                ///< compressed rows: offsets (n + 1), column indices, values
    dense_column_major, ///< column j starts at values + j * leading_dimension
    dense_row_major     ///< row i starts at values + i * leading_dimension
};

/// An n × p matrix in the caller's memory. Use the csc_view, csr_view and dense_view makers below.
struct matrix_view {
    storage_order order = storage_order::csc;
    std::int64_t rows = 0;              ///< n
    std::int64_t cols = 0;              ///< p
    std::int64_t stored = 0;            ///< length of indices and values (sparse orders)
    std::int64_t leading_dimension = 0; ///< distance of two columns (rows) in numbers (dense orders)
    bool wide_index = false;            ///< offsets and indices are 64-bit (else 32-bit), signed
    bool wide_value = true;             ///< values are double (else float)
    const void* offsets = nullptr;      ///< sparse orders only
    const void* indices = nullptr;      ///< sparse orders only
    const void* values = nullptr;
};

namespace detail {
/// What a vector, an array or a span holds.
template <std::ranges::contiguous_range Numbers>
std::span<const std::ranges::range_value_t<Numbers>> numbers_of(const Numbers& numbers)
{
    return {std::ranges::data(numbers), std::ranges::size(numbers)};
}

template <class I, class V>
inline matrix_view compressed(storage_order order, std::int64_t rows, std::int64_t cols, std::span<const I> offsets,
                              std::span<const I> indices, std::span<const V> values)
{
    static_assert(std::is_integral_v<I> && std::is_signed_v<I> && (sizeof(I) == 4 || sizeof(I) == 8),
                  "offsets and indices are signed 32- or 64-bit integers");
    static_assert(std::is_same_v<V, float> || std::is_same_v<V, double>, "values are float or double");
    matrix_view view;
    view.order = order;
    view.rows = rows;
    view.cols = cols;
    // The shorter of the two is what may be read; a mismatch with the last offset is reported by matrix.
    view.stored = static_cast<std::int64_t>(indices.size() < values.size() ? indices.size() : values.size());
    view.wide_index = sizeof(I) == 8;
    view.wide_value = sizeof(V) == 8;
    // A length that does not fit the matrix is a caller's mistake: a null pointer makes matrix say so.
    const std::int64_t major = order == storage_order::csc ? cols : rows;
    view.offsets = static_cast<std::int64_t>(offsets.size()) == major + 1 ? offsets.data() : nullptr;
    view.indices = indices.data();
    view.values = values.data();
    return view;
}
} // namespace detail

/// Compressed sparse columns: column j holds rows indices[offsets[j] … offsets[j+1]).
/// The three are vectors, arrays or spans, which outlive the view and what is made of it.
/// @param offsets cols + 1 numbers, the first 0, never decreasing
/// @param indices 0-based rows, of the offsets' type; used in place when ascending in each column, else copied in order
/// @param values  finite; explicit zeros are allowed
template <std::ranges::contiguous_range Offsets, std::ranges::contiguous_range Indices,
          std::ranges::contiguous_range Values>
matrix_view csc_view(std::int64_t rows, std::int64_t cols, const Offsets& offsets, const Indices& indices,
                     const Values& values)
{
    return detail::compressed(storage_order::csc, rows, cols, detail::numbers_of(offsets), detail::numbers_of(indices),
                              detail::numbers_of(values));
}

/// Compressed sparse rows: row i holds columns indices[offsets[i] … offsets[i+1]). Turned into columns once.
template <std::ranges::contiguous_range Offsets, std::ranges::contiguous_range Indices,
          std::ranges::contiguous_range Values>
matrix_view csr_view(std::int64_t rows, std::int64_t cols, const Offsets& offsets, const Indices& indices,
                     const Values& values)
{
    return detail::compressed(storage_order::csr, rows, cols, detail::numbers_of(offsets), detail::numbers_of(indices),
                              detail::numbers_of(values));
}

/// A dense matrix. Column-major memory is used in place; row-major is turned into columns once.
/// @param leading_dimension distance between two columns (column-major) or rows (row-major), in numbers
template <class V>
matrix_view dense_view(std::int64_t rows, std::int64_t cols, const V* values, std::int64_t leading_dimension,
                       storage_order order = storage_order::dense_column_major)
{
    static_assert(std::is_same_v<V, float> || std::is_same_v<V, double>, "values are float or double");
    matrix_view view;
    view.order = order;
    view.rows = rows;
    view.cols = cols;
    view.leading_dimension = leading_dimension;
    view.wide_value = sizeof(V) == 8;
    view.values = values;
    return view;
}

} // namespace proxpath
