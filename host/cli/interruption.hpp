// SIGINT, SIGTERM and SIGHUP: the first asks the work to stop, so that what is finished can be written; the second ends
// the program at once, without leaving a half-written folder.
#pragma once

#include <csignal>
#include <string>

#include <dirent.h>

namespace proxpath::cli {

/// Handles the signals while it lives; then the former handlers are back.
class signal_scope {
public:
    signal_scope();
    signal_scope(const signal_scope&) = delete;
    signal_scope& operator=(const signal_scope&) = delete;
    ~signal_scope();

private:
    struct sigaction before_[3];
    bool taken_[3];
};

/// True once a signal came within the present signal_scope.
bool interrupt_requested() noexcept;

/// A folder that the second signal removes, with the files in it, before the program ends. One at a time.
class abandoned_folder {
public:
    /// @param path an existing folder without subfolders
    explicit abandoned_folder(const std::string& path);
    abandoned_folder(const abandoned_folder&) = delete;
    abandoned_folder& operator=(const abandoned_folder&) = delete;
    ~abandoned_folder();

private:
    DIR* folder_ = nullptr;
};

} // namespace proxpath::cli
