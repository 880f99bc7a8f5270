// Where readers get their bytes: a file or memory, decompressed on the way where needed. Readers open an input once for
// each pass. Decompression is libarchive's (gzip, xz, zstd); plain files are read(2) into the reader's buffer, so the
// memory a read takes is the memory it shows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace proxpath::io {

/// Decompressed bytes, from the first to the last.
class byte_stream {
public:
    byte_stream() = default;
    virtual ~byte_stream();
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;

    /// Reads up to `size` bytes; fewer only at the end (the next call gives 0) or before a failure (the next call
    /// throws it), so that nothing readable is lost.
    /// @throws file_error when compressed data are damaged or end early, system_error when the system refuses
    virtual std::size_t read(char* into, std::size_t size) = 0;

    /// Share of the (compressed) input that has been consumed, 0 … 1.
    virtual double fraction() const = 0;
};

/// A name for messages, and the bytes behind it.
class input {
public:
    /// @throws system_error when the file cannot be opened or is no regular file (it is read more than once)
    static input from_file(const std::string& path);
    /// Borrows the bytes; used by tests and fuzzers.
    static input from_memory(std::string name, std::span<const char> bytes);

    const std::string& name() const { return name_; }
    bool in_memory() const { return in_memory_; }
    std::span<const char> memory() const { return bytes_; }

    /// Opens from the start, decompressing what starts as gzip, xz or zstd data does.
    /// @throws file_error when the name promises a compression that the content does not have
    std::unique_ptr<byte_stream> open() const;

private:
    std::string name_;
    std::span<const char> bytes_;
    bool in_memory_ = false;
};

/// The path without .gz, .xz or .zst.
std::string without_compression_suffix(const std::string& path);

/// "cannot open 'x': No such file or directory" and the like, from errno.
std::string system_message(const std::string& what, const std::string& path, int error_number);

} // namespace proxpath::io
