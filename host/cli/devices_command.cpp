// See devices_command.hpp. A line for what stands in the way, or a row for each device; then what auto would take.

#include "host/cli/devices_command.hpp"

#include "host/backend/device_choice.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/values.hpp"

#include <proxpath/devices.hpp>

#include <string>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// What stands for a number or a text that is not known.
std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::string memory_text(std::uint64_t bytes) { return bytes == 0 ? "-" : bytes_text(bytes); }

std::string compute_capability(const device_info& device)
{
    return device.compute_major == 0 ? std::string() : fmt::format("{}.{}", device.compute_major, device.compute_minor);
}

std::string bandwidth_text(const device_info& device)
{
    return device.memory_bandwidth > 0 ? fmt::format("{:.0f} GB/s", device.memory_bandwidth / 1e9) : "-";
}

std::string device_table(const device_survey& survey)
{
    std::string table = fmt::format("{:<8} {:<28} {:>10} {:>10} {:>10} {:>8}  {}\n", "device", "name", "memory", "free",
                                    "bandwidth", "compute", "usable");
    for (const device_info& each : survey.devices)
        table += fmt::format("{:<8} {:<28} {:>10} {:>10} {:>10} {:>8}  {}\n", fmt::format("cuda:{}", each.index),
                             or_dash(each.name), memory_text(each.memory_bytes), memory_text(each.free_bytes),
                             bandwidth_text(each), or_dash(compute_capability(each)),
                             each.problem.empty() ? "yes" : "no: " + each.problem);
    return table + "bandwidth is the bus's, by its clock and width; no kernel reaches quite that\n\n";
}

std::string page(const device_survey& survey, const backend::device_choice& automatic)
{
    std::string text;
    if (survey.devices.empty())
        text += fmt::format("no CUDA devices: {}; {}\n", survey.problem, survey.detail);
    else
        text += device_table(survey);
    if (!survey.runtime_version.empty())
        text += fmt::format("backend {}: made with CUDA {}; driver: {}\n", survey.backend_file, survey.runtime_version,
                            survey.driver_version.empty() ? "none" : "up to CUDA " + survey.driver_version);
    return text + fmt::format("a fit takes {} ({})\n", automatic.device, automatic.reason);
}

nlohmann::json text_or_null(const std::string& text)
{
    return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
}

nlohmann::json device_json(const device_info& device)
{
    const auto number_or_null = [](auto value) { return value > 0 ? nlohmann::json(value) : nlohmann::json(nullptr); };
    return {{"device", fmt::format("cuda:{}", device.index)},
            {"index", device.index},
            {"name", device.name},
            {"memory_bytes", number_or_null(device.memory_bytes)},
            {"free_bytes", number_or_null(device.free_bytes)},
            {"theoretical_bandwidth_bytes_per_s", number_or_null(device.memory_bandwidth)},
            {"compute_capability", text_or_null(compute_capability(device))},
            {"usable", device.problem.empty()},
            {"problem", text_or_null(device.problem)}};
}

nlohmann::json survey_json(const device_survey& survey, const backend::device_choice& automatic)
{
    nlohmann::json devices = nlohmann::json::array();
    for (const device_info& each : survey.devices) devices.push_back(device_json(each));
    return {{"devices", devices},
            {"backend_file", text_or_null(survey.backend_file)},
            {"driver_version", text_or_null(survey.driver_version)},
            {"runtime_version", text_or_null(survey.runtime_version)},
            {"problem", text_or_null(survey.problem)},
            {"detail", text_or_null(survey.detail)},
            {"auto", automatic.device},
            {"auto_reason", automatic.reason}};
}

} // namespace

int devices(const arguments& typed, console& to)
{
    const device_survey survey = list_devices();
    const backend::device_choice automatic = backend::choose_device("auto");
    if (typed.given("--json"))
        to.out << json_text(survey_json(survey, automatic)) << '\n';
    else
        to.out << page(survey, automatic);
    return exit_certified;
}

} // namespace proxpath::cli
