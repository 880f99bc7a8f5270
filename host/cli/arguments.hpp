// What was typed, taken apart and checked against the option table. Texts stay texts; settings.hpp gives them meaning.
#pragma once

#include "host/cli/option_table.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace proxpath::cli {

class arguments {
public:
    /// Takes the words after the command apart.
    /// @throws invalid_input naming the option, its value and what it has to be. Nothing that is required has to be
    ///         there where --help is.
    static arguments parse(command which, std::span<const char* const> words);

    command which() const { return which_; }
    bool given(std::string_view name) const { return values_.contains(name); }
    /// What was typed, or the table's default; nothing where there is neither.
    std::optional<std::string> text(std::string_view name) const;
    std::optional<double> number(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name) const;

private:
    explicit arguments(command which) : which_(which) {}
    command which_;
    std::map<std::string, std::string, std::less<>> values_; // flags have an empty text
};

} // namespace proxpath::cli
