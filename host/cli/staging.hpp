// Output that is complete or absent. Files are written into a hidden folder beside the destination; when all of them
// are on disk the folder (or its one file) takes the destination's name. Whatever goes wrong before leaves nothing.
#pragma once

#include "host/cli/interruption.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace proxpath::cli {

/// Where output goes, checked before the long work.
struct destination {
    std::string path;   ///< without a trailing slash; links resolved where it exists
    std::string parent; ///< existing folder
    std::string name;
    bool replaces = false;          ///< something that is there, other than an empty folder
    std::vector<std::string> known; ///< files of the folder that is replaced which may be deleted
};

/// What tells an older folder of ours from any other: a file, by its first line.
struct folder_mark {
    std::string file;
    std::string first_line;
};

/// A folder to be made; an empty one of that name may be there.
/// @param marks an older folder is replaced only if it has one of them
/// @param ours  whether a name is that of a file which such a folder may hold: with any other it is not replaced
/// @throws invalid_input when the parent is missing, or the folder holds something and may not be replaced
/// @throws system_error when nothing can be written there
destination check_folder_destination(const std::string& path, bool force, const std::vector<folder_mark>& marks,
                                     const std::function<bool(const std::string&)>& ours);

/// A name that nothing has: the destination's with an ending, numbered from 2 where that is taken.
std::string free_name_beside(const destination& where, const std::string& ending);
/// A new folder of such a name. Not probed: the one beside it was.
destination place_beside(const destination& where, const std::string& ending);

/// A file to be written; an older regular file is replaced.
destination check_file_destination(const std::string& path);

/// Keeps a second run from working on the same destination: one that goes on with what is there would take it away
/// from the other. A lock of the file system on a hidden file beside; none where the system has no such locks.
class destination_lock {
public:
    /// @throws system_error where another process has it
    explicit destination_lock(const destination& where);
    destination_lock(const destination_lock&) = delete;
    destination_lock& operator=(const destination_lock&) = delete;
    ~destination_lock();

private:
    std::string path_;
    int file_ = -1;
};

class staging_folder {
public:
    /// @throws system_error when it cannot be made
    explicit staging_folder(const destination& where);
    staging_folder(const staging_folder&) = delete;
    staging_folder& operator=(const staging_folder&) = delete;
    ~staging_folder();

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    /// Brings all files in it to the disk at once, for those that were written while an io::sync_later lived.
    void sync_contents() const;
    /// Another place for it, in the same parent.
    void redirect(const destination& where) { where_ = where; }
    /// Gives the folder, with all that is in it, the destination's name. It may be written into after that, and stays
    /// from then on; to commit it once more brings its list of files to the disk.
    /// @return where the older folder lies if it has come to hold files that no fit writes; else empty
    std::string commit_folder();
    bool committed() const { return committed_; }
    /// Gives one file of it the destination's name.
    void commit_file(const std::string& name);

private:
    destination where_;
    std::string path_;
    bool committed_ = false;
    std::unique_ptr<abandoned_folder> on_abort_;
};

/// Writes a text to a new file and syncs it. @throws system_error
void write_text_file(const std::string& path, const std::string& text);

} // namespace proxpath::cli
