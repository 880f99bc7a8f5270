// See report.hpp: the verdict and the machine, a row for each step, bandwidths, paths, and at the end what failed said.

#include "tests/acceptance/report.hpp"

#include <fmt/format.h>

namespace proxpath::acceptance {

namespace {

using json = nlohmann::ordered_json;

std::string text(const json& of, const char* key)
{
    const auto found = of.find(key);
    if (found == of.end() || found->is_null()) return "-";
    return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string head(const json& found)
{
    std::string page = fmt::format("# GPU acceptance: {}\n\n", text(found, "verdict"));
    if (text(found["run"], "rehearsal") == "yes")
        page += "**A rehearsal on the emulated device: no figure here says anything of a GPU.**\n\n";
    page += fmt::format("proxpath {}.\n\n", text(found, "proxpath"));
    for (const auto& [key, value] : found["run"].items())
        page += fmt::format("- {}: {}\n", key, value.get<std::string>());
    const json devices =
        found["devices"].is_object() ? found["devices"].value("devices", json::array()) : json::array();
    for (const json& device : devices)
        page += fmt::format("- {}: {}, {} bytes of memory, compute capability {}, bus {} bytes/s, usable: {}\n",
                            text(device, "device"), text(device, "name"), text(device, "memory_bytes"),
                            text(device, "compute_capability"), text(device, "theoretical_bandwidth_bytes_per_s"),
                            text(device, "usable"));
    if (devices.empty()) page += "- no device was listed\n";
    return page;
}

std::string remark(const json& step)
{
    std::string said = text(step, "finding");
    if (said == "-") said.clear();
    if (step.contains("tests"))
        said += fmt::format("{}{} ran, {} skipped", said.empty() ? "" : "; ", text(step["tests"], "ran"),
                            text(step["tests"], "skipped"));
    return said;
}

std::string steps(const json& found)
{
    std::string page = "\n## Steps\n\n| step | state | s | limit s | |\n|---|---|---:|---:|---|\n";
    for (const json& step : found["steps"])
        page += fmt::format("| {} | {} | {:.1f} | {:.0f} | {} |\n", text(step, "name"), text(step, "state"),
                            step["seconds"].get<double>(), step["limit_s"].get<double>(), remark(step));
    return page;
}

std::string share(const json& of, const char* key)
{
    return of.contains(key) ? fmt::format("{:.2f}", of[key].get<double>()) : "";
}

std::string benchmarks(const json& found)
{
    if (found["benchmarks"].empty()) return {};
    std::string page =
        "\n## Bandwidth\n\nBytes that a run cannot avoid over its time; shares of what a copy, and what a "
        "gather of rows of that width, reach on the same device. Shares above 1 mean caches.\n\n"
        "| job | us | GB/s | of copy | of gather |\n|---|---:|---:|---:|---:|\n";
    for (const json& one : found["benchmarks"]) {
        if (one.contains("error")) {
            page += fmt::format("| {} | {} | | | |\n", text(one, "name"), text(one, "error"));
            continue;
        }
        page += fmt::format("| {} | {:.4g} | {:.4g} | {} | {} |\n", text(one, "name"), one["us"].get<double>(),
                            one["bytes_per_s"].get<double>() / 1e9, share(one, "of_copy"), share(one, "of_gather"));
    }
    return page;
}

std::string paths(const json& found)
{
    if (found["paths"].empty()) return {};
    std::string page =
        "\n## Whole paths, at the same certified gap\n\n"
        "| set | n | p | non-zeros | lambdas | CPU s (threads) | device s | times faster | gap CPU | gap device | "
        "entries CPU | in one only | problem |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n";
    for (const json& one : found["paths"]) {
        if (!one.contains("reference")) {
            page += fmt::format("| {} | | | | | | | | | | | | {} |\n", text(one, "set"), text(one, "problem"));
            continue;
        }
        const json& cpu = one["reference"];
        const json& device = one["other"];
        page +=
            fmt::format("| {} | {} | {} | {} | {} | {:.3f} ({}) | {:.3f} | {:.2f} | {:.1e} | {:.1e} | {} | {} | {} |\n",
                        text(one, "set"), text(one, "n"), text(one, "p"), text(one, "nnz"), text(one, "n_lambda"),
                        cpu["solve_s"].get<double>(), text(cpu, "threads"), device["solve_s"].get<double>(),
                        one["times_faster"].get<double>(), cpu["largest_rel_gap"].get<double>(),
                        device["largest_rel_gap"].get<double>(), text(cpu, "entries"), text(one, "entries_in_one_only"),
                        text(one, "problem"));
    }
    return page;
}

std::string outputs(const json& found)
{
    std::string page;
    for (const json& step : found["steps"]) {
        if (!step.contains("output")) continue;
        page += fmt::format("\n### {}: {}\n\n    {}\n", text(step, "name"), text(step, "state"), text(step, "command"));
        if (step.contains("tests"))
            for (const json& failed : step["tests"]["failed"])
                page += fmt::format("\n{}:\n\n```\n{}\n```\n", text(failed, "name"), text(failed, "message"));
        page +=
            fmt::format("\nexit code {}; its last lines:\n\n```\n{}\n```\n", text(step, "exit"), text(step, "output"));
    }
    return page.empty() ? page : "\n## What did not pass\n" + page;
}

} // namespace

std::string markdown(const json& found)
{
    return head(found) + steps(found) + benchmarks(found) + paths(found) + outputs(found);
}

} // namespace proxpath::acceptance
