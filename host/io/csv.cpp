// CSV: a dense row a line, separated by commas, semicolons or tabs, with or without a line of column names. One column
// may be the response.

#include "host/io/number.hpp"
#include "host/io/placement.hpp"
#include "host/io/profile_pool.hpp"
#include "host/io/scanner.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

struct csv_head {
    char separator = ',';
    bool has_names = false;
    std::vector<std::string> names; ///< of all columns; empty without a header
    std::int64_t columns = 0;
    std::int64_t y_column = -1; ///< 0-based, -1 = none

    /// "column 3 ('age')"
    std::string describe(std::int64_t column) const
    {
        if (!has_names) return fmt::format("column {}", column + 1);
        return fmt::format("column {} ({})", column + 1, quote(names[static_cast<std::size_t>(column)]));
    }
    std::int64_t features() const { return columns - (y_column >= 0 ? 1 : 0); }
};

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The separator: tabs before semicolons before commas, whichever the first line has outside quotes.
char find_separator(std::string_view line)
{
    char best = ',';
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '\t') return c;
        if (c == ';') best = c;
    }
    return best;
}

/// Cuts a line into cells; quotes are removed, doubled quotes stand for one.
std::vector<std::string> cut_cells(const text_scanner& scanner, std::string_view line, char separator)
{
    std::vector<std::string> cells;
    std::size_t at = 0;
    for (;;) {
        while (at < line.size() && line[at] == ' ') ++at;
        std::string cell;
        if (at < line.size() && line[at] == '"') {
            for (++at;; ++at) {
                if (at >= line.size()) scanner.fail("a quoted name is not closed on this line");
                if (line[at] == '"') {
                    if (at + 1 >= line.size() || line[at + 1] != '"') break;
                    ++at;
                }
                cell += line[at];
            }
            const std::size_t end = std::min(line.find(separator, ++at), line.size());
            if (!trimmed(line.substr(at, end - at)).empty())
                scanner.fail(fmt::format("text after a closing quote: {}", quote(line.substr(at, end - at))));
            at = end;
        } else {
            const std::size_t end = std::min(line.find(separator, at), line.size());
            cell = trimmed(line.substr(at, end - at));
            at = end;
        }
        cells.push_back(std::move(cell));
        if (at >= line.size()) return cells;
        ++at;
    }
}

bool is_number(const std::string& cell)
{
    const std::string text = cell + '\n';
    const char* at = text.c_str();
    double value = 0;
    return read_number(at, value) && *at == '\n';
}

std::int64_t find_y(const read_settings& settings, const csv_head& head)
{
    const std::string& wanted = settings.options.y_column;
    if (wanted.empty()) return -1;
    const auto found = std::find(head.names.begin(), head.names.end(), wanted);
    if (found != head.names.end()) {
        if (std::find(found + 1, head.names.end(), wanted) != head.names.end())
            throw invalid_input(
                fmt::format("y_column: {} names several columns of {}", quote(wanted), settings.source.name()));
        return found - head.names.begin();
    }
    std::int64_t number = 0;
    const char* const end = wanted.data() + wanted.size();
    const auto parsed = std::from_chars(wanted.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 1 || number > head.columns)
        throw invalid_input(fmt::format("y_column: {} is neither a column name of {} nor a number from 1 to {}",
                                        quote(wanted), settings.source.name(), head.columns));
    return number - 1;
}

/// Looks at the first line: separator, names, number of columns.
csv_head read_csv_head(read_settings& settings)
{
    text_scanner scanner(settings, 0);
    const auto first = scanner.next_line();
    if (!first) throw file_error(scanner.name(), 0, "the file is empty");
    csv_head head;
    head.separator = find_separator(*first);
    std::vector<std::string> cells = cut_cells(scanner, *first, head.separator);
    head.columns = static_cast<std::int64_t>(cells.size());
    if (cells.size() == 1 && cells[0].empty()) scanner.fail("the first line is blank");
    head.has_names = std::any_of(cells.begin(), cells.end(),
                                 [](const std::string& cell) { return !cell.empty() && !is_number(cell); });
    if (head.has_names) head.names = std::move(cells);
    if (head.columns > settings.guard.most_columns())
        scanner.fail(fmt::format("counters for {} columns do not fit into the {} of memory available", head.columns,
                                 readable_bytes(settings.guard.available())));
    head.y_column = find_y(settings, head);
    if (head.features() == 0) scanner.fail("the response is the only column; there is no feature");
    return head;
}

double read_cell(const line_cursor& line, const csv_head& head, const char*& at, std::int64_t column)
{
    const auto blank = [&](char c) { return c == ' ' || c == '\r' || (c == '\t' && head.separator != '\t'); };
    while (blank(*at)) ++at;
    const bool quoted = *at == '"';
    if (quoted) ++at;
    const char* const token = at;
    double value = 0;
    const bool number = take_number(at, value);
    if (number && quoted && *at == '"') ++at;
    while (blank(*at)) ++at;
    if (number && (*at == head.separator || *at == '\n')) {
        if (!std::isfinite(value))
            fail_at(line, fmt::format("{}: {}", head.describe(column), not_finite_reason(token)));
        return value;
    }
    if (*token == head.separator || *token == '\n') {
        if (*token == '\n' && column + 1 < head.columns) // the line ends before its last cells
            fail_at(line, fmt::format("{} cells, where the first line has {}", column + 1, head.columns));
        fail_at(line, fmt::format("{} is empty", head.describe(column)));
    }
    const char* end = token; // of the whole cell: of '3 4' the 3 is a number
    while (*end != head.separator && *end != '\n' && *end != '\r') ++end;
    while (end > token && (blank(end[-1]) || (quoted && end[-1] == '"'))) --end;
    fail_at(line, fmt::format("{}: expected a number, found {}", head.describe(column),
                              quote({token, static_cast<std::size_t>(end - token)})));
}

/// Calls sink.put(feature, row within the chunk, value) for every cell, sink.response(row within the chunk, value) for
/// the response. Blank lines are allowed at the end of the file only: `blank` is the first of those at the chunk's end.
template <class Sink>
void parse_rows(const chunk& part, const csv_head& head, Sink& sink, chunk_report& report)
{
    line_cursor line(part.text);
    while (line.more()) {
        const char* at = line.begin();
        while (*at == ' ' || *at == '\r') ++at;
        if (*at == '\n') {
            if (report.blank < 0) report.blank = line.number();
            line.next(at);
            continue;
        }
        if (report.blank >= 0) throw bad_line{report.blank, "the line is blank, and further rows follow"};
        for (std::int64_t column = 0;; ++column) {
            const double value = read_cell(line, head, at, column);
            if (column == head.y_column)
                sink.response(report.items, value);
            else
                sink.put(column - (head.y_column >= 0 && column > head.y_column ? 1 : 0), report.items, value);
            const bool last = *at == '\n';
            if (last != (column + 1 == head.columns)) {
                if (last) fail_at(line, fmt::format("{} cells, where the first line has {}", column + 1, head.columns));
                fail_at(line, fmt::format("more than the {} cells of the first line", head.columns));
            }
            if (last) break;
            ++at;
        }
        ++report.items;
        line.next(at);
    }
    report.lines = line.number();
}

struct csv_counter {
    counting_sink entries;
    void response(std::int64_t, double) {}
    void put(std::int64_t column, std::int64_t, double value) { entries.put(column, value); }
};

struct csv_placer {
    placement::sink entries;
    double* y;
    std::int64_t first_row;
    std::int64_t rows;
    void response(std::int64_t row, double value)
    {
        if (row < rows) y[first_row + row] = value;
    }
    void put(std::int64_t column, std::int64_t row, double value) { entries.put(column, first_row + row, value); }
};

} // namespace

data_set read_csv(read_settings& settings)
{
    const csv_head head = read_csv_head(settings);
    std::vector<std::int64_t> rows_before{0};
    storage::column_profile profile;
    {
        profile_pool pool(settings.threads, head.features());
        text_scanner scanner(settings, 0);
        if (head.has_names) (void)scanner.next_line();
        std::int64_t blank_line = 0; // 1-based, 0 = none yet
        scanner.scan(
            [&](const chunk& part, chunk_report& report) {
                csv_counter sink{counting_sink(pool)};
                parse_rows(part, head, sink, report);
                sink.entries.flush();
            },
            [&](const chunk&, const chunk_report& report) {
                if (blank_line > 0 && (report.items > 0 || report.failure))
                    throw file_error(settings.source.name(), blank_line, "the line is blank, and further rows follow");
                if (blank_line == 0 && report.blank >= 0) blank_line = scanner.line() + report.blank + 1;
                rows_before.push_back(rows_before.back() + report.items);
                if (rows_before.back() > most_rows)
                    throw file_error(settings.source.name(), 0, "more than 2^32 - 1 rows");
            });
        profile = pool.merged();
    }
    const std::int64_t n = rows_before.back();
    if (n == 0) throw file_error(settings.source.name(), 0, "the file holds no rows");

    data_set result;
    if (head.y_column >= 0) {
        settings.guard.require(settings.source.name(), sizeof(double) * static_cast<std::uint64_t>(n), "the response");
        result.y.resize(static_cast<std::size_t>(n));
    }
    placement places(settings, n, std::move(profile));
    text_scanner scanner(settings, 1);
    if (head.has_names) (void)scanner.next_line();
    scanner.scan(
        [&](const chunk& part, chunk_report& report) {
            const auto c = static_cast<std::size_t>(part.number);
            if (c + 1 >= rows_before.size()) fail_changed(settings);
            const std::int64_t rows = rows_before[c + 1] - rows_before[c];
            csv_placer sink{places.chunk_sink(part.slot), result.y.data(), rows_before[c], rows};
            parse_rows(part, head, sink, report);
            if (report.items != rows) fail_changed(settings);
        },
        [](const chunk&, const chunk_report&) {}, text_scanner::count_lines::no,
        text_scanner::window_hooks{[&](std::int64_t chunks) { places.prepare(chunks); }, [&] { places.place(); }});
    result.X = places.finish([&](storage::duplicate_entry) { fail_changed(settings); });
    for (std::int64_t column = 0; column < head.columns && head.has_names; ++column)
        if (column != head.y_column) result.feature_names.push_back(head.names[static_cast<std::size_t>(column)]);
    result.notes.push_back(head.has_names ? "the first line is taken for column names"
                                          : "no column names: the first line holds numbers only");
    return result;
}

} // namespace proxpath::io
