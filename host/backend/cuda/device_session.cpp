// See device_session.hpp.

#include "host/backend/cuda/device_session.hpp"

#include "host/backend/cuda/device_matrix.hpp"

#include <algorithm>
#include <utility>

namespace proxpath::backend {

device_session::device_session(std::unique_ptr<device_runtime> runtime, int threads)
    : runtime_(std::move(runtime)), stream_(*runtime_), threads_(threads),
      memory_(device_memory_plan::of(runtime_->free_bytes()))
{}

device_session::device_session(std::unique_ptr<device_runtime> runtime, int threads, const device_memory_plan& memory)
    : runtime_(std::move(runtime)), stream_(*runtime_), threads_(threads), memory_(memory)
{}

device_session::~device_session() = default;

std::span<std::byte> device_session::stage(std::size_t bytes) { return staged_.emplace_back(bytes); }

void device_session::wait()
{
    runtime_->synchronize(stream());
    staged_.clear();
}

namespace {

std::uint64_t resident_bytes_of(const matrix& X)
{
    return resident_bytes(X.rows(), X.cols(), X.nonzeros(), fits_float(X));
}

} // namespace

std::uint64_t device_session::memory_beside(const matrix& X) const
{
    const std::uint64_t resident = resident_bytes_of(X);
    if (memory_.holds(resident, X.rows(), X.cols())) return memory_.beside(resident, X.cols());
    // Offsets of the columns; of a working set, too, as much as is for it.
    const std::uint64_t offsets = sizeof(std::int64_t) * static_cast<std::uint64_t>(X.cols());
    return memory_.beside(staging_ring::pieces * memory_.piece + offsets + 2 * memory_.working_set, X.cols());
}

std::shared_ptr<const device_matrix> device_session::matrix_of(const matrix& X)
{
    if (last_matrix_ == nullptr || &last_.store() != &X.store()) {
        last_matrix_.reset(); // its memory first
        if (memory_.holds(resident_bytes_of(X), X.rows(), X.cols()))
            last_matrix_ = std::make_shared<device_matrix>(X, stream(), *runtime_);
        else
            last_matrix_ = std::make_shared<device_matrix>(X, *this);
        last_ = X;
    }
    return last_matrix_;
}

staging_ring& device_session::ring(std::uint64_t least)
{
    if (ring_ == nullptr || ring_->piece_bytes() < least) {
        ring_.reset(); // its memory first
        const std::uint64_t piece = std::max(memory_.piece, std::min(least, memory_.longest_piece));
        ring_ = std::make_unique<staging_ring>(piece, stream(), *runtime_);
    }
    return *ring_;
}

} // namespace proxpath::backend
