// Owners of what a device_runtime hands out: memory, streams and events. Move-only.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <proxpath/errors.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

namespace proxpath::backend {

/// A stream or an event.
template <class View, View (device_runtime::*make)(), void (device_runtime::*destroy)(View) noexcept>
class device_handle {
public:
    explicit device_handle(device_runtime& runtime) : runtime_(&runtime), view_((runtime.*make)()) {}
    device_handle(device_handle&& other) noexcept : runtime_(std::exchange(other.runtime_, nullptr)), view_(other.view_)
    {}
    device_handle& operator=(device_handle&&) = delete;
    ~device_handle()
    {
        if (runtime_ != nullptr) (runtime_->*destroy)(view_);
    }
    View view() const { return view_; }

private:
    device_runtime* runtime_;
    View view_;
};

using device_stream = device_handle<stream_view, &device_runtime::make_stream, &device_runtime::destroy_stream>;
using device_event = device_handle<event_view, &device_runtime::make_event, &device_runtime::destroy_event>;

/// Copies from or to host memory that ends with this scope: an exception on the way to `wait` waits for them, too.
class copies_under_way {
public:
    copies_under_way(stream_view stream, device_runtime& runtime) : stream_(stream), runtime_(&runtime) {}
    copies_under_way(const copies_under_way&) = delete;
    copies_under_way& operator=(const copies_under_way&) = delete;
    ~copies_under_way()
    {
        if (runtime_ == nullptr) return;
        try {
            runtime_->synchronize(stream_);
        } catch (...) { // the exception that is on its way says enough
        }
    }
    /// Until the copies are done.
    void wait() { std::exchange(runtime_, nullptr)->synchronize(stream_); }

private:
    stream_view stream_;
    device_runtime* runtime_;
};

/// n uninitialised T in device memory, freed in order on its stream; fence other streams by an event before it dies.
template <class T>
class device_buffer {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    device_buffer(std::int64_t n, stream_view stream, device_runtime& runtime)
        : size_(n), stream_(stream), runtime_(&runtime)
    {
        const auto count = static_cast<std::uint64_t>(n);
        if (count > std::numeric_limits<std::uint64_t>::max() / sizeof(T))
            throw out_of_memory("more device memory was asked for than can be addressed",
                                std::numeric_limits<std::uint64_t>::max(), 0);
        if (n > 0) data_ = static_cast<T*>(runtime.allocate(bytes(), stream));
    }
    device_buffer(device_buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), stream_(other.stream_),
          runtime_(other.runtime_)
    {}
    device_buffer& operator=(device_buffer&&) = delete;
    ~device_buffer()
    {
        if (data_ != nullptr) runtime_->deallocate(data_, bytes(), stream_);
    }

    /// Null when empty.
    T* data() const { return data_; }
    std::int64_t size() const { return size_; }
    std::uint64_t bytes() const { return static_cast<std::uint64_t>(size_) * sizeof(T); }

    /// Copies size() numbers in stream order; the host's stay as they are until the stream has been waited for.
    void upload(std::span<const T> from)
    {
        if (data_ == nullptr) return;
        runtime_->copy({.direction = copy_direction::to_device, .to = data_, .from = from.data(), .row_bytes = bytes()},
                       stream_);
    }
    void download(std::span<T> to) const
    {
        if (data_ == nullptr) return;
        runtime_->copy({.direction = copy_direction::to_host, .to = to.data(), .from = data_, .row_bytes = bytes()},
                       stream_);
    }

private:
    T* data_ = nullptr;
    std::int64_t size_;
    stream_view stream_;
    device_runtime* runtime_;
};

} // namespace proxpath::backend
