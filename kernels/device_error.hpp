// The exception of everything that a device refuses: the call, its place and the device's own words, and what can be
// done. Thrown by both targets and by host/backend/cuda.
#pragma once

#include <proxpath/errors.hpp>

#include <string>

namespace proxpath::kernels {

class device_error : public system_error {
public:
    using system_error::system_error;
};

/// What CUDA, or who stands for it, says of a call. Some errors end a process's use of the device, and nothing tells
/// which: hence a new process.
/// @param where "from cudaMemcpyAsync (file:line)", "at the launch of combine"
inline device_error device_failure(const std::string& words, const std::string& where)
{
    return device_error("CUDA reports '" + words + "' " + where +
                        "; repeat it in a new process, or on the CPU (device cpu)");
}

} // namespace proxpath::kernels
