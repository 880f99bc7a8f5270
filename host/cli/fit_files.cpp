// Writing and reading the files of a fit; see fit_files.hpp.

#include "host/cli/fit_files.hpp"

#include "host/cli/responses_table.hpp"
#include "host/cli/staging.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>
#include <proxpath/matrix.hpp>

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t lambda_cell = 0;
constexpr std::size_t intercept_cell = 3;
constexpr std::size_t status_cell = 9;

/// Calls row(line, cells) for each row of a table with this header.
template <class Row>
void read_table(const std::string& file, const std::string& header, const char* what, const Row& row)
{
    const std::vector<std::string> lines = read_lines(file);
    if (lines.empty() || lines.front() != header)
        throw file_error(file, 1, fmt::format("this is not the header of {}; fit again", what));
    const std::size_t cells = split(header, ',').size();
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto line = static_cast<std::int64_t>(i) + 1;
        const auto parts = split(lines[i], ',');
        if (parts.size() != cells)
            throw file_error(file, line, fmt::format("{} cells, but the header names {}", parts.size(), cells));
        row(line, parts);
    }
}

std::vector<path_point> read_path_csv(const std::string& file)
{
    std::vector<path_point> points;
    read_table(file, fit_files::path_header, "a proxpath path", [&](std::int64_t line, const auto& parts) {
        path_point point;
        for (const auto& [cell, value] :
             {std::pair{lambda_cell, &point.lambda}, std::pair{intercept_cell, &point.intercept}}) {
            const auto number = parse_number(parts[cell]);
            if (!number) throw file_error(file, line, fmt::format("'{}' is not a finite number", parts[cell]));
            *value = *number;
        }
        bool known = false;
        for (const auto status : {column_status::converged, column_status::not_converged, column_status::interrupted}) {
            if (parts[status_cell] != status_text(status)) continue;
            point.status = status;
            known = true;
        }
        if (!known) throw file_error(file, line, fmt::format("unknown status '{}'", parts[status_cell]));
        if (!points.empty() && !(point.lambda < points.back().lambda))
            throw file_error(file, line, "lambdas must decrease");
        points.push_back(point);
    });
    return points;
}

sparse_columns to_sparse_columns(const matrix& X)
{
    sparse_columns out;
    out.rows = X.rows();
    out.cols = X.cols();
    out.offsets.assign(1, 0);
    out.indices.reserve(static_cast<std::size_t>(X.nonzeros()));
    out.values.reserve(static_cast<std::size_t>(X.nonzeros()));
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](const auto& indices, const auto& values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                for (std::int64_t at = block.offsets[c]; at < block.offsets[c + 1]; ++at) {
                    out.indices.push_back(static_cast<std::int64_t>(rows[at]));
                    out.values.push_back(static_cast<double>(values[at]));
                }
                out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
            }
        });
    return out;
}

/// With a column for each of so many lambdas.
sparse_columns read_coefficients(const std::string& file, std::size_t lambdas, int threads)
{
    read_options settings;
    settings.format = file_format::matrix_market;
    settings.threads = threads;
    sparse_columns coefficients = to_sparse_columns(read_data(file, settings).X);
    if (coefficients.cols != static_cast<std::int64_t>(lambdas))
        throw file_error(file, 0,
                         fmt::format("{} columns, but {} has {} lambdas", coefficients.cols, fit_files::path, lambdas));
    return coefficients;
}

/// The lambdas that an object of the summary names by rules; none where it is missing or null.
void read_chosen(const std::string& file, const nlohmann::json& summary, const std::string& key,
                 const std::vector<std::string>& rules, fitted_path& fit)
{
    const auto found = summary.find(key);
    if (found == summary.end() || found->is_null()) return;
    for (const std::string& rule : rules) {
        const std::string name = "lambda_" + rule;
        if (found->is_object() && found->contains(name) && (*found)[name].is_null()) continue; // no lambda is the best
        if (!found->is_object() || !found->contains(name) || !(*found)[name].is_number())
            throw file_error(file, 0, fmt::format("'{}' has no number '{}'; make the folder again", key, name));
        fit.chosen[rule] = (*found)[name].get<double>();
    }
}

/// How the names of a response's files begin: nothing where there is one response alone.
std::string files_for(const std::string& folder, const std::string& response)
{
    const std::string table = folder + "/" + fit_files::responses;
    if (!fs::exists(table)) return {}; // whether that one is meant: see check_single_response
    const std::vector<response_line> lines = read_responses_csv(table);
    if (response.empty())
        throw invalid_input(
            fmt::format("'{}' holds fits of several responses; say of which by --response, its number or "
                        "its name in {}",
                        folder, fit_files::responses));
    for (const response_line& line : lines)
        if (!line.name.empty() && line.name == csv_cell(response)) return line.files; // a name before any number
    for (const response_line& line : lines)
        if (fmt::format("{}", line.number) == response) return line.files;
    throw invalid_input(fmt::format("--response '{}': '{}' has no such response; numbers and names are in {}", response,
                                    folder, fit_files::responses));
}

/// Of a fit of one response: it may be asked for by its number, or its name where it has one.
void check_single_response(const std::string& folder, const std::string& response, const nlohmann::json& summary)
{
    if (response.empty() || summary.contains("response")) return;
    const auto name = summary.find("response_name");
    if (response == "1" || (name != summary.end() && *name == response)) return;
    throw invalid_input(
        fmt::format("--response '{}': '{}' is the fit of one response{}", response, folder,
                    name != summary.end() && name->is_string() ? fmt::format(", '{}'", name->get<std::string>()) : ""));
}

} // namespace

const std::vector<folder_mark>& fit_marks()
{
    static const std::vector<folder_mark> marks{{fit_files::path, fit_files::path_header},
                                                {fit_files::responses, fit_files::responses_header}};
    return marks;
}

bool is_fit_file(const std::string& name)
{
    std::string_view rest = io::final_name(name); // a process that is killed leaves the file that it was writing
    if (rest.starts_with(fit_files::response_prefix)) {
        rest.remove_prefix(fit_files::response_prefix.size());
        const std::size_t digits = rest.find_first_not_of("0123456789");
        if (digits == 0 || digits == std::string_view::npos || rest[digits] != '.') return false;
        rest.remove_prefix(digits + 1);
        return rest == fit_files::path || rest == fit_files::coefficients || rest == fit_files::summary ||
               rest == fit_files::criteria;
    }
    for (const std::string& known :
         {fit_files::path, fit_files::coefficients, fit_files::summary, fit_files::features, fit_files::curve,
          fit_files::folds, fit_files::predictions, fit_files::criteria, fit_files::leave_one_out, fit_files::responses,
          fit_files::stability, fit_files::frequencies, fit_files::lambdas, fit_files::relaxed,
          fit_files::relaxed_coefficients, fit_files::bootstrap})
        if (rest == known) return true;
    return false;
}

const char* status_text(column_status status)
{
    switch (status) {
    case column_status::converged:
        return "converged";
    case column_status::not_converged:
        return "not_converged";
    default:
        return "interrupted";
    }
}

void write_path_csv(const std::string& file, const std::vector<path_point>& points)
{
    io::output_file out(file);
    out.print("{}\n", fit_files::path_header);
    for (const path_point& each : points)
        out.print("{},{},{},{},{},{},{},{},{},{},{},{}\n", each.lambda, each.df, each.dev_ratio, each.intercept,
                  each.primal, each.dual, each.gap, each.rel_gap, each.kkt, status_text(each.status), each.iterations,
                  each.passes);
    out.commit();
}

void write_criteria_csv(const std::string& file, const path_result& path, const information_criteria& criteria)
{
    io::output_file out(file);
    out.write("lambda,df,aic,aicc,bic,ebic\n");
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const criteria_point& each = criteria.points[k];
        out.print("{},", path.points[k].lambda);
        if (each.defined)
            out.print("{},{},{},{},{}\n", each.df, each.aic,
                      std::isfinite(each.aicc) ? fmt::format("{}", each.aicc) : std::string(), each.bic, each.ebic);
        else
            out.write(",,,,\n");
    }
    out.commit();
}

void write_coefficients(const std::string& file, const sparse_columns& coefficients)
{
    const std::span<const std::int64_t> offsets(coefficients.offsets);
    const std::span<const std::int64_t> indices(coefficients.indices);
    const std::span<const double> values(coefficients.values);
    write_matrix_market(file,
                        matrix::from_view(csc_view(coefficients.rows, coefficients.cols, offsets, indices, values)));
}

void write_relaxed(const staging_folder& folder, const relaxed_path& relaxed)
{
    io::output_file out(folder.file(fit_files::relaxed));
    out.print("{}\n", fit_files::relaxed_header);
    for (const relaxed_point& each : relaxed.points)
        out.print("{},{},{},{},{},{},{}\n", each.lambda, each.df, each.dev_ratio, each.intercept, each.loss, each.gap,
                  each.rel_gap);
    out.commit();
    write_coefficients(folder.file(fit_files::relaxed_coefficients), relaxed.coefficients);
}

void write_features(const std::string& file, const std::vector<std::string>& names)
{
    io::output_file out(file);
    for (const std::string& name : names) out.print("{}\n", name);
    out.commit();
}

void write_summary(const std::string& file, const nlohmann::json& summary)
{
    write_text_file(file, json_text(summary) + "\n");
}

nlohmann::json read_summary(const std::string& file)
{
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf()) || stream.bad())
        throw system_error(fmt::format("cannot read '{}': {}", file, std::generic_category().message(errno)));
    auto summary = nlohmann::json::parse(text.str(), nullptr, false);
    if (!summary.is_object()) throw file_error(file, 0, "this is not the summary of a proxpath fit; fit again");
    return summary;
}

std::string json_text(const nlohmann::json& value)
{
    return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

fitted_path read_fit(const std::string& folder, const std::string& response, int threads)
{
    std::error_code ignored;
    if (!fs::exists(folder, ignored))
        throw system_error(fmt::format("there is no folder '{}'; give one that fit wrote", folder));
    if (!fs::is_directory(folder, ignored))
        throw invalid_input(fmt::format("'{}' is no folder; give one that fit wrote", folder));
    const std::string begin = folder + "/" + files_for(folder, response);
    const auto file = [&](const std::string& name) { return begin + name; };
    for (const std::string& name : {fit_files::path, fit_files::coefficients, fit_files::summary})
        if (!fs::exists(file(name)))
            throw invalid_input(fmt::format("there is no '{}'; give a folder that fit wrote", file(name)));
    fitted_path fit;
    fit.points = read_path_csv(file(fit_files::path));
    fit.coefficients = read_coefficients(file(fit_files::coefficients), fit.points.size(), threads);
    const nlohmann::json summary = read_summary(file(fit_files::summary));
    check_single_response(folder, response, summary);
    if (const auto base = summary.find("index_base"); base != summary.end() && !base->is_null()) {
        if (*base != 0 && *base != 1)
            throw file_error(file(fit_files::summary), 0,
                             fmt::format("index_base {} is neither 0 nor 1", base->dump()));
        fit.index_base = base->get<int>();
    }
    read_chosen(file(fit_files::summary), summary, "cv", {"min", "1se"}, fit);
    read_chosen(file(fit_files::summary), summary, "criteria", {"aic", "aicc", "bic", "ebic"}, fit);
    read_chosen(file(fit_files::summary), summary, "leave_one_out", {"loo", "gcv"}, fit);
    const auto offset = summary.find("offset_checksum"); // absent in older folders
    fit.offset = offset != summary.end() && !offset->is_null();
    fit.relaxed = fs::exists(folder + "/" + fit_files::relaxed);
    if (const auto cv = summary.find("cv"); cv != summary.end() && cv->is_object() && cv->contains("gamma")) {
        const nlohmann::json& gamma = (*cv)["gamma"];
        if (!gamma.is_number() || !(gamma.get<double>() >= 0 && gamma.get<double>() <= 1))
            throw file_error(file(fit_files::summary), 0,
                             fmt::format("gamma {} is no number from 0 to 1; make the folder again", gamma.dump()));
        fit.chosen_gamma = gamma.get<double>();
    }
    const std::string features = folder + "/" + fit_files::features;
    if (fs::exists(features)) fit.features = read_lines(features);
    return fit;
}

void blend_with_relaxed(const std::string& folder, double gamma, int threads, fitted_path& fit)
{
    if (!fit.relaxed)
        throw invalid_input(
            fmt::format("--gamma {}: '{}' has no relaxed coefficients; fit with --relax", gamma, folder));
    const std::string file = folder + "/" + fit_files::relaxed;
    constexpr std::size_t relaxed_intercept_cell = 3;
    std::size_t k = 0;
    read_table(file, fit_files::relaxed_header, "a table of relaxed fits", [&](std::int64_t line, const auto& parts) {
        const auto lambda = parse_number(parts[lambda_cell]);
        const auto intercept = parse_number(parts[relaxed_intercept_cell]);
        if (k >= fit.points.size() || !lambda || *lambda != fit.points[k].lambda || !intercept)
            throw file_error(file, line,
                             fmt::format("this is not the relaxed fit of row {} of {}", k + 1, fit_files::path));
        fit.points[k].intercept = gamma * fit.points[k].intercept + (1 - gamma) * *intercept;
        ++k;
    });
    if (k != fit.points.size())
        throw file_error(file, 0, fmt::format("{} lambdas, but {} has {}", k, fit_files::path, fit.points.size()));
    const sparse_columns relaxed =
        read_coefficients(folder + "/" + fit_files::relaxed_coefficients, fit.points.size(), threads);
    if (relaxed.rows != fit.coefficients.rows)
        throw file_error(
            folder + "/" + fit_files::relaxed_coefficients, 0,
            fmt::format("{} features, but {} has {}", relaxed.rows, fit_files::coefficients, fit.coefficients.rows));
    fit.coefficients = blend(fit.coefficients, relaxed, gamma);
}

} // namespace proxpath::cli
