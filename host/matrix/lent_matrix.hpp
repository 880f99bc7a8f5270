// A matrix in a device's memory as one that the path driver takes: shape and pointers, nothing on the host.
#pragma once

#include <proxpath/device_matrix_view.hpp>
#include <proxpath/matrix.hpp>

namespace proxpath::storage {

/// Only operations of the device that the view names may read it, and they check what it holds.
/// @throws invalid_input where shape or pointers are not possible
matrix lent_matrix(const device_matrix_view& view);

} // namespace proxpath::storage
