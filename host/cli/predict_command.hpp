// `proxpath predict`: a fitted folder and new rows to a CSV of predictions.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/reporter.hpp"

namespace proxpath::cli {

/// @return the exit code
/// @throws what the library throws; nothing is left behind then
int predict(const arguments& typed, console& to);

} // namespace proxpath::cli
