// responses.csv: what became of each response of a fit of several, and how the names of its files begin.
#pragma once

#include "host/cli/fit_summary.hpp"

#include <proxpath/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath::cli {

/// What the table and the page say of one response.
struct response_line {
    std::int64_t number = 0; // from 1
    std::string name;
    std::string files; ///< how the names of its files begin
    double lambda_max = 0;
    double null_loss = 0;
    std::int64_t lambdas = 0;
    status_counts counts;
    double rel_gap = 0;   ///< largest
    std::int64_t df = 0;  ///< at the last lambda
    double dev_ratio = 0; ///< there
    std::int64_t passes = 0;
};

/// How the names of the files of response `number`, from 1, of `count` begin.
std::string files_of_response(std::int64_t number, std::int64_t count);

response_line line_of(const path_result& fit, std::int64_t number, std::string name, std::string files);

/// @throws system_error
void write_responses_csv(const std::string& file, const std::vector<response_line>& lines);

/// Names as they are in the file, quoted where they have to be.
/// @throws file_error naming the line that is damaged, system_error
std::vector<response_line> read_responses_csv(const std::string& file);

} // namespace proxpath::cli
