// The steps of the fits of several responses; see responses_command.hpp. The files of each are written as soon as it is
// finished, so that neither memory nor what an interruption costs grows with their number; a table says what became of
// each.

#include "host/cli/responses_command.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/process_memory.hpp"
#include "host/cli/responses_table.hpp"
#include "host/cli/resume.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <proxpath/criteria.hpp>
#include <proxpath/errors.hpp>
#include <proxpath/responses.hpp>
#include <proxpath/version.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace proxpath::cli {

namespace {

using steady = std::chrono::steady_clock;

/// Of a path whose degrees of freedom could not be found.
information_criteria no_criteria(const path_result& fit)
{
    information_criteria none;
    none.points.resize(fit.points.size());
    return none;
}

/// Writes the files of each fit, and keeps what is to be said of all.
class response_writer {
public:
    response_writer(const fit_settings& settings, const loaded_data& data, const model_inputs& inputs,
                    const path_options& path, const nlohmann::json& options, const fit_facts& facts,
                    const staging_folder& folder)
        : settings_(settings), data_(data), inputs_(inputs), path_(path), options_(options), facts_(facts),
          folder_(folder)
    {}

    void take(std::int64_t response, const path_result& fit)
    {
        const auto at = static_cast<std::size_t>(response);
        const std::string files = files_of_response(response + 1, data_.responses());
        write_path_csv(folder_.file(files + fit_files::path), fit.points);
        write_coefficients(folder_.file(files + fit_files::coefficients), fit.coefficients);
        fit_facts facts = facts_;
        facts.notes.clear(); // on the data: once, in the summary of all
        const std::span<const double> y = data_.response(response);
        facts.response_checksum = XXH3_64bits(y.data(), y.size_bytes());
        facts.load_s = facts.write_s = 0; // of all together: in their summary
        facts.solve_s = facts.total_s = fit.seconds.total;
        facts.peak_bytes = peak_memory_bytes();
        std::optional<information_criteria> criteria;
        if (settings_.criteria) {
            try {
                criteria = compute_criteria(data_.set.X, path_, fit);
                facts.notes = criteria->notes;
            } catch (const cancelled&) {
                criteria = no_criteria(fit); // the next fit stops
            } catch (const out_of_memory& problem) {
                criteria = no_criteria(fit);
                facts.notes.push_back(fmt::format("criteria are left out: {}", problem.what()));
            }
            write_criteria_csv(folder_.file(files + fit_files::criteria), fit, *criteria);
        }
        nlohmann::json summary = summary_json(fit, facts, inputs_, options_);
        summary["response"] = response + 1;
        const std::string name = data_.response_names.empty() ? std::string() : data_.response_names[at];
        summary["response_name"] = name.empty() ? nlohmann::json(nullptr) : nlohmann::json(name);
        if (criteria) summary["criteria"] = criteria_json(fit, *criteria);
        write_summary(folder_.file(files + fit_files::summary), summary);
        lines_.push_back(line_of(fit, response + 1, name, files));
        for (const std::vector<std::string>& notes : {fit.notes, facts.notes})
            for (const std::string& note : notes) keep_note(response + 1, note);
        plan_ = fit.memory;
        device_ = {fit.device, fit.device_name, fit.device_reason};
    }

    /// Fits of an earlier run, whose files are in the folder already.
    void take_over(std::vector<response_line> lines) { lines_ = std::move(lines); }
    /// In the order of their numbers.
    const std::vector<response_line>& lines() const { return lines_; }
    /// After a run that went on with an older one's.
    void sort_lines()
    {
        std::sort(lines_.begin(), lines_.end(),
                  [](const response_line& a, const response_line& b) { return a.number < b.number; });
    }
    /// What the same is said of several responses is said once.
    std::vector<std::string> notes() const
    {
        std::vector<std::string> all = facts_.notes;
        for (std::size_t at = 0; at < std::min(notes_.size(), most_notes); ++at) {
            const shared_note& each = notes_[at];
            if (each.count == lines_.size())
                all.push_back(each.text);
            else if (each.count == 1)
                all.push_back(fmt::format("response {}: {}", each.first, each.text));
            else
                all.push_back(fmt::format("{} responses, {} first: {}", each.count, each.first, each.text));
        }
        if (notes_.size() > most_notes)
            all.push_back(
                fmt::format("{} further notes are in the summaries of the responses", notes_.size() - most_notes));
        return all;
    }
    const memory_plan& plan() const { return plan_; }
    /// What ran, once something has.
    void tell_device(fit_facts& facts) const
    {
        if (device_[0].empty()) return;
        facts.device = device_[0];
        facts.device_name = device_[1];
        facts.device_reason = device_[2];
    }

private:
    static constexpr std::size_t most_notes = 20;
    /// Beyond so many different ones, notes are only counted.
    static constexpr std::size_t most_kept = 1000;

    struct shared_note {
        std::string text;
        std::int64_t first = 0; // response, from 1
        std::size_t count = 0;
    };

    void keep_note(std::int64_t number, const std::string& text)
    {
        const auto known =
            std::find_if(notes_.begin(), notes_.end(), [&](const shared_note& each) { return each.text == text; });
        if (known != notes_.end())
            ++known->count;
        else if (notes_.size() < most_kept)
            notes_.push_back({text, number, 1});
    }

    const fit_settings& settings_;
    const loaded_data& data_;
    const model_inputs& inputs_;
    const path_options& path_;
    const nlohmann::json& options_;
    const fit_facts& facts_;
    const staging_folder& folder_;
    std::vector<response_line> lines_;
    std::vector<shared_note> notes_;
    memory_plan plan_;
    std::array<std::string, 3> device_;
};

struct sums_of_responses {
    status_counts counts;
    double rel_gap = 0;
};

sums_of_responses sum_up(const std::vector<response_line>& lines)
{
    sums_of_responses sums;
    for (const response_line& each : lines) {
        sums.counts.converged += each.counts.converged;
        sums.counts.not_converged += each.counts.not_converged;
        sums.rel_gap = std::max(sums.rel_gap, each.rel_gap);
    }
    return sums;
}

nlohmann::json summary_of_all(const response_writer& writer, const loaded_data& data, const fit_facts& facts,
                              const nlohmann::json& options, bool interrupted)
{
    const sums_of_responses sums = sum_up(writer.lines());
    nlohmann::json summary = {
        {"version", version()},
        {"device", facts.device},
        {"device_name", facts.device_name},
        {"device_reason", facts.device_reason},
        {"threads", facts.threads},
        {"options", options},
        {"n", data.set.X.rows()},
        {"p", data.set.X.cols()},
        {"nnz", data.set.X.nonzeros()},
        {"data_checksum", fmt::format("{:016x}", facts.matrix_checksum)},
        {"responses", data.responses()},
        {"responses_fitted", writer.lines().size()},
        {"interrupted", interrupted},
        {"converged", sums.counts.converged},
        {"not_converged", sums.counts.not_converged},
        {"largest_rel_gap", sums.rel_gap},
        {"seconds",
         {{"load", facts.load_s}, {"solve", facts.solve_s}, {"write", facts.write_s}, {"total", facts.total_s}}},
        {"memory", plan_json(writer.plan())},
        {"program_bytes", facts.base_bytes},
        {"peak_memory_bytes", facts.peak_bytes},
        {"notes", writer.notes()}};
    return summary;
}

std::string page_of_all(const response_writer& writer, const loaded_data& data, const fit_facts& facts,
                        const fit_settings& settings, bool every)
{
    const std::vector<response_line>& lines = writer.lines();
    const sums_of_responses sums = sum_up(lines);
    std::string page = fmt::format("{} paths of {} responses, alpha {}: {} rows, {} features, {} non-zeros\n",
                                   model_name(settings.path.alpha), data.responses(), settings.path.alpha,
                                   data.set.X.rows(), data.set.X.cols(), data.set.X.nonzeros());
    page += page_line("device", device_text(facts));
    if (static_cast<std::int64_t>(lines.size()) < data.responses())
        page += page_line("interrupted", fmt::format("{} of {} responses were fitted", lines.size(), data.responses()));
    page += page_line("lambdas", fmt::format("{} of {} certified, largest relative gap {:.1e} (tolerance {:.1e})",
                                             sums.counts.converged, sums.counts.converged + sums.counts.not_converged,
                                             sums.rel_gap, settings.path.tol));
    page += fmt::format("\n{:>9} {:>12} {:>8} {:>10} {:>9} {:>10} {:>9}  {}\n", "response", "lambda_max", "lambdas",
                        "certified", "non-zeros", "dev ratio", "rel gap", "name");
    const std::vector<std::size_t> rows = rows_to_show(lines.size(), every);
    for (const std::size_t row : rows) {
        const response_line& each = lines[row];
        page += fmt::format("{:>9} {:>12.6g} {:>8} {:>10} {:>9} {:>10.6f} {:>9.1e}  {}\n", each.number, each.lambda_max,
                            each.lambdas, each.counts.converged, each.df, each.dev_ratio, each.rel_gap, each.name);
    }
    if (rows.size() < lines.size())
        page += fmt::format("({} of {} responses; {}/{} has all)\n", rows.size(), lines.size(), settings.out,
                            fit_files::responses);
    page += '\n' + page_line("seconds", fmt::format("{:.2f} = load {:.2f} + solve {:.2f} + write {:.2f}", facts.total_s,
                                                    facts.load_s, facts.solve_s, facts.write_s));
    page += page_line("memory", fmt::format("peak {}, of which {} program; each fit {}", bytes_text(facts.peak_bytes),
                                            bytes_text(facts.base_bytes), plan_text(writer.plan())));
    for (const std::string& note : writer.notes()) page += page_line("note", note);
    page += page_line("written", settings.out);
    return page;
}

exit_code code_of(const status_counts& counts)
{
    return counts.not_converged == 0 ? exit_certified : exit_not_converged;
}

} // namespace

int fit_each_response(const arguments& typed, fit_settings& settings, const loaded_data& data,
                      const model_inputs& inputs, const path_options& path, destination& where, fit_facts& facts,
                      reporter& report, console& to)
{
    const auto solving = steady::now();
    const nlohmann::json options = options_json(typed, settings);
    facts.matrix_checksum = data.set.X.checksum(settings.path.threads);
    const destination_lock lock(where);
    staging_folder folder(where);
    response_writer writer(settings, data, inputs, path, options, facts, folder);
    responses_options many;
    many.path = path;
    many.grid = settings.grid;
    remaining_responses rest;
    if (settings.resume && where.replaces) {
        earlier_fits earlier = take_over_earlier(settings, data, inputs, options, facts.matrix_checksum, folder);
        report.note(fmt::format("{} of {} responses were fitted before", earlier.lines.size(), data.responses()));
        if (many.grid == response_grid::common) many.path.lambda = earlier.lambda;
        rest = responses_without(data, earlier.lines);
        writer.take_over(std::move(earlier.lines));
        if (rest.numbers.empty()) {
            report.note(fmt::format("'{}' is complete: there is nothing left to do", settings.out));
            if (!earlier.interrupted) return code_of(sum_up(writer.lines()).counts);
        }
    }
    const std::size_t before = writer.lines().size();
    bool interrupted = false;
    double writing_s = 0;
    const auto write_tables = [&] {
        writer.sort_lines();
        writer.tell_device(facts);
        facts.write_s = writing_s;
        facts.solve_s = seconds_since(solving) - writing_s;
        facts.total_s = facts.load_s + seconds_since(solving);
        facts.peak_bytes = peak_memory_bytes();
        folder.sync_contents(); // what the table names is there
        write_responses_csv(folder.file(fit_files::responses), writer.lines());
        if (!data.set.feature_names.empty()) write_features(folder.file(fit_files::features), data.set.feature_names);
    };
    // An older fit stays until there is a whole one to take its place.
    const bool keeps_checkpoints = settings.resume || !where.replaces;
    auto kept = steady::now();
    const auto keep_checkpoint = [&] {
        if (!keeps_checkpoints || seconds_since(kept) < settings.checkpoint_s) return;
        write_tables();
        commit(folder, summary_of_all(writer, data, facts, options, true), settings.out, report);
        kept = steady::now();
    };
    try {
        const auto take = [&](std::int64_t response, path_result&& fit) {
            const auto writing = steady::now();
            {
                const io::sync_later all_at_once;
                writer.take(rest.taken ? rest.numbers[static_cast<std::size_t>(response)] : response, fit);
            }
            keep_checkpoint();
            writing_s += seconds_since(writing);
        };
        if (!rest.taken || !rest.numbers.empty())
            proxpath::fit_responses(data.set.X, rest.taken ? rest.values : data.set.y, many, take);
    } catch (const cancelled&) {
        if (writer.lines().size() == before) throw; // what is there already stays as it is
        interrupted = true;
    } catch (const system_error& problem) {
        if (!folder.committed()) throw;
        throw system_error(fmt::format("{}; what was finished before is in '{}', and the same line with --resume goes "
                                       "on from there",
                                       problem.what(), settings.out));
    }
    write_tables();
    const nlohmann::json summary = summary_of_all(writer, data, facts, options, interrupted);
    if (interrupted && where.replaces && !settings.resume) {
        go_beside_older(settings, where, report);
        folder.redirect(where);
    }
    commit(folder, summary, settings.out, report);

    if (settings.json)
        to.out << json_text(summary) << '\n';
    else if (settings.level != verbosity::quiet)
        to.out << page_of_all(writer, data, facts, settings, settings.level == verbosity::verbose);
    if (interrupted) {
        report.note(fmt::format("the same line with --resume goes on where '{}' ends", settings.out));
        return exit_interrupted;
    }
    const sums_of_responses sums = sum_up(writer.lines());
    const exit_code code = code_of(sums.counts);
    if (code == exit_not_converged)
        report.warn(fmt::format("{} of {} lambdas did not reach the tolerance; {}/{} says of which responses",
                                sums.counts.not_converged, sums.counts.converged + sums.counts.not_converged,
                                settings.out, fit_files::responses));
    return code;
}

} // namespace proxpath::cli
