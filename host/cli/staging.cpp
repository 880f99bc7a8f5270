// Writing beside and renaming whole folders; see staging.hpp.

#include "host/cli/staging.hpp"

#include "host/io/file_handle.hpp"
#include "host/io/output_file.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace proxpath::cli {

namespace {

namespace fs = std::filesystem;

std::string advice_for(int error_number)
{
    switch (error_number) {
    case EACCES:
    case EPERM:
        return "; get permission to write there or choose another place";
    case EROFS:
        return "; choose another place";
    case ENOSPC:
    case EDQUOT:
        return "; free space or choose another disk";
    default:
        return "";
    }
}

[[noreturn]] void refuse(const std::string& what, const std::string& path, int error_number)
{
    throw system_error(fmt::format("{} '{}': {}{}", what, path, std::generic_category().message(error_number),
                                   advice_for(error_number)));
}

/// The name survives a power failure only once its folder is on disk. Some file systems cannot sync folders; the
/// content is safe there all the same.
void sync_folder(const std::string& path)
{
    const io::file_handle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.valid()) (void)::fsync(folder.get());
}

/// Nobody can be helped by a failure here: what counts has its name already.
void remove_now(const std::string& path)
{
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

/// Deletes a replaced folder. It was looked into before the work; what was put there since is not ours to delete.
/// @return the folder, if something was left in it; else empty
std::string remove_older(const std::string& path, const std::vector<std::string>& known)
{
    std::error_code ignored;
    for (const std::string& name : known) fs::remove(fs::path(path) / name, ignored);
    return fs::remove(path, ignored) ? "" : path;
}

/// Splits into parent and name, and sees that the parent is there.
destination located(const std::string& path)
{
    destination where;
    where.path = path;
    while (where.path.size() > 1 && where.path.back() == '/') where.path.pop_back();
    std::error_code ignored;
    if (fs::exists(where.path, ignored))
        if (const fs::path real = fs::canonical(where.path, ignored); !real.empty()) where.path = real.string();
    const fs::path split(where.path);
    where.name = split.filename().string();
    where.parent = split.has_parent_path() ? split.parent_path().string() : ".";
    struct stat parent = {};
    if (::stat(where.parent.c_str(), &parent) != 0) {
        if (errno == ENOENT)
            throw invalid_input(
                fmt::format("--out '{}': the folder '{}' does not exist; make it first", path, where.parent));
        if (errno == ENOTDIR) throw invalid_input(fmt::format("--out '{}': '{}' is no folder", path, where.parent));
        refuse("cannot reach", where.parent, errno);
    }
    if (!S_ISDIR(parent.st_mode)) throw invalid_input(fmt::format("--out '{}': '{}' is no folder", path, where.parent));
    return where;
}

/// Makes sure that something can be written beside the destination, before hours are spent on what to write.
void probe(const destination& where)
{
    const staging_folder trial(where);
    try {
        write_text_file(trial.file("probe"), std::string(4096, '\n'));
    } catch (const system_error& problem) {
        throw system_error(fmt::format("cannot write in '{}': {}", where.parent, problem.what()));
    }
}

bool bears(const std::string& folder, const folder_mark& mark)
{
    std::ifstream file(folder + "/" + mark.file);
    std::string line(mark.first_line.size() + 1, '\0');
    file.read(line.data(), static_cast<std::streamsize>(line.size()));
    line.resize(static_cast<std::size_t>(file.gcount()));
    return line.substr(0, line.find('\n')) == mark.first_line;
}

/// @return the names in the folder
std::vector<std::string> check_replaceable(const std::string& shown, const std::string& path, bool force,
                                           const std::vector<folder_mark>& marks,
                                           const std::function<bool(const std::string&)>& ours)
{
    if (!fs::is_directory(path))
        throw invalid_input(fmt::format("--out '{}' exists and is no folder; choose another name", shown));
    if (!force)
        throw invalid_input(
            fmt::format("--out '{}' exists; choose another name, or add --force to replace an older fit", shown));
    if (std::none_of(marks.begin(), marks.end(), [&](const folder_mark& mark) { return bears(path, mark); }))
        throw invalid_input(
            fmt::format("--out '{}' exists and is no fit of proxpath (it has no {} of one); --force does not "
                        "replace it, choose another name",
                        shown, marks.front().file));
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) {
        names.push_back(entry.path().filename().string());
        if (!ours(names.back()))
            throw invalid_input(fmt::format("--out '{}' holds '{}', which no fit writes; --force would delete it: move "
                                            "it away or choose another name",
                                            shown, names.back()));
    }
    return names;
}

} // namespace

std::string free_name_beside(const destination& where, const std::string& ending)
{
    std::string name = where.path + "." + ending;
    std::error_code ignored;
    for (int number = 2; fs::exists(fs::symlink_status(name, ignored)); ++number)
        name = fmt::format("{}.{}-{}", where.path, ending, number);
    return name;
}

destination place_beside(const destination& where, const std::string& ending)
{
    destination other;
    other.path = free_name_beside(where, ending);
    other.parent = where.parent;
    other.name = fs::path(other.path).filename().string();
    return other;
}

destination check_folder_destination(const std::string& path, bool force, const std::vector<folder_mark>& marks,
                                     const std::function<bool(const std::string&)>& ours)
{
    destination where = located(path);
    std::error_code problem;
    if (fs::symlink_status(where.path, problem).type() != fs::file_type::not_found) {
        try {
            where.replaces = !(fs::is_directory(where.path) && fs::is_empty(where.path));
            if (where.replaces) where.known = check_replaceable(path, where.path, force, marks, ours);
        } catch (const fs::filesystem_error& failure) {
            refuse("cannot look into", where.path, failure.code().value());
        }
    }
    probe(where);
    return where;
}

destination check_file_destination(const std::string& path)
{
    destination where = located(path);
    std::error_code problem;
    const auto type = fs::symlink_status(where.path, problem).type();
    if (type == fs::file_type::directory)
        throw invalid_input(fmt::format("--out '{}' is a folder; give the name of a file", path));
    if (type != fs::file_type::not_found && type != fs::file_type::regular)
        throw invalid_input(fmt::format("--out '{}' exists and is no regular file; choose another name", path));
    where.replaces = type == fs::file_type::regular;
    probe(where);
    return where;
}

destination_lock::destination_lock(const destination& where)
    : path_(fmt::format("{}/.{}.lock", where.parent, where.name))
{
    // Whoever had the file locked may have deleted it between opening and locking: then it is not the one that counts.
    for (int attempt = 0; attempt < 100; ++attempt) {
        file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file_ < 0) return; // what is written beside it says why
        if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
            const int error_number = errno;
            ::close(std::exchange(file_, -1));
            if (error_number != EWOULDBLOCK) return;
            throw system_error(fmt::format("another run works on '{}'; wait for its end", where.path));
        }
        struct stat locked = {};
        struct stat named = {};
        if (::fstat(file_, &locked) == 0 && ::stat(path_.c_str(), &named) == 0 && locked.st_ino == named.st_ino) return;
        ::close(std::exchange(file_, -1));
    }
}

destination_lock::~destination_lock()
{
    if (file_ < 0) return;
    ::unlink(path_.c_str());
    ::close(file_);
}

staging_folder::staging_folder(const destination& where) : where_(where)
{
    std::string pattern = fmt::format("{}/.{}.partial-XXXXXX", where.parent, where.name);
    if (::mkdtemp(pattern.data()) == nullptr) refuse("cannot write in", where.parent, errno);
    path_ = pattern;
    // mkdtemp keeps everybody else out; the finished folder gets the mode that mkdir would give it.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    struct stat made = {};
    if (::stat(path_.c_str(), &made) == 0) (void)::chmod(path_.c_str(), (0777 & ~mask) | (made.st_mode & S_ISGID));
    on_abort_ = std::make_unique<abandoned_folder>(path_);
}

staging_folder::~staging_folder()
{
    on_abort_.reset();
    if (!committed_ && !path_.empty()) remove_now(path_);
}

void staging_folder::sync_contents() const
{
    const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder >= 0 && ::syncfs(folder) == 0;
    const int error_number = errno;
    if (folder >= 0) ::close(folder);
    if (!synced) refuse("cannot write", path_, error_number);
}

std::string staging_folder::commit_folder()
{
    std::string left;
    sync_folder(path_);
    if (committed_) return left;
    // From here on a second signal must not remove what is finished: after the rename the open folder is the fit.
    on_abort_.reset();
    if (where_.replaces) {
        // One step where the system can: there is no moment without a folder of that name.
#if defined(RENAME_EXCHANGE)
        const int swapped = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, where_.path.c_str(), RENAME_EXCHANGE);
        if (swapped == 0) {
            sync_folder(where_.parent);
            left = remove_older(path_, where_.known);
            path_ = where_.path;
            committed_ = true;
            return left;
        }
        if (errno != EINVAL && errno != ENOSYS && errno != ENOENT) refuse("cannot write", where_.path, errno);
#endif
        const std::string aside = path_ + "-older";
        if (std::rename(where_.path.c_str(), aside.c_str()) != 0 && errno != ENOENT)
            refuse("cannot replace", where_.path, errno);
        if (std::rename(path_.c_str(), where_.path.c_str()) != 0) {
            const int error_number = errno;
            (void)std::rename(aside.c_str(), where_.path.c_str());
            refuse("cannot write", where_.path, error_number);
        }
        left = remove_older(aside, where_.known);
    } else if (std::rename(path_.c_str(), where_.path.c_str()) != 0) {
        // rename takes the place of an empty folder of that name. One that somebody filled meanwhile is not ours to
        // replace, and what is finished must not be lost.
        const int error_number = errno;
        const std::string beside = free_name_beside(where_, "late");
        const bool taken = error_number == ENOTEMPTY || error_number == EEXIST;
        if (!taken || std::rename(path_.c_str(), beside.c_str()) != 0)
            refuse("cannot write", where_.path, error_number);
        path_.clear();
        sync_folder(where_.parent);
        throw system_error(fmt::format("'{}' has been filled by somebody else meanwhile; what is finished is in '{}'",
                                       where_.path, beside));
    }
    path_ = where_.path;
    committed_ = true;
    sync_folder(where_.parent);
    return left;
}

void staging_folder::commit_file(const std::string& name)
{
    if (std::rename(file(name).c_str(), where_.path.c_str()) != 0) refuse("cannot write", where_.path, errno);
    sync_folder(where_.parent);
}

void write_text_file(const std::string& path, const std::string& text)
{
    io::output_file file(path);
    file.write(text);
    file.commit();
}

} // namespace proxpath::cli
