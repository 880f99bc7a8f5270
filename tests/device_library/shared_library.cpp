// A program that knows the shared library alone, and a backend that is loaded into it: both hold code of the library,
// and exceptions of the one are still caught by type in the other. FAKE_DEVICES is "good full broken".
#include <proxpath/proxpath.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace {

const std::vector<double> design{-1, -1, 1, 1, -1, 1, -1, 1};
const std::vector<double> response{-4, -2, 2, 4};

proxpath::path_result fit_on(const char* device)
{
    proxpath::path_options options;
    options.device = device;
    return proxpath::fit_path(proxpath::dense_view(4, 2, design.data(), 4), response, options);
}

bool finds_three_devices()
{
    const proxpath::device_survey survey = proxpath::list_devices();
    std::printf("%s: %zu devices\n", survey.backend_file.c_str(), survey.devices.size());
    return survey.devices.size() == 3;
}

bool fits_on_the_first()
{
    const proxpath::path_result result = fit_on("auto");
    std::printf("fitted on %s %s\n", result.device.c_str(), result.device_name.c_str());
    return result.device == "cuda:0" && result.all_converged();
}

template <class Error>
bool catches(const char* device)
{
    try {
        fit_on(device);
    } catch (const Error& problem) {
        std::printf("%s: %s\n", device, problem.what());
        return true;
    }
    return false;
}

} // namespace

int main()
{
    const bool all = finds_three_devices() && fits_on_the_first() && catches<proxpath::out_of_memory>("cuda:1") &&
                     catches<proxpath::system_error>("cuda:2") && catches<proxpath::system_error>("cuda:3");
    return all ? 0 : 1;
}
