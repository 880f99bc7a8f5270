// What a bootstrap writes beside the files of its fit, and says on the terminal.
#pragma once

#include <proxpath/bootstrap.hpp>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// Coefficients of each lambda that are not 0 in the fit or in some resample.
/// @param names of the features; empty = they have none
/// @throws system_error
void write_bootstrap_csv(const std::string& file, const bootstrap_result& result,
                         const std::vector<std::string>& names);

/// The object `bootstrap` of summary.json.
nlohmann::json bootstrap_json(const bootstrap_result& result);

/// How coefficients vary, to be printed before the page of the fit.
/// @param all every feature, or lambda, instead of the most frequent ones, or some ten
std::string bootstrap_page(const bootstrap_result& result, const std::vector<std::string>& names, bool all);

} // namespace proxpath::cli
