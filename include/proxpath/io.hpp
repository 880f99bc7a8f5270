// Reading data sets and vectors from files, and writing matrices.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/progress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace proxpath {

/// Formats of design matrices. `automatic` goes by the file name, compression suffix removed.
enum class file_format : std::uint8_t {
    automatic,
    svmlight,      ///< .svm .libsvm .svmlight .txt: `y [qid:q] index:value … [# comment]` a row
    matrix_market, ///< .mtx: coordinate real/integer/pattern, general/symmetric; array real/integer
    npz,           ///< .npz of scipy.sparse.save_npz: csr or csc, 32- or 64-bit indices
    csv            ///< .csv: numbers separated by commas, semicolons or tabs, with or without a header line
};

/// How a file is to be read.
struct read_options {
    file_format format = file_format::automatic;
    /// First feature index of svmlight files: 0 or 1; empty = 0 when any index is 0, else 1 (a note says which).
    std::optional<int> index_base;
    /// Number of features of svmlight files, when trailing columns may be empty; empty = the largest index.
    std::optional<std::int64_t> features;
    /// CSV only: name (with a header) or 1-based number of the column that is y; empty = all columns are features.
    std::string y_column;
    /// Bytes that reading may take at most; 0 = what the machine has available. What would not fit is refused before it
    /// is allocated.
    std::uint64_t memory_limit = 0;
    int threads = 0;               ///< 0 = all cores
    progress_callback on_progress; ///< phase::reading; return false to stop
};

/// A design matrix and what came with it.
struct data_set {
    matrix X;
    std::vector<double> y;                  ///< n responses; empty when the file holds none
    std::vector<std::string> feature_names; ///< p names (CSV header); else empty
    std::optional<int> index_base;          ///< svmlight only: the index of the first feature that was taken, 0 or 1
    std::vector<std::string> notes;         ///< decisions taken while reading, e.g. the index base
};

/// The format that `automatic` means for a file of this name.
/// @throws invalid_input when the name tells none
PROXPATH_API file_format format_of(const std::string& path);

/// Reads a design matrix, compressed (.gz, .xz, .zst) or not, in two parallel passes over the file. Explicit zeros are
/// dropped. The result, and the message where there is none, are the same for any number of threads: of several faults
/// the one on the lowest line is reported (duplicate entries of Matrix Market files only when there is no other).
/// @throws invalid_input for options that do not fit the file: y_column, index_base, features, an unknown file name
/// @throws file_error   naming file, line and what was wrong: numbers that do not parse, NaN or infinite values,
///         indices out of range, duplicate entries, counts that do not match, truncated files
/// @throws out_of_memory when the matrix does not fit
/// @throws system_error when the file cannot be opened or read; it must be a regular file
/// @throws cancelled    when the callback returned false
PROXPATH_API data_set read_data(const std::string& path, const read_options& options = {});

/// Which numbers a vector may hold.
enum class number_rule : std::uint8_t {
    finite,
    whole,       ///< a whole number of at most 2⁵³
    weight,      ///< finite, 0 or more
    factor,      ///< 0 or more, or infinite
    lower_bound, ///< 0 or less, or minus infinity
    upper_bound  ///< 0 or more, or infinity
};

/// Reads a vector: one number a line (blank lines at the end allowed), or a Matrix Market array with one column;
/// compressed or not. Infinity is written inf, with or without a sign. Errors as read_data; a number that breaks the
/// rule is one.
PROXPATH_API std::vector<double> read_vector(const std::string& path, number_rule rule = number_rule::finite);

/// Reads names, one a line; blank lines at the end are left out. Errors as read_data.
PROXPATH_API std::vector<std::string> read_lines(const std::string& path);

/// Writes a matrix as Matrix Market (coordinate real general), by columns. Each value is the shortest text that reads
/// back to the same bits. The file is complete or absent: written beside, synced, renamed.
/// @throws system_error when it cannot be written
PROXPATH_API void write_matrix_market(const std::string& path, const matrix& X);

/// Writes responses and rows as svmlight, indices from 1; otherwise as write_matrix_market.
/// @throws invalid_input when y does not have one value for each row
PROXPATH_API void write_svmlight(const std::string& path, const matrix& X, const std::vector<double>& y);

} // namespace proxpath
