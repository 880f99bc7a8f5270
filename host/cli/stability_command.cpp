// The work of stability selection and its files; see stability_command.hpp. Reading and reporting are those of
// one_response_run.

#include "host/cli/stability_command.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/one_response_run.hpp"
#include "host/cli/stability_files.hpp"

#include <proxpath/stability.hpp>

namespace proxpath::cli {

int stability(const arguments& typed, console& to)
{
    stability_settings settings = make_stability_settings(typed);
    one_response_run run(typed, settings.fit, "stability", to);
    const data_set& data = run.data();
    stability_options& options = settings.stability;
    options.path = run.options();
    if (settings.fit.dry_run) return run.dry_run(options.path);

    const stability_result result = run.solve([&] { return fit_stability(data.X, data.y, options); });
    return run.finish(result.fit, {[&](const staging_folder& folder) {
                                       write_stability_csv(folder.file(fit_files::stability), result,
                                                           data.feature_names);
                                       write_frequencies(folder.file(fit_files::frequencies), result);
                                       write_lambdas(folder.file(fit_files::lambdas), result);
                                   },
                                   [&](nlohmann::json& summary) { summary["stability"] = stability_json(result); },
                                   [&](bool verbose) { return stability_page(result, data.feature_names, verbose); },
                                   result.not_converged == 0, "halves"});
}

} // namespace proxpath::cli
