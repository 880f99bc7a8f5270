// The file, the lines of the page and the part of the summary that `proxpath fit --leave-one-out` adds to a fit's.
#pragma once

#include <proxpath/leave_one_out.hpp>

#include <string>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// @throws system_error
void write_leave_one_out_csv(const std::string& file, const leave_one_out_result& result);
/// Lambdas and rows of path.csv with the smallest errors; null where none is known.
nlohmann::json leave_one_out_json(const leave_one_out_result& result, double seconds);
std::string leave_one_out_text(const leave_one_out_result& result);

} // namespace proxpath::cli
