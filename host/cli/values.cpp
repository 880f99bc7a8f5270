// Parsing and printing of values; see values.hpp.

#include "host/cli/values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include <fast_float/fast_float.h>
#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// Largest whole number below which every whole number is a double.
constexpr double largest_exact = 9007199254740992.0;

/// Insertions, deletions, changes and swaps of neighbours that turn one word into the other (Damerau 1964).
std::size_t edit_distance(std::string_view from, std::string_view to)
{
    std::vector<std::size_t> before(to.size() + 1);
    std::vector<std::size_t> last(to.size() + 1);
    std::vector<std::size_t> now(to.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t changed = from[i - 1] == to[j - 1] ? 0 : 1;
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + changed});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[to.size()];
}

} // namespace

std::optional<double> parse_number(std::string_view text)
{
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto outcome = fast_float::from_chars(text.data(), end, value);
    if (outcome.ec != std::errc{} || outcome.ptr != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text)
{
    const auto value = parse_number(text);
    if (!value || std::trunc(*value) != *value || std::abs(*value) > largest_exact) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    std::string unit;
    for (const char c : text.substr(digits))
        if (c != ' ') unit += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    double scale = 1;
    if (!unit.empty() && unit != "B") {
        const std::size_t power = std::string_view("KMGT").find(unit.front());
        const std::string_view rest = std::string_view(unit).substr(1);
        if (power == std::string_view::npos || (!rest.empty() && rest != "IB" && rest != "B")) return std::nullopt;
        scale = std::pow(rest == "B" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
    }
    const double bytes = std::floor(*number * scale);
    if (!(bytes <= largest_exact)) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string csv_cell(const std::string& text)
{
    if (text.find_first_of(",;\"\t\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string bytes_text(std::uint64_t bytes)
{
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (value /= 1024; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    return value < 10 ? fmt::format("{:.2f} {}", value, units[unit]) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string seconds_text(double seconds)
{
    if (seconds < 10) return fmt::format("{:.2f} s", seconds);
    if (seconds < 100) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e12));
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates)
{
    std::optional<std::string> best;
    // A third of the letters may be wrong; beyond that a guess confuses more than it helps.
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& each : candidates) {
        const std::size_t distance = edit_distance(word, each);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = each;
    }
    return best;
}

} // namespace proxpath::cli
