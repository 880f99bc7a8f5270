// The exception of everything that a device refuses: the call, its place and the device's own words. Thrown by both
// targets and by host/backend/cuda.
#pragma once

#include <proxpath/errors.hpp>

namespace proxpath::kernels {

class device_error : public system_error {
public:
    using system_error::system_error;
};

} // namespace proxpath::kernels
