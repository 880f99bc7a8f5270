// The steps of a cross-validation; see cv_command.hpp. Reading, checking and writing are those of a fit. What is
// interrupted is not written: a curve of some folds would mislead.

#include "host/cli/cv_command.hpp"

#include "host/cli/cv_files.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/fit_command.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/process_memory.hpp"
#include "host/cli/staging.hpp"

#include <proxpath/cv.hpp>
#include <proxpath/fit.hpp>

#include <chrono>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// Whole numbers for the rows; empty without a file.
std::vector<std::int64_t> read_row_ids(const std::string& file, const std::string& what, const data_set& data,
                                       const std::string& design)
{
    if (file.empty()) return {};
    const std::vector<double> numbers = read_row_numbers(file, number_rule::whole, what, data.X, design);
    return {numbers.begin(), numbers.end()};
}

} // namespace

int cv(const arguments& typed, console& to)
{
    const auto started = std::chrono::steady_clock::now();
    cv_settings settings = make_cv_settings(typed);
    fit_settings& fit = settings.fit;
    reporter report(to, fit.level);
    fit_facts facts;
    const std::optional<destination> where = begin(fit, facts);

    fit.read.on_progress = [&](const progress& now) { return report.progressed(now); };
    const loaded_data loaded = load(fit);
    const data_set& data = loaded.set;
    check_one_response(fit, loaded, "cv");
    note_loaded(data, started, facts);
    const model_inputs inputs = read_model_inputs(fit.sources, data, fit.design);
    const std::vector<std::int64_t> groups = read_row_ids(settings.groups_file, "groups", data, fit.design);
    const std::vector<std::int64_t> fold_ids = read_row_ids(settings.fold_ids_file, "fold ids", data, fit.design);
    cv_options& options = settings.cv;
    options.path = ready_options(fit, data, inputs);
    options.groups = groups;
    options.fold_ids = fold_ids;
    if (fit.dry_run) return dry_run(typed, fit, data, options.path, facts, to);

    const auto solving = std::chrono::steady_clock::now();
    const cv_result result = fit_cv(data.X, data.y, options);
    facts.solve_s = seconds_since(solving);

    const auto writing = std::chrono::steady_clock::now();
    note_solved(result.fit, data, fit.path.threads, facts);
    staging_folder folder(*where);
    write_files(folder, result.fit, data);
    if (result.relaxed) write_relaxed(folder, *result.relaxed);
    write_curve_csv(folder.file(fit_files::curve), result);
    write_folds_csv(folder.file(fit_files::folds), result);
    write_predictions_csv(folder.file(fit_files::predictions), result);
    facts.write_s = seconds_since(writing);
    facts.total_s = seconds_since(started);
    facts.peak_bytes = peak_memory_bytes();
    nlohmann::json summary = summary_json(result.fit, facts, inputs, options_json(typed, fit));
    summary["cv"] = cv_json(result, options);
    if (result.relaxed) summary["relaxed"] = relaxed_json(*result.relaxed);
    commit(folder, summary, fit.out, report);

    const bool verbose = fit.level == verbosity::verbose;
    if (fit.json)
        to.out << json_text(summary) << '\n';
    else if (fit.level != verbosity::quiet)
        to.out << cv_page(result, verbose) << '\n' << summary_page(result.fit, facts, fit, verbose);
    if (result.all_converged()) return exit_certified;
    report.warn("some lambdas did not reach the tolerance, in the fit or in folds: see the notes");
    return exit_not_converged;
}

} // namespace proxpath::cli
