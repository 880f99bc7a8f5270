// A caller's matrix in device memory (include/proxpath/device_matrix_view.hpp) as a device_matrix: looked through once,
// then read where it is. Ids of its lists are made, offsets widened where they have 32 bits, and the order that was not
// given is made through the host's memory.
#pragma once

#include "host/backend/cuda/device_matrix.hpp"

#include <proxpath/device_matrix_view.hpp>

#include <cstdint>
#include <memory>

namespace proxpath::backend {

/// Bytes of device memory that lent_device_matrix takes.
std::uint64_t bytes_beside_lent(const device_matrix_view& X);

/// Waits for the session's stream. X outlives what it returns.
/// @throws invalid_input naming the offset, index or value that is not possible, or that the two orders differ
std::shared_ptr<const device_matrix> lent_device_matrix(const device_matrix_view& X, device_session& session);

} // namespace proxpath::backend
