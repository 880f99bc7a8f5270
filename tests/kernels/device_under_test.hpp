// The device that the kernel tests run on, and the ways of running that may not change a result: the emulated device in
// many orders of its threads (emulated_device.cpp), or a GPU, several times (cuda_device.cpp).
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <memory>
#include <string>

namespace proxpath::test {

/// Null where the machine has no such device: the tests then say that they were skipped.
std::unique_ptr<backend::device_runtime> make_runtime_under_test();

/// Whether device memory is the host's, so that any pointer of the host will do.
bool device_is_emulated();

/// Ways of running, numbered from 0.
int ways_to_run();
/// Makes kernels launched from now on run in this way. @return what it is, for messages
std::string run_in_way(int way);

} // namespace proxpath::test
