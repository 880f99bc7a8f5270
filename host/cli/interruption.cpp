// Signal handling; see interruption.hpp. The handler uses only atomics and system calls that are safe in one, and
// readdir on a folder that was opened before: it takes no memory, and nobody else reads that folder.

#include "host/cli/interruption.hpp"

#include "host/cli/exit_code.hpp"

#include <array>
#include <atomic>
#include <cstring>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

namespace proxpath::cli {

namespace {

constexpr std::array handled{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> signals_seen{0};
std::atomic<DIR*> folder_to_remove{nullptr};
std::array<char, PATH_MAX> folder_path{};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<DIR*>::is_always_lock_free);

extern "C" void on_signal(int)
{
    if (signals_seen.fetch_add(1) == 0) return;
    if (DIR* folder = folder_to_remove.exchange(nullptr)) {
        ::rewinddir(folder);
        while (const dirent* entry = ::readdir(folder)) ::unlinkat(::dirfd(folder), entry->d_name, 0);
        ::rmdir(folder_path.data());
    }
    ::_exit(exit_interrupted);
}

} // namespace

signal_scope::signal_scope() : before_{}, taken_{}
{
    signals_seen = 0;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int signal : handled) sigaddset(&action.sa_mask, signal);
    for (std::size_t i = 0; i < handled.size(); ++i) {
        ::sigaction(handled[i], nullptr, &before_[i]);
        // nohup ignores SIGHUP and means it. Shells ignore SIGINT for what they start in the background; whoever sends
        // one all the same means that.
        taken_[i] = handled[i] != SIGHUP || before_[i].sa_handler != SIG_IGN;
        if (taken_[i]) ::sigaction(handled[i], &action, nullptr);
    }
}

signal_scope::~signal_scope()
{
    for (std::size_t i = 0; i < handled.size(); ++i)
        if (taken_[i]) ::sigaction(handled[i], &before_[i], nullptr);
}

bool interrupt_requested() noexcept { return signals_seen.load() > 0; }

abandoned_folder::abandoned_folder(const std::string& path)
{
    if (path.size() >= folder_path.size()) return;
    std::memcpy(folder_path.data(), path.c_str(), path.size() + 1);
    folder_ = ::opendir(path.c_str());
    folder_to_remove = folder_;
}

abandoned_folder::~abandoned_folder()
{
    folder_to_remove = nullptr;
    if (folder_ != nullptr) ::closedir(folder_);
}

} // namespace proxpath::cli
