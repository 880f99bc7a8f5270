// Matrix Market matrices: `coordinate` files name row, column and value of each entry, `array` files list all values
// by columns. Pass 1 counts and checks, pass 2 places; a third look is taken only to name the lines of a duplicate.

#include "host/io/matrix_market.hpp"

#include "host/io/number.hpp"
#include "host/io/placement.hpp"
#include "host/io/profile_pool.hpp"

#include <proxpath/errors.hpp>

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

[[noreturn]] void fail_position(const line_cursor& line, const char* token, std::int64_t limit, const char* what)
{
    const char* at = token;
    std::int64_t index = 0;
    const integer_status status = read_integer(at, index);
    if (*token == '-') fail_at(line, fmt::format("the {} index {} is negative", what, quote_token(token)));
    if (status == integer_status::none || !ends_token(*at))
        fail_at(line, fmt::format("expected a {} index, found {}", what,
                                  *token == '\n' ? "the end of the line" : quote_token(token)));
    if (status == integer_status::fine && index == 0)
        fail_at(line, fmt::format("the {} index is 0; indices start at 1", what));
    fail_at(line, fmt::format("the {} index {} is larger than the declared {}", what, quote_token(token), limit));
}

[[noreturn]] void fail_value(const line_cursor& line, const char* token)
{
    const char* at = token;
    double value = 0;
    if (*token == '\n') fail_at(line, "expected a value, found the end of the line");
    if (!read_number(at, value) || !ends_token(*at))
        fail_at(line, fmt::format("expected a value, found {}", quote_token(token)));
    if (!std::isfinite(value)) fail_at(line, not_finite_reason(token));
    fail_at(line, fmt::format("the value {} is no integer, but the header says integer", quote_token(token)));
}

// The next three are the inner loop of every file: inlined whole, so that the place in the text stays in a register.

/// Reads a 1-based index, `limit` at most; returns it 0-based.
[[gnu::always_inline]] inline std::int64_t read_position(const line_cursor& line, const char*& at, std::int64_t limit,
                                                         const char* what)
{
    const char* const token = at;
    std::int64_t index = 0;
    const integer_status status = take_integer(at, index);
    if (status != integer_status::fine || !ends_token(*at) || index < 1 || index > limit)
        fail_position(line, token, limit, what);
    return index - 1;
}

[[gnu::always_inline]] inline double read_value(const line_cursor& line, const char*& at, bool integer)
{
    const char* const token = at;
    double value = 0;
    if (!take_number(at, value) || !ends_token(*at) || !std::isfinite(value) || (integer && value != std::floor(value)))
        fail_value(line, token);
    return value;
}

[[gnu::always_inline]] inline const char* expect_line_end(const line_cursor& line, const char* at)
{
    at = skip_blanks(at);
    if (*at != '\n') fail_at(line, fmt::format("expected the end of the line, found {}", quote_token(at)));
    return at;
}

/// Calls put(column, row, value, line within the chunk) for each entry, mirrored ones included.
template <class Put>
void parse_entries(const chunk& part, const matrix_market_head& head, chunk_report& report, Put&& put)
{
    line_cursor line(part.text);
    while (line.more()) {
        const char* at = skip_blanks(line.begin());
        if (*at == '\n') {
            line.next(at);
            continue;
        }
        const std::int64_t row = read_position(line, at, head.rows, "row");
        at = skip_blanks(at);
        const std::int64_t column = read_position(line, at, head.cols, "column");
        at = skip_blanks(at);
        const double value = head.pattern ? 1.0 : read_value(line, at, head.integer);
        put(column, row, value, line.number());
        if (head.symmetric && row != column) put(row, column, value, line.number());
        ++report.items;
        line.next(expect_line_end(line, at));
    }
    report.lines = line.number();
}

/// Arrays: the number on line k belongs to row k mod n of column k div n, so blank lines are allowed at the end only.
template <class Put>
void parse_array(const chunk& part, const matrix_market_head& head, std::int64_t head_lines, chunk_report& report,
                 Put&& put)
{
    line_cursor line(part.text);
    const std::int64_t first = part.first_line - head_lines;
    while (line.more()) {
        const char* at = skip_blanks(line.begin());
        const std::int64_t place = first + line.number();
        if (place >= head.entries) {
            if (*at != '\n')
                fail_at(line, fmt::format("more values than the {} that {} rows and {} columns have", head.entries,
                                          head.rows, head.cols));
        } else {
            const double value = read_value(line, at, head.integer);
            put(place / head.rows, place % head.rows, value, line.number());
            ++report.items;
            at = expect_line_end(line, at);
        }
        line.next(at);
    }
    report.lines = line.number();
}

template <class Put>
void parse_part(const chunk& part, const matrix_market_head& head, std::int64_t head_lines, chunk_report& report,
                Put&& put)
{
    if (head.coordinate)
        parse_entries(part, head, report, put);
    else
        parse_array(part, head, head_lines, report, put);
}

text_scanner::count_lines counting(const matrix_market_head& head)
{
    return head.coordinate ? text_scanner::count_lines::no : text_scanner::count_lines::yes;
}

/// Line (0-based within the chunk) of its entry number `wanted`, counted from 0.
std::int64_t line_of_entry(std::string_view text, std::int64_t wanted)
{
    line_cursor line(text);
    while (line.more()) {
        const char* at = skip_blanks(line.begin());
        if (*at != '\n' && wanted-- == 0) return line.number();
        while (*at != '\n') ++at;
        line.next(at);
    }
    return line.number();
}

/// Pass 1.
storage::column_profile take_survey(read_settings& settings, matrix_market_head& head)
{
    text_scanner scanner(settings, 0);
    head = read_matrix_market_head(scanner);
    if (head.cols > settings.guard.most_columns())
        scanner.fail(fmt::format("counters for {} columns do not fit into the {} of memory available", head.cols,
                                 readable_bytes(settings.guard.available())));
    profile_pool pool(settings.threads, head.cols);
    const std::int64_t head_lines = scanner.line();
    std::int64_t entries = 0;
    scanner.scan(
        [&](const chunk& part, chunk_report& report) {
            counting_sink sink(pool);
            parse_part(part, head, head_lines, report,
                       [&](std::int64_t column, std::int64_t, double value, std::int64_t) { sink.put(column, value); });
            sink.flush();
        },
        [&](const chunk& part, const chunk_report& report) {
            if (entries + report.items > head.entries)
                throw file_error(
                    settings.source.name(), scanner.line() + line_of_entry(part.text, head.entries - entries) + 1,
                    fmt::format("more entries than the {} declared on line {}", head.entries, head.size_line));
            entries += report.items;
        },
        counting(head));
    if (entries < head.entries)
        throw file_error(settings.source.name(), head.size_line,
                         fmt::format("{} {} are declared, but the file ends after {} on line {}", head.entries,
                                     head.coordinate ? "entries" : "values", entries, scanner.line()));
    return pool.merged();
}

/// A third look, entry by entry on this thread.
[[noreturn]] void fail_duplicate(read_settings& settings, const matrix_market_head& head,
                                 storage::duplicate_entry duplicate)
{
    text_scanner scanner(settings, 1);
    (void)read_matrix_market_head(scanner);
    duplicate_search search(duplicate, head.rows);
    const int threads = std::exchange(settings.threads, 1);
    const std::int64_t head_lines = scanner.line();
    scanner.scan(
        [&](const chunk& part, chunk_report& report) {
            parse_part(part, head, head_lines, report,
                       [&](std::int64_t column, std::int64_t row, double value, std::int64_t line) {
                           if (value == 0 || !search.repeats(row, column, part.first_line + line)) return;
                           throw bad_line{line, fmt::format("row {}, column {} is given a second time, after line {}",
                                                            row + 1, column + 1, search.first_place() + 1)};
                       });
        },
        [](const chunk&, const chunk_report&) {}, text_scanner::count_lines::yes);
    settings.threads = threads;
    fail_changed(settings);
}

} // namespace

data_set read_matrix_market(read_settings& settings)
{
    matrix_market_head head;
    storage::column_profile profile = take_survey(settings, head);
    placement places(settings, head.rows, std::move(profile));
    {
        text_scanner scanner(settings, 1);
        const matrix_market_head again = read_matrix_market_head(scanner);
        if (again.rows != head.rows || again.cols != head.cols || again.entries != head.entries) fail_changed(settings);
        const std::int64_t head_lines = scanner.line();
        scanner.scan(
            [&](const chunk& part, chunk_report& report) {
                placement::sink sink = places.chunk_sink(part.slot);
                parse_part(part, head, head_lines, report,
                           [&](std::int64_t column, std::int64_t row, double value, std::int64_t) {
                               sink.put(column, row, value);
                           });
            },
            [](const chunk&, const chunk_report&) {}, counting(head),
            text_scanner::window_hooks{[&](std::int64_t chunks) { places.prepare(chunks); }, [&] { places.place(); }});
    }
    data_set result;
    result.X = places.finish([&](storage::duplicate_entry duplicate) { fail_duplicate(settings, head, duplicate); });
    return result;
}

} // namespace proxpath::io
