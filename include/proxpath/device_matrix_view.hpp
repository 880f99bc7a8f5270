// A borrowed design matrix that lies in a GPU's memory: pointers of the caller's, and the stream that its work runs on.
// A fit reads the entries where they are. Needs no CUDA to include.
#pragma once

#include <proxpath/errors.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace proxpath {

/// Compressed columns or rows in device memory; offsets null: these are not given.
struct device_compressed {
    const void* offsets = nullptr; ///< 64-bit (else 32-bit) signed, one more than there are columns (rows)
    bool wide_offset = true;
    const std::int32_t* indices = nullptr; ///< ascending in each column (row)
    const void* values = nullptr;          ///< double or float, as device_matrix_view::wide_value says

    bool is_given() const { return offsets != nullptr; }
};

/// An n × p matrix in device memory, by columns, by rows, or both. Use device_csc_view, device_csr_view and
/// both_orders.
///
/// With both orders given, nothing of size nnz is made on the device. With one, the other is made once for each fit,
/// through the host's memory: it takes nnz · (4 + value bytes) of the device's memory and, for the time of its making,
/// twice that of the host's.
struct device_matrix_view {
    std::int64_t rows = 0;   ///< n
    std::int64_t cols = 0;   ///< p
    std::int64_t stored = 0; ///< entries: the last offset
    bool wide_value = true;  ///< values are double (else float)
    device_compressed by_columns;
    device_compressed by_rows;
    std::string device = "cuda:0"; ///< whose memory it is, with its number
    /// A cudaStream_t of that device; null: the (legacy) default stream. What is on it when the fit begins is done
    /// before the matrix is read, and when the fit returns nothing of it is left there. Not one that captures; what
    /// others put on it meanwhile is waited for, and its errors become the fit's.
    void* stream = nullptr;

    bool has_both_orders() const { return by_columns.is_given() && by_rows.is_given(); }
};

namespace detail {
/// Shape and type of a matrix, and one order of it as `order` names it.
template <class O, class V>
device_matrix_view device_view(device_compressed device_matrix_view::*order, std::int64_t rows, std::int64_t cols,
                               std::int64_t stored, const O* offsets, const std::int32_t* indices, const V* values)
{
    static_assert(std::is_integral_v<O> && std::is_signed_v<O> && (sizeof(O) == 4 || sizeof(O) == 8),
                  "offsets are signed 32- or 64-bit integers");
    static_assert(std::is_same_v<V, float> || std::is_same_v<V, double>, "values are float or double");
    device_matrix_view view;
    view.rows = rows;
    view.cols = cols;
    view.stored = stored;
    view.wide_value = sizeof(V) == 8;
    view.*order = {offsets, sizeof(O) == 8, indices, values};
    return view;
}
} // namespace detail

/// Compressed sparse columns: column j holds rows indices[offsets[j] … offsets[j+1]), ascending, each once.
/// @param stored  entries
/// @param offsets cols + 1, the first 0, never decreasing; 64-bit ones are used in place, 32-bit ones are widened
/// @param indices stored 0-based rows
/// @param values  stored finite numbers; explicit zeros are allowed
template <class O, class V>
device_matrix_view device_csc_view(std::int64_t rows, std::int64_t cols, std::int64_t stored, const O* offsets,
                                   const std::int32_t* indices, const V* values)
{
    return detail::device_view(&device_matrix_view::by_columns, rows, cols, stored, offsets, indices, values);
}

/// Compressed sparse rows: row i holds columns indices[offsets[i] … offsets[i+1]); otherwise as device_csc_view.
template <class O, class V>
device_matrix_view device_csr_view(std::int64_t rows, std::int64_t cols, std::int64_t stored, const O* offsets,
                                   const std::int32_t* indices, const V* values)
{
    return detail::device_view(&device_matrix_view::by_rows, rows, cols, stored, offsets, indices, values);
}

/// The same matrix by columns and by rows, of one shape and one type of values; a fit checks that the entries are the
/// same.
/// @return `by_column`, its device and stream, with the rows of `by_row`, whose own are not set or the same
/// @throws invalid_input where shape or type of values differ, or device or stream, of which a fit has one
inline device_matrix_view both_orders(device_matrix_view by_column, const device_matrix_view& by_row)
{
    if (by_column.rows != by_row.rows || by_column.cols != by_row.cols || by_column.stored != by_row.stored ||
        by_column.wide_value != by_row.wide_value)
        throw invalid_input("X by columns and X by rows differ in shape, number of entries or type of values");
    if ((by_row.device != by_column.device && by_row.device != device_matrix_view().device) ||
        (by_row.stream != by_column.stream && by_row.stream != nullptr))
        throw invalid_input(
            "X by columns and X by rows are on different devices or streams: a fit has one; let it wait "
            "for the other (cudaStreamWaitEvent) and set it in both");
    by_column.by_rows = by_row.by_rows;
    return by_column;
}

} // namespace proxpath
