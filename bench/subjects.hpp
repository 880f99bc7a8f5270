// What is measured on: generated matrices, the same on every machine, and the real ones where PROXPATH_DATA names the
// folder that holds them. A matrix is made when it is first asked for.
#pragma once

#include <proxpath/matrix.hpp>

#include <functional>
#include <string>
#include <vector>

namespace proxpath::bench {

struct subject {
    std::string name;
    std::function<const matrix&()> get; ///< made on the first call
    std::string path;                   ///< of the file, for real ones
};

/// Sparse, generated ones first:
///   text        40 000 × 30 000, 2.4 million counts, columns by Zipf's law
///   genotypes   1 000 × 8 000, three of five entries stored, values 1 and 2
///   reals       100 000 × 2 000, 3 million doubles, evenly spread
///   debian_counts, hapmap3   real
const std::vector<subject>& subjects();

/// 20 000 × 100 doubles, all stored: for CSV, which is dense.
const matrix& dense_subject();

/// Bytes of the stored entries (indices and values, no offsets): nnz V of the table in operations.hpp.
double entry_bytes(const matrix& X);

} // namespace proxpath::bench
