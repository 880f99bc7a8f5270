// The GPUs of this machine, as CUDA tells of them.
#pragma once

#include "host/backend/device_provider.hpp"

namespace proxpath::backend {

const device_provider& cuda_devices();

} // namespace proxpath::backend
