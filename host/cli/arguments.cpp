// CLI11 cuts the words into options and values; every check and message is made here from the table, so that all of
// them name the option, the value and what it has to be.

#include "host/cli/arguments.hpp"

#include "host/backend/device_choice.hpp"
#include "host/cli/values.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace proxpath::cli {

namespace {

std::string_view name_of_command(command which)
{
    for (const command_record& each : command_table())
        if (each.which == which) return each.name;
    return {};
}

[[noreturn]] void refuse(const option_record& option, std::string_view value, const std::string& rule)
{
    throw invalid_input(fmt::format("{} is '{}'; it must be {}", option.name, value, rule));
}

void check_lambdas(const option_record& option, std::string_view text)
{
    if (text.starts_with('@')) {
        if (text.size() == 1) refuse(option, text, "lambdas separated by commas, or @ and a file name");
        return;
    }
    std::optional<double> before;
    for (const std::string_view part : split(text, ',')) {
        const auto value = parse_number(part);
        if (!value || !option.range.holds(*value))
            throw invalid_input(fmt::format("{}: '{}' is not acceptable; each lambda must be a number {}", option.name,
                                            part, option.range.text()));
        if (before && !(*value < *before))
            throw invalid_input(fmt::format("{}: {} follows {}; lambdas must decrease", option.name, *value, *before));
        before = value;
    }
}

void check_numbers(const option_record& option, std::string_view text)
{
    std::vector<double> seen;
    for (const std::string_view part : split(text, ',')) {
        const auto value = parse_number(part);
        if (!value || !option.range.holds(*value))
            refuse(option, part, fmt::format("a number {}, or several separated by commas", option.range.text()));
        if (std::find(seen.begin(), seen.end(), *value) != seen.end())
            throw invalid_input(fmt::format("{}: {} is given twice", option.name, part));
        seen.push_back(*value);
    }
}

void check_value(const option_record& option, std::string_view value)
{
    switch (option.kind) {
    case argument_kind::flag:
        return;
    case argument_kind::text:
        if (value.empty()) throw invalid_input(fmt::format("{} is empty", option.name));
        return;
    case argument_kind::word:
        if (std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end())
            refuse(option, value, fmt::format("one of {}", fmt::join(option.choices, ", ")));
        return;
    case argument_kind::number: {
        const auto number = parse_number(value);
        if (!number || !option.range.holds(*number))
            refuse(option, value, fmt::format("a number {}", option.range.text()));
        return;
    }
    case argument_kind::integer: {
        const auto number = parse_integer(value);
        if (!number || !option.range.holds(static_cast<double>(*number)))
            refuse(option, value, fmt::format("a whole number {}", option.range.text()));
        return;
    }
    case argument_kind::size: {
        const auto bytes = parse_size(value);
        if (!bytes || !option.range.holds(static_cast<double>(*bytes)))
            refuse(option, value,
                   fmt::format("a size such as 512M or 4GiB, at least {}",
                               bytes_text(static_cast<std::uint64_t>(option.range.low))));
        return;
    }
    case argument_kind::device:
        if (!backend::names_a_device(value)) refuse(option, value, std::string(backend::device_rule));
        return;
    case argument_kind::lambdas:
        check_lambdas(option, value);
        return;
    case argument_kind::numbers:
        check_numbers(option, value);
        return;
    case argument_kind::chosen: {
        if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) return;
        const auto number = parse_number(value);
        if (!number || !option.range.holds(*number))
            refuse(option, value,
                   fmt::format("{}, or a number {}", fmt::join(option.choices, ", "), option.range.text()));
        return;
    }
    }
}

/// Words that no option took: an unknown option if there is one, else a value too many.
[[noreturn]] void refuse_rest(command which, const std::vector<std::string>& rest)
{
    const auto unknown = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
        return word.size() > 1 && word.front() == '-' && !parse_number(word);
    });
    if (unknown == rest.end())
        throw invalid_input(
            fmt::format("'{}' is one argument too many; see proxpath {} --help", rest.front(), name_of_command(which)));
    const std::string name = unknown->substr(0, unknown->find('='));
    std::vector<std::string> candidates;
    std::optional<std::string_view> elsewhere;
    for (const option_record& each : option_table()) {
        if (each.of(which)) candidates.push_back(each.name);
        if (each.name != name) continue;
        for (const command_record& other : command_table())
            if (each.of(other.which) && !elsewhere) elsewhere = other.name;
    }
    if (elsewhere)
        throw invalid_input(
            fmt::format("{} is an option of proxpath {}, not of {}", name, *elsewhere, name_of_command(which)));
    const auto meant = nearest(name, candidates);
    throw invalid_input(meant ? fmt::format("unknown option {}; did you mean {}?", name, *meant)
                              : fmt::format("unknown option {}; see proxpath {} --help", name, name_of_command(which)));
}

} // namespace

arguments arguments::parse(command which, std::span<const char* const> words)
{
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<std::pair<const option_record*, CLI::Option*>> known;
    for (const option_record& each : option_table()) {
        if (!each.of(which)) continue;
        CLI::Option* option = nullptr;
        if (each.kind == argument_kind::flag)
            option = app.add_flag(each.name == "--help" ? "-h,--help" : each.name);
        else
            // Repetitions are collected here and refused below, in our words.
            option = app.add_option(each.name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        known.emplace_back(&each, option);
    }
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    try {
        app.parse(reversed);
    } catch (const CLI::ArgumentMismatch&) {
        // The only way to get here: the last word is an option that needs a value.
        throw invalid_input(
            fmt::format("{} needs a value; see proxpath {} --help", words.back(), name_of_command(which)));
    } catch (const CLI::ParseError& problem) {
        throw invalid_input(problem.what());
    }
    arguments result(which);
    if (const auto rest = app.remaining(); !rest.empty()) refuse_rest(which, rest);
    for (const auto& [record, option] : known) {
        const auto& typed = option->results();
        if (typed.empty()) continue;
        if (record->kind == argument_kind::flag) {
            if (typed.size() > 1 || typed.front() != "true")
                throw invalid_input(fmt::format("{} is given more than once or with a value", record->name));
            result.values_[record->name];
            continue;
        }
        if (typed.size() > 1) throw invalid_input(fmt::format("{} is given more than once", record->name));
        // A forgotten value would otherwise swallow the next option.
        if (typed.front().starts_with("--"))
            throw invalid_input(fmt::format("{} needs a value, but {} follows it", record->name, typed.front()));
        check_value(*record, typed.front());
        result.values_[record->name] = typed.front();
    }
    return result;
}

std::optional<std::string> arguments::text(std::string_view name) const
{
    if (const auto found = values_.find(name); found != values_.end()) return found->second;
    const option_record& option = option_named(name, which_);
    if (option.fallback.empty()) return std::nullopt;
    return option.fallback;
}

std::optional<double> arguments::number(std::string_view name) const
{
    const auto typed = text(name);
    return typed ? parse_number(*typed) : std::nullopt;
}

std::optional<std::int64_t> arguments::integer(std::string_view name) const
{
    const auto typed = text(name);
    return typed ? parse_integer(*typed) : std::nullopt;
}

} // namespace proxpath::cli
