// `proxpath devices`: what a fit can run on.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/reporter.hpp"

namespace proxpath::cli {

/// @return the exit code: no device is a finding, not an error
int devices(const arguments& typed, console& to);

} // namespace proxpath::cli
