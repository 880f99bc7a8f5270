// The CUDA backend as the library meets it: a file of its own, looked for and loaded when a device is asked for, so
// that neither the library nor the program is linked with CUDA and both start where there is none.
//
// A file is loaded once and stays until the process ends. What comes out of it (operations, panels, exceptions) needs
// its code for as long as it lives, and an exception may outlive everything else; CUDA's runtime, which is in it, does
// not like to be unloaded either.
#pragma once

#include "host/backend/device_provider.hpp"

#include <string>
#include <vector>

namespace proxpath::backend {

/// Names the backend's file. Where it is set nothing else is tried.
inline constexpr const char* device_library_variable = "PROXPATH_CUDA_BACKEND";

/// Where the file is looked for, in this order: the variable's; else beside the program or shared library that this
/// code is in, then in the library folder of an installed tree whose program it is.
std::vector<std::string> device_library_places();

/// A file that was loaded, or why there is none.
struct loaded_library {
    std::string file;
    const device_provider* provider = nullptr;
    std::string problem; ///< a phrase; empty where there is a provider
    std::string detail;  ///< the rest of the sentence
};

/// @param file a path with a slash in it
loaded_library load_device_library(const std::string& file);

/// The first of device_library_places that exists.
loaded_library find_device_library();

/// The provider "cuda": looks for the file each time it is asked, and answers in its place where there is none.
const device_provider& cuda_library();

} // namespace proxpath::backend
