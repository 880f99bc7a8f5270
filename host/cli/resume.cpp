// See resume.hpp. What tells one fit from another are its options and the checksums of its data, both in the summaries.

#include "host/cli/resume.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/values.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace proxpath::cli {

namespace {

namespace fs = std::filesystem;

/// Options that change how a fit runs and what is printed, not what is fitted. Files of inputs have checksums.
constexpr std::array<std::string_view, 21> of_no_matter{
    "x",      "X",       "y",       "out",    "force",         "resume",  "dry_run", "json",
    "quiet",  "verbose", "threads", "memory", "device_memory", "weights", "offset",  "penalty_factors",
    "device", "exclude", "lower",   "upper",  "checkpoint"};

bool matters(std::string_view option)
{
    for (const std::string_view other : of_no_matter)
        if (option == other) return false;
    return true;
}

[[noreturn]] void refuse(const fit_settings& settings, const std::string& what)
{
    throw invalid_input(fmt::format("--resume: '{}' was made with {}; fit into another folder", settings.out, what));
}

std::string with_dashes(std::string name)
{
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::string value_text(const nlohmann::json& value)
{
    if (value.is_null()) return "the default";
    if (value.is_boolean()) return value.get<bool>() ? "given" : "not given";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void check_options(const fit_settings& settings, const nlohmann::json& before, const nlohmann::json& now)
{
    for (const auto& [name, value] : now.items())
        if (matters(name) && (!before.contains(name) || before[name] != value))
            refuse(settings, fmt::format("another --{} ({}, not {})", with_dashes(name),
                                         before.contains(name) ? value_text(before[name]) : "none", value_text(value)));
}

/// @param now null where there is no such input
void check_checksum(const fit_settings& settings, const nlohmann::json& summary, const std::string& name,
                    const nlohmann::json& now, const std::string& what)
{
    const auto found = summary.find(name);
    if (found == summary.end() || *found != now) refuse(settings, what);
}

void bring(const std::string& from, const std::string& to)
{
    std::error_code problem;
    fs::create_hard_link(from, to, problem);
    if (problem) fs::copy_file(from, to, problem);
    if (problem) throw system_error(fmt::format("cannot take over '{}': {}", from, problem.message()));
}

} // namespace

earlier_fits take_over_earlier(const fit_settings& settings, const loaded_data& data, const model_inputs& inputs,
                               const nlohmann::json& options, std::uint64_t matrix_checksum, const staging_folder& into)
{
    const auto file = [&](const std::string& name) { return settings.out + "/" + name; };
    if (!fs::exists(file(fit_files::responses)))
        throw invalid_input(
            fmt::format("--resume: '{}' holds no fits of several responses ({} is missing), and nothing "
                        "else can be taken up where it stopped",
                        settings.out, fit_files::responses));
    const nlohmann::json summary = read_summary(file(fit_files::summary));
    earlier_fits earlier{read_responses_csv(file(fit_files::responses)), {}, summary.value("interrupted", false)};
    if (!summary.contains("options") || summary.value("responses", std::int64_t{0}) != data.responses())
        refuse(settings, fmt::format("{} responses, where {} has {}", summary.value("responses", std::int64_t{0}),
                                     settings.y_file, data.responses()));
    check_options(settings, summary["options"], options);
    check_checksum(settings, summary, "data_checksum", fmt::format("{:016x}", matrix_checksum),
                   fmt::format("another X than {}", settings.design));
    if (fs::exists(file(fit_files::features)) ? read_lines(file(fit_files::features)) != data.set.feature_names
                                              : !data.set.feature_names.empty())
        refuse(settings, fmt::format("other names of features than {} has", settings.design));
    for (response_line& line : earlier.lines) {
        if (line.number < 1 || line.number > data.responses())
            throw file_error(file(fit_files::responses), 0, fmt::format("there is no response {}", line.number));
        const std::string name = data.response_names.empty()
                                     ? std::string()
                                     : data.response_names[static_cast<std::size_t>(line.number - 1)];
        if (line.name != csv_cell(name))
            refuse(settings, fmt::format("response {} named {}, where {} has {}", line.number, line.name,
                                         settings.y_file, csv_cell(name)));
        line.name = name;
        const nlohmann::json one = read_summary(file(line.files + fit_files::summary));
        const std::span<const double> y = data.response(line.number - 1);
        check_checksum(settings, one, "response_checksum",
                       fmt::format("{:016x}", XXH3_64bits(y.data(), y.size_bytes())),
                       fmt::format("another response {} than {} has", line.number, settings.y_file));
        for (const auto& [input, numbers, what] :
             {std::tuple{"weights_checksum", &inputs.weights, "other weights"},
              {"offset_checksum", &inputs.offset, "other offsets"},
              {"penalty_factors_checksum", &inputs.penalty_factors, "other penalty factors or exclusions"},
              {"lower_checksum", &inputs.lower, "other lower bounds"},
              {"upper_checksum", &inputs.upper, "other upper bounds"}})
            check_checksum(settings, one, input, checksum_of(*numbers), what);
        for (const std::string& part : {fit_files::path, fit_files::coefficients, fit_files::summary})
            bring(file(line.files + part), into.file(line.files + part));
        if (settings.criteria)
            bring(file(line.files + fit_files::criteria), into.file(line.files + fit_files::criteria));
        if (earlier.lambda.empty())
            for (const path_point& point : read_fit(settings.out, fmt::format("{}", line.number), 1).points)
                earlier.lambda.push_back(point.lambda);
    }
    return earlier;
}

remaining_responses responses_without(const loaded_data& data, const std::vector<response_line>& lines)
{
    remaining_responses rest;
    rest.taken = true;
    std::vector<bool> done(static_cast<std::size_t>(data.responses()), false);
    for (const response_line& line : lines) done[static_cast<std::size_t>(line.number - 1)] = true;
    for (std::int64_t r = 0; r < data.responses(); ++r) {
        if (done[static_cast<std::size_t>(r)]) continue;
        rest.numbers.push_back(r);
        const std::span<const double> y = data.response(r);
        rest.values.insert(rest.values.end(), y.begin(), y.end());
    }
    return rest;
}

} // namespace proxpath::cli
