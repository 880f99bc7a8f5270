// Matrix Market header and size line; see matrix_market.hpp.

#include "host/io/matrix_market.hpp"

#include "host/io/number.hpp"
#include "host/io/placement.hpp"

#include <proxpath/errors.hpp>

#include <array>
#include <cctype>
#include <string>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

std::vector<std::string> lower_words(std::string_view line)
{
    std::vector<std::string> words;
    std::string word;
    for (const char c : line) {
        if (c == ' ' || c == '\t' || c == '\r') {
            if (!word.empty()) words.push_back(std::move(word));
            word.clear();
        } else {
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

void read_kind(const text_scanner& scanner, std::string_view line, matrix_market_head& head)
{
    const std::vector<std::string> words = lower_words(line.substr(0, 400));
    if (words.size() != 5) scanner.fail("the header is not '%%MatrixMarket matrix <format> <field> <symmetry>'");
    if (words[1] != "matrix") scanner.fail(fmt::format("the header's object is {}, not 'matrix'", quote(words[1])));
    if (words[2] != "coordinate" && words[2] != "array")
        scanner.fail(fmt::format("the header's format is {}, not 'coordinate' or 'array'", quote(words[2])));
    head.coordinate = words[2] == "coordinate";
    if (words[3] != "real" && words[3] != "double" && words[3] != "integer" && words[3] != "pattern")
        scanner.fail(fmt::format("the field {} is not supported; real, integer and pattern are", quote(words[3])));
    head.integer = words[3] == "integer";
    head.pattern = words[3] == "pattern";
    if (head.pattern && !head.coordinate) scanner.fail("an array cannot be a pattern");
    if (words[4] != "general" && (words[4] != "symmetric" || !head.coordinate))
        scanner.fail(fmt::format("the symmetry {} is not supported{}; general {}", quote(words[4]),
                                 head.coordinate ? "" : " for arrays", head.coordinate ? "and symmetric are" : "is"));
    head.symmetric = words[4] == "symmetric";
}

bool is_comment_or_blank(std::string_view line)
{
    const std::size_t first = line.find_first_not_of(" \t\r");
    return first == std::string_view::npos || line[first] == '%';
}

void read_sizes_line(const text_scanner& scanner, std::string_view line, matrix_market_head& head)
{
    const std::string expected =
        head.coordinate ? "three counts (rows, columns, entries)" : "two counts (rows, columns)";
    const std::size_t wanted = head.coordinate ? 3 : 2;
    std::array<std::int64_t, 3> sizes{};
    const char* at = skip_blanks(line.data()); // a '\n' follows the line in memory
    for (std::size_t i = 0; i < wanted; ++i) {
        const char* const token = at;
        if (*token == '-')
            scanner.fail(fmt::format("expected {}, found the negative {}", expected, quote_token(token)));
        const integer_status status = read_integer(at, sizes[i]);
        if (status == integer_status::too_large)
            scanner.fail(fmt::format("the count {} is too large; 2^53 is the limit", quote_token(token)));
        if (status == integer_status::none || !ends_token(*at))
            scanner.fail(fmt::format("expected {}, found {}", expected, quote_token(token)));
        at = skip_blanks(at);
    }
    if (*at != '\n') scanner.fail(fmt::format("expected {}, found {} after them", expected, quote_token(at)));
    head.rows = sizes[0];
    head.cols = sizes[1];
    if (head.rows > most_rows) scanner.fail(fmt::format("{} rows; 2^32 - 1 is the limit", head.rows));
    if (head.symmetric && head.rows != head.cols)
        scanner.fail(fmt::format("a symmetric matrix cannot have {} rows and {} columns", head.rows, head.cols));
    if (head.coordinate) {
        head.entries = sizes[2];
    } else if (__builtin_mul_overflow(head.rows, head.cols, &head.entries)) {
        scanner.fail(fmt::format("an array of {} rows and {} columns is too large", head.rows, head.cols));
    }
}

} // namespace

bool begins_matrix_market(std::string_view line)
{
    const std::vector<std::string> words = lower_words(line.substr(0, 40));
    return !words.empty() && (words[0] == "%%matrixmarket" || words[0] == "%matrixmarket");
}

matrix_market_head read_matrix_market_head(text_scanner& scanner)
{
    matrix_market_head head;
    const auto first = scanner.next_line();
    if (!first) throw file_error(scanner.name(), 0, "the file is empty");
    if (!begins_matrix_market(*first)) scanner.fail("the first line does not begin with '%%MatrixMarket'");
    read_kind(scanner, *first, head);
    while (const auto line = scanner.next_line()) {
        if (is_comment_or_blank(*line)) continue;
        read_sizes_line(scanner, *line, head);
        head.size_line = scanner.line();
        return head;
    }
    throw file_error(scanner.name(), 0, fmt::format("the file ends after line {}, before its sizes", scanner.line()));
}

} // namespace proxpath::io
