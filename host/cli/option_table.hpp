// Every option of the program, written once: the parser, the checks, --help, docs/options.md and the "options" of
// summary.json are made from this table. Defaults come from the library's own option structures.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace proxpath::cli {

enum class command : unsigned { fit = 1, predict = 2, cv = 4, devices = 8, stability = 16, bootstrap = 32 };

struct command_record {
    command which;
    std::string_view name;
    std::string_view usage; ///< what follows the name
    std::string_view text;
};

/// What the text after an option has to be.
enum class argument_kind {
    flag,    ///< nothing follows
    text,    ///< a file, a folder or a name; not empty
    number,  ///< a finite number in `range`
    integer, ///< a whole number in `range`
    word,    ///< one of `choices`
    size,    ///< bytes: 512M, 4GiB, 1.5G
    device,  ///< auto, cpu, cuda or cuda:N
    lambdas, ///< L1,L2,… or @FILE, decreasing
    numbers, ///< A1,A2,…: different ones in `range`
    chosen   ///< a number in `range`, or one of `choices`
};

struct number_range {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_allowed = true;
    bool high_allowed = true;

    bool holds(double value) const;
    /// "from 0 to 1", "above 0 and below 1", "1 or more".
    std::string text() const;
};

struct option_record {
    std::string name;     ///< "--alpha"; a positional has no dashes
    std::string argument; ///< what stands for the value in the help; empty for flags
    std::string text;     ///< one sentence, no full stop
    argument_kind kind = argument_kind::text;
    std::string fallback;             ///< the default as one would type it; empty = there is none
    std::string fallback_text;        ///< the default in words, where there is none to type
    std::vector<std::string> choices; ///< for words
    number_range range;               ///< for numbers
    unsigned commands = 0;            ///< sum of `command` values
    std::string group;                ///< heading in the help
    bool required = false;

    bool positional() const { return name.front() != '-'; }
    bool of(command which) const { return (commands & static_cast<unsigned>(which)) != 0; }
};

const std::vector<command_record>& command_table();
const std::vector<option_record>& option_table();

/// The option of a command. A wrong name is a mistake of this program: std::logic_error.
const option_record& option_named(std::string_view name, command which);

} // namespace proxpath::cli
