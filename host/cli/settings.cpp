// From arguments to library options; see settings.hpp.

#include "host/cli/settings.hpp"

#include "host/cli/values.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

void require(const arguments& typed, std::string_view name)
{
    if (typed.given(name)) return;
    const option_record& option = option_named(name, typed.which());
    throw invalid_input(fmt::format("{} is missing: {}", option.name, option.text));
}

void refuse_together(const arguments& typed, std::string_view one, std::string_view other)
{
    if (typed.given(one) && typed.given(other))
        throw invalid_input(fmt::format("{} and {} do not go together; give one of them", one, other));
}

read_options read_settings_of(const arguments& typed)
{
    read_options read;
    read.format = value_of(format_choices, *typed.text("--format"));
    read.index_base.reset();
    if (const auto base = typed.integer("--index-base")) read.index_base = static_cast<int>(*base);
    read.features = typed.integer("--features");
    read.y_column = typed.text("--y-column").value_or("");
    read.memory_limit = parse_size(typed.text("--memory").value_or("")).value_or(0);
    read.threads = static_cast<int>(*typed.integer("--threads"));
    return read;
}

std::vector<double> numbers_of(const std::string& text)
{
    std::vector<double> numbers;
    for (const std::string_view part : split(text, ',')) numbers.push_back(*parse_number(part));
    return numbers;
}

std::vector<double> lambdas_of(const std::string& text)
{
    std::vector<double> lambdas;
    if (!text.starts_with('@')) return numbers_of(text);
    const std::string file = text.substr(1);
    lambdas = read_vector(file);
    for (std::size_t k = 0; k < lambdas.size(); ++k) {
        const auto line = static_cast<std::int64_t>(k) + 1;
        if (!(lambdas[k] > 0)) throw file_error(file, line, fmt::format("lambda {} is not above 0", lambdas[k]));
        if (k > 0 && !(lambdas[k] < lambdas[k - 1]))
            throw file_error(file, line,
                             fmt::format("{} follows {}; lambdas must decrease", lambdas[k], lambdas[k - 1]));
    }
    return lambdas;
}

/// One, or several of a cross-validation.
std::vector<double> alphas_of(const arguments& typed) { return numbers_of(*typed.text("--alpha")); }

/// What relaxed fits do not go with.
void check_relaxing(const arguments& typed)
{
    for (const char* const bound : {"--lower", "--upper", "--positive"}) refuse_together(typed, "--relax", bound);
    for (const double alpha : alphas_of(typed))
        if (alpha == 0) throw invalid_input("--relax is not for --alpha 0: Ridge keeps every feature");
}

verbosity level_of(const arguments& typed) { return typed.given("--quiet") ? verbosity::quiet : verbosity::normal; }

} // namespace

fit_settings make_fit_settings(const arguments& typed)
{
    require(typed, "X");
    fit_settings settings;
    settings.dry_run = typed.given("--dry-run");
    if (!settings.dry_run) require(typed, "--out");
    refuse_together(typed, "--lambda", "--n-lambda");
    refuse_together(typed, "--lambda", "--lambda-min-ratio");
    refuse_together(typed, "--quiet", "--verbose");
    refuse_together(typed, "--y", "--y-column");
    refuse_together(typed, "--positive", "--lower");
    if (typed.given("--rescale-penalty-factors")) require(typed, "--penalty-factors");

    settings.design = *typed.text("X");
    settings.y_file = typed.text("--y").value_or("");
    settings.out = typed.text("--out").value_or("");
    settings.read = read_settings_of(typed);
    settings.memory = settings.read.memory_limit;
    settings.level = typed.given("--verbose") ? verbosity::verbose : level_of(typed);
    if (typed.which() == command::fit) {
        settings.criteria = typed.given("--criteria");
        settings.leave_one_out = typed.given("--leave-one-out");
        settings.resume = typed.given("--resume");
        refuse_together(typed, "--resume", "--force");
        settings.checkpoint_s = *typed.number("--checkpoint");
        settings.grid = value_of(response_grid_choices, *typed.text("--response-grid"));
    }
    if (typed.which() == command::fit || typed.which() == command::cv) settings.relax = typed.given("--relax");
    if (settings.relax) check_relaxing(typed);
    settings.force = typed.given("--force");
    settings.json = typed.given("--json");

    settings.sources.weights = typed.text("--weights").value_or("");
    settings.sources.offset = typed.text("--offset").value_or("");
    settings.sources.penalty_factors = typed.text("--penalty-factors").value_or("");
    settings.sources.lower = typed.given("--positive") ? "0" : typed.text("--lower").value_or("");
    settings.sources.upper = typed.text("--upper").value_or("");
    settings.sources.exclude = typed.text("--exclude").value_or("");

    refuse_together(typed, "--standardize", "--no-standardize");
    path_options& path = settings.path;
    path = options_as(value_of(convention_choices, *typed.text("--as")));
    if (typed.given("--rescale-penalty-factors")) path.rescale_penalty_factors = true;
    if (typed.which() == command::fit || typed.which() == command::cv) {
        path.dfmax = typed.integer("--dfmax").value_or(0);
        path.pmax = typed.integer("--pmax").value_or(0);
    }
    path.alpha = alphas_of(typed).front();
    path.intercept = !typed.given("--no-intercept");
    if (typed.given("--standardize")) path.standardize = true;
    if (typed.given("--no-standardize")) path.standardize = false;
    if (const auto lambda = typed.text("--lambda")) path.lambda = lambdas_of(*lambda);
    if (settings.leave_one_out && path.alpha != 0)
        throw invalid_input(fmt::format(
            "--leave-one-out is for Ridge, --alpha 0, but --alpha is {}; proxpath cv takes any", path.alpha));
    path.n_lambda = static_cast<int>(*typed.integer("--n-lambda"));
    if (const auto ratio = typed.number("--lambda-min-ratio")) path.lambda_min_ratio = ratio;
    path.tol = *typed.number("--tol");
    path.max_iterations = *typed.integer("--max-iterations");
    path.solver = value_of(solver_choices, *typed.text("--solver"));
    path.screening = value_of(screening_choices, *typed.text("--screening"));
    path.form = value_of(form_choices, *typed.text("--form"));
    path.precision = value_of(precision_choices, *typed.text("--precision"));
    path.device = *typed.text("--device");
    path.device_memory = parse_size(typed.text("--device-memory").value_or("")).value_or(0);
    path.threads = settings.read.threads;
    return settings;
}

cv_settings make_cv_settings(const arguments& typed)
{
    cv_settings settings;
    settings.fit = make_fit_settings(typed);
    refuse_together(typed, "--groups", "--fold-ids");
    refuse_together(typed, "--groups", "--split");
    refuse_together(typed, "--fold-ids", "--split");
    refuse_together(typed, "--fold-ids", "--folds");
    settings.groups_file = typed.text("--groups").value_or("");
    settings.fold_ids_file = typed.text("--fold-ids").value_or("");
    cv_options& cv = settings.cv;
    cv.alphas = alphas_of(typed);
    cv.kind = settings.groups_file.empty() ? value_of(split_choices, *typed.text("--split")) : fold_kind::grouped;
    cv.folds = *typed.integer("--folds");
    cv.repeats = *typed.integer("--repeats");
    const bool fixed = !settings.fold_ids_file.empty() || cv.kind == fold_kind::blocked;
    if (fixed && cv.repeats > 1)
        throw invalid_input(fmt::format("--repeats is {}, but {} gives the same folds every time", cv.repeats,
                                        settings.fold_ids_file.empty() ? "--split blocked" : "--fold-ids"));
    cv.seed = static_cast<std::uint64_t>(*typed.integer("--seed"));
    if (settings.fit.relax) {
        refuse_together(typed, "--relax", "--patience");
        cv.gammas = numbers_of(*typed.text("--gamma"));
    } else if (typed.given("--gamma")) {
        throw invalid_input("--gamma says which blends --relax compares; give both");
    }
    cv.patience = typed.integer("--patience").value_or(0);
    for (const char* const limit : {"--dfmax", "--pmax"}) refuse_together(typed, "--patience", limit);
    cv.loss = value_of(loss_choices, *typed.text("--loss"));
    return settings;
}

stability_settings make_stability_settings(const arguments& typed)
{
    stability_settings settings;
    settings.fit = make_fit_settings(typed);
    refuse_together(typed, "--most-selected", "--expected-false");
    stability_options& stability = settings.stability;
    stability.pairs = *typed.integer("--pairs");
    stability.threshold = *typed.number("--threshold");
    stability.expected_false = *typed.number("--expected-false");
    stability.most_selected = typed.integer("--most-selected");
    stability.seed = static_cast<std::uint64_t>(*typed.integer("--seed"));
    if (!(settings.fit.path.alpha > 0))
        throw invalid_input("--alpha is 0: Ridge selects every feature; stability selection needs an alpha above 0");
    return settings;
}

bootstrap_settings make_bootstrap_settings(const arguments& typed)
{
    bootstrap_settings settings;
    settings.fit = make_fit_settings(typed);
    bootstrap_options& bootstrap = settings.bootstrap;
    bootstrap.resamples = *typed.integer("--resamples");
    bootstrap.kind = value_of(bootstrap_choices, *typed.text("--kind"));
    bootstrap.confidence = *typed.number("--confidence");
    bootstrap.seed = static_cast<std::uint64_t>(*typed.integer("--seed"));
    return settings;
}

predict_settings make_predict_settings(const arguments& typed)
{
    require(typed, "DIR");
    require(typed, "X");
    require(typed, "--out");
    predict_settings settings;
    settings.folder = *typed.text("DIR");
    settings.response = typed.text("--response").value_or("");
    settings.design = *typed.text("X");
    settings.out = *typed.text("--out");
    settings.read = read_settings_of(typed);
    settings.offset_file = typed.text("--offset").value_or("");
    if (const auto lambda = typed.text("--lambda")) {
        settings.lambda = parse_number(*lambda);
        if (!settings.lambda) settings.lambda_rule = *lambda;
    }
    settings.gamma = typed.number("--gamma");
    settings.threads = settings.read.threads;
    settings.level = level_of(typed);
    return settings;
}

nlohmann::json options_json(const arguments& typed, const fit_settings& settings)
{
    nlohmann::json out = nlohmann::json::object();
    for (const option_record& each : option_table()) {
        if (!each.of(typed.which()) || each.name == "--help") continue;
        std::string key = each.name.substr(std::min(each.name.find_first_not_of('-'), each.name.size()));
        std::replace(key.begin(), key.end(), '-', '_');
        nlohmann::json& value = out[key];
        const auto text = typed.text(each.name);
        switch (each.kind) {
        case argument_kind::flag:
            value = typed.given(each.name);
            break;
        case argument_kind::number:
            if (text) value = *parse_number(*text);
            break;
        case argument_kind::integer:
            if (text) value = *parse_integer(*text);
            break;
        case argument_kind::size:
            if (text) value = *parse_size(*text);
            break;
        case argument_kind::lambdas:
            if (text) value = settings.path.lambda;
            break;
        case argument_kind::numbers:
            if (text) value = numbers_of(*text);
            break;
        default:
            if (text) value = *text;
        }
    }
    // What --as stands for.
    out["standardize"] = settings.path.standardize;
    out["no_standardize"] = !settings.path.standardize;
    out["rescale_penalty_factors"] = settings.path.rescale_penalty_factors;
    if (settings.path.lambda_min_ratio) out["lambda_min_ratio"] = *settings.path.lambda_min_ratio;
    return out;
}

} // namespace proxpath::cli
