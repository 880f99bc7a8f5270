// The emulated device as a device that a fit can be asked for, with nothing of X resident: "streamed:0" brings parts as
// large as the memory plan has them, "streamed:1" a third of that, "streamed:2" a list or two at a time.
#pragma once

#include "host/backend/device_provider.hpp"

namespace proxpath::test {

const backend::device_provider& streamed_devices();

} // namespace proxpath::test
