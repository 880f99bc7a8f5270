// Peak resident memory; see process_memory.hpp.

#include "host/cli/process_memory.hpp"

#include <sys/resource.h>

namespace proxpath::cli {

std::uint64_t peak_memory_bytes()
{
    struct rusage usage = {};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024; // Linux counts in KiB
}

} // namespace proxpath::cli
