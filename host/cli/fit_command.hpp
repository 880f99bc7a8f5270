// `proxpath fit`: read, fit, write the folder, report.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/reporter.hpp"

namespace proxpath::cli {

/// @return the exit code
/// @throws what the library throws; nothing is left behind then
int fit(const arguments& typed, console& to);

} // namespace proxpath::cli
