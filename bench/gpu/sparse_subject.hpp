// Sparse matrices to measure products on, of any size and the same everywhere. All values are positive, so that the sum
// of what is multiplied bounds the rounding of X'R as soon as R's signs are dropped.
#pragma once

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath::bench {

struct sparse_subject {
    std::string name;
    std::int64_t n = 0;
    std::vector<std::int64_t> offsets; ///< p + 1
    std::vector<std::int64_t> rows;
    std::vector<double> values;

    std::int64_t p() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::int64_t nonzeros() const { return offsets.back(); }
    /// A view: valid as long as this is.
    matrix stored() const;
    /// Of an entry on the device: 4 for its row, and its value in the narrowest exact type of float and double.
    double entry_bytes() const { return exact_in_float ? 8 : 12; }

    bool exact_in_float = false;
};

/// Counts; the columns are popular by Zipf's law: many short ones, a few very long.
sparse_subject text_subject(std::int64_t n, std::int64_t p, double entries);
/// Doubles, evenly spread.
sparse_subject even_subject(std::int64_t n, std::int64_t p, double entries);

} // namespace proxpath::bench
