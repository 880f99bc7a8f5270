// What a fit has to say of itself: summary.json, and the page on the terminal made from the same facts.
#pragma once

#include "host/cli/model_inputs.hpp"
#include "host/cli/settings.hpp"

#include <proxpath/criteria.hpp>
#include <proxpath/io.hpp>
#include <proxpath/relax.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// What the program knows beside the library's result.
struct fit_facts {
    std::string device;        ///< "cpu", "cuda:0"
    std::string device_name;   ///< empty for the CPU
    std::string device_reason; ///< why this one
    int threads = 1;
    std::uint64_t matrix_checksum = 0;
    std::uint64_t response_checksum = 0;
    std::optional<int> index_base;
    std::vector<std::string> notes; ///< from reading
    std::uint64_t base_bytes = 0;   ///< resident before anything was read: the program itself
    std::uint64_t peak_bytes = 0;
    double load_s = 0;
    double solve_s = 0;
    double write_s = 0;
    double total_s = 0;
};

/// "Lasso", "Ridge" or "Elastic net".
std::string model_name(double alpha);

/// How many points have each status.
struct status_counts {
    std::int64_t converged = 0;
    std::int64_t not_converged = 0;
    std::int64_t interrupted = 0;
};
status_counts count_statuses(const std::vector<path_point>& points);

/// @param options what options_json made
nlohmann::json summary_json(const path_result& result, const fit_facts& facts, const model_inputs& inputs,
                            const nlohmann::json& options);

/// Lambdas and rows of path.csv that the criteria choose; null where none is defined.
nlohmann::json criteria_json(const path_result& path, const information_criteria& criteria);
/// Lines for the end of the page.
std::string criteria_text(const path_result& path, const information_criteria& criteria);

nlohmann::json relaxed_json(const relaxed_path& relaxed);
/// A line for the page.
std::string relaxed_text(const relaxed_path& relaxed);

/// The page that `proxpath fit` prints.
/// @param whole_path every lambda instead of some ten
std::string summary_page(const path_result& result, const fit_facts& facts, const fit_settings& settings,
                         bool whole_path);

/// A line of a page: what it is about, and the text.
std::string page_line(std::string_view label, const std::string& text);
/// Rows of a table to show: all, or the first, the last and about eight between, evenly spaced.
std::vector<std::size_t> rows_to_show(std::size_t count, bool all);

/// "cpu, 4 threads (auto: no CUDA backend is installed)"
std::string device_text(const fit_facts& facts);

/// The memory plan alone, in words or as JSON.
std::string plan_text(const memory_plan& plan);
nlohmann::json plan_json(const memory_plan& plan);

} // namespace proxpath::cli
