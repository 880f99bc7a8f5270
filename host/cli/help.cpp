// Help in plain text and in Markdown; see help.hpp.

#include "host/cli/help.hpp"

#include "host/backend/device_choice.hpp"
#include "host/cli/exit_code.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace proxpath::cli {

namespace {

constexpr std::size_t text_column = 30;
constexpr std::size_t line_width = 100;

const command_record& record_of(command which)
{
    const auto& table = command_table();
    return *std::find_if(table.begin(), table.end(), [&](const command_record& each) { return each.which == which; });
}

std::string without_backticks(std::string text)
{
    text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
    return text;
}

/// Names and argument, as typed.
std::string head_of(const option_record& option)
{
    if (option.positional() || option.argument.empty()) return option.name;
    return option.name + " " + option.argument;
}

/// What the value may be, empty where the text says all.
std::string rule_of(const option_record& option)
{
    switch (option.kind) {
    case argument_kind::word:
        return fmt::format("{}", fmt::join(option.choices, ", "));
    case argument_kind::device:
        return std::string(backend::device_rule);
    case argument_kind::number:
    case argument_kind::integer:
    case argument_kind::lambdas:
    case argument_kind::numbers:
        return option.range.text();
    case argument_kind::chosen:
        return fmt::format("{}, or {}", fmt::join(option.choices, ", "), option.range.text());
    default:
        return {};
    }
}

std::string default_of(const option_record& option)
{
    if (option.required) return "required";
    return option.fallback.empty() ? option.fallback_text : option.fallback;
}

/// Characters shown for a text in UTF-8.
std::size_t shown_width(std::string_view text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// `text` in lines that start at text_column, behind `head`.
std::string wrapped(const std::string& head, const std::string& text)
{
    std::string out = "  " + head;
    std::size_t column = shown_width(out);
    const auto to_text_column = [&] {
        out.append(text_column > column ? text_column - column : 0, ' ');
        column = text_column;
    };
    if (column + 2 > text_column) {
        out += '\n';
        column = 0;
    }
    to_text_column();
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string word = text.substr(at, end - at);
        if (column > text_column && column + 1 + shown_width(word) > line_width) {
            out += '\n';
            column = 0;
            to_text_column();
        } else if (column > text_column) {
            out += ' ';
            ++column;
        }
        out += word;
        column += shown_width(word);
        at = end + 1;
    }
    return out + '\n';
}

std::string described(const option_record& option)
{
    std::vector<std::string> facts;
    if (const std::string rule = rule_of(option); !rule.empty()) facts.push_back(rule);
    if (const std::string fallback = default_of(option); !fallback.empty())
        facts.push_back(option.required ? fallback : "default: " + fallback);
    std::string text = without_backticks(option.text);
    if (!facts.empty()) text += fmt::format(" [{}]", fmt::join(facts, "; "));
    return text;
}

/// Headings in the order of the table.
std::vector<std::string> groups_of(command which)
{
    std::vector<std::string> groups;
    for (const option_record& each : option_table())
        if (each.of(which) && std::find(groups.begin(), groups.end(), each.group) == groups.end())
            groups.push_back(each.group);
    return groups;
}

std::string markdown_cell(std::string text)
{
    for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
        text.insert(at, 1, '\\');
    return text;
}

constexpr std::string_view prediction_rows =
    "The CSV of `predict` starts with a header line; the name of a column is `lambda=` and the lambda as in "
    "`path.csv`. "
    "Row i belongs to row i of X. Lambdas that an interrupted fit did not reach are left out.\n";

constexpr std::string_view fit_folder = R"(## The folder of a fit

It is complete or absent: it is written beside under another name, synced, and renamed.

| file | content |
|---|---|
| `path.csv` | one row for each lambda: lambda, df, dev_ratio, intercept, primal, dual, gap, rel_gap, kkt, status (converged, not_converged, interrupted), iterations, passes |
| `coefficients.mtx` | Matrix Market, sparse p × K on the original scale; column k belongs to row k of `path.csv`; exact zeros are absent |
| `summary.json` | version, device, options, shape and checksums of the data, counts, seconds by phase, memory used and predicted, notes |
| `features.txt` | names of the features, one a line; only where X names them |
| `relaxed.csv`, `relaxed.mtx` | with `--relax`: least squares on the features of each lambda; lambda, df, dev_ratio, intercept, loss, gap (loss above the least one), rel_gap; and coefficients as in `coefficients.mtx` |
| `criteria.csv` | with `--criteria`: lambda, df, aic, aicc, bic, ebic; empty where there are none |
| `loo.csv` | with `--leave-one-out`: lambda, df, mse (the leave-one-out error), se (its standard error), rms_bound (how far its root may be from that of the exact solution), rows (that count in it), gcv; empty where there is none |

Of several responses there are, instead of the first three, `responses.csv` (one row for each: response, files, lambda_max,
null_loss, lambdas, converged, not_converged, rel_gap, df and dev_ratio at the last lambda, passes, name), for response N
`response-N.path.csv`, `response-N.coefficients.mtx`, `response-N.summary.json` and with `--criteria`
`response-N.criteria.csv`, and a `summary.json` of all together.

`proxpath cv` writes the same, of the fit on all rows with the best alpha, and

| file | content |
|---|---|
| `cv.csv` | one row for each alpha, gamma and lambda: alpha, lambda, loss (mean over the folds), se (its standard error), df (of the fit on all rows), folds (that count in the mean), gamma (1 without `--relax`) |
| `folds.csv` | one row for each alpha, gamma, lambda and fold: alpha, lambda, repeat, fold, rows, weight, loss, gamma; loss is empty where the fold is left out |
| `predictions.csv` | one row for each row of X, of fits that did not see it: fold (one column for each repeat), min and 1se: predictions at lambda.min and lambda.1se |

and in `summary.json` an object `cv`. Repeats and folds count from 1.

`proxpath stability` writes what `fit` does, of all rows, and

| file | content |
|---|---|
| `stability.csv` | one row for each feature that a half selected, most frequent first: feature (from 1), selections, frequency (their share of the halves), stable (1 or 0), lambda (the largest at which the frequency has reached the threshold), name |
| `frequencies.mtx` | p × K, K the lambdas of the whole grid: share of the halves that have selected the feature at this lambda or a larger one |
| `lambdas.txt` | these lambdas, one a line; `path.csv` may have fewer of them |

and in `summary.json` an object `stability`.

`proxpath bootstrap` writes what `fit` does, of all rows, and

| file | content |
|---|---|
| `bootstrap.csv` | one row for each lambda and each feature that is not 0 in the fit or in some resample: lambda, feature (from 1), coefficient (of the fit), mean, sd, lower and upper (over the resamples, zeros included), frequency (share of the resamples in which it is not 0), positive (share in which it is above 0), name |

and in `summary.json` an object `bootstrap`, with mean, sd, lower and upper of the intercept at every lambda.

Numbers are the shortest texts that read back to the same bits.
)";

} // namespace

std::string help_text()
{
    std::string out =
        "proxpath: whole paths of L1/L2-penalised linear models on sparse data, each solution certified\n\n"
        "Usage:\n";
    for (const command_record& each : command_table())
        out += wrapped("proxpath " + std::string(each.name), std::string(each.text));
    out += wrapped("proxpath --version", "Print the version");
    out += wrapped("proxpath COMMAND --help", "Print the options of a command");
    out += "\nExit codes:\n";
    for (const exit_code_text& each : exit_code_texts)
        out += wrapped(fmt::format("{}", static_cast<int>(each.code)), std::string(each.text));
    return out;
}

std::string help_text(command which)
{
    const command_record& record = record_of(which);
    std::string out = fmt::format("Usage: proxpath {} {}\n\n{}.\n", record.name, record.usage, record.text);
    for (const std::string& group : groups_of(which)) {
        out += fmt::format("\n{}:\n", group);
        for (const option_record& each : option_table())
            if (each.of(which) && each.group == group) out += wrapped(head_of(each), described(each));
    }
    return out;
}

std::string help_markdown()
{
    std::string out = "# Options of the program\n\n"
                      "Made by `proxpath --help-markdown` from the table the program itself uses; do not edit.\n";
    for (const command_record& record : command_table()) {
        out += fmt::format("\n## proxpath {}\n\n    proxpath {} {}\n\n{}.\n", record.name, record.name, record.usage,
                           record.text);
        for (const std::string& group : groups_of(record.which)) {
            out += fmt::format("\n**{}**\n\n| option | meaning | values | default |\n|---|---|---|---|\n", group);
            for (const option_record& each : option_table())
                if (each.of(record.which) && each.group == group)
                    out += fmt::format("| `{}` | {} | {} | {} |\n", head_of(each), markdown_cell(each.text),
                                       rule_of(each), default_of(each));
        }
        if (record.which == command::predict) out += fmt::format("\n{}", prediction_rows);
    }
    out += fmt::format("\n{}\n## Exit codes\n\n| code | meaning |\n|---|---|\n", fit_folder);
    for (const exit_code_text& each : exit_code_texts)
        out += fmt::format("| {} | {} |\n", static_cast<int>(each.code), each.text);
    return out;
}

} // namespace proxpath::cli
