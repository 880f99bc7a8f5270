// Streams and events of the emulated device: work is kept until somebody has to wait for it, the latest that CUDA's
// rules permit, so that whoever forgot to wait reads what was there before.
#pragma once

#include "tests/emulation/block.hpp"

#include <cstdint>
#include <functional>

namespace proxpath::emulation {

struct device_settings {
    thread_order order;
    std::int64_t block_limit = 65535; ///< blocks of a grid in x; small ones make kernels stride
    /// Asked at every launch: refused by what it throws; true: the kernel will fail when it runs. May be empty.
    std::function<bool(const char* operation)> at_launch;
};

/// Of the calling thread.
device_settings& settings();

/// A list of work. Null stands for the default stream.
class stream;
/// A point of a stream.
class event;

stream* make_stream();
/// Runs what is left of it first; whether that fails is nobody's business any more.
void destroy_stream(stream* of) noexcept;
event* make_event();
void destroy_event(event* of);

/// @param frees_memory it is done even where work before it fails
void enqueue(stream* on, std::function<void()> work, bool frees_memory = false);
/// The event stands for all that is on the stream now.
void record(event* at, stream* on);
/// Later work on the stream comes after what the event stands for.
void wait(stream* on, event* before);
/// Runs all that is on the stream. What the work throws is thrown here, and what came behind it is dropped.
void synchronize(stream* of);
void synchronize(event* at);
/// What is on the stream is dropped, but for memory that is freed.
void give_up(stream* of);

/// @throws device_error as the device would refuse the launch: empty or too large
void enqueue_kernel(const char* operation, std::int64_t blocks_x, std::int64_t blocks_y, int threads,
                    std::int64_t shared_bytes, void* on, std::function<void()> body);

} // namespace proxpath::emulation
