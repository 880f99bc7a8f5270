// Rare numbers and how bad ones are shown; see number.hpp.

#include "host/io/number.hpp"

#include <cctype>
#include <cstring>

#include <fast_float/fast_float.h>
#include <fmt/format.h>

namespace proxpath::io {

namespace {

/// Longest number token that is looked at. A double needs fewer than 800 digits to be exact; more is taken for garbage.
constexpr std::size_t longest_number = 4096;

/// What can be part of a number, "nan" and "inf" included.
bool belongs_to_number(char c)
{
    const auto letter = static_cast<unsigned char>((c | 0x20) - 'a');
    return is_digit(c) || letter < 26 || c == '.' || c == '-' || c == '+' || c == '(' || c == ')' || c == '_';
}

/// End of the number at most; the line may go on for long behind it.
const char* token_end(const char* at, std::size_t most)
{
    std::size_t length = 0;
    while (length < most && belongs_to_number(at[length])) ++length;
    return at + length;
}

} // namespace

bool detail::read_any_number(const char*& at, double& value)
{
    const char* first = at;
    if (*first == '+') {
        ++first;
        if (*first == '-' || *first == '+') return false;
    }
    const char* const last = token_end(first, longest_number);
    const auto result = fast_float::from_chars(first, last, value);
    // Values below the smallest double are read as zero, as everywhere; overflow is infinite and refused by the caller.
    if (result.ptr == first || (result.ptr == last && belongs_to_number(*last))) return false;
    at = result.ptr;
    return true;
}

std::string quote(std::string_view text)
{
    constexpr std::size_t longest = 40;
    std::string quoted = "'";
    for (const char c : text.substr(0, longest)) {
        if (std::isprint(static_cast<unsigned char>(c)) != 0)
            quoted += c;
        else
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    if (text.size() > longest) quoted += "...";
    return quoted + "'";
}

std::string quote_token(const char* at, std::string_view stops)
{
    std::size_t length = 0;
    while (length < 64 && !ends_token(at[length]) && stops.find(at[length]) == std::string_view::npos) ++length;
    return quote({at, length});
}

std::string not_finite_reason(const char* at)
{
    const char* c = at;
    if (*c == '+' || *c == '-') ++c;
    const bool written = !is_digit(*c) && *c != '.';
    return fmt::format("the value {} is {}", quote_token(at, ",;:#\""),
                       written ? "not a finite number" : "too large for a double");
}

} // namespace proxpath::io
