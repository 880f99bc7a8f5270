// The emulated device as one that fits can be told to run on: `--device emulated`.
#pragma once

#include "host/backend/device_provider.hpp"

namespace proxpath::emulation {

/// One device, "emulated:0". What a fit may take of its memory is all it has, so that programs meet a device of any
/// size. Unlike a GPU it is taken while operations are missing: a fit gets as far as these.
const backend::device_provider& emulated_devices();

} // namespace proxpath::emulation
