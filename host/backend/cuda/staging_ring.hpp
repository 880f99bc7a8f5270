// The way for what does not stay in device memory: a few pieces of page-locked host memory, each with its like on the
// device, filled and sent in turn on a stream of their own, so that filling one, copying another and computing with a
// third go on together. Events keep them apart: a piece of host memory is written when its last copy is over, one of
// device memory when the work that reads it is. See list_stream.hpp, which sends parts of X.
#pragma once

#include "host/backend/cuda/device_buffer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace proxpath::backend {

/// Page-locked host memory, which a device copies from without a detour. Free it when no copy is under way.
class pinned_memory {
public:
    pinned_memory(std::uint64_t bytes, device_runtime& runtime)
        : runtime_(&runtime), data_(runtime.allocate_host(bytes)), bytes_(bytes)
    {}
    pinned_memory(const pinned_memory&) = delete;
    pinned_memory& operator=(const pinned_memory&) = delete;
    ~pinned_memory() { runtime_->deallocate_host(data_, bytes_); }
    std::byte* data() const { return static_cast<std::byte*>(data_); }

private:
    device_runtime* runtime_;
    void* data_;
    std::uint64_t bytes_;
};

class staging_ring {
public:
    /// Pieces that are filled, copied and read at a time.
    static constexpr std::size_t pieces = 3;

    /// @param piece_bytes of each
    /// @param compute the stream that reads the pieces
    /// @throws out_of_memory where the device has not so much
    staging_ring(std::uint64_t piece_bytes, stream_view compute, device_runtime& runtime);
    /// Waits for copies that are under way.
    ~staging_ring();
    staging_ring(const staging_ring&) = delete;
    staging_ring& operator=(const staging_ring&) = delete;

    std::uint64_t piece_bytes() const { return piece_bytes_; }

    /// Where the next piece is to be written, and where it will be read.
    struct place {
        std::byte* host;
        const std::byte* device;
    };
    /// Waits until its host memory is free to be written.
    place next();
    /// Copies the first bytes of what `next` gave: work enqueued on the compute stream from now on finds them on the
    /// device, until `release`.
    void send(std::uint64_t bytes);
    /// What the compute stream has of work now is the last that reads the piece.
    void release();

private:
    struct piece {
        piece(std::uint64_t bytes, stream_view compute, device_runtime& runtime);
        pinned_memory host;
        device_buffer<std::byte> device;
        device_event copied;
        device_event read;
    };

    device_runtime& runtime_;
    stream_view compute_;
    std::uint64_t piece_bytes_;
    std::array<std::optional<piece>, pieces> pieces_;
    device_stream copies_; ///< destroyed before the pieces, and waited for there
    std::size_t at_ = 0;
};

} // namespace proxpath::backend
