// A device_runtime as a device that a fit can run on: one session, whose operations in float and double share its
// memory. The GPU (cuda_provider.cpp) and the emulated device of the tests both come through here.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"
#include "host/backend/cuda/device_session.hpp"
#include "host/backend/device_provider.hpp"

#include <memory>

namespace proxpath::backend {

std::unique_ptr<opened_device> open_session(std::unique_ptr<device_runtime> runtime, const device_terms& terms);
/// A session that has its runtime and memory plan, and perhaps other fits.
std::unique_ptr<opened_device> open_session(std::shared_ptr<device_session> session);

/// What device_provider::reservation says of this backend. Empty once the kernels have been measured on a GPU.
const char* automatic_reservation();

} // namespace proxpath::backend
