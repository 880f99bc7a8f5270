// Whether a device runs the code of this backend.
#pragma once

#include <cuda_runtime.h>

namespace proxpath::backend {

/// Looks for code for the current device. cudaErrorNoKernelImageForDevice: there is none.
cudaError_t find_device_code();

} // namespace proxpath::backend
