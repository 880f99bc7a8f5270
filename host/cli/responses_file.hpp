// The file that --y names: one response, or several as the columns of a table.
#pragma once

#include "host/cli/settings.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath::cli {

/// n × q numbers.
struct response_table {
    std::vector<double> values;     ///< column-major
    std::vector<std::string> names; ///< q, of a CSV header; else empty
    std::int64_t rows = 0;
    std::int64_t count() const { return rows == 0 ? 0 : static_cast<std::int64_t>(values.size()) / rows; }
};

/// CSV, Matrix Market and .npz hold as many responses as they have columns; anything else is one number a line.
/// @param settings memory limit and threads of its reading count here, too
/// @throws file_error naming file and line, out_of_memory, system_error
response_table read_responses(const std::string& file, const fit_settings& settings);

} // namespace proxpath::cli
