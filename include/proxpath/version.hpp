// The library's version. CMakeLists.txt reads it from here.
#pragma once

#include <proxpath/export.hpp>

#define PROXPATH_VERSION_MAJOR 0
#define PROXPATH_VERSION_MINOR 1
#define PROXPATH_VERSION_PATCH 0

namespace proxpath {

/// "major.minor.patch" of the library that is linked.
PROXPATH_API const char* version() noexcept;

} // namespace proxpath
