// A file that is complete or absent: written beside its final name, synced, then renamed over it. Whatever goes wrong
// before commit() leaves nothing behind and an older file untouched.
#pragma once

#include "host/io/file_handle.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

class output_file {
public:
    /// @throws system_error when the file beside cannot be made
    explicit output_file(const std::string& path);
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    ~output_file();

    /// Appends formatted text. @throws system_error, e.g. when the disk is full
    template <class... Arguments>
    void print(fmt::format_string<Arguments...> format, Arguments&&... arguments)
    {
        fmt::format_to(fmt::appender(buffer_), format, std::forward<Arguments>(arguments)...);
        if (buffer_.size() >= flush_bytes) flush();
    }
    void write(std::string_view text)
    {
        buffer_.append(text);
        if (buffer_.size() >= flush_bytes) flush();
    }

    /// Syncs the content, gives the file its name and syncs the folder. @throws system_error
    void commit();

private:
    static constexpr std::size_t flush_bytes = std::size_t{1} << 20;
    void flush();

    std::string path_;
    std::string beside_;
    file_handle file_;
    fmt::memory_buffer buffer_;
};

/// The name that a file would have got: without the ending that a killed process leaves on what it was writing.
std::string_view final_name(std::string_view name);

/// While it lives, files of this thread get their names without being synced: for many files whose folder is synced as
/// a whole (staging_folder::sync_contents) before anybody sees it.
class sync_later {
public:
    sync_later() { active_ = true; }
    sync_later(const sync_later&) = delete;
    sync_later& operator=(const sync_later&) = delete;
    ~sync_later() { active_ = false; }
    static bool active() { return active_; }

private:
    static thread_local bool active_;
};

} // namespace proxpath::io
