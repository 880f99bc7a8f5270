// Files and page of a bootstrap; see bootstrap_files.hpp.

#include "host/cli/bootstrap_files.hpp"

#include "host/cli/choices.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// Name of a feature as a cell, empty where it has none.
std::string name_cell(const std::vector<std::string>& names, const bootstrap_coefficient& of)
{
    return names.empty() ? std::string() : csv_cell(names[static_cast<std::size_t>(of.feature)]);
}

bool excludes_zero(const bootstrap_spread& spread) { return spread.lower > 0 || spread.upper < 0; }

/// Coefficients of one lambda, those most often not 0 first, then the larger ones.
std::vector<bootstrap_coefficient> most_frequent_first(const bootstrap_result& result, std::size_t k)
{
    const auto here = result.at(k);
    std::vector<bootstrap_coefficient> ordered(here.begin(), here.end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
        if (a.frequency != b.frequency) return a.frequency > b.frequency;
        return std::fabs(a.spread.mean) > std::fabs(b.spread.mean);
    });
    return ordered;
}

/// What coefficients of one lambda are alike in.
struct lambda_counts {
    std::int64_t selected = 0; // by the fit
    std::int64_t often = 0;    // by more than half of the resamples
    std::int64_t apart = 0;    // with an interval that excludes 0
};

lambda_counts count_coefficients(const bootstrap_result& result, std::size_t k)
{
    lambda_counts counts;
    for (const bootstrap_coefficient& each : result.at(k)) {
        counts.selected += each.estimate != 0 ? 1 : 0;
        counts.often += each.frequency > 0.5 ? 1 : 0;
        counts.apart += excludes_zero(each.spread) ? 1 : 0;
    }
    return counts;
}

std::string lambdas_table(const bootstrap_result& result, bool all)
{
    std::string table = fmt::format("\n{:>12} {:>9} {:>12} {:>14} {:>12}\n", "lambda", "non-zeros", "in resamples",
                                    "in most of them", "interval ≠ 0");
    for (const std::size_t k : rows_to_show(result.lambda.size(), all)) {
        const lambda_counts counts = count_coefficients(result, k);
        table += fmt::format("{:>12.6g} {:>9} {:>12} {:>15} {:>12}\n", result.lambda[k], counts.selected,
                             result.at(k).size(), counts.often, counts.apart);
    }
    return table;
}

std::string coefficients_table(const bootstrap_result& result, const std::vector<std::string>& names, bool all)
{
    constexpr std::size_t shown_at_most = 20;
    const std::vector<bootstrap_coefficient> ordered = most_frequent_first(result, 0);
    const std::size_t shown = all ? ordered.size() : std::min(ordered.size(), shown_at_most);
    std::string table = fmt::format("\n{:>9} {:>9} {:>12} {:>12} {:>11} {:>12} {:>12}  {}\n", "feature", "frequency",
                                    "coefficient", "mean", "sd", "lower", "upper", "name");
    for (std::size_t at = 0; at < shown; ++at) {
        const bootstrap_coefficient& each = ordered[at];
        table += fmt::format("{:>9} {:>9.3f} {:>12.6g} {:>12.6g} {:>11.4g} {:>12.6g} {:>12.6g}  {}\n", each.feature + 1,
                             each.frequency, each.estimate, each.spread.mean, each.spread.standard_deviation,
                             each.spread.lower, each.spread.upper, name_cell(names, each));
    }
    if (shown < ordered.size())
        table += fmt::format("({} of {} features that a fit selected; {} has all)\n", shown, ordered.size(),
                             fit_files::bootstrap);
    return table;
}

nlohmann::json spread_json(const bootstrap_spread& spread)
{
    return {{"mean", spread.mean}, {"sd", spread.standard_deviation}, {"lower", spread.lower}, {"upper", spread.upper}};
}

} // namespace

void write_bootstrap_csv(const std::string& file, const bootstrap_result& result, const std::vector<std::string>& names)
{
    io::output_file out(file);
    out.write("lambda,feature,coefficient,mean,sd,lower,upper,frequency,positive,name\n");
    for (std::size_t k = 0; k < result.lambda.size(); ++k)
        for (const bootstrap_coefficient& each : result.at(k))
            out.print("{},{},{},{},{},{},{},{},{},{}\n", result.lambda[k], each.feature + 1, each.estimate,
                      each.spread.mean, each.spread.standard_deviation, each.spread.lower, each.spread.upper,
                      each.frequency, each.positive, name_cell(names, each));
    out.commit();
}

nlohmann::json bootstrap_json(const bootstrap_result& result)
{
    nlohmann::json lambdas = nlohmann::json::array();
    for (std::size_t k = 0; k < result.lambda.size(); ++k)
        lambdas.push_back({{"lambda", result.lambda[k]},
                           {"intercept", spread_json(result.intercept[k])},
                           {"features", result.at(k).size()},
                           {"intervals_without_0", count_coefficients(result, k).apart}});
    return {{"resamples", result.resamples},         {"kind", name_of(bootstrap_choices, result.kind)},
            {"confidence", result.confidence},       {"lambdas", lambdas},
            {"not_converged", result.not_converged}, {"fit_s", result.fit_s},
            {"resamples_s", result.resamples_s},     {"notes", result.notes}};
}

std::string bootstrap_page(const bootstrap_result& result, const std::vector<std::string>& names, bool all)
{
    std::string page =
        fmt::format("Bootstrap: {} resamples ({}), percentile intervals of {:g}\n", result.resamples,
                    result.kind == bootstrap_kind::pairs ? "rows drawn with replacement" : "exponential weights",
                    result.confidence);
    if (result.lambda.size() == 1) {
        const lambda_counts counts = count_coefficients(result, 0);
        page += page_line("lambda", fmt::format("{:.6g}", result.lambda[0]));
        page +=
            page_line("non-zeros", fmt::format("{} in the fit, {} in more than half of the resamples, {} in any; {} "
                                               "with an interval that excludes 0",
                                               counts.selected, counts.often, result.at(0).size(), counts.apart));
        page += coefficients_table(result, names, all);
    } else {
        page += lambdas_table(result, all);
    }
    for (const std::string& note : result.notes) page += page_line("note", note);
    return page;
}

} // namespace proxpath::cli
