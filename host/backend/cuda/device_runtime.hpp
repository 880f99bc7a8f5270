// Memory, copies, streams and events of a device: the one door through which host code reaches it, besides the
// launchers of kernels. cuda_runtime.cpp opens it to a GPU, tests/emulation to the emulated device; what counts, limits
// or fails on purpose wraps it.
#pragma once

#include "kernels/views.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace proxpath::backend {

using kernels::stream_view;

/// A cudaEvent_t, or the emulation's own.
struct event_view {
    void* handle = nullptr;
};

enum class copy_direction : std::uint8_t { to_device, to_host, on_device };

/// `rows` runs of row_bytes, the next one to_pitch and from_pitch bytes further. One run: pitches do not matter.
struct copy_request {
    copy_direction direction = copy_direction::to_device;
    void* to = nullptr;
    std::uint64_t to_pitch = 0;
    const void* from = nullptr;
    std::uint64_t from_pitch = 0;
    std::uint64_t row_bytes = 0;
    std::uint64_t rows = 1;
};

/// All functions throw kernels::device_error where the device refuses, with the call and what it said; an error of work
/// that was enqueued before may show at any later call. Work on a stream runs in order; nothing but `synchronize`
/// waits. When that returns or throws, nothing that was on the stream before runs any more.
class device_runtime {
public:
    virtual ~device_runtime() = default;

    /// Uninitialised memory for work on the stream that is enqueued from now on; aligned for every number.
    /// @throws out_of_memory with bytes asked and free
    virtual void* allocate(std::uint64_t bytes, stream_view stream) = 0;
    /// Frees in stream order.
    virtual void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept = 0;
    /// What can be allocated now, all in all; others may take of it at any time. Of what was freed on a stream, that
    /// whose turn has come.
    virtual std::uint64_t free_bytes() = 0;
    /// Why work cannot read somebody else's memory where it is, a phrase; empty where it can.
    virtual std::string why_unreadable(const void* memory) = 0;

    /// Page-locked host memory, which copies take from and to without a detour.
    /// @throws out_of_memory where the system does not give so much
    virtual void* allocate_host(std::uint64_t bytes) = 0;
    virtual void deallocate_host(void* memory, std::uint64_t bytes) noexcept = 0;

    /// Host memory must stay as it is until the stream has been waited for.
    virtual void copy(const copy_request& request, stream_view stream) = 0;
    /// Every byte 0.
    virtual void clear(void* memory, std::uint64_t bytes, stream_view stream) = 0;

    virtual stream_view make_stream() = 0;
    /// Waits for what is left on it.
    virtual void destroy_stream(stream_view stream) noexcept = 0;
    virtual void synchronize(stream_view stream) = 0;

    virtual event_view make_event() = 0;
    virtual void destroy_event(event_view event) noexcept = 0;
    /// The event stands for all work that is on the stream now.
    virtual void record(event_view event, stream_view stream) = 0;
    /// Work enqueued on the stream from now on runs after what the event stands for.
    virtual void wait(stream_view stream, event_view event) = 0;
    virtual void synchronize(event_view event) = 0;
};

/// The GPU that is current. Defined where the CUDA part is built.
std::unique_ptr<device_runtime> make_cuda_runtime();

} // namespace proxpath::backend
