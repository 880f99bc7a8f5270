// Numbers, sizes and times between text and memory, the same in every locale: '.' is the decimal point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxpath::cli {

/// The whole text as a finite number; nothing otherwise.
std::optional<double> parse_number(std::string_view text);

/// The whole text as a whole number; "1e3" is one too.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// Bytes: a number and K, M, G, T (with or without "iB", powers of 1024) or KB, MB, GB, TB (powers of 1000).
std::optional<std::uint64_t> parse_size(std::string_view text);

/// Parts between separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// A text as one cell of a CSV line: quoted where it has to be.
std::string csv_cell(const std::string& text);

/// "1.5 GiB"
std::string bytes_text(std::uint64_t bytes);

/// "0.43 s", "2 min 5 s", "3 h 12 min"
std::string seconds_text(double seconds);

/// The candidate that is most likely meant, if one is near.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

} // namespace proxpath::cli
