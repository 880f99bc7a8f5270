// What stability selection writes beside the files of its fit, and says on the terminal.
#pragma once

#include <proxpath/stability.hpp>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// Features that any half selected, most frequent first.
/// @param names of the features; empty = they have none
/// @throws system_error
void write_stability_csv(const std::string& file, const stability_result& result,
                         const std::vector<std::string>& names);
/// One a line, of the columns of the frequencies.
void write_lambdas(const std::string& file, const stability_result& result);
void write_frequencies(const std::string& file, const stability_result& result);

/// The object `stability` of summary.json.
nlohmann::json stability_json(const stability_result& result);

/// What was selected and what it proves, to be printed before the page of the fit.
/// @param all every feature that was selected by a half instead of the first ten beside the stable ones
std::string stability_page(const stability_result& result, const std::vector<std::string>& names, bool all);

} // namespace proxpath::cli
