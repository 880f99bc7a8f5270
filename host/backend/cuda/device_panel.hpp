// Panels in device memory: made, filled and read back, and as the launchers take them.
#pragma once

#include "host/backend/cuda/device_buffer.hpp"
#include "host/backend/panel.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace proxpath::backend {

/// A rows × cols panel of zeros.
template <class T>
panel<T> make_device_panel(std::int64_t rows, std::int64_t cols, stream_view stream, device_runtime& runtime)
{
    panel<T> made{rows, cols, padded_cols(cols), nullptr, nullptr};
    const auto memory = std::make_shared<device_buffer<T>>(rows * made.stride, stream, runtime);
    if (memory->data() != nullptr) runtime.clear(memory->data(), memory->bytes(), stream);
    made.data = memory->data();
    made.owner = memory;
    return made;
}

/// Copies row-major host numbers (rows × cols, no padding), which stay as they are until the stream has been waited
/// for.
template <class T>
void upload_panel(std::span<const T> host, panel<T>& to, stream_view stream, device_runtime& runtime)
{
    if (to.rows == 0 || to.cols == 0) return;
    const std::uint64_t row_bytes = static_cast<std::uint64_t>(to.cols) * sizeof(T);
    runtime.copy({copy_direction::to_device, to.data, static_cast<std::uint64_t>(to.stride) * sizeof(T), host.data(),
                  row_bytes, row_bytes, static_cast<std::uint64_t>(to.rows)},
                 stream);
}

/// The same back; to be read after the stream has been waited for.
template <class T>
void download_panel(const panel<T>& from, std::span<T> host, stream_view stream, device_runtime& runtime)
{
    if (from.rows == 0 || from.cols == 0) return;
    const std::uint64_t row_bytes = static_cast<std::uint64_t>(from.cols) * sizeof(T);
    runtime.copy({copy_direction::to_host, host.data(), row_bytes, from.data,
                  static_cast<std::uint64_t>(from.stride) * sizeof(T), row_bytes,
                  static_cast<std::uint64_t>(from.rows)},
                 stream);
}

template <class T>
kernels::panel_view<T> writable(const panel<T>& of)
{
    return {of.data, of.rows, of.cols, of.stride};
}

template <class T>
kernels::panel_view<const T> readable(const panel<T>& of)
{
    return {of.data, of.rows, of.cols, of.stride};
}

/// Columns [first, first + count) of a panel.
template <class T>
kernels::panel_view<T> columns_of(kernels::panel_view<T> of, std::int64_t first, std::int64_t count)
{
    if (of.data != nullptr) of.data += first;
    of.cols = count;
    return of;
}

} // namespace proxpath::backend
