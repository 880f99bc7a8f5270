// Key functions of the exception classes, so that their type information lives in one place.

#include <proxpath/errors.hpp>
#include <proxpath/version.hpp>

#define PROXPATH_TEXT_OF(x) #x
#define PROXPATH_TEXT(x) PROXPATH_TEXT_OF(x)

namespace proxpath {

error::~error() = default;
invalid_input::~invalid_input() = default;
file_error::~file_error() = default;
system_error::~system_error() = default;
out_of_memory::~out_of_memory() = default;
cancelled::~cancelled() = default;

file_error::file_error(const std::string& file, std::int64_t line, const std::string& reason)
    : error(line > 0 ? file + ", line " + std::to_string(line) + ": " + reason : file + ": " + reason), file_(file),
      line_(line)
{}

out_of_memory::out_of_memory(const std::string& message, std::uint64_t needed_bytes, std::uint64_t limit_bytes)
    : error(message), needed_bytes_(needed_bytes), limit_bytes_(limit_bytes)
{}

const char* version() noexcept
{
    return PROXPATH_TEXT(PROXPATH_VERSION_MAJOR) "." PROXPATH_TEXT(PROXPATH_VERSION_MINOR) "." PROXPATH_TEXT(
        PROXPATH_VERSION_PATCH);
}

} // namespace proxpath
