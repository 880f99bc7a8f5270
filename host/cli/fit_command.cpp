// The steps of a fit; see fit_command.hpp. The destination is checked before the long work, and the folder takes its
// name only when every file in it is on disk.

#include "host/cli/fit_command.hpp"

#include "host/backend/device_choice.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/leave_one_out_files.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/process_memory.hpp"
#include "host/cli/responses_command.hpp"
#include "host/cli/responses_file.hpp"
#include "host/cli/settings.hpp"
#include "host/cli/staging.hpp"
#include "host/cli/values.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/fit.hpp>
#include <proxpath/io.hpp>
#include <proxpath/leave_one_out.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace proxpath::cli {

namespace {

using clock = std::chrono::steady_clock;

void choose_device(const fit_settings& settings, fit_facts& facts)
{
    const backend::device_choice choice = backend::choose_device(settings.path.device);
    facts.device = choice.device;
    facts.device_name = choice.name;
    facts.device_reason = choice.reason;
}

} // namespace

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

std::optional<destination> begin(const fit_settings& settings, fit_facts& facts)
{
    choose_device(settings, facts);
    facts.threads = parallel::resolve_threads(settings.path.threads);
    facts.base_bytes = peak_memory_bytes();
    if (settings.dry_run) return {};
    return check_folder_destination(settings.out, settings.force || settings.resume, fit_marks(), is_fit_file);
}

void note_solved(const path_result& result, const data_set& data, int threads, fit_facts& facts)
{
    facts.device = result.device;
    facts.device_name = result.device_name;
    facts.device_reason = result.device_reason;
    facts.matrix_checksum = data.X.checksum(threads);
    facts.response_checksum = XXH3_64bits(data.y.data(), data.y.size() * sizeof(double));
}

void commit(staging_folder& folder, const nlohmann::json& summary, const std::string& out, reporter& report)
{
    write_summary(folder.file(fit_files::summary), summary);
    if (const std::string left = folder.commit_folder(); !left.empty())
        report.warn(fmt::format("of the older '{}' remains '{}': files that no fit writes, or that may not be deleted",
                                out, left));
}

loaded_data load(const fit_settings& settings)
{
    loaded_data data{read_data(settings.design, settings.read), {}};
    data_set& set = data.set;
    if (!settings.y_file.empty()) {
        if (!set.y.empty())
            set.notes.push_back(
                fmt::format("responses are those of {}, not those in the design file", settings.y_file));
        response_table table = read_responses(settings, set.X.rows());
        for (const std::string& note : table.notes) set.notes.push_back(fmt::format("{}: {}", settings.y_file, note));
        set.y = std::move(table.values);
        data.response_names = std::move(table.names);
    }
    if (set.y.empty())
        throw invalid_input(
            fmt::format("{} holds no responses; give them with --y FILE (or --y-column for CSV)", settings.design));
    return data;
}

void check_one_response(const fit_settings& settings, const loaded_data& data, const char* command)
{
    if (data.responses() > 1)
        throw invalid_input(fmt::format("{} holds {} responses; proxpath {} takes one (proxpath fit takes several)",
                                        settings.y_file, data.responses(), command));
}

namespace {

void share_memory_limit(const fit_settings& settings, const data_set& data, path_options& path)
{
    if (settings.memory == 0) return;
    const matrix& X = data.X;
    // One response is a part of the plan, further ones lie beside it.
    const std::uint64_t further = sizeof(double) * (data.y.size() - static_cast<std::size_t>(X.rows()));
    const std::uint64_t stored = X.stored_bytes() + further;
    const std::string_view data_text = further == 0 ? "X" : "X with its responses";
    if (settings.memory <= stored)
        throw out_of_memory(fmt::format("--memory {}: {} alone takes {}; raise the limit", bytes_text(settings.memory),
                                        data_text, bytes_text(stored)),
                            stored, settings.memory);
    path.memory_limit = settings.memory - stored;
    try {
        (void)plan_memory(X, path);
    } catch (const out_of_memory& problem) {
        const std::uint64_t least = problem.needed_bytes() + stored;
        throw out_of_memory(fmt::format("--memory {}: {} takes {} of it, the work at least {}; raise the limit to {}",
                                        bytes_text(settings.memory), data_text, bytes_text(stored),
                                        bytes_text(problem.needed_bytes()), bytes_text(least)),
                            least, settings.memory);
    }
}

} // namespace

void note_loaded(const data_set& data, clock::time_point started, fit_facts& facts)
{
    facts.notes = data.notes;
    facts.index_base = data.index_base;
    facts.load_s = seconds_since(started);
}

path_options ready_options(const fit_settings& settings, const data_set& data, const model_inputs& inputs)
{
    path_options path = settings.path;
    inputs.lend_to(path);
    path.on_progress = settings.read.on_progress;
    share_memory_limit(settings, data, path);
    return path;
}

void go_beside_older(fit_settings& settings, destination& where, reporter& report)
{
    const std::string older = settings.out;
    where = place_beside(where, "interrupted");
    settings.out = where.path;
    report.warn(fmt::format("the older fit '{}' stays: this one is not whole, and goes to '{}'", older, settings.out));
}

void write_files(const staging_folder& folder, const path_result& result, const data_set& data)
{
    write_path_csv(folder.file(fit_files::path), result.points);
    write_coefficients(folder.file(fit_files::coefficients), result.coefficients);
    if (!data.feature_names.empty()) write_features(folder.file(fit_files::features), data.feature_names);
}

int dry_run(const arguments& typed, const fit_settings& settings, const data_set& data, const path_options& path,
            const fit_facts& facts, console& to)
{
    const memory_plan plan = plan_memory(data.X, path);
    const std::int64_t responses = static_cast<std::int64_t>(data.y.size()) / data.X.rows();
    if (settings.json) {
        const nlohmann::json out = {{"n", data.X.rows()},
                                    {"p", data.X.cols()},
                                    {"responses", responses},
                                    {"nnz", data.X.nonzeros()},
                                    {"seconds", {{"load", facts.load_s}}},
                                    {"device", facts.device},
                                    {"device_reason", facts.device_reason},
                                    {"memory", plan_json(plan)},
                                    {"peak_memory_bytes", peak_memory_bytes()},
                                    {"notes", data.notes},
                                    {"options", options_json(typed, settings)}};
        to.out << json_text(out) << '\n';
        return exit_certified;
    }
    if (settings.level == verbosity::quiet) return exit_certified;
    to.out << fmt::format("{} rows, {} features, {} non-zeros; read in {}\n", data.X.rows(), data.X.cols(),
                          data.X.nonzeros(), seconds_text(facts.load_s));
    if (responses > 1) to.out << fmt::format("{} responses; the memory is that of one fit\n", responses);
    to.out << "device: " << device_text(facts) << '\n';
    to.out << "memory: " << plan_text(plan) << '\n';
    for (const std::string& note : data.notes) to.out << "note: " << note << '\n';
    to.out << "options: " << json_text(options_json(typed, settings)) << '\n';
    return exit_certified;
}

namespace {

/// What is asked for besides the path, which is there and is not lost to what keeps the rest from being made.
class extras {
public:
    extras(reporter& report, fit_facts& facts) : report_(report), facts_(facts) {}

    /// @return nothing where it was not asked for, or could not be made
    template <class Make>
    auto make(bool asked, const char* what, const Make& make) -> std::optional<decltype(make())>
    {
        if (!asked) return {};
        try {
            return make();
        } catch (const cancelled&) {
            leave_out(exit_interrupted, fmt::format("interrupted: {} are left out", what));
        } catch (const invalid_input& problem) {
            leave_out(exit_wrong_input, fmt::format("{} are left out: {}", what, problem.what()));
        } catch (const error& problem) {
            leave_out(exit_system, fmt::format("{} are left out: {}", what, problem.what()));
        }
        return {};
    }
    bool complete() const { return code_ == exit_certified; }
    /// That of the first that was left out.
    int code() const { return code_; }

private:
    void leave_out(int code, const std::string& text)
    {
        report_.warn(text);
        facts_.notes.push_back(text);
        if (complete()) code_ = code;
    }

    reporter& report_;
    fit_facts& facts_;
    int code_ = exit_certified;
};

/// Before the fit: what it would be refused for after it.
void check_leave_one_out(const loaded_data& data, const path_options& path)
{
    if (data.responses() > 1)
        throw invalid_input(fmt::format("--leave-one-out takes one response, and there are {}", data.responses()));
    (void)plan_leave_one_out(data.set.X, path);
}

/// The same for criteria, of which this is known.
void check_criteria(const path_options& path)
{
    if (path.alpha == 1) return;
    const auto finite = [](std::span<const double> bounds, std::size_t j) {
        return !bounds.empty() && std::isfinite(bounds[j]);
    };
    for (std::size_t j = 0; j < path.penalty_factors.size(); ++j)
        if (path.penalty_factors[j] == 0 && (finite(path.lower, j) || finite(path.upper, j)))
            throw invalid_input(
                fmt::format("--criteria: feature {} has bounds and penalty factor 0; degrees of freedom "
                            "are not known then, but for the Lasso",
                            j + 1));
}

int code_of(const path_result& result)
{
    const status_counts counts = count_statuses(result.points);
    if (counts.interrupted > 0) return exit_interrupted;
    return counts.not_converged > 0 ? exit_not_converged : exit_certified;
}

} // namespace

int fit(const arguments& typed, console& to)
{
    const auto started = clock::now();
    fit_settings settings = make_fit_settings(typed);
    reporter report(to, settings.level, true);
    fit_facts facts;
    std::optional<destination> where = begin(settings, facts);

    settings.read.on_progress = [&](const progress& now) { return report.progressed(now); };
    const loaded_data loaded = load(settings);
    const data_set& data = loaded.set;
    note_loaded(data, started, facts);
    const model_inputs inputs = read_model_inputs(settings.sources, data, settings.design);
    const path_options path = ready_options(settings, data, inputs);
    if (settings.leave_one_out) check_leave_one_out(loaded, path);
    if (settings.criteria) check_criteria(path);
    if (loaded.responses() > 1 && settings.relax)
        throw invalid_input(
            fmt::format("--relax takes one response, but {} holds {}", settings.y_file, loaded.responses()));
    if (settings.dry_run) return dry_run(typed, settings, data, path, facts, to);
    if (settings.level == verbosity::verbose) {
        report.note("device " + device_text(facts));
        report.note(plan_text(plan_memory(data.X, path)));
    }

    if (loaded.responses() > 1)
        return fit_each_response(typed, settings, loaded, inputs, path, *where, facts, report, to);
    if (settings.resume && where->replaces)
        throw invalid_input(fmt::format("--resume: '{}' exists, and a path of one response cannot be taken up where it "
                                        "stopped; fit it again, with --force to replace it",
                                        settings.out));

    const auto solving = clock::now();
    const path_result result = fit_path(data.X, data.y, path);
    extras more(report, facts);
    const bool whole = code_of(result) != exit_interrupted;
    const auto relaxed =
        more.make(settings.relax && whole, "relaxed fits", [&] { return relax_path(data.X, data.y, path, result); });
    facts.solve_s = seconds_since(solving);

    const auto leaving_out = clock::now();
    const auto left_out = more.make(settings.leave_one_out && whole, "leave-one-out errors",
                                    [&] { return compute_leave_one_out(data.X, data.y, path, result); });
    const double left_out_s = seconds_since(leaving_out);
    const auto criteria =
        more.make(settings.criteria, "criteria", [&] { return compute_criteria(data.X, path, result); });

    const auto writing = clock::now();
    if (where->replaces && (!whole || !more.complete())) go_beside_older(settings, *where, report);
    note_solved(result, data, settings.path.threads, facts);
    staging_folder folder(*where);
    write_files(folder, result, data);
    if (relaxed) write_relaxed(folder, *relaxed);
    if (criteria) {
        write_criteria_csv(folder.file(fit_files::criteria), result, *criteria);
        facts.notes.insert(facts.notes.end(), criteria->notes.begin(), criteria->notes.end());
    }
    if (left_out) write_leave_one_out_csv(folder.file(fit_files::leave_one_out), *left_out);
    facts.write_s = seconds_since(writing);
    facts.total_s = seconds_since(started);
    facts.peak_bytes = peak_memory_bytes();
    nlohmann::json summary = summary_json(result, facts, inputs, options_json(typed, settings));
    if (!loaded.response_names.empty()) summary["response_name"] = loaded.response_names.front();
    if (criteria) summary["criteria"] = criteria_json(result, *criteria);
    if (relaxed) summary["relaxed"] = relaxed_json(*relaxed);
    if (left_out) summary["leave_one_out"] = leave_one_out_json(*left_out, left_out_s);
    commit(folder, summary, settings.out, report);

    const bool verbose = settings.level == verbosity::verbose;
    if (settings.json)
        to.out << json_text(summary) << '\n';
    else if (settings.level != verbosity::quiet)
        to.out << summary_page(result, facts, settings, verbose) << (relaxed ? relaxed_text(*relaxed) : "")
               << (criteria ? criteria_text(result, *criteria) : "") << (left_out ? leave_one_out_text(*left_out) : "");
    const int code = more.complete() ? code_of(result) : more.code();
    if (code == exit_not_converged)
        report.warn(fmt::format("{} of {} lambdas did not reach the tolerance; they are marked in {}/{}",
                                count_statuses(result.points).not_converged, result.points.size(), settings.out,
                                fit_files::path));
    return code;
}

} // namespace proxpath::cli
