// What can go wrong, one exception class for each thing a caller can do about it. A fit that does not converge, is
// interrupted or meets a constant column is no error: the result says so in a status or a note.
#pragma once

#include <proxpath/export.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace proxpath {

/// Base of every exception the library throws on purpose. The message says what, where, which value and what to try.
class PROXPATH_API error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~error() override;
};

/// An argument, option or data value is not acceptable: correct it. The message names the argument, the position
/// (0-based, as in memory) and the value.
class PROXPATH_API invalid_input : public error {
public:
    using error::error;
    ~invalid_input() override;
};

/// A file's content is not what its format requires: correct the file. Line numbers start at 1.
class PROXPATH_API file_error : public error {
public:
    /// @param file   path as the caller gave it
    /// @param line   line (text formats), or 0 where no single line is at fault
    /// @param reason what was found and what was expected
    file_error(const std::string& file, std::int64_t line, const std::string& reason);
    ~file_error() override;

    const std::string& file() const noexcept { return file_; }
    std::int64_t line() const noexcept { return line_; }

private:
    std::string file_;
    std::int64_t line_;
};

/// The operating system refused (no such file, no permission, disk full): see to it and call again.
class PROXPATH_API system_error : public error {
public:
    using error::error;
    ~system_error() override;
};

/// The memory limit is too small for the problem even with the smallest working blocks: raise the limit or shrink the
/// problem. Bytes needed and allowed are in the message and here.
class PROXPATH_API out_of_memory : public error {
public:
    out_of_memory(const std::string& message, std::uint64_t needed_bytes, std::uint64_t limit_bytes);
    ~out_of_memory() override;

    std::uint64_t needed_bytes() const noexcept { return needed_bytes_; }
    std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }

private:
    std::uint64_t needed_bytes_;
    std::uint64_t limit_bytes_;
};

/// The caller's progress callback asked to stop before there was anything to return (while reading, for example).
class PROXPATH_API cancelled : public error {
public:
    using error::error;
    ~cancelled() override;
};

} // namespace proxpath
