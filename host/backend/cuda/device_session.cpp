// See device_session.hpp.

#include "host/backend/cuda/device_session.hpp"

#include "host/backend/cuda/device_matrix.hpp"
#include "host/backend/cuda/lent_device_matrix.hpp"
#include "host/backend/cuda/list_stream.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace proxpath::backend {

session_stream::session_stream(device_runtime& runtime, std::optional<stream_view> lent) : runtime_(&runtime)
{
    if (!lent) own_.emplace(runtime);
    view_ = lent ? *lent : own_->view();
    // What the caller has freed on it counts as free then.
    if (lent) runtime.synchronize(view_);
}

session_stream::~session_stream()
{
    if (own_) return; // its end waits
    try {
        runtime_->synchronize(view_);
    } catch (...) { // there is nobody to tell, and the error shows again at the caller's next call
    }
}

device_session::device_session(std::unique_ptr<device_runtime> runtime, int threads, std::optional<stream_view> lent)
    : runtime_(std::move(runtime)), stream_(*runtime_, lent), threads_(threads),
      memory_(device_memory_plan::of(runtime_->free_bytes()))
{}

device_session::device_session(std::unique_ptr<device_runtime> runtime, int threads, const device_memory_plan& memory)
    : runtime_(std::move(runtime)), stream_(*runtime_, {}), threads_(threads), memory_(memory)
{}

device_session::~device_session() = default;

std::span<std::byte> device_session::stage(std::size_t bytes) { return staged_.emplace_back(bytes); }

void device_session::wait()
{
    runtime_->synchronize(stream());
    staged_.clear();
}

namespace {

/// What X takes of the device's memory where all of it is there: of one that is lent, what has to be made.
std::uint64_t resident_bytes_of(const matrix& X)
{
    if (X.store().lent) return bytes_beside_lent(*X.store().lent);
    return resident_bytes(X.rows(), X.cols(), X.nonzeros(), fits_float(X));
}

} // namespace

std::string device_session::too_little_beside(const device_matrix_view& lent, std::uint64_t resident) const
{
    constexpr double mebibyte = 1 << 20;
    return fmt::format("the device's memory has {:.1f} MiB beside X, which is too little for a fit on {} rows and {} "
                       "columns{}: free some of it, or give X from the host's memory",
                       static_cast<double>(memory_.all) / mebibyte, lent.rows, lent.cols,
                       lent.has_both_orders()
                           ? std::string()
                           : fmt::format(" with X once more, the other way round ({:.1f} MiB); give X by columns and "
                                         "by rows to spare these",
                                         static_cast<double>(resident) / mebibyte));
}

std::uint64_t device_session::memory_beside(const matrix& X) const
{
    const std::uint64_t resident = resident_bytes_of(X);
    if (memory_.holds(resident, X.rows(), X.cols())) return memory_.beside(resident, X.cols());
    if (X.store().lent) throw out_of_memory(too_little_beside(*X.store().lent, resident), resident, memory_.all);
    const std::uint64_t piece = memory_.piece_for(fits_float(X) ? least_part_bytes<float>(column_offsets_of(X))
                                                                : least_part_bytes<double>(column_offsets_of(X)));
    // Offsets of the columns; of a working set, too, as much as is for it.
    const std::uint64_t offsets = sizeof(std::int64_t) * static_cast<std::uint64_t>(X.cols());
    return memory_.beside(staging_ring::pieces * piece + offsets + 2 * memory_.working_set, X.cols());
}

std::shared_ptr<const device_matrix> device_session::matrix_of(const matrix& X)
{
    if (last_matrix_ == nullptr || &last_.store() != &X.store()) {
        last_matrix_.reset(); // its memory first
        last_matrix_ = made_matrix(X);
        last_ = X;
    }
    return last_matrix_;
}

std::shared_ptr<const device_matrix> device_session::made_matrix(const matrix& X)
{
    if (X.store().lent) return lent_device_matrix(*X.store().lent, *this);
    const bool fits = memory_.holds(resident_bytes_of(X), X.rows(), X.cols());
    if (fits) return std::make_shared<device_matrix>(X, stream(), *runtime_);
    return std::make_shared<device_matrix>(X, *this);
}

staging_ring& device_session::ring(std::uint64_t least)
{
    if (ring_ == nullptr || ring_->piece_bytes() < least) {
        ring_.reset(); // its memory first
        ring_ = std::make_unique<staging_ring>(memory_.piece_for(least), stream(), *runtime_);
    }
    return *ring_;
}

} // namespace proxpath::backend
