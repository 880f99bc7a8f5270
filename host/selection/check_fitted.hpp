// Whether a path is one of the problem that it comes with: what is computed from both would be wrong without a word.
#pragma once

#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

namespace proxpath::selection {

/// Checks the options, and shape and alpha of the path against them and X.
/// @throws invalid_input
void check_fitted(const matrix& X, const path_options& options, const path_result& path);

} // namespace proxpath::selection
