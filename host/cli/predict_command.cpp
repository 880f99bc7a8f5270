// The steps of a prediction; see predict_command.hpp.

#include "host/cli/predict_command.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/interruption.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/settings.hpp"
#include "host/cli/staging.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>
#include <proxpath/predict.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// The columns to predict with: chosen ones of the path, or one between two of them.
struct chosen_columns {
    std::vector<double> lambdas;
    std::vector<double> intercepts;
    sparse_columns coefficients;
};

void append_column(chosen_columns& to, const fitted_path& fit, std::size_t k)
{
    to.lambdas.push_back(fit.points[k].lambda);
    to.intercepts.push_back(fit.points[k].intercept);
    for (auto e = static_cast<std::size_t>(fit.coefficients.offsets[k]);
         e < static_cast<std::size_t>(fit.coefficients.offsets[k + 1]); ++e) {
        to.coefficients.indices.push_back(fit.coefficients.indices[e]);
        to.coefficients.values.push_back(fit.coefficients.values[e]);
    }
    to.coefficients.offsets.push_back(static_cast<std::int64_t>(to.coefficients.indices.size()));
    ++to.coefficients.cols;
}

/// (1 − share) · column above + share · column below, as one column.
void append_between(chosen_columns& to, const fitted_path& fit, std::size_t above, std::size_t below, double lambda)
{
    const sparse_columns& from = fit.coefficients;
    const double share = (fit.points[above].lambda - lambda) / (fit.points[above].lambda - fit.points[below].lambda);
    auto a = static_cast<std::size_t>(from.offsets[above]);
    const auto a_end = static_cast<std::size_t>(from.offsets[above + 1]);
    auto b = static_cast<std::size_t>(from.offsets[below]);
    const auto b_end = static_cast<std::size_t>(from.offsets[below + 1]);
    while (a < a_end || b < b_end) {
        const bool take_a = a < a_end && (b == b_end || from.indices[a] <= from.indices[b]);
        const bool take_b = b < b_end && (a == a_end || from.indices[b] <= from.indices[a]);
        const std::int64_t feature = take_a ? from.indices[a] : from.indices[b];
        double value = 0;
        if (take_a) value += (1 - share) * from.values[a++];
        if (take_b) value += share * from.values[b++];
        to.coefficients.indices.push_back(feature);
        to.coefficients.values.push_back(value);
    }
    to.coefficients.offsets.push_back(static_cast<std::int64_t>(to.coefficients.indices.size()));
    ++to.coefficients.cols;
    to.lambdas.push_back(lambda);
    to.intercepts.push_back((1 - share) * fit.points[above].intercept + share * fit.points[below].intercept);
}

chosen_columns choose(const fitted_path& fit, const predict_settings& settings)
{
    std::vector<std::size_t> solved; // an interrupted fit leaves the end of its path unsolved
    for (std::size_t k = 0; k < fit.points.size(); ++k)
        if (fit.points[k].status != column_status::interrupted) solved.push_back(k);
    if (solved.empty()) throw invalid_input(fmt::format("'{}' holds no solved lambda; fit again", settings.folder));
    chosen_columns chosen;
    chosen.coefficients.rows = fit.coefficients.rows;
    chosen.coefficients.offsets.assign(1, 0);
    if (!settings.lambda) {
        for (const std::size_t k : solved) append_column(chosen, fit, k);
        return chosen;
    }
    const double lambda = *settings.lambda;
    const std::size_t first = solved.front();
    const double largest = fit.points[first].lambda;
    const double smallest = fit.points[solved.back()].lambda;
    if (lambda > largest && fit.coefficients.offsets[first] == fit.coefficients.offsets[first + 1]) {
        append_column(chosen, fit, first); // no feature at the largest lambda, none above
        chosen.lambdas.back() = lambda;
        return chosen;
    }
    if (!(lambda <= largest && lambda >= smallest))
        throw invalid_input(fmt::format("--lambda {} is outside the path, which goes from {} to {}; fit with it",
                                        lambda, largest, smallest));
    for (std::size_t i = 0; i < solved.size(); ++i) {
        const std::size_t k = solved[i];
        if (fit.points[k].lambda == lambda) {
            append_column(chosen, fit, k);
            return chosen;
        }
        if (fit.points[k].lambda < lambda) {
            append_between(chosen, fit, solved[i - 1], k, lambda);
            return chosen;
        }
    }
    return chosen;
}

/// The lambda that a rule means.
void resolve_rule(const fitted_path& fit, predict_settings& settings)
{
    if (settings.lambda_rule.empty()) return;
    const auto found = fit.chosen.find(settings.lambda_rule);
    if (found == fit.chosen.end()) {
        const std::string& rule = settings.lambda_rule;
        const char* const source = rule == "min" || rule == "1se"   ? "cv"
                                   : rule == "loo" || rule == "gcv" ? "fit --leave-one-out"
                                                                    : "fit --criteria";
        throw invalid_input(fmt::format("--lambda {}: '{}' has none; give a number, or a folder that proxpath {} wrote",
                                        rule, settings.folder, source));
    }
    settings.lambda = found->second;
}

/// Lambdas that cv --relax chose belong to the gamma that it chose with them.
double gamma_of(const fitted_path& fit, const predict_settings& settings)
{
    const bool chosen = settings.lambda_rule == "min" || settings.lambda_rule == "1se";
    return settings.gamma.value_or(chosen ? fit.chosen_gamma : 1);
}

bool is_svmlight(const predict_settings& settings)
{
    const file_format format =
        settings.read.format == file_format::automatic ? format_of(settings.design) : settings.read.format;
    return format == file_format::svmlight;
}

/// What may be wrong when there are more columns than the fit has.
std::string column_advice(const fitted_path& fit, const data_set& data, const predict_settings& settings)
{
    const bool named = !data.feature_names.empty() && settings.read.y_column.empty();
    return named && data.X.cols() > fit.coefficients.rows ? "; a response among them is named with --y-column" : "";
}

/// Columns with names must be the fitted ones, in the fitted order.
void check_names(const fitted_path& fit, const data_set& data, const predict_settings& settings)
{
    if (fit.features.empty() || data.feature_names.empty()) return;
    const std::size_t common = std::min(fit.features.size(), data.feature_names.size());
    for (std::size_t j = 0; j < common; ++j)
        if (fit.features[j] != data.feature_names[j])
            throw file_error(settings.design, 1,
                             fmt::format("feature {} is '{}', but the fit has '{}' there; give the same columns in the "
                                         "same order{}",
                                         j + 1, data.feature_names[j], fit.features[j],
                                         column_advice(fit, data, settings)));
}

/// Offsets belong to rows: those of the fit say nothing of other rows.
void check_offset(const fitted_path& fit, const predict_settings& settings)
{
    if (fit.offset && settings.offset_file.empty())
        throw invalid_input(fmt::format("the fit in '{}' had offsets; give those of {} with --offset FILE",
                                        settings.folder, settings.design));
    if (!fit.offset && !settings.offset_file.empty())
        throw invalid_input(fmt::format("--offset: the fit in '{}' had no offsets", settings.folder));
}

/// Adds the offset of every row, where there are offsets, to its predictions.
void add_offset(const std::vector<double>& offset, std::size_t lambdas, std::vector<double>& values)
{
    for (std::size_t i = 0; i < offset.size(); ++i)
        for (std::size_t k = 0; k < lambdas; ++k) values[i * lambdas + k] += offset[i];
}

/// X, the predictions and the dense coefficients of a group of lambdas, see docs/memory.md.
void check_memory(const predict_settings& settings, const matrix& X, const chosen_columns& chosen)
{
    if (settings.read.memory_limit == 0) return;
    const double K = static_cast<double>(chosen.lambdas.size());
    const double group = std::min(K, 32.0);
    const double needed =
        static_cast<double>(X.stored_bytes()) +
        8.0 * (static_cast<double>(X.rows()) * (K + 2 * group) + static_cast<double>(X.cols()) * (2 * group + 3));
    if (needed <= static_cast<double>(settings.read.memory_limit)) return;
    throw out_of_memory(
        fmt::format("--memory {}: X and its predictions for {} lambdas need {}; raise the limit or predict for one "
                    "--lambda",
                    bytes_text(settings.read.memory_limit), chosen.lambdas.size(),
                    bytes_text(static_cast<std::uint64_t>(needed))),
        static_cast<std::uint64_t>(needed), settings.read.memory_limit);
}

void stop_if_interrupted()
{
    if (interrupt_requested()) throw cancelled("interrupted");
}

void write_predictions(const std::string& file, const std::vector<double>& lambdas, const std::vector<double>& values)
{
    io::output_file out(file);
    for (std::size_t k = 0; k < lambdas.size(); ++k) out.print("{}lambda={}", k == 0 ? "" : ",", lambdas[k]);
    out.write("\n");
    for (std::size_t i = 0; i < values.size(); i += lambdas.size()) {
        stop_if_interrupted();
        for (std::size_t k = 0; k < lambdas.size(); ++k) out.print("{}{}", k == 0 ? "" : ",", values[i + k]);
        out.write("\n");
    }
    out.commit();
}

/// Predictions must not take the place of what they are made from.
void check_not_an_input(const predict_settings& settings, const destination& where)
{
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (fs::equivalent(where.path, settings.design, ignored))
        throw invalid_input(fmt::format("--out '{}' is X itself; choose another name", settings.out));
    if (fs::equivalent(where.parent, settings.folder, ignored))
        throw invalid_input(fmt::format("--out '{}' lies in the fit's own folder; choose another place", settings.out));
}

} // namespace

int predict(const arguments& typed, console& to)
{
    predict_settings settings = make_predict_settings(typed);
    reporter report(to, settings.level);
    const destination where = check_file_destination(settings.out);
    check_not_an_input(settings, where);
    fitted_path fit = read_fit(settings.folder, settings.response, settings.threads);
    check_offset(fit, settings);
    resolve_rule(fit, settings);
    if (const double gamma = gamma_of(fit, settings); gamma != 1 || settings.gamma)
        blend_with_relaxed(settings.folder, gamma, settings.threads, fit);
    const chosen_columns chosen = choose(fit, settings);

    // What the fit knew of its svmlight file holds for this one: trailing features may be empty here, and an index 0
    // may not occur.
    if (fit.index_base && is_svmlight(settings)) {
        if (!settings.read.features) settings.read.features = fit.coefficients.rows;
        if (!settings.read.index_base) settings.read.index_base = fit.index_base;
    }
    settings.read.on_progress = [&](const progress& now) { return report.progressed(now); };
    const data_set data = read_data(settings.design, settings.read);
    check_names(fit, data, settings);
    if (data.X.cols() != fit.coefficients.rows)
        throw file_error(settings.design, 0,
                         fmt::format("{} features, but the fit in '{}' has {}{}", data.X.cols(), settings.folder,
                                     fit.coefficients.rows, column_advice(fit, data, settings)));

    std::vector<double> offset;
    if (!settings.offset_file.empty())
        offset = read_row_numbers(settings.offset_file, number_rule::finite, "offsets", data.X, settings.design);
    check_memory(settings, data.X, chosen);
    stop_if_interrupted();
    std::vector<double> values = predict(data.X, chosen.coefficients, chosen.intercepts, settings.threads);
    add_offset(offset, chosen.lambdas.size(), values);
    staging_folder folder(where);
    write_predictions(folder.file(where.name), chosen.lambdas, values);
    folder.commit_file(where.name);
    report.note(fmt::format("{} rows predicted for {} lambda{}: {}", data.X.rows(), chosen.lambdas.size(),
                            chosen.lambdas.size() == 1 ? "" : "s", settings.out));
    return exit_certified;
}

} // namespace proxpath::cli
