// svmlight / LIBSVM text: `y [qid:q] index:value … [# comment]`, one row a line. The first pass counts, checks and
// finds out whether indices start at 0 or 1; the second puts values in their places.

#include "host/io/number.hpp"
#include "host/io/placement.hpp"
#include "host/io/profile_pool.hpp"
#include "host/io/scanner.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

/// How indices are to be understood in this pass.
struct index_rules {
    std::int64_t base = 1;
    bool base_is_guess = false;           ///< a 0 ends the pass: it is begun again with base 0
    std::int64_t largest = largest_index; ///< largest index as written
    bool largest_is_asked = false;        ///< `largest` comes from options.features, else from the memory there is
    std::uint64_t available_bytes = 0;
    bool check_duplicates = true;
};

/// An index 0 was met although indices were taken to start at 1.
struct wrong_guess {};

[[noreturn]] void fail_index(const line_cursor& line, const index_rules& rules, const char* at, integer_status status)
{
    if (*at == '-') fail_at(line, fmt::format("feature index {} is negative", quote_token(at, ":")));
    if (status == integer_status::too_large)
        fail_at(line, fmt::format("feature index {} is too large; 2^53 is the limit", quote_token(at, ":")));
    if (status == integer_status::none) fail_at(line, fmt::format("expected index:value, found {}", quote_token(at)));
    if (rules.largest_is_asked)
        fail_at(line, fmt::format("feature index {} is outside the {} features there may be (indices start at {})",
                                  quote_token(at, ":"), rules.largest + 1 - rules.base, rules.base));
    fail_at(line, fmt::format("feature index {} would need counters for that many columns, more than the {} of memory "
                              "available",
                              quote_token(at, ":"), readable_bytes(rules.available_bytes)));
}

[[noreturn]] void fail_number(const line_cursor& line, const char* token, std::string_view what)
{
    const char* at = token;
    double value = 0;
    if (!read_number(at, value) || !(ends_token(*at) || *at == '#'))
        fail_at(line, fmt::format("expected {}, found {}", what, quote_token(token)));
    fail_at(line, not_finite_reason(token));
}

/// Inlined whole, so that the place in the text stays in a register.
[[gnu::always_inline]] inline double finite_number(const line_cursor& line, const char*& at, std::string_view what)
{
    const char* const token = at;
    double value = 0;
    if (!take_number(at, value) || !(ends_token(*at) || *at == '#') || !std::isfinite(value))
        fail_number(line, token, what);
    return value;
}

const char* skip_to_line_end(const char* at)
{
    while (*at != '\n') ++at;
    return at;
}

/// Skips `qid:number`, which ranking data have before the features.
const char* skip_query(const line_cursor& line, const char* at)
{
    if (at[0] != 'q' || at[1] != 'i' || at[2] != 'd' || at[3] != ':') return at; // '\n' ends the comparison in time
    const char* number = at + 4;
    if (*number == '-') ++number;
    const char* const digits = number;
    while (is_digit(*number)) ++number;
    if (number == digits || !ends_token(*number))
        fail_at(line, fmt::format("expected qid:integer, found {}", quote_token(at)));
    return number;
}

/// A row whose indices do not ascend: looks for one that occurs twice. The line is known to be well-formed.
void check_unordered_row(const line_cursor& line, const char* features)
{
    std::vector<std::int64_t> indices;
    const char* at = skip_blanks(features);
    while (*at != '\n' && *at != '#') {
        std::int64_t index = 0;
        read_integer(at, index);
        indices.push_back(index);
        while (!ends_token(*at) && *at != '#') ++at;
        at = skip_blanks(at);
    }
    std::sort(indices.begin(), indices.end());
    const auto twice = std::adjacent_find(indices.begin(), indices.end());
    if (twice != indices.end()) fail_at(line, fmt::format("feature index {} occurs twice in this row", *twice));
}

/// Calls sink.row(y) for each row and sink.put(column, value) for each of its entries.
template <class Sink>
void parse_rows(const chunk& part, const index_rules& rules, Sink& sink, chunk_report& report)
{
    line_cursor line(part.text);
    while (line.more()) {
        const char* at = skip_blanks(line.begin());
        if (*at == '\n' || *at == '#') {
            line.next(skip_to_line_end(at));
            continue;
        }
        const double y = finite_number(line, at, "a response (a number)");
        sink.row(y);
        ++report.items;
        at = skip_query(line, skip_blanks(at));
        const char* const features = at;
        std::int64_t last = -1;
        bool ascending = true;
        for (at = skip_blanks(at); *at != '\n' && *at != '#'; at = skip_blanks(at)) {
            const char* const token = at;
            std::int64_t index = 0;
            if (*at == '+') ++at;
            const integer_status status = take_integer(at, index);
            if (status == integer_status::too_large || (status == integer_status::none && *token == '-'))
                fail_index(line, rules, token, status);
            if (status == integer_status::none || *at != ':') fail_index(line, rules, token, integer_status::none);
            if (index < rules.base) {
                if (rules.base_is_guess) {
                    report.begin_again = true;
                    return;
                }
                fail_at(line, "feature index 0, but indices are to start at 1");
            }
            if (index > rules.largest) fail_index(line, rules, token, status);
            ++at;
            ascending = ascending && index > last;
            last = index;
            sink.put(index - rules.base, finite_number(line, at, "a value"));
        }
        if (!ascending && rules.check_duplicates) check_unordered_row(line, features);
        line.next(skip_to_line_end(at));
    }
    report.lines = line.number();
}

/// Pass 1: counts.
struct svmlight_counter {
    counting_sink entries;
    std::int64_t width = 0;
    void row(double) {}
    void put(std::int64_t column, double value)
    {
        width = std::max(width, column + 1);
        entries.put(column, value);
    }
};

/// Pass 2: places values and responses.
struct svmlight_placer {
    placement::sink entries;
    double* y;
    std::int64_t next_row;
    std::int64_t end_row;
    bool overrun = false;
    void row(double value)
    {
        if (next_row < end_row) y[next_row] = value;
        overrun = overrun || next_row >= end_row;
        ++next_row;
    }
    void put(std::int64_t column, double value) { entries.put(column, next_row - 1, value); }
};

struct survey {
    std::vector<std::int64_t> rows_before; ///< of each chunk, and the total
    std::int64_t width = 0;                ///< columns, explicit zeros included
    storage::column_profile profile;
};

/// Pass 1; empty when an index 0 was met under the guess that indices start at 1.
std::optional<survey> take_survey(read_settings& settings, const index_rules& rules)
{
    survey found;
    found.rows_before.push_back(0);
    const auto features = settings.options.features;
    profile_pool pool(settings.threads, features.value_or(0));
    std::atomic<std::int64_t> width{0};
    text_scanner scanner(settings, 0);
    try {
        scanner.scan(
            [&](const chunk& part, chunk_report& report) {
                svmlight_counter sink{counting_sink(pool)};
                parse_rows(part, rules, sink, report);
                sink.entries.flush();
                std::int64_t seen = width.load();
                while (seen < sink.width && !width.compare_exchange_weak(seen, sink.width)) {
                }
            },
            [&](const chunk&, const chunk_report& report) {
                if (report.begin_again) throw wrong_guess{};
                found.rows_before.push_back(found.rows_before.back() + report.items);
                if (found.rows_before.back() > most_rows)
                    throw file_error(settings.source.name(), 0, "more than 2^32 - 1 rows");
            });
    } catch (const wrong_guess&) {
        return std::nullopt;
    }
    found.width = features.value_or(width.load());
    found.profile = pool.merged();
    found.profile.grow(found.width);
    return found;
}

index_rules first_rules(const read_settings& settings)
{
    const read_options& options = settings.options;
    if (options.index_base && *options.index_base != 0 && *options.index_base != 1)
        throw invalid_input(fmt::format("index_base: {} is neither 0 nor 1", *options.index_base));
    if (options.features && (*options.features < 0 || *options.features > largest_index))
        throw invalid_input(fmt::format("features: {} is outside 0 … 2^53", *options.features));
    index_rules rules;
    rules.base = options.index_base.value_or(1);
    rules.base_is_guess = !options.index_base.has_value();
    rules.available_bytes = settings.guard.available();
    return rules;
}

/// The largest index that is allowed, as written.
void set_largest(index_rules& rules, const read_settings& settings)
{
    const std::int64_t columns = settings.guard.most_columns();
    rules.largest_is_asked = settings.options.features.has_value();
    if (rules.largest_is_asked && *settings.options.features > columns)
        throw out_of_memory(fmt::format("features: counters for {} columns do not fit into the {} of memory available",
                                        *settings.options.features, readable_bytes(rules.available_bytes)),
                            0, rules.available_bytes);
    rules.largest = settings.options.features.value_or(columns) - 1 + rules.base;
}

} // namespace

data_set read_svmlight(read_settings& settings)
{
    index_rules rules = first_rules(settings);
    set_largest(rules, settings);
    std::optional<survey> found = take_survey(settings, rules);
    if (!found) {
        rules.base = 0;
        rules.base_is_guess = false;
        set_largest(rules, settings);
        found = take_survey(settings, rules);
    }
    const std::int64_t n = found->rows_before.back();
    if (n == 0) throw file_error(settings.source.name(), 0, "the file holds no rows");
    if (found->width == 0) throw file_error(settings.source.name(), 0, "no row has a feature (index:value)");

    data_set result;
    settings.guard.require(settings.source.name(), sizeof(double) * static_cast<std::uint64_t>(n), "the response");
    result.y.resize(static_cast<std::size_t>(n));
    placement places(settings, n, std::move(found->profile));
    rules.check_duplicates = false; // done in the first pass
    text_scanner scanner(settings, 1);
    scanner.scan(
        [&](const chunk& part, chunk_report& report) {
            const auto c = static_cast<std::size_t>(part.number);
            if (c + 1 >= found->rows_before.size()) fail_changed(settings);
            svmlight_placer sink{places.chunk_sink(part.slot), result.y.data(), found->rows_before[c],
                                 found->rows_before[c + 1]};
            parse_rows(part, rules, sink, report);
            if (sink.overrun || sink.next_row != sink.end_row) fail_changed(settings);
        },
        [](const chunk&, const chunk_report&) {}, text_scanner::count_lines::no,
        text_scanner::window_hooks{[&](std::int64_t chunks) { places.prepare(chunks); }, [&] { places.place(); }});
    result.X = places.finish([&](storage::duplicate_entry) { fail_changed(settings); });
    result.index_base = static_cast<int>(rules.base);
    if (!settings.options.index_base)
        result.notes.push_back(rules.base == 0 ? "feature indices start at 0: index 0 occurs"
                                               : "feature indices are taken to start at 1: index 0 does not occur");
    return result;
}

} // namespace proxpath::io
