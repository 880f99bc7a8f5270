// The seam between the library and a backend that is a file of its own. Both sides are C++ of one build and share the
// classes of this folder, so a file of any other build must not be used: before anything else is read, the loader
// compares build ids. The id holds the version, a digest of the headers that both sides include
// (cmake/build_id.cmake), and what of the compiler's conventions the classes depend on.
#pragma once

#include "host/backend/device_provider.hpp"

#include <proxpath_build_id.hpp>

#include <cstddef>

namespace proxpath::backend {

/// What the one exported function of a backend's file returns.
struct device_library {
    /// A text of C. First and of this type in every version, past and to come: what follows may be read only where it
    /// is this_build.
    const char* build_id;
    const device_provider& (*provider)();
};

/// The function: extern "C" const device_library* proxpath_device_library().
using device_library_function = const device_library*();
inline constexpr const char* device_library_symbol = "proxpath_device_library";

#define PROXPATH_TEXT_OF_NUMBER(x) #x
#define PROXPATH_NUMBER_AS_TEXT(x) PROXPATH_TEXT_OF_NUMBER(x)
#ifdef _GLIBCXX_DEBUG
#define PROXPATH_CONTAINERS "debug"
#else
#define PROXPATH_CONTAINERS PROXPATH_NUMBER_AS_TEXT(_GLIBCXX_USE_CXX11_ABI)
#endif

/// "0.1.0-8f2c…-1016.1"
inline constexpr const char* this_build =
    PROXPATH_BUILD_ID "-" PROXPATH_NUMBER_AS_TEXT(__GXX_ABI_VERSION) "." PROXPATH_CONTAINERS;

#undef PROXPATH_CONTAINERS
#undef PROXPATH_NUMBER_AS_TEXT
#undef PROXPATH_TEXT_OF_NUMBER

} // namespace proxpath::backend
