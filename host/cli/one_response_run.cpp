// See one_response_run.hpp.

#include "host/cli/one_response_run.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/process_memory.hpp"

#include <fmt/format.h>

namespace proxpath::cli {

one_response_run::one_response_run(const arguments& typed, fit_settings& fit, const char* command, console& to)
    : typed_(typed), fit_(fit), to_(to), report_(to, fit.level), where_(begin(fit, facts_))
{
    fit.read.on_progress = [this](const progress& now) { return report_.progressed(now); };
    loaded_ = load(fit);
    check_one_response(fit, loaded_, command);
    note_loaded(data(), started_, facts_);
    inputs_ = read_model_inputs(fit.sources, data(), fit.design);
}

int one_response_run::dry_run(const path_options& path) const
{
    return cli::dry_run(typed_, fit_, data(), path, facts_, to_);
}

int one_response_run::finish(const path_result& fit, const own_part& own)
{
    const auto writing = std::chrono::steady_clock::now();
    note_solved(fit, data(), fit_.path.threads, facts_);
    staging_folder folder(*where_);
    write_files(folder, fit, data());
    own.write(folder);
    facts_.write_s = seconds_since(writing);
    facts_.total_s = seconds_since(started_);
    facts_.peak_bytes = peak_memory_bytes();
    nlohmann::json summary = summary_json(fit, facts_, inputs_, options_json(typed_, fit_));
    own.summarise(summary);
    commit(folder, summary, fit_.out, report_);

    const bool verbose = fit_.level == verbosity::verbose;
    if (fit_.json)
        to_.out << json_text(summary) << '\n';
    else if (fit_.level != verbosity::quiet)
        to_.out << own.page(verbose) << '\n' << summary_page(fit, facts_, fit_, verbose);
    if (own.all_converged && fit.all_converged()) return exit_certified;
    report_.warn(fmt::format("some lambdas did not reach the tolerance, in the fit or in {}: see the notes", own.fits));
    return exit_not_converged;
}

} // namespace proxpath::cli
