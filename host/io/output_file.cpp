// Writing beside and renaming; see output_file.hpp.

#include "host/io/output_file.hpp"

#include "host/io/input.hpp"

#include <proxpath/errors.hpp>

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>

namespace proxpath::io {

thread_local bool sync_later::active_ = false;

namespace {

constexpr std::string_view unfinished = ".part";

} // namespace

std::string_view final_name(std::string_view name)
{
    if (!name.ends_with(unfinished)) return name;
    const std::string_view rest = name.substr(0, name.size() - unfinished.size());
    const std::size_t dot = rest.rfind('.');
    const bool numbered = dot != std::string_view::npos && dot + 1 < rest.size() &&
                          rest.find_first_not_of("0123456789-", dot + 1) == std::string_view::npos;
    return numbered ? rest.substr(0, dot) : name;
}

output_file::output_file(const std::string& path) : path_(path)
{
    // Names of this process do not collide with those of others; a left-over of an earlier one is stepped over.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        beside_ = fmt::format("{}.{}-{}{}", path, ::getpid(), attempt, unfinished);
        file_ = file_handle(::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (file_.valid() || errno != EEXIST) break;
    }
    if (!file_.valid()) {
        const int error_number = errno;
        beside_.clear();
        throw system_error(system_message("cannot write", path, error_number));
    }
}

output_file::~output_file()
{
    if (!beside_.empty()) ::unlink(beside_.c_str());
}

void output_file::flush()
{
    std::size_t done = 0;
    while (done < buffer_.size()) {
        const ssize_t put = ::write(file_.get(), buffer_.data() + done, buffer_.size() - done);
        if (put < 0) {
            if (errno == EINTR) continue;
            throw system_error(system_message("cannot write", path_, errno));
        }
        done += static_cast<std::size_t>(put);
    }
    buffer_.clear();
}

void output_file::commit()
{
    flush();
    if (!sync_later::active() && ::fsync(file_.get()) != 0)
        throw system_error(system_message("cannot write", path_, errno));
    if (::close(file_.release()) != 0) throw system_error(system_message("cannot write", path_, errno));
    if (std::rename(beside_.c_str(), path_.c_str()) != 0)
        throw system_error(system_message("cannot write", path_, errno));
    beside_.clear();
    if (sync_later::active()) return;
    // The new name survives a power failure only once the folder is on disk too. Some file systems cannot sync folders;
    // the content is safe there all the same.
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
    const file_handle directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.valid()) (void)::fsync(directory.get());
}

} // namespace proxpath::io
