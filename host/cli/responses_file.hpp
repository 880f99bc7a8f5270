// The file that --y names: one response, or several as the columns of a table.
#pragma once

#include "host/cli/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath::cli {

/// n × q numbers.
struct response_table {
    std::vector<double> values;     ///< column-major
    std::vector<std::string> names; ///< q, of a CSV header; else empty
    std::vector<std::string> notes; ///< decisions taken while reading
};

/// The file settings.y_file. CSV, Matrix Market and .npz hold as many responses as they have columns; anything else is
/// one number a line.
/// @param rows of X
/// @throws file_error naming file and line, or where it has other rows than X, no column, or two of one name;
///         out_of_memory when the dense table does not fit the limit, or what is available; system_error
response_table read_responses(const fit_settings& settings, std::int64_t rows);

} // namespace proxpath::cli
