// The options and their texts; see option_table.hpp.

#include "host/cli/option_table.hpp"

#include "host/cli/choices.hpp"
#include "host/cli/settings.hpp"

#include <proxpath/bootstrap.hpp>
#include <proxpath/stability.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

constexpr auto in_fit = static_cast<unsigned>(command::fit);
constexpr auto in_cv = static_cast<unsigned>(command::cv);
constexpr auto in_stability = static_cast<unsigned>(command::stability);
constexpr auto in_bootstrap = static_cast<unsigned>(command::bootstrap);
constexpr auto in_fits = in_fit | in_cv | in_stability | in_bootstrap;
constexpr auto in_predict = static_cast<unsigned>(command::predict);
constexpr auto in_devices = static_cast<unsigned>(command::devices);
constexpr double infinity = std::numeric_limits<double>::infinity();

number_range from_to(double low, double high) { return {low, high, true, true}; }
number_range above(double low) { return {low, infinity, false, true}; }
number_range between(double low, double high) { return {low, high, false, false}; }

/// Makes one record; each property has a call that names it.
class option {
public:
    option(std::string name, std::string argument, std::string text)
    {
        record_.name = std::move(name);
        record_.argument = std::move(argument);
        record_.text = std::move(text);
    }
    option& flag()
    {
        record_.kind = argument_kind::flag;
        return *this;
    }
    option& word(std::vector<std::string> choices, std::string fallback)
    {
        record_.kind = argument_kind::word;
        record_.choices = std::move(choices);
        record_.fallback = std::move(fallback);
        return *this;
    }
    option& value(argument_kind kind, number_range range)
    {
        record_.kind = kind;
        record_.range = range;
        return *this;
    }
    option& named(std::vector<std::string> choices)
    {
        record_.choices = std::move(choices);
        return *this;
    }
    option& by_default(std::string fallback)
    {
        record_.fallback = std::move(fallback);
        return *this;
    }
    option& otherwise(std::string words)
    {
        record_.fallback_text = std::move(words);
        return *this;
    }
    option& required()
    {
        record_.required = true;
        return *this;
    }
    option_record in(std::string group, unsigned commands)
    {
        record_.group = std::move(group);
        record_.commands = commands;
        return record_;
    }

private:
    option_record record_;
};

std::vector<option_record> data_options()
{
    return {
        option("DIR", "DIR", "Folder that `proxpath fit`, `cv`, `stability` or `bootstrap` wrote")
            .required()
            .in("Data", in_predict),
        option("X", "X",
               "Design matrix: svmlight (.svm, .libsvm, .svmlight, .txt), Matrix Market (.mtx), SciPy .npz or .csv, "
               "each also .gz, .xz or .zst")
            .required()
            .in("Data", in_fits | in_predict),
        option(
            "--y", "FILE",
            "Response: one number a line, or a table (.csv, .mtx, .npz); fit takes each of its columns as a response "
            "of its own")
            .otherwise("those in X (svmlight, or CSV with --y-column)")
            .in("Data", in_fits),
        option("--y-column", "NAME",
               "CSV only: name or 1-based number of the column that holds the response and is no feature")
            .in("Data", in_fits | in_predict),
        option("--format", "F", "Format of X; auto goes by the file name")
            .word(names_of(format_choices), name_of(format_choices, read_options{}.format))
            .in("Data", in_fits | in_predict),
        option("--index-base", "B",
               "svmlight only: index of the first feature; auto takes 0 when an index 0 occurs, else 1 (predict: as "
               "in the fit)")
            .word({"auto", "0", "1"}, "auto")
            .in("Data", in_fits | in_predict),
        option("--features", "P", "svmlight only: number of features, where the last ones may occur in no row")
            .value(argument_kind::integer, from_to(1, 9007199254740992.0))
            .otherwise("the largest index in X (predict: as in the fit)")
            .in("Data", in_fits | in_predict),
    };
}

std::vector<option_record> model_options()
{
    const path_options defaults;
    return {
        option("--alpha", "A", "Mix of the penalties: 1 is Lasso, 0 is Ridge, between is elastic net")
            .value(argument_kind::number, from_to(0, 1))
            .by_default(fmt::format("{}", defaults.alpha))
            .in("Model", in_fit | in_stability | in_bootstrap),
        option("--alpha", "A1,A2,…",
               "Mix of the penalties: 1 is Lasso, 0 is Ridge, between is elastic net; several are compared on the same "
               "folds")
            .value(argument_kind::numbers, from_to(0, 1))
            .by_default(fmt::format("{}", defaults.alpha))
            .in("Model", in_cv),
        option("--as", "PROGRAM",
               "Whose numbers go in and come out: glmnet's (its lambda where alpha is below 1, "
               "--rescale-penalty-factors), "
               "or scikit-learn's (Ridge's alpha as lambda, --no-standardize, --lambda-min-ratio 0.001)")
            .word(names_of(convention_choices), name_of(convention_choices, defaults.convention))
            .in("Model", in_fits),
        option("--n-lambda", "K", "Number of lambdas, spaced evenly in the logarithm from lambda_max downwards")
            .value(argument_kind::integer, from_to(1, 1000000))
            .by_default(fmt::format("{}", defaults.n_lambda))
            .in("Model", in_fits),
        option("--lambda-min-ratio", "R", "Last lambda over the first")
            .value(argument_kind::number, between(0, 1))
            .otherwise("0.01 with fewer rows than features, else 0.0001")
            .in("Model", in_fits),
        option("--lambda", "L1,L2,…", "Own lambdas, decreasing, instead of the grid; @FILE reads one a line")
            .value(argument_kind::lambdas, above(0))
            .in("Model", in_fits),
        option("--response-grid", "G",
               "Lambdas of several responses: from each one's own lambda_max, or a common grid from the largest of "
               "these; --lambda is for all in any case")
            .word(names_of(response_grid_choices), name_of(response_grid_choices, responses_options{}.grid))
            .in("Model", in_fit),
        option("--no-intercept", "", "Fit without an intercept").flag().in("Model", in_fits),
        option("--relax", "",
               "Fit the features of every lambda once more without a penalty; cv compares blends of both (--gamma)")
            .flag()
            .in("Model", in_fit | in_cv),
        option(
            "--gamma", "G1,G2,…",
            "With --relax: shares of the penalised coefficients in the blends that are compared; 0 is least squares on "
            "the features of a lambda, 1 the path itself")
            .value(argument_kind::numbers, from_to(0, 1))
            .by_default("0,0.25,0.5,0.75,1")
            .in("Model", in_cv),
        option("--no-standardize", "",
               "Penalise the coefficients as they are, not those of columns scaled to unit variance")
            .flag()
            .in("Model", in_fits),
        option("--standardize", "",
               "Penalise those of columns scaled to unit variance: the default, but with --as scikit-learn")
            .flag()
            .in("Model", in_fits),
    };
}

std::vector<option_record> weighting_options()
{
    return {
        option("--weights", "FILE", "Weight of every row, one number a line, 0 or more: 0 leaves the row out")
            .otherwise("all 1")
            .in("Rows", in_fits),
        option("--offset", "FILE", "A number for every row that the prediction begins with: the rest of y is fitted")
            .otherwise("all 0")
            .in("Rows", in_fits),
        option("--offset", "FILE", "Offsets of the rows of X, one number a line; needed where the fit had offsets")
            .in("Data", in_predict),
        option("--penalty-factors", "FILE",
               "Factor of every feature's penalty, one number a line, 0 or more: 0 leaves the feature unpenalised, inf "
               "excludes it")
            .otherwise("all 1")
            .in("Features", in_fits),
        option(
            "--rescale-penalty-factors", "",
            "Multiply the factors so that they sum to the number of features, as glmnet does (an excluded one counts "
            "as 1)")
            .flag()
            .in("Features", in_fits),
        option("--exclude", "LIST",
               "Features that stay out: numbers from 1 (the rows of coefficients.mtx), ranges A-B, and names where X "
               "names its features, separated by commas; @FILE reads one a line")
            .in("Features", in_fits),
        option("--lower", "L",
               "Lower bound of the coefficients, 0 or less: a number for all, or a file with one a line")
            .otherwise("-inf")
            .in("Features", in_fits),
        option("--upper", "U",
               "Upper bound of the coefficients, 0 or more: a number for all, or a file with one a line")
            .otherwise("inf")
            .in("Features", in_fits),
        option("--positive", "", "No coefficient below 0: --lower 0").flag().in("Features", in_fits),
        option("--dfmax", "N",
               "End the path with the first lambda that has more than N non-zero coefficients; it is the last one, and "
               "later ones are absent")
            .value(argument_kind::integer, from_to(1, 9007199254740992.0))
            .otherwise("no limit")
            .in("Features", in_fit | in_cv),
        option("--pmax", "N",
               "End the path before the first lambda with which more than N features would have been non-zero at one "
               "lambda or another")
            .value(argument_kind::integer, from_to(1, 9007199254740992.0))
            .otherwise("no limit")
            .in("Features", in_fit | in_cv),
    };
}

std::vector<option_record> validation_options()
{
    const cv_options defaults;
    return {
        option("--folds", "K", "Parts that are held out in turn")
            .value(argument_kind::integer, from_to(2, 4294967295.0))
            .by_default(fmt::format("{}", defaults.folds))
            .in("Cross-validation", in_cv),
        option("--split", "S",
               "How rows are dealt to folds: at random, at random within neighbouring y (or classes), or as blocks of "
               "neighbouring rows")
            .word(names_of(split_choices), name_of(split_choices, defaults.kind))
            .in("Cross-validation", in_cv),
        option("--groups", "FILE", "A whole number for every row: rows of one group stay in one fold")
            .in("Cross-validation", in_cv),
        option("--fold-ids", "FILE",
               "A whole number for every row: rows with the same one are a fold, whatever --folds is")
            .in("Cross-validation", in_cv),
        option("--repeats", "R", "Deal the rows so many times, and take the mean")
            .value(argument_kind::integer, from_to(1, 1000))
            .by_default(fmt::format("{}", defaults.repeats))
            .in("Cross-validation", in_cv),
        option("--seed", "N", "Seed of the deals; the same one gives the same folds everywhere")
            .value(argument_kind::integer, from_to(0, 9007199254740992.0))
            .by_default(fmt::format("{}", defaults.seed))
            .in("Cross-validation", in_cv),
        option("--patience", "N",
               "End the curve, and the path, once its best lambda lies more than N lambdas back; looked at every N "
               "lambdas")
            .value(argument_kind::integer, from_to(1, 1000000))
            .otherwise("the whole grid")
            .in("Cross-validation", in_cv),
        option("--loss", "L", "What is measured on the rows held out: mean squared error, mean absolute error, or R²")
            .word(names_of(loss_choices), name_of(loss_choices, defaults.loss))
            .in("Cross-validation", in_cv),
    };
}

std::vector<option_record> stability_options_of_table()
{
    const stability_options defaults;
    return {
        option("--pairs", "B", "Times that the rows are dealt to two halves, each of which is fitted")
            .value(argument_kind::integer, from_to(1, 1000000))
            .by_default(fmt::format("{}", defaults.pairs))
            .in("Stability selection", in_stability),
        option("--threshold", "T", "Share of the halves in which a stable feature is selected")
            .value(argument_kind::number, {0.5, 1, false, true})
            .by_default(fmt::format("{}", defaults.threshold))
            .in("Stability selection", in_stability),
        option("--expected-false", "V",
               "Falsely selected features to be expected at most; gives the number of features that a half may select")
            .value(argument_kind::number, above(0))
            .by_default(fmt::format("{}", defaults.expected_false))
            .in("Stability selection", in_stability),
        option("--most-selected", "Q", "Features that a half may select: the first to enter its path")
            .value(argument_kind::integer, from_to(1, 9007199254740992.0))
            .otherwise("what --expected-false allows")
            .in("Stability selection", in_stability),
        option("--seed", "N", "Seed of the halves; the same one gives the same halves everywhere")
            .value(argument_kind::integer, from_to(0, 9007199254740992.0))
            .by_default(fmt::format("{}", defaults.seed))
            .in("Stability selection", in_stability),
    };
}

std::vector<option_record> bootstrap_options_of_table()
{
    const bootstrap_options defaults;
    return {
        option("--resamples", "B", "Resamples of the rows, each of which is fitted")
            .value(argument_kind::integer, from_to(2, 1000000))
            .by_default(fmt::format("{}", defaults.resamples))
            .in("Bootstrap", in_bootstrap),
        option("--kind", "K",
               "pairs: rows drawn with replacement, as many as there are; bayesian: rows with exponential weights")
            .word(names_of(bootstrap_choices), name_of(bootstrap_choices, defaults.kind))
            .in("Bootstrap", in_bootstrap),
        option("--confidence", "C", "Share of the resamples that lies within an interval")
            .value(argument_kind::number, between(0, 1))
            .by_default(fmt::format("{}", defaults.confidence))
            .in("Bootstrap", in_bootstrap),
        option("--seed", "N", "Seed of the resamples; the same one gives the same resamples everywhere")
            .value(argument_kind::integer, from_to(0, 9007199254740992.0))
            .by_default(fmt::format("{}", defaults.seed))
            .in("Bootstrap", in_bootstrap),
    };
}

std::vector<option_record> solver_options()
{
    const path_options defaults;
    return {
        option("--tol", "G", "Largest duality gap that counts as solved, as a share of the null model's loss")
            .value(argument_kind::number, above(0))
            .by_default(fmt::format("{}", defaults.tol))
            .in("Solver", in_fits),
        option(
            "--max-iterations", "N",
            "Solver iterations allowed for each lambda, counted whenever the gap is looked at, which cd and krylov do "
            "every few; one that needs more is marked not_converged")
            .value(argument_kind::integer, from_to(1, 1e15))
            .by_default(fmt::format("{}", defaults.max_iterations))
            .in("Solver", in_fits),
        option("--solver", "S",
               "ista and fista: proximal gradient, plain and accelerated; cd: coordinate descent; krylov: all "
               "lambdas from one Krylov space (Ridge only)")
            .word(names_of(solver_choices), name_of(solver_choices, defaults.solver))
            .in("Solver", in_fits),
        option("--screening", "S", "auto solves on working sets and checks all features; none solves on all features")
            .word(names_of(screening_choices), name_of(screening_choices, defaults.screening))
            .in("Solver", in_fits),
        option(
            "--form", "F",
            "What the solver keeps: the Gram matrix of the working set or the residual; auto goes by cost and memory")
            .word(names_of(form_choices), name_of(form_choices, defaults.form))
            .in("Solver", in_fits),
        option("--precision", "P",
               "Numbers in which ista and fista iterate (cd and krylov: always double); certificates are in double all "
               "the same")
            .word(names_of(precision_choices), name_of(precision_choices, defaults.precision))
            .in("Solver", in_fits),
    };
}

std::vector<option_record> resource_options()
{
    return {
        option("--device", "D",
               "Where to compute; auto takes the CPU in this version; cuda takes the first usable CUDA device or ends; "
               "`proxpath devices` lists them")
            .value(argument_kind::device, {})
            .by_default(path_options{}.device)
            .in("Resources", in_fits),
        option("--device-memory", "SIZE", "Most of the device's memory for the fit, as --memory; no matter for the CPU")
            .value(argument_kind::size, from_to(1048576, 9007199254740992.0))
            .otherwise("what the device has free")
            .in("Resources", in_fits),
        option("--threads", "N", "Threads, 0 = all cores; results do not depend on it")
            .value(argument_kind::integer, from_to(0, 4096))
            .by_default(fmt::format("{}", path_options{}.threads))
            .in("Resources", in_fits | in_predict),
        option("--memory", "SIZE",
               "Most memory for X and the work on it: bytes, or with K, M, G, T (KiB, MiB, … the same; KB, MB, … "
               "powers of 1000)")
            .value(argument_kind::size, from_to(1048576, 9007199254740992.0))
            .otherwise("what is available for X, half of what then remains for the work")
            .in("Resources", in_fits | in_predict),
    };
}

std::vector<option_record> output_options()
{
    return {
        option("--out", "DIR",
               "Folder to make (or an empty one): path.csv, coefficients.mtx, summary.json, and features.txt where X "
               "names its features; of several responses responses.csv, and those files of each as response-N.path.csv "
               "and so on")
            .required()
            .in("Output", in_fit),
        option(
            "--out", "DIR",
            "Folder to make (or an empty one): what fit writes, of all rows and the best alpha, and cv.csv, folds.csv, "
            "predictions.csv")
            .required()
            .in("Output", in_cv),
        option("--out", "DIR",
               "Folder to make (or an empty one): what fit writes, of all rows, and stability.csv, frequencies.mtx, "
               "lambdas.txt")
            .required()
            .in("Output", in_stability),
        option("--out", "DIR", "Folder to make (or an empty one): what fit writes, of all rows, and bootstrap.csv")
            .required()
            .in("Output", in_bootstrap),
        option("--out", "FILE",
               "CSV to write, one row for each row of X and one column for each lambda; an older file is replaced")
            .required()
            .in("Output", in_predict),
        option("--response", "R", "Of several responses that were fitted: the number or the name of the one to predict")
            .in("Data", in_predict),
        option("--lambda", "L",
               "Predict for this lambda alone: min or 1se of a folder that cv wrote, loo or gcv of one that fit "
               "--leave-one-out wrote, aic, aicc, bic or ebic of fit --criteria, or a number. Between two lambdas of "
               "the path coefficients are interpolated linearly, "
               "above the first they are 0 where they are 0 there; other lambdas are refused")
            .value(argument_kind::chosen, above(0))
            .named({"min", "1se", "loo", "gcv", "aic", "aicc", "bic", "ebic"})
            .otherwise("all lambdas of the path")
            .in("Output", in_predict),
        option("--gamma", "G",
               "Share of the penalised coefficients where the folder has relaxed ones, too: 0 is least squares on the "
               "features of a lambda, 1 the path itself")
            .value(argument_kind::number, from_to(0, 1))
            .otherwise("with --lambda min or 1se what cv --relax chose, else 1")
            .in("Output", in_predict),
        option(
            "--criteria", "",
            "Write criteria.csv with degrees of freedom, AIC, AICc, BIC and EBIC of every lambda, for predict --lambda")
            .flag()
            .in("Output", in_fit),
        option("--leave-one-out", "",
               "Ridge only (--alpha 0): write loo.csv with degrees of freedom, leave-one-out error and GCV of every "
               "lambda, for predict --lambda; exact, without further fits")
            .flag()
            .in("Output", in_fit),
        option("--force", "", "Replace DIR if it is an older fit; it stays as it is until the new one is complete")
            .flag()
            .in("Output", in_fits),
        option("--resume", "",
               "Several responses: go on where DIR, left by an interrupted fit of the same data with the same options, "
               "ends; begin where there is no DIR")
            .flag()
            .in("Output", in_fit),
        option("--checkpoint", "S",
               "Several responses: every S seconds DIR is brought to where --resume can go on from what is finished, "
               "whatever happens to the process; not where --force replaces an older fit")
            .value(argument_kind::number, from_to(0, 1e9))
            .by_default(fmt::format("{}", fit_settings{}.checkpoint_s))
            .in("Output", in_fit),
        option("--dry-run", "", "Read X, print the memory plan and the options, write nothing")
            .flag()
            .in("Output", in_fits),
        option("--json", "", "Print the summary (or the plan) as JSON on standard output").flag().in("Output", in_fits),
        option("--json", "", "Print them as JSON").flag().in("Output", in_devices),
        option("--quiet", "", "Print nothing but warnings and errors (and what --json asks for)")
            .flag()
            .in("Output", in_fits | in_predict),
        option("--verbose", "", "Print the memory plan, the whole path and an account of every round, too")
            .flag()
            .in("Output", in_fits),
        option("--help", "", "Print this help").flag().in("Output", in_fits | in_predict | in_devices),
    };
}

} // namespace

bool number_range::holds(double value) const
{
    return (low_allowed ? value >= low : value > low) && (high_allowed ? value <= high : value < high);
}

std::string number_range::text() const
{
    const bool has_low = low > -infinity;
    const bool has_high = high < infinity;
    if (has_low && has_high && low_allowed && high_allowed) return fmt::format("from {} to {}", low, high);
    std::string result;
    if (has_low) result = low_allowed ? fmt::format("{} or more", low) : fmt::format("above {}", low);
    if (has_low && has_high) result += " and ";
    if (has_high) result += high_allowed ? fmt::format("at most {}", high) : fmt::format("below {}", high);
    return result;
}

const std::vector<command_record>& command_table()
{
    static const std::vector<command_record> table{
        {command::fit, "fit", "X [--y FILE] --out DIR [options]",
         "Fit the whole path of an L1/L2-penalised linear model and certify every solution"},
        {command::cv, "cv", "X [--y FILE] --out DIR [options]",
         "Cross-validate: choose lambda, and alpha, by predictions of rows held out, and fit all rows"},
        {command::stability, "stability", "X [--y FILE] --out DIR [options]",
         "Select the features that enter the path on half of the rows again and again, and bound how many are false"},
        {command::bootstrap, "bootstrap", "X [--y FILE] --out DIR [options]",
         "Fit resamples of the rows, and say how coefficients vary and how often each feature is selected"},
        {command::predict, "predict", "DIR X --out FILE [options]", "Predict from a fitted path"},
        {command::devices, "devices", "[--json]",
         "List the devices that a fit can run on, and what keeps others from being used"}};
    return table;
}

const std::vector<option_record>& option_table()
{
    static const std::vector<option_record> table = [] {
        std::vector<option_record> all;
        for (const auto& part :
             {data_options(), model_options(), weighting_options(), validation_options(), stability_options_of_table(),
              bootstrap_options_of_table(), solver_options(), resource_options(), output_options()})
            all.insert(all.end(), part.begin(), part.end());
        return all;
    }();
    return table;
}

const option_record& option_named(std::string_view name, command which)
{
    const auto& table = option_table();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.name == name && each.of(which); });
    if (found == table.end()) throw std::logic_error("no such option in the table: " + std::string(name));
    return *found;
}

} // namespace proxpath::cli
