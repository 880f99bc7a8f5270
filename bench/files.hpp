// Files for the readers to read, in a folder that is gone at the end.
#pragma once

#include <proxpath/matrix.hpp>

#include <string>
#include <vector>

namespace proxpath::bench {

/// A folder of our own below the system's temporary folder; removed when the program ends.
const std::string& scratch_folder();

/// As scipy.sparse.save_npz writes a csc matrix (deflated, 32-bit indices, doubles).
void write_npz(const std::string& path, const matrix& X);

/// All cells, with a line of column names.
void write_csv(const std::string& path, const matrix& X);

double file_bytes(const std::string& path);

} // namespace proxpath::bench
