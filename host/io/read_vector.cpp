// Vectors and names: small files next to a design matrix, read line by line.

#include "host/io/matrix_market.hpp"
#include "host/io/number.hpp"

#include <proxpath/errors.hpp>

#include <cmath>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

bool is_blank_line(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// What a number has to be, empty where it is.
const char* broken_rule(number_rule rule, double value)
{
    constexpr double most = 9007199254740992.0;
    switch (rule) {
    case number_rule::whole:
        return value == std::trunc(value) && std::fabs(value) <= most ? "" : "a whole number";
    case number_rule::weight:
    case number_rule::factor:
    case number_rule::upper_bound:
        return value >= 0 ? "" : "0 or more";
    case number_rule::lower_bound:
        return value <= 0 ? "" : "0 or less";
    default:
        return "";
    }
}

/// True of the first letter of "inf", false of that of a number too large for a double.
bool not_a_digit(char c) { return c != '.' && (c < '0' || c > '9'); }

bool takes_infinity(number_rule rule)
{
    return rule == number_rule::factor || rule == number_rule::lower_bound || rule == number_rule::upper_bound;
}

double number_of_line(const text_scanner& scanner, std::string_view line, number_rule rule)
{
    const char* at = skip_blanks(line.data()); // a '\n' follows the line in memory
    const char* const token = at;
    double value = 0;
    if (!read_number(at, value) || !ends_token(*at))
        scanner.fail(fmt::format("expected a number, found {}", quote_token(token)));
    const bool written_infinity = std::isinf(value) && not_a_digit(*token == '-' || *token == '+' ? token[1] : *token);
    if (!std::isfinite(value) && !(written_infinity && takes_infinity(rule))) scanner.fail(not_finite_reason(token));
    if (const std::string_view needed = broken_rule(rule, value); !needed.empty())
        scanner.fail(fmt::format("the value {} must be {}", quote_token(token), needed));
    at = skip_blanks(at);
    if (*at != '\n') scanner.fail(fmt::format("expected one number on the line, found {} after it", quote_token(at)));
    return value;
}

/// Numbers up to the end; blank lines only there. `most` < 0 = any number of them.
std::vector<double> rest_of_numbers(const read_settings& settings, text_scanner& scanner, std::vector<double> numbers,
                                    std::int64_t most, number_rule rule)
{
    std::int64_t blank_line = 0;
    while (const auto line = scanner.next_line()) {
        if (is_blank_line(*line)) {
            if (blank_line == 0) blank_line = scanner.line();
            continue;
        }
        if (blank_line > 0)
            throw file_error(scanner.name(), blank_line, "the line is blank, and further numbers follow");
        if (most >= 0 && static_cast<std::int64_t>(numbers.size()) == most)
            scanner.fail(fmt::format("more values than the {} declared", most));
        const double value = number_of_line(scanner, *line, rule);
        if (numbers.size() == numbers.capacity())
            settings.guard.require(scanner.name(), 3 * sizeof(double) * numbers.size(), "the vector");
        numbers.push_back(value);
    }
    return numbers;
}

} // namespace

std::vector<double> read_number_lines(read_settings& settings, number_rule rule)
{
    text_scanner scanner(settings, 0);
    const auto first = scanner.next_line();
    if (!first) throw file_error(scanner.name(), 0, "the file is empty");
    if (begins_matrix_market(*first)) {
        text_scanner again(settings, 0);
        const matrix_market_head head = read_matrix_market_head(again);
        if (head.coordinate)
            throw file_error(scanner.name(), 1,
                             "a vector has to be a Matrix Market array; this file has coordinates (a sparse matrix)");
        if (head.cols != 1)
            throw file_error(scanner.name(), head.size_line,
                             fmt::format("a vector has one column; this array has {}", head.cols));
        std::vector<double> numbers = rest_of_numbers(settings, again, {}, head.entries, rule);
        if (static_cast<std::int64_t>(numbers.size()) < head.entries)
            throw file_error(scanner.name(), head.size_line,
                             fmt::format("{} values are declared, but the file ends after {} on line {}", head.entries,
                                         numbers.size(), again.line()));
        return numbers;
    }
    if (is_blank_line(*first)) scanner.fail("expected a number, found a blank line");
    std::vector<double> numbers{number_of_line(scanner, *first, rule)};
    return rest_of_numbers(settings, scanner, std::move(numbers), -1, rule);
}

std::vector<std::string> read_name_lines(read_settings& settings)
{
    text_scanner scanner(settings, 0);
    std::vector<std::string> names;
    std::size_t used = 0; // names up to the last one that is not blank
    std::uint64_t bytes = 0;
    while (const auto line = scanner.next_line()) {
        bytes += line->size() + sizeof(std::string);
        if (names.size() == names.capacity()) settings.guard.require(scanner.name(), 3 * bytes, "the names");
        names.emplace_back(*line);
        if (!is_blank_line(*line)) used = names.size();
    }
    if (used == 0) throw file_error(scanner.name(), 0, "the file is empty");
    names.resize(used);
    return names;
}

} // namespace proxpath::io
