// A runtime that hands out a set number of bytes at most: a cap on what a fit takes of a device that others use too.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <cstdint>
#include <memory>

namespace proxpath::backend {

/// @param limit_bytes of all memory that is allocated and not freed yet
std::unique_ptr<device_runtime> limit_memory(std::unique_ptr<device_runtime> runtime, std::uint64_t limit_bytes);

} // namespace proxpath::backend
