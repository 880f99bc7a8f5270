// The steps of a bootstrap; see bootstrap_command.hpp. Reading, checking and writing are those of a fit. What is
// interrupted is not written: intervals of some resamples would mislead.

#include "host/cli/bootstrap_command.hpp"

#include "host/cli/bootstrap_files.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/fit_command.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/process_memory.hpp"
#include "host/cli/staging.hpp"

#include <proxpath/bootstrap.hpp>
#include <proxpath/errors.hpp>

#include <chrono>
#include <optional>

#include <fmt/format.h>

namespace proxpath::cli {

int bootstrap(const arguments& typed, console& to)
{
    const auto started = std::chrono::steady_clock::now();
    bootstrap_settings settings = make_bootstrap_settings(typed);
    fit_settings& fit = settings.fit;
    reporter report(to, fit.level);
    fit_facts facts;
    const std::optional<destination> where = begin(fit, facts);

    fit.read.on_progress = [&](const progress& now) { return report.progressed(now); };
    const loaded_data loaded = load(fit);
    const data_set& data = loaded.set;
    check_one_response(fit, loaded, "bootstrap");
    note_loaded(data, started, facts);
    const model_inputs inputs = read_model_inputs(fit.sources, data, fit.design);
    bootstrap_options& options = settings.bootstrap;
    options.path = ready_options(fit, data, inputs);
    if (fit.dry_run) return dry_run(typed, fit, data, options.path, facts, to);

    const auto solving = std::chrono::steady_clock::now();
    const bootstrap_result result = fit_bootstrap(data.X, data.y, options);
    facts.solve_s = seconds_since(solving);

    const auto writing = std::chrono::steady_clock::now();
    note_solved(result.fit, data, fit.path.threads, facts);
    staging_folder folder(*where);
    write_files(folder, result.fit, data);
    write_bootstrap_csv(folder.file(fit_files::bootstrap), result, data.feature_names);
    facts.write_s = seconds_since(writing);
    facts.total_s = seconds_since(started);
    facts.peak_bytes = peak_memory_bytes();
    nlohmann::json summary = summary_json(result.fit, facts, inputs, options_json(typed, fit));
    summary["bootstrap"] = bootstrap_json(result);
    commit(folder, summary, fit.out, report);

    const bool verbose = fit.level == verbosity::verbose;
    if (fit.json)
        to.out << json_text(summary) << '\n';
    else if (fit.level != verbosity::quiet)
        to.out << bootstrap_page(result, data.feature_names, verbose) << '\n'
               << summary_page(result.fit, facts, fit, verbose);
    if (result.not_converged == 0 && result.fit.all_converged()) return exit_certified;
    report.warn("some lambdas did not reach the tolerance, in the fit or in resamples: see the notes");
    return exit_not_converged;
}

} // namespace proxpath::cli
