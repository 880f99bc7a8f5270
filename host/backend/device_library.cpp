// See device_library.hpp.

#include "host/backend/device_library.hpp"

#include "host/backend/device_interface.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>
#include <sys/auxv.h>

namespace proxpath::backend {

namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "libproxpath_cuda.so";

fs::path canonical_or_empty(const char* file)
{
    std::error_code failed;
    const fs::path found = fs::canonical(file, failed);
    return failed ? fs::path() : found;
}

/// The program's own file. Where /proc is not mounted, as it was called.
fs::path program_file()
{
    const fs::path by_system = canonical_or_empty("/proc/self/exe");
    const auto* const as_called = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    return by_system.empty() && as_called != nullptr ? canonical_or_empty(as_called) : by_system;
}

/// The program or the shared library that holds this code; empty where the system does not tell.
fs::path own_file()
{
    static const char here = 0;
    Dl_info info{};
    struct link_map* loaded = nullptr;
    if (::dladdr1(&here, &info, reinterpret_cast<void**>(&loaded), RTLD_DL_LINKMAP) == 0) return {};
    // The program itself has no name in the list of what is loaded.
    const bool is_program = loaded == nullptr || loaded->l_name == nullptr || *loaded->l_name == '\0';
    return is_program ? program_file() : canonical_or_empty(loaded->l_name);
}

bool exists(const std::string& file)
{
    std::error_code ignored;
    return fs::exists(file, ignored);
}

std::string last_dl_error()
{
    const char* const text = ::dlerror();
    return text == nullptr ? "no reason given" : text;
}

loaded_library refused(const std::string& file, std::string problem, std::string detail)
{
    return {file, nullptr, std::move(problem), std::move(detail)};
}

class cuda_library_provider final : public device_provider {
public:
    std::string name() const override { return "cuda"; }

    device_survey survey() const override
    {
        const loaded_library found = find_device_library();
        device_survey survey;
        if (found.provider != nullptr) survey = found.provider->survey();
        survey.backend_file = found.file;
        if (found.provider == nullptr) {
            survey.problem = found.problem;
            survey.detail = found.detail;
        }
        return survey;
    }

    std::string reservation() const override { return loaded().reservation(); }

    void examine(device_info& device) const override { loaded().examine(device); }

    std::unique_ptr<opened_device> open(int index, const device_terms& terms) const override
    {
        return loaded().open(index, terms);
    }

private:
    static const device_provider& loaded()
    {
        const loaded_library found = find_device_library();
        if (found.provider == nullptr) throw system_error(fmt::format("{}; {}", found.problem, found.detail));
        return *found.provider;
    }
};

/// What the variable says; empty where it says nothing. Not for programs that run with more rights than their caller.
std::string named_file()
{
    const char* const named = ::secure_getenv(device_library_variable);
    return named == nullptr || *named == '\0' ? std::string() : fs::absolute(named).string();
}

} // namespace

std::vector<std::string> device_library_places()
{
    if (const std::string named = named_file(); !named.empty()) return {named};
    const fs::path own = own_file();
    if (own.empty()) return {};
    const fs::path beside = own.parent_path();
    std::vector<std::string> places{(beside / file_name).string()};
    const std::string installed = (beside / PROXPATH_LIBDIR_FROM_BINDIR / file_name).lexically_normal().string();
    if (installed != places.front()) places.push_back(installed);
    return places;
}

loaded_library load_device_library(const std::string& file)
{
    constexpr const char* not_loaded = "the CUDA backend cannot be loaded";
    // Its names stay its own, and a file that lacks something is refused now and not in the middle of a fit.
    constexpr int mode = RTLD_NOW | RTLD_LOCAL;
    void* const handle = ::dlopen(file.c_str(), mode);
    if (handle == nullptr) return refused(file, not_loaded, last_dl_error());
    // POSIX has it that a pointer from dlsym may be one to a function.
    const auto function = reinterpret_cast<device_library_function*>(::dlsym(handle, device_library_symbol)); // NOLINT
    if (function == nullptr) {
        ::dlclose(handle);
        return refused(file, not_loaded,
                       fmt::format("{} is no backend of proxpath: it has no function {}", file, device_library_symbol));
    }
    const device_library* const library = function();
    const std::string build = library == nullptr ? "unknown" : library->build_id;
    if (build != this_build) {
        ::dlclose(handle);
        return refused(
            file, "the CUDA backend belongs to another build of proxpath",
            fmt::format("{} is of build {}, this is build {}: install both from one build", file, build, this_build));
    }
    // From here on it stays, see device_library.hpp: the handle is not given back.
    ::dlopen(file.c_str(), mode | RTLD_NOLOAD | RTLD_NODELETE);
    return {file, &library->provider(), {}, {}};
}

loaded_library find_device_library()
{
    const std::vector<std::string> places = device_library_places();
    const auto found = std::find_if(places.begin(), places.end(), exists);
    if (found != places.end()) return load_device_library(*found);
    if (const std::string named = named_file(); !named.empty())
        return refused(named, fmt::format("{} names a file that is not there", device_library_variable),
                       "there is no " + named);
    const std::string looked_for =
        places.empty() ? std::string(file_name) : fmt::format("{}", fmt::join(places, " and no "));
    return refused(
        places.empty() ? std::string() : places.front(), "no CUDA backend is installed",
        fmt::format("there is no {}; it is built where there is nvcc, and {} can name the file (docs/devices.md)",
                    looked_for, device_library_variable));
}

const device_provider& cuda_library()
{
    static const cuda_library_provider provider;
    return provider;
}

} // namespace proxpath::backend
