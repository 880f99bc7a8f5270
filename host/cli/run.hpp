// The program behind main: which command, and how exceptions become messages and exit codes. Tests call it directly.
#pragma once

#include "host/cli/reporter.hpp"

#include <span>

namespace proxpath::cli {

/// @param words what was typed, without the program's name
/// @return the exit code; see exit_code.hpp
int run(std::span<const char* const> words, console& to);

} // namespace proxpath::cli
