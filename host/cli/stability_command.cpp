// The steps of stability selection; see stability_command.hpp. Reading, checking and writing are those of a fit. What
// is interrupted is not written: frequencies of some halves would mislead.

#include "host/cli/stability_command.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_command.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/process_memory.hpp"
#include "host/cli/stability_files.hpp"
#include "host/cli/staging.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/stability.hpp>

#include <chrono>
#include <optional>

#include <fmt/format.h>

namespace proxpath::cli {

int stability(const arguments& typed, console& to)
{
    const auto started = std::chrono::steady_clock::now();
    stability_settings settings = make_stability_settings(typed);
    fit_settings& fit = settings.fit;
    reporter report(to, fit.level);
    fit_facts facts;
    const std::optional<destination> where = begin(fit, facts);

    fit.read.on_progress = [&](const progress& now) { return report.progressed(now); };
    const loaded_data loaded = load(fit);
    const data_set& data = loaded.set;
    check_one_response(fit, loaded, "stability");
    note_loaded(data, started, facts);
    const model_inputs inputs = read_model_inputs(fit.sources, data, fit.design);
    stability_options& options = settings.stability;
    options.path = ready_options(fit, data, inputs);
    if (fit.dry_run) return dry_run(typed, fit, data, options.path, facts, to);

    const auto solving = std::chrono::steady_clock::now();
    const stability_result result = fit_stability(data.X, data.y, options);
    facts.solve_s = seconds_since(solving);

    const auto writing = std::chrono::steady_clock::now();
    note_solved(result.fit, data, fit.path.threads, facts);
    staging_folder folder(*where);
    write_files(folder, result.fit, data);
    write_stability_csv(folder.file(fit_files::stability), result, data.feature_names);
    write_frequencies(folder.file(fit_files::frequencies), result);
    write_lambdas(folder.file(fit_files::lambdas), result);
    facts.write_s = seconds_since(writing);
    facts.total_s = seconds_since(started);
    facts.peak_bytes = peak_memory_bytes();
    nlohmann::json summary = summary_json(result.fit, facts, inputs, options_json(typed, fit));
    summary["stability"] = stability_json(result);
    commit(folder, summary, fit.out, report);

    const bool verbose = fit.level == verbosity::verbose;
    if (fit.json)
        to.out << json_text(summary) << '\n';
    else if (fit.level != verbosity::quiet)
        to.out << stability_page(result, data.feature_names, verbose) << '\n'
               << summary_page(result.fit, facts, fit, verbose);
    if (result.not_converged == 0 && result.fit.all_converged()) return exit_certified;
    report.warn("some lambdas did not reach the tolerance, in the fit or in halves: see the notes");
    return exit_not_converged;
}

} // namespace proxpath::cli
