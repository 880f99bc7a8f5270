// `proxpath fit`: read, fit, write the folder, report.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/reporter.hpp"
#include "host/cli/staging.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// @return the exit code
/// @throws what the library throws; nothing is left behind then
int fit(const arguments& typed, console& to);

// Steps of a fit that a cross-validation, or fits of several responses, take, too.

/// X and the responses to its rows.
struct loaded_data {
    data_set set;                            ///< y: of all responses, one after the other
    std::vector<std::string> response_names; ///< where they have any, of each
    std::int64_t responses() const { return static_cast<std::int64_t>(set.y.size()) / set.X.rows(); }
    std::span<const double> response(std::int64_t r) const
    {
        const auto n = static_cast<std::size_t>(set.X.rows());
        return std::span(set.y).subspan(static_cast<std::size_t>(r) * n, n);
    }
};

double seconds_since(std::chrono::steady_clock::time_point start);
/// Device, threads and memory as they are before anything is read. @return where the folder goes; none for a dry run
std::optional<destination> begin(const fit_settings& settings, fit_facts& facts);
/// X and the responses, from wherever they were asked for.
loaded_data load(const fit_settings& settings);
/// For commands that take one. @throws invalid_input
void check_one_response(const fit_settings& settings, const loaded_data& data, const char* command);
/// What reading has to say, and how long it took.
void note_loaded(const data_set& data, std::chrono::steady_clock::time_point started, fit_facts& facts);
/// The options of the fit with the inputs lent to them, the progress that reading reports to, and what --memory leaves
/// for the work once the data are there.
path_options ready_options(const fit_settings& settings, const data_set& data, const model_inputs& inputs);
/// What ran, and the checksums of what it ran on.
void note_solved(const path_result& result, const data_set& data, int threads, fit_facts& facts);
/// The summary, and with it the folder complete in its place `out`.
void commit(staging_folder& folder, const nlohmann::json& summary, const std::string& out, reporter& report);
/// All but the summary.
void write_files(const staging_folder& folder, const path_result& result, const data_set& data);
/// An older fit is replaced by what is whole only: from now on `settings` and `where` name a place beside it that is
/// free, because an earlier one that was interrupted may hold more.
void go_beside_older(fit_settings& settings, destination& where, reporter& report);
int dry_run(const arguments& typed, const fit_settings& settings, const data_set& data, const path_options& path,
            const fit_facts& facts, console& to);

} // namespace proxpath::cli
