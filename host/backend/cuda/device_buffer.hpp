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

class device_stream {
public:
    explicit device_stream(device_runtime& runtime) : runtime_(&runtime), stream_(runtime.make_stream()) {}
    device_stream(device_stream&& other) noexcept
        : runtime_(std::exchange(other.runtime_, nullptr)), stream_(other.stream_)
    {}
    device_stream& operator=(device_stream&&) = delete;
    ~device_stream()
    {
        if (runtime_ != nullptr) runtime_->destroy_stream(stream_);
    }
    stream_view view() const { return stream_; }

private:
    device_runtime* runtime_;
    stream_view stream_;
};

class device_event {
public:
    explicit device_event(device_runtime& runtime) : runtime_(&runtime), event_(runtime.make_event()) {}
    device_event(device_event&& other) noexcept : runtime_(std::exchange(other.runtime_, nullptr)), event_(other.event_)
    {}
    device_event& operator=(device_event&&) = delete;
    ~device_event()
    {
        if (runtime_ != nullptr) runtime_->destroy_event(event_);
    }
    event_view view() const { return event_; }

private:
    device_runtime* runtime_;
    event_view event_;
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
