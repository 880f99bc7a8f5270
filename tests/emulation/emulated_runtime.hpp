// The emulated device as host code sees it: memory of the host's heap (so AddressSanitizer guards it), full of NaN when
// handed out, of a set size; streams and events as late as they may be.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <cstdint>
#include <memory>

namespace proxpath::emulation {

/// @param memory_bytes what the device has
std::unique_ptr<backend::device_runtime> make_emulated_runtime(std::uint64_t memory_bytes = std::uint64_t{1} << 40);

} // namespace proxpath::emulation
