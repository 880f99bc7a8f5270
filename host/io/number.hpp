// Numbers in text. Short integers and decimals, nearly all numbers in real files, are read inline and exactly; the rest
// goes to fast_float. Text always ends in '\n' (scanner.hpp sees to it), so no bounds are checked. In a scanner's
// window whole words may be looked at: take_integer and take_number find the end of a number without a loop whose
// length the processor would have to guess (debian_counts.mtx is read in two thirds of the time).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
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

/// Bytes behind the last '\n' of a text that take_integer and take_number may look at (their content is ignored).
constexpr std::size_t text_slack = 8;

namespace detail {

/// What eight bytes of text begin with.
struct digit_run {
    std::uint64_t value; ///< of the digits; 0 when there is none
    unsigned count;      ///< digits, 8 = eight or more
};

/// The digits at `at`, eight at most, all eight bytes worked on at once in a word.
inline digit_run leading_digits(const char* at)
{
    static_assert(std::endian::native == std::endian::little, "the first character has to be the lowest byte");
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t digits = word ^ 0x3030303030303030U; // digits become 0 … 9, all else 10 … 255
    // The high bit of each byte that is 10 or more. A carry spoils only bytes behind one that is marked.
    const std::uint64_t marks = ((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U;
    const auto count = static_cast<unsigned>(std::countr_zero(marks)) / 8;
    if (count == 0) return {0, 0};
    std::uint64_t sum = digits << (64 - 8 * count); // as if zeros stood before them
    sum = (sum * 10 + (sum >> 8)) & 0x00ff00ff00ff00ffU;
    sum = (sum * 100 + (sum >> 16)) & 0x0000ffff0000ffffU;
    sum = (sum * 10000 + (sum >> 32)) & 0xffffffffU;
    return {sum, count};
}

} // namespace detail

/// As read_integer, for text with text_slack bytes behind it.
inline integer_status take_integer(const char*& at, std::int64_t& value)
{
    const detail::digit_run run = detail::leading_digits(at);
    if (run.count == 0 || run.count == 8) return read_integer(at, value);
    at += run.count;
    value = static_cast<std::int64_t>(run.value);
    return integer_status::fine;
}

/// As read_number, for text with text_slack bytes behind it.
inline bool take_number(const char*& at, double& value)
{
    const char* c = at;
    const bool negative = *c == '-';
    if (negative) ++c;
    const detail::digit_run whole = detail::leading_digits(c);
    c += whole.count;
    double magnitude = static_cast<double>(whole.value);
    if (*c == '.') {
        detail::digit_run part = detail::leading_digits(++c);
        c += part.count;
        if (part.count == 8) {
            const detail::digit_run more = detail::leading_digits(c);
            c += more.count;
            part.value = part.value * static_cast<std::uint64_t>(detail::exact_powers[more.count]) + more.value;
            part.count += more.count;
        }
        // At most 15 digits: exact, as in read_number.
        if (whole.count + part.count == 0 || whole.count + part.count > 15) return read_number(at, value);
        const double scale = detail::exact_powers[part.count];
        magnitude = (magnitude * scale + static_cast<double>(part.value)) / scale;
    } else if (whole.count == 0) {
        return read_number(at, value);
    }
    if (whole.count == 8 || *c == 'e' || *c == 'E') return read_number(at, value);
    value = negative ? -magnitude : magnitude;
    at = c;
    return true;
}

/// Text in quotes for a message: at most 40 characters, what cannot be printed as \xNN.
std::string quote(std::string_view text);

/// The token that starts at `at`, quoted; up to the next blank, line end or one of `stops`.
std::string quote_token(const char* at, std::string_view stops = {});

/// Why `value`, read from `at`, is not acceptable: not finite as written, or too large for a double.
std::string not_finite_reason(const char* at);

} // namespace proxpath::io
