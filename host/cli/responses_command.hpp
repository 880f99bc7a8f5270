// `proxpath fit` with several responses: the files of a fit for each, in one folder.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/fit_command.hpp"

#include <proxpath/options.hpp>

namespace proxpath::cli {

/// Goes on where `fit` has read everything and found more than one response.
/// @param path with the inputs lent to it and the limit shared
/// @return the exit code: that of the worst fit
int fit_each_response(const arguments& typed, fit_settings& settings, const loaded_data& data,
                      const model_inputs& inputs, const path_options& path, destination& where, fit_facts& facts,
                      reporter& report, console& to);

} // namespace proxpath::cli
