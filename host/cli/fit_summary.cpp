// The summary as JSON and as a page; see fit_summary.hpp.

#include "host/cli/fit_summary.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/values.hpp"

#include <proxpath/version.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace proxpath::cli {

namespace {

double largest_rel_gap(const std::vector<path_point>& points)
{
    double largest = 0;
    for (const path_point& each : points)
        if (each.status != column_status::interrupted) largest = std::max(largest, each.rel_gap);
    return largest;
}

/// Null for a whole path.
nlohmann::json end_text(path_end end)
{
    if (end == path_end::whole) return nullptr;
    return end == path_end::dfmax ? "dfmax" : end == path_end::pmax ? "pmax" : "patience";
}

std::string hexadecimal(std::uint64_t value) { return fmt::format("{:016x}", value); }

std::string verdict(const path_result& result, double tol)
{
    const status_counts counts = count_statuses(result.points);
    const auto all = static_cast<std::int64_t>(result.points.size());
    if (counts.converged == all)
        return fmt::format("{}certified, largest relative gap {:.1e} (tolerance {:.1e})",
                           all == 1 ? "" : fmt::format("all {} ", all), largest_rel_gap(result.points), tol);
    std::vector<std::string> parts{fmt::format("{} of {} certified to {:.1e}", counts.converged, all, tol)};
    if (counts.not_converged > 0)
        parts.push_back(fmt::format("{} not converged, largest relative gap {:.1e}", counts.not_converged,
                                    largest_rel_gap(result.points)));
    if (counts.interrupted > 0) parts.push_back(fmt::format("{} interrupted", counts.interrupted));
    return fmt::format("{}", fmt::join(parts, "; "));
}

nlohmann::json account_json(const std::vector<round_account>& account)
{
    nlohmann::json rounds = nlohmann::json::array();
    for (const round_account& each : account)
        rounds.push_back(
            {{"first_lambda", each.first_lambda},
             {"lambdas", each.lambdas},
             {"converged", each.converged},
             {"opens_block", each.opens_block},
             {"candidates", each.candidates},
             {"working_set", each.working_set},
             {"violators", each.violators},
             {"iterations", each.iterations},
             {"share_read", each.share_read},
             {"seconds",
              {{"gather", each.gather}, {"gram", each.gram}, {"inner", each.inner}, {"certify", each.certify}}},
             {"method", each.method},
             {"reason", each.reason}});
    return rounds;
}

/// A line for each round; why a method was taken where it is another than before.
std::string account_text(const std::vector<round_account>& account)
{
    std::string text = fmt::format("\n{:>5} {:>11} {:>5} {:>10} {:>11} {:>9} {:>10} {:>6} {:>8} {:>8} {:>8}  {}\n",
                                   "round", "lambdas", "done", "candidates", "working set", "violators", "iterations",
                                   "X read", "gram s", "inner s", "pass s", "method");
    std::string method;
    for (std::size_t r = 0; r < account.size(); ++r) {
        const round_account& each = account[r];
        const std::string lambdas = each.lambdas == 1 ? fmt::format("{}", each.first_lambda + 1)
                                                      : fmt::format("{} from {}", each.lambdas, each.first_lambda + 1);
        text +=
            fmt::format("{:>5} {:>11} {:>5} {:>10} {:>11} {:>9} {:>10} {:>5.0f}% {:>8.3f} {:>8.3f} {:>8.3f}  {}{}\n",
                        r + 1, lambdas, each.converged, each.candidates, each.working_set, each.violators,
                        each.iterations, 100 * each.share_read, each.gram, each.inner, each.certify, each.method,
                        each.method == method ? "" : ": " + each.reason);
        method = each.method;
    }
    return text;
}

/// By their names; none for aicc where there are too few rows for it.
std::vector<std::pair<std::string_view, std::optional<std::size_t>>> best_points(const information_criteria& criteria)
{
    std::vector<std::pair<std::string_view, std::optional<std::size_t>>> best{
        {"aic", criteria.at_aic}, {"aicc", criteria.at_aicc}, {"bic", criteria.at_bic}, {"ebic", criteria.at_ebic}};
    if (!std::isfinite(criteria.points[criteria.at_aicc].aicc)) best[1].second.reset();
    return best;
}

} // namespace

std::string page_line(std::string_view label, const std::string& text)
{
    return fmt::format("{:<14}{}\n", label, text);
}

std::vector<std::size_t> rows_to_show(std::size_t count, bool all)
{
    constexpr std::size_t shown = 10;
    std::vector<std::size_t> rows;
    if (all || count <= shown) {
        for (std::size_t i = 0; i < count; ++i) rows.push_back(i);
        return rows;
    }
    for (std::size_t i = 0; i < shown; ++i) rows.push_back(i * (count - 1) / (shown - 1));
    return rows;
}

std::string model_name(double alpha) { return alpha == 1 ? "Lasso" : alpha == 0 ? "Ridge" : "Elastic net"; }

status_counts count_statuses(const std::vector<path_point>& points)
{
    status_counts counts;
    for (const path_point& each : points) {
        if (each.status == column_status::converged) ++counts.converged;
        if (each.status == column_status::not_converged) ++counts.not_converged;
        if (each.status == column_status::interrupted) ++counts.interrupted;
    }
    return counts;
}

std::string device_text(const fit_facts& facts)
{
    return fmt::format("{}{}{}, {} thread{} ({})", facts.device, facts.device_name.empty() ? "" : " ",
                       facts.device_name, facts.threads, facts.threads == 1 ? "" : "s", facts.device_reason);
}

nlohmann::json plan_json(const memory_plan& plan)
{
    return {{"matrix_bytes", plan.matrix_bytes},   {"vectors_bytes", plan.vectors_bytes},
            {"working_bytes", plan.working_bytes}, {"factor_bytes", plan.factor_bytes},
            {"total_bytes", plan.total()},         {"limit_bytes", plan.limit_bytes},
            {"lambda_block", plan.lambda_block}};
}

std::string plan_text(const memory_plan& plan)
{
    const std::string factor =
        plan.factor_bytes == 0 ? "" : fmt::format("; up to {} more for a factor", bytes_text(plan.factor_bytes));
    return fmt::format("predicted {}: matrix {}, vectors {}, working sets {}{}; limit {} beyond the matrix; {} lambdas "
                       "at a time",
                       bytes_text(plan.total()), bytes_text(plan.matrix_bytes), bytes_text(plan.vectors_bytes),
                       bytes_text(plan.working_bytes), factor, bytes_text(plan.limit_bytes), plan.lambda_block);
}

nlohmann::json summary_json(const path_result& result, const fit_facts& facts, const model_inputs& inputs,
                            const nlohmann::json& options)
{
    const status_counts counts = count_statuses(result.points);
    std::vector<std::string> notes = facts.notes;
    notes.insert(notes.end(), result.notes.begin(), result.notes.end());
    nlohmann::json summary = {{"version", version()},
                              {"device", facts.device},
                              {"device_name", facts.device_name},
                              {"device_reason", facts.device_reason},
                              {"threads", facts.threads},
                              {"options", options},
                              {"n", result.n},
                              {"p", result.p},
                              {"nnz", result.nonzeros},
                              {"data_checksum", hexadecimal(facts.matrix_checksum)},
                              {"response_checksum", hexadecimal(facts.response_checksum)},
                              {"weights_checksum", checksum_of(inputs.weights)},
                              {"offset_checksum", checksum_of(inputs.offset)},
                              {"penalty_factors_checksum", checksum_of(inputs.penalty_factors)},
                              {"lower_checksum", checksum_of(inputs.lower)},
                              {"upper_checksum", checksum_of(inputs.upper)},
                              {"excluded_features", inputs.excluded},
                              {"solver", result.solver},
                              {"lambda_max", result.lambda_max},
                              {"null_loss", result.null_loss},
                              {"l2_divisor", result.l2_divisor},
                              {"n_lambda", result.points.size()},
                              {"lambdas_asked", result.lambdas_asked},
                              {"ended_by", end_text(result.ended_by)},
                              {"converged", counts.converged},
                              {"not_converged", counts.not_converged},
                              {"interrupted", counts.interrupted},
                              {"largest_rel_gap", largest_rel_gap(result.points)},
                              {"constant_features", result.constant_features.size()},
                              {"passes", result.passes},
                              {"rounds", result.rounds},
                              {"account", account_json(result.account)},
                              {"seconds",
                               {{"load", facts.load_s},
                                {"solve", facts.solve_s},
                                {"write", facts.write_s},
                                {"total", facts.total_s},
                                {"prepare", result.seconds.prepare},
                                {"gather", result.seconds.gather},
                                {"gram", result.seconds.gram},
                                {"inner", result.seconds.inner},
                                {"certify", result.seconds.certify}}},
                              {"memory", plan_json(result.memory)},
                              {"program_bytes", facts.base_bytes},
                              {"peak_memory_bytes", facts.peak_bytes},
                              {"notes", notes}};
    summary["index_base"] = facts.index_base ? nlohmann::json(*facts.index_base) : nlohmann::json(nullptr);
    return summary;
}

nlohmann::json relaxed_json(const relaxed_path& relaxed)
{
    double largest = 0;
    for (const relaxed_point& point : relaxed.points) largest = std::max(largest, point.rel_gap);
    return {{"largest_rel_gap", largest}, {"seconds", relaxed.seconds}};
}

std::string relaxed_text(const relaxed_path& relaxed)
{
    return page_line("relaxed", fmt::format("{} fits without a penalty, in {}: {}", relaxed.points.size(),
                                            seconds_text(relaxed.seconds), fit_files::relaxed));
}

nlohmann::json criteria_json(const path_result& path, const information_criteria& criteria)
{
    if (!criteria.any) return nullptr;
    nlohmann::json out;
    for (const auto& [rule, at] : best_points(criteria)) {
        out[fmt::format("lambda_{}", rule)] = at ? nlohmann::json(path.points[*at].lambda) : nlohmann::json(nullptr);
        out[fmt::format("row_{}", rule)] = at ? nlohmann::json(*at + 1) : nlohmann::json(nullptr);
    }
    return out;
}

std::string criteria_text(const path_result& path, const information_criteria& criteria)
{
    if (!criteria.any) return page_line("criteria", "none: no lambda leaves anything unexplained");
    std::string text;
    for (const auto& [rule, at] : best_points(criteria))
        if (at)
            text += page_line(fmt::format("lambda.{}", rule),
                              fmt::format("{:.6g}, {} non-zeros{}", path.points[*at].lambda, path.points[*at].df,
                                          path.alpha < 1 ? fmt::format(", df {:.4g}", criteria.points[*at].df) : ""));
    return text;
}

std::string summary_page(const path_result& result, const fit_facts& facts, const fit_settings& settings,
                         bool whole_path)
{
    std::string page = fmt::format("{} path, alpha {}: {} rows, {} features, {} non-zeros\n", model_name(result.alpha),
                                   result.alpha, result.n, result.p, result.nonzeros);
    page += page_line("device", device_text(facts));
    page += page_line("solver", result.solver);
    if (settings.path.convention != lambda_convention::proxpath)
        page +=
            page_line("lambda", fmt::format("as in {}: the L2 part is over {:.6g}",
                                            name_of(convention_choices, settings.path.convention), result.l2_divisor));
    page += page_line("lambda_max", fmt::format("{:.6g}", result.lambda_max));
    page += page_line("lambdas", verdict(result, settings.path.tol));
    page += fmt::format("\n{:>12} {:>9} {:>10} {:>9} {:>9} {:>11} {:>7}  {}\n", "lambda", "non-zeros", "dev ratio",
                        "rel gap", "kkt", "iterations", "passes", "status");
    const std::vector<std::size_t> rows = rows_to_show(result.points.size(), whole_path);
    for (const std::size_t row : rows) {
        const path_point& point = result.points[row];
        page += fmt::format("{:>12.6g} {:>9} {:>10.6f} {:>9.1e} {:>9.1e} {:>11} {:>7}  {}\n", point.lambda, point.df,
                            point.dev_ratio, point.rel_gap, point.kkt, point.iterations, point.passes,
                            status_text(point.status));
    }
    if (rows.size() < result.points.size())
        page += fmt::format("({} of {} lambdas; {} has all)\n", rows.size(), result.points.size(),
                            settings.out.empty() ? "--verbose" : settings.out + "/" + fit_files::path);
    if (whole_path) page += account_text(result.account);
    page +=
        '\n' + page_line("passes", fmt::format("{} over the whole of X, in {} rounds", result.passes, result.rounds));
    page +=
        page_line("seconds",
                  fmt::format("{:.2f} = load {:.2f} + solve {:.2f} (prepare {:.2f}, gather {:.2f}, gram {:.2f}, inner "
                              "{:.2f}, certify {:.2f}) + write {:.2f}",
                              facts.total_s, facts.load_s, facts.solve_s, result.seconds.prepare, result.seconds.gather,
                              result.seconds.gram, result.seconds.inner, result.seconds.certify, facts.write_s));
    page += page_line("memory", fmt::format("peak {}, of which {} program; {}", bytes_text(facts.peak_bytes),
                                            bytes_text(facts.base_bytes), plan_text(result.memory)));
    for (const std::string& note : facts.notes) page += page_line("note", note);
    for (const std::string& note : result.notes) page += page_line("note", note);
    if (!settings.out.empty()) page += page_line("written", settings.out);
    return page;
}

} // namespace proxpath::cli
