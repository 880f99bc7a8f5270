// Asking Linux how much memory is left; see memory_guard.hpp.

#include "host/io/memory_guard.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// Per column: counts and kinds (9, twice while they grow), offsets, cursors and block numbers (20).
constexpr std::uint64_t bytes_per_column = 48;

std::uint64_t first_number(const char* path)
{
    std::ifstream file(path);
    std::uint64_t value = 0;
    return file >> value ? value : unlimited; // "max" does not parse: no limit
}

/// The least limit of the control groups that this process is in, and of those around them.
std::uint64_t control_group_limit()
{
    // In a namespace of its own (a container) the group is the root of what is mounted.
    std::uint64_t least = std::min(first_number("/sys/fs/cgroup/memory.max"),
                                   first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    std::ifstream groups("/proc/self/cgroup");
    std::string line; // hierarchy:controllers:path
    while (std::getline(groups, line)) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool unified = controllers.empty();
        if (!unified && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
        const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
        const char* const file = unified ? "/memory.max" : "/memory.limit_in_bytes";
        for (std::string path = line.substr(second + 1); path.size() > 1; path.erase(path.rfind('/')))
            least = std::min(least, first_number((root + path + file).c_str()));
    }
    return least;
}

std::uint64_t meminfo_available()
{
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::uint64_t kilobytes = 0;
    std::string unit;
    while (file >> key >> kilobytes) {
        std::getline(file, unit);
        if (key == "MemAvailable:") return kilobytes * 1024;
    }
    return unlimited;
}

struct own_pages {
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
};

own_pages pages_in_use()
{
    std::ifstream file("/proc/self/statm");
    own_pages pages;
    if (!(file >> pages.total >> pages.resident)) return {};
    return pages;
}

std::uint64_t less(std::uint64_t limit, std::uint64_t used)
{
    if (limit == unlimited) return unlimited;
    return limit > used ? limit - used : 0;
}

} // namespace

std::uint64_t available_memory()
{
    const own_pages pages = pages_in_use();
    const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::uint64_t least = meminfo_available();
    // Only our own pages are set against a cgroup's limit: its cache is given back when memory is short.
    least = std::min(least, less(control_group_limit(), pages.resident * page_bytes));
    rlimit address_space{};
    if (::getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
        least = std::min(least, less(address_space.rlim_cur, pages.total * page_bytes));
    return least;
}

std::string readable_bytes(std::uint64_t bytes)
{
    constexpr std::array<const char*, 7> units{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.3g} {}", value, units[unit]);
}

memory_guard::memory_guard(std::uint64_t limit) : limited_(limit > 0), available_(limited_ ? limit : available_memory())
{}

std::int64_t memory_guard::most_columns() const
{
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 64);
    return static_cast<std::int64_t>(std::min(available_ / bytes_per_column, most));
}

void memory_guard::require(const std::string& file, std::uint64_t bytes, const std::string& what) const
{
    if (bytes <= available_) return;
    throw out_of_memory(fmt::format("{}: {} needs {} of memory, and {} {}", file, what, readable_bytes(bytes),
                                    limited_ ? "the memory limit is" : "available are", readable_bytes(available_)),
                        bytes, available_);
}

} // namespace proxpath::io
