// Visibility of the public symbols. Everything else in the shared library is hidden.
#pragma once

#if defined(PROXPATH_STATIC)
#define PROXPATH_API
#elif defined(__GNUC__)
#define PROXPATH_API __attribute__((visibility("default")))
#else
#define PROXPATH_API
#endif
