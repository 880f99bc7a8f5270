// The head of Matrix Market files, for matrices and vectors alike.
#pragma once

#include "host/io/scanner.hpp"

#include <cstdint>

namespace proxpath::io {

struct matrix_market_head {
    bool coordinate = true; ///< else array: dense, by columns
    bool pattern = false;   ///< entries have no value: all are 1
    bool integer = false;
    bool symmetric = false; ///< only one triangle is stored
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t entries = 0;   ///< declared; rows · cols of arrays
    std::int64_t size_line = 0; ///< 1-based line of the sizes
};

/// Takes the first lines up to the sizes.
/// @throws file_error for what is no Matrix Market file, or none of the supported kinds
matrix_market_head read_matrix_market_head(text_scanner& scanner);

/// True when the line begins a Matrix Market file ("%MatrixMarket" with a single % is met in the wild).
bool begins_matrix_market(std::string_view line);

} // namespace proxpath::io
