// See staging_ring.hpp.

#include "host/backend/cuda/staging_ring.hpp"

namespace proxpath::backend {

staging_ring::piece::piece(std::uint64_t bytes, stream_view compute, device_runtime& runtime)
    : host(bytes, runtime), device(static_cast<std::int64_t>(bytes), compute, runtime), copied(runtime), read(runtime)
{}

staging_ring::staging_ring(std::uint64_t piece_bytes, stream_view compute, device_runtime& runtime)
    : runtime_(runtime), compute_(compute), piece_bytes_(piece_bytes), copies_(runtime)
{
    for (auto& each : pieces_) each.emplace(piece_bytes, compute, runtime);
    // Memory is there for work on the compute stream; from here on for copies, too.
    runtime.synchronize(compute);
}

// The last work that reads a piece is on the compute stream, on which the pieces are freed.
staging_ring::~staging_ring() = default;

staging_ring::place staging_ring::next()
{
    at_ = (at_ + 1) % pieces;
    const piece& now = *pieces_[at_];
    runtime_.synchronize(now.copied.view());
    return {now.host.data(), now.device.data()};
}

void staging_ring::send(std::uint64_t bytes)
{
    const piece& now = *pieces_[at_];
    runtime_.wait(copies_.view(), now.read.view());
    runtime_.copy(
        {.direction = copy_direction::to_device, .to = now.device.data(), .from = now.host.data(), .row_bytes = bytes},
        copies_.view());
    runtime_.record(now.copied.view(), copies_.view());
    runtime_.wait(compute_, now.copied.view());
}

void staging_ring::release() { runtime_.record(pieces_[at_]->read.view(), compute_); }

} // namespace proxpath::backend
