// See device_design.hpp.

#include "host/backend/cuda/device_design.hpp"

#include <algorithm>
#include <utility>

namespace proxpath::backend {

device_design::device_design(std::shared_ptr<const device_matrix> X, column_scaling scaling, stream_view stream,
                             device_runtime& runtime, std::vector<std::int64_t> gathered)
    : X_(std::move(X)), scaling_(std::move(scaling)), gathered_(std::move(gathered)),
      centered_(std::any_of(scaling_.center.begin(), scaling_.center.end(), [](double center) { return center != 0; })),
      shift_(X_->cols(), stream, runtime), center_(X_->cols(), stream, runtime), inverse_(X_->cols(), stream, runtime)
{
    copies_under_way copies(stream, runtime);
    shift_.upload(scaling_.shift);
    center_.upload(scaling_.center);
    inverse_.upload(scaling_.inverse);
    copies.wait();
}

std::uint64_t device_design::bytes() const { return X_->bytes() + shift_.bytes() + center_.bytes() + inverse_.bytes(); }

} // namespace proxpath::backend
