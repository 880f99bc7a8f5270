// A panel: a dense rows × cols matrix, row-major, in a backend's memory. Rows are features or observations, columns
// are fits of the batch. Only the backend that allocated a panel may follow its pointer.
#pragma once

#include <cstdint>
#include <memory>

namespace proxpath::backend {

template <class T>
struct panel {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    /// Numbers from one row to the next. cols rounded up (1, 2, 4, then multiples of 8) so that kernels work in whole
    /// vectors; the padding holds zeros and every operation keeps it so.
    std::int64_t stride = 0;
    T* data = nullptr;
    std::shared_ptr<void> owner;

    T* row(std::int64_t i) const { return data + i * stride; }
    std::uint64_t bytes() const
    {
        return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(stride) * sizeof(T);
    }
};

/// The upper left of a panel as one of its own, in the same memory. Its padding is zero while nothing has been written
/// beside it.
template <class T>
panel<T> leading_block(panel<T> of, std::int64_t rows, std::int64_t cols)
{
    of.rows = rows;
    of.cols = cols;
    return of;
}

/// Row stride of a panel with `cols` columns.
constexpr std::int64_t padded_cols(std::int64_t cols)
{
    if (cols <= 2) return cols;
    return cols <= 4 ? 4 : (cols + 7) / 8 * 8;
}

} // namespace proxpath::backend
