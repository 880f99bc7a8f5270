// The work of a bootstrap and its files; see bootstrap_command.hpp. Reading and reporting are those of
// one_response_run.

#include "host/cli/bootstrap_command.hpp"

#include "host/cli/bootstrap_files.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/one_response_run.hpp"

#include <proxpath/bootstrap.hpp>

namespace proxpath::cli {

int bootstrap(const arguments& typed, console& to)
{
    bootstrap_settings settings = make_bootstrap_settings(typed);
    one_response_run run(typed, settings.fit, "bootstrap", to);
    const data_set& data = run.data();
    bootstrap_options& options = settings.bootstrap;
    options.path = run.options();
    if (settings.fit.dry_run) return run.dry_run(options.path);

    const bootstrap_result result = run.solve([&] { return fit_bootstrap(data.X, data.y, options); });
    return run.finish(result.fit, {[&](const staging_folder& folder) {
                                       write_bootstrap_csv(folder.file(fit_files::bootstrap), result,
                                                           data.feature_names);
                                   },
                                   [&](nlohmann::json& summary) { summary["bootstrap"] = bootstrap_json(result); },
                                   [&](bool verbose) { return bootstrap_page(result, data.feature_names, verbose); },
                                   result.not_converged == 0, "resamples"});
}

} // namespace proxpath::cli
