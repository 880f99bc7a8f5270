// What the operating system says of this process's memory.
#pragma once

#include <cstdint>

namespace proxpath::cli {

/// The most memory the process has had resident so far, in bytes.
std::uint64_t peak_memory_bytes();

} // namespace proxpath::cli
