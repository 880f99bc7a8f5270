// See device_session.hpp.

#include "host/backend/cuda/device_session.hpp"

#include "host/backend/cuda/device_design.hpp"

#include <utility>

namespace proxpath::backend {

device_session::device_session(std::unique_ptr<device_runtime> runtime)
    : runtime_(std::move(runtime)), stream_(*runtime_)
{}

device_session::~device_session() = default;

std::span<std::byte> device_session::stage(std::size_t bytes) { return staged_.emplace_back(bytes); }

void device_session::wait()
{
    runtime_->synchronize(stream());
    staged_.clear();
}

std::shared_ptr<const device_matrix> device_session::matrix_of(const matrix& X)
{
    if (last_matrix_ == nullptr || &last_.store() != &X.store()) {
        last_matrix_.reset(); // its memory first
        last_matrix_ = std::make_shared<device_matrix>(X, stream(), *runtime_);
        last_ = X;
    }
    return last_matrix_;
}

} // namespace proxpath::backend
