// `proxpath bootstrap`: read, fit resamples of the rows, write the folder, report.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/reporter.hpp"

namespace proxpath::cli {

/// @return the exit code
/// @throws what the library throws, `cancelled` when interrupted; nothing is left behind then
int bootstrap(const arguments& typed, console& to);

} // namespace proxpath::cli
