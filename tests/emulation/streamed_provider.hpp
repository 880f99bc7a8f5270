// The emulated device as a device that a fit can be asked for, with nothing of X resident. The memory that the fit may
// take is what there is for entries: pieces of parts and a working set as the plan of so much memory has them; vectors
// and panels, which small sets have more of than entries, lie beside. "streamed:0" brings parts as large as that plan
// has them, "streamed:1" a third of it, "streamed:2" a list or two at a time.
#pragma once

#include "host/backend/device_provider.hpp"

namespace proxpath::emulation {

const backend::device_provider& streamed_devices();

} // namespace proxpath::emulation
