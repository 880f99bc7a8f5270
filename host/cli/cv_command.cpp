// The work of a cross-validation and its files; see cv_command.hpp. Reading and reporting are those of
// one_response_run.

#include "host/cli/cv_command.hpp"

#include "host/cli/cv_files.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/one_response_run.hpp"

#include <proxpath/cv.hpp>

#include <cstdint>
#include <string>
#include <vector>

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
    cv_settings settings = make_cv_settings(typed);
    fit_settings& fit = settings.fit;
    one_response_run run(typed, fit, "cv", to);
    const data_set& data = run.data();
    const std::vector<std::int64_t> groups = read_row_ids(settings.groups_file, "groups", data, fit.design);
    const std::vector<std::int64_t> fold_ids = read_row_ids(settings.fold_ids_file, "fold ids", data, fit.design);
    cv_options& options = settings.cv;
    options.path = run.options();
    options.groups = groups;
    options.fold_ids = fold_ids;
    if (fit.dry_run) return run.dry_run(options.path);

    const cv_result result = run.solve([&] { return fit_cv(data.X, data.y, options); });
    return run.finish(result.fit,
                      {[&](const staging_folder& folder) {
                           if (result.relaxed) write_relaxed(folder, *result.relaxed);
                           write_curve_csv(folder.file(fit_files::curve), result);
                           write_folds_csv(folder.file(fit_files::folds), result);
                           write_predictions_csv(folder.file(fit_files::predictions), result);
                       },
                       [&](nlohmann::json& summary) {
                           summary["cv"] = cv_json(result, options);
                           if (result.relaxed) summary["relaxed"] = relaxed_json(*result.relaxed);
                       },
                       [&](bool verbose) { return cv_page(result, verbose); }, result.all_converged(), "folds"});
}

} // namespace proxpath::cli
