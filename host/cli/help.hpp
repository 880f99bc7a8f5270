// --help and docs/options.md, both made from the option table.
#pragma once

#include "host/cli/option_table.hpp"

#include <string>

namespace proxpath::cli {

/// What `proxpath --help` prints: the commands and how the program ends.
std::string help_text();

/// What `proxpath <command> --help` prints.
std::string help_text(command which);

/// docs/options.md, printed by the hidden `proxpath --help-markdown`.
std::string help_markdown();

} // namespace proxpath::cli
