// Files and page of stability selection; see stability_files.hpp.

#include "host/cli/stability_files.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// Features that any half selected, most frequent first, then by their numbers.
std::vector<std::size_t> by_frequency(const stability_result& result)
{
    std::vector<std::size_t> features(result.selections.size());
    std::iota(features.begin(), features.end(), std::size_t{0});
    std::erase_if(features, [&](std::size_t j) { return result.selections[j] == 0; });
    std::stable_sort(features.begin(), features.end(),
                     [&](std::size_t a, std::size_t b) { return result.selections[a] > result.selections[b]; });
    return features;
}

double share_of(const stability_result& result, std::size_t feature)
{
    return static_cast<double>(result.selections[feature]) / (2 * static_cast<double>(result.pairs));
}

/// For each feature the largest lambda at which its frequency has reached the threshold; none where it never does.
std::vector<std::optional<double>> lambdas_of_stability(const stability_result& result)
{
    std::vector<std::optional<double>> lambdas(result.selections.size());
    std::vector<std::uint8_t> stable(lambdas.size(), 0);
    for (const std::int64_t feature : result.stable) stable[static_cast<std::size_t>(feature)] = 1;
    const double threshold = result.threshold * (1 - 1e-12);
    for (std::size_t k = result.lambda.size(); k-- > 0;)
        for (auto e = result.frequency.offsets[k]; e < result.frequency.offsets[k + 1]; ++e) {
            const auto feature = static_cast<std::size_t>(result.frequency.indices[static_cast<std::size_t>(e)]);
            if (stable[feature] != 0 && result.frequency.values[static_cast<std::size_t>(e)] >= threshold)
                lambdas[feature] = result.lambda[k];
        }
    return lambdas;
}

std::string name_of_feature(const std::vector<std::string>& names, std::size_t feature)
{
    return names.empty() ? std::string() : names[feature];
}

} // namespace

void write_stability_csv(const std::string& file, const stability_result& result, const std::vector<std::string>& names)
{
    const std::vector<std::optional<double>> lambdas = lambdas_of_stability(result);
    io::output_file out(file);
    out.write("feature,selections,frequency,stable,lambda,name\n");
    for (const std::size_t feature : by_frequency(result)) {
        out.print("{},{},{},{},", feature + 1, result.selections[feature], share_of(result, feature),
                  lambdas[feature] ? 1 : 0);
        if (lambdas[feature]) out.print("{}", *lambdas[feature]);
        out.print(",{}\n", csv_cell(name_of_feature(names, feature)));
    }
    out.commit();
}

void write_lambdas(const std::string& file, const stability_result& result)
{
    io::output_file out(file);
    for (const double lambda : result.lambda) out.print("{}\n", lambda);
    out.commit();
}

void write_frequencies(const std::string& file, const stability_result& result)
{
    write_coefficients(file, result.frequency);
}

nlohmann::json stability_json(const stability_result& result)
{
    nlohmann::json stable = nlohmann::json::array();
    for (const std::int64_t feature : result.stable) stable.push_back(feature + 1);
    return {{"pairs", result.pairs},
            {"threshold", result.threshold},
            {"stable", stable},
            {"candidates", result.candidates},
            {"most_selected", result.most_selected},
            {"mean_selected", result.mean_selected},
            {"expected_false", result.expected_false},
            {"expected_false_unimodal", result.expected_false_unimodal ? nlohmann::json(*result.expected_false_unimodal)
                                                                       : nlohmann::json(nullptr)},
            {"lambdas", result.lambda.size()},
            {"not_converged", result.not_converged},
            {"fit_s", result.fit_s},
            {"halves_s", result.halves_s},
            {"notes", result.notes}};
}

std::string stability_page(const stability_result& result, const std::vector<std::string>& names, bool all)
{
    std::string page =
        fmt::format("Stability selection: {} pairs of halves, {} features of {} may be selected by one\n", result.pairs,
                    result.most_selected, result.candidates);
    page += page_line("selected", fmt::format("{:.1f} features by a half on average", result.mean_selected));
    page += page_line("stable", fmt::format("{} features, selected by at least {:g} of {} halves", result.stable.size(),
                                            std::ceil(result.threshold * 2 * static_cast<double>(result.pairs) - 1e-9),
                                            2 * result.pairs));
    page += page_line(
        "false", fmt::format("{:.3g} expected among them at most{}", result.expected_false,
                             result.expected_false_unimodal
                                 ? fmt::format(", {:.3g} if selections are unimodal", *result.expected_false_unimodal)
                                 : ""));
    constexpr std::size_t further = 10;
    const std::vector<std::size_t> features = by_frequency(result);
    const std::vector<std::optional<double>> lambdas = lambdas_of_stability(result);
    const std::size_t shown = all ? features.size() : std::min(features.size(), result.stable.size() + further);
    page += fmt::format("\n{:>9} {:>10} {:>12}  {}\n", "feature", "frequency", "from lambda", "name");
    for (std::size_t at = 0; at < shown; ++at) {
        const std::size_t feature = features[at];
        page += fmt::format("{:>9} {:>10.3f} {:>12}  {}\n", feature + 1, share_of(result, feature),
                            lambdas[feature] ? fmt::format("{:.6g}", *lambdas[feature]) : "not stable",
                            name_of_feature(names, feature));
    }
    if (shown < features.size())
        page += fmt::format("({} of {} features that a half selected; {} has all)\n", shown, features.size(),
                            fit_files::stability);
    for (const std::string& note : result.notes) page += page_line("note", note);
    return page;
}

} // namespace proxpath::cli
