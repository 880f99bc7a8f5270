// Numbers in text. Short integers and decimals, nearly all numbers in real files, are read inline and exactly; the rest
// goes to fast_float. Text always ends in '\n' (scanner.hpp sees to it), so no bounds are checked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace proxpath::io {

/// Largest index or count that is accepted: beyond it doubles (and other readers) skip integers.
constexpr std::int64_t largest_index = std::int64_t{1} << 53;

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
inline bool ends_token(char c) { return is_blank(c) || c == '\n'; }

/// Skips spaces, tabs and carriage returns.
inline const char* skip_blanks(const char* at)
{
    while (is_blank(*at)) ++at;
    return at;
}

namespace detail {
/// Any number; `at` is left where it stopped, unchanged when there is none. False when there is none.
bool read_any_number(const char*& at, double& value);

/// 10^0 … 10^22, the powers that a double holds exactly.
inline constexpr std::array<double, 23> exact_powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
} // namespace detail

/// Reads one number, nearest double; `at` moves behind it. Signs + and - are allowed; "nan" and "inf" are numbers here
/// and the caller refuses them.
/// @return false when there is no number at `at`
inline bool read_number(const char*& at, double& value)
{
    const char* c = at;
    const bool negative = *c == '-';
    if (negative || *c == '+') ++c;
    std::uint64_t digits = 0;
    const char* const first = c;
    while (is_digit(*c)) digits = digits * 10 + static_cast<std::uint64_t>(*c++ - '0');
    auto count = c - first;
    double scale = 1;
    if (*c == '.') {
        const char* const point = ++c;
        while (is_digit(*c)) digits = digits * 10 + static_cast<std::uint64_t>(*c++ - '0');
        count += c - point;
        if (c - point > 15) return detail::read_any_number(at, value);
        scale = detail::exact_powers[static_cast<std::size_t>(c - point)];
    }
    // Up to 15 digits are an exact double, and so is the power of ten: one division rounds once (Clinger 1990).
    if (count == 0 || count > 15 || *c == 'e' || *c == 'E') return detail::read_any_number(at, value);
    const double magnitude = static_cast<double>(digits) / scale;
    value = negative ? -magnitude : magnitude;
    at = c;
    return true;
}

enum class integer_status : std::uint8_t { fine, none, too_large };

/// Reads digits (no sign); `at` moves behind them.
inline integer_status read_integer(const char*& at, std::int64_t& value)
{
    const char* c = at;
    std::uint64_t digits = 0;
    bool large = false;
    while (is_digit(*c)) {
        digits = digits * 10 + static_cast<std::uint64_t>(*c++ - '0');
        if (digits > static_cast<std::uint64_t>(largest_index)) {
            large = true;
            digits = 0;
        }
    }
    if (c == at) return integer_status::none;
    at = c;
    value = static_cast<std::int64_t>(digits);
    return large ? integer_status::too_large : integer_status::fine;
}

/// Text in quotes for a message: at most 40 characters, what cannot be printed as \xNN.
std::string quote(std::string_view text);

/// The token that starts at `at`, quoted; up to the next blank, line end or one of `stops`.
std::string quote_token(const char* at, std::string_view stops = {});

/// Why `value`, read from `at`, is not acceptable: not finite as written, or too large for a double.
std::string not_finite_reason(const char* at);

} // namespace proxpath::io
