// The devices that a fit can run on beside the CPU, and what keeps the others from being used.
#pragma once

#include <proxpath/export.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath {

/// One device of a backend.
struct device_info {
    int index = 0;                  ///< N of "cuda:N"
    std::string name;               ///< as its maker calls it
    std::uint64_t memory_bytes = 0; ///< all it has
    std::uint64_t free_bytes = 0;   ///< of them free now; 0 where it would not say
    /// Bytes a second between the device and its memory, from clock and width of the bus: what no kernel reaches
    /// quite; 0 where it is not known.
    double memory_bandwidth = 0;
    int compute_major = 0; ///< compute capability, e.g. 9 of 9.0
    int compute_minor = 0;
    std::string problem; ///< why no fit can run on it, a phrase; empty where one can
};

/// What was found when devices were looked for. That there are none is a finding, not an error.
struct device_survey {
    std::string backend_file;    ///< the file that holds the backend, or would
    std::string driver_version;  ///< newest CUDA that the driver knows, e.g. "13.0"; empty without driver or backend
    std::string runtime_version; ///< CUDA that the backend was built with; empty without backend
    std::string problem;         ///< why there are no devices, a phrase; empty where there are
    std::string detail;          ///< where was looked, what was said, what helps; empty where there is no problem
    std::vector<device_info> devices;
};

/// Looks for CUDA devices: loads the backend's file where there is one, and asks it. docs/devices.md says where the
/// file is looked for. Makes a context on each device (some 0.3 s and 300 MB of its memory until the process ends), to
/// learn whether it can be used and what is free.
PROXPATH_API device_survey list_devices();

} // namespace proxpath
