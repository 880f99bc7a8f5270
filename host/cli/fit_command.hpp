// `proxpath fit`: read, fit, write the folder, report.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/reporter.hpp"
#include "host/cli/staging.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// @return the exit code
/// @throws what the library throws; nothing is left behind then
int fit(const arguments& typed, console& to);

// Steps of a fit that a cross-validation takes, too.

double seconds_since(std::chrono::steady_clock::time_point start);
/// Device, threads and memory as they are before anything is read. @return where the folder goes; none for a dry run
std::optional<destination> begin(const fit_settings& settings, fit_facts& facts);
/// X and y, with the responses from wherever they were asked for.
data_set load(const fit_settings& settings);
/// What --memory leaves for the work once X is there.
void share_memory_limit(const fit_settings& settings, const matrix& X, path_options& path);
/// What ran, and the checksums of what it ran on.
void note_solved(const path_result& result, const data_set& data, int threads, fit_facts& facts);
/// The summary, and with it the folder complete in its place `out`.
void commit(staging_folder& folder, const nlohmann::json& summary, const std::string& out, reporter& report);
/// All but the summary.
void write_files(const staging_folder& folder, const path_result& result, const data_set& data);
int dry_run(const arguments& typed, const fit_settings& settings, const data_set& data, const path_options& path,
            const fit_facts& facts, console& to);

} // namespace proxpath::cli
