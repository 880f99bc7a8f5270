// Two fits of one problem on two devices, held against each other at the same certified gap.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace proxpath::acceptance {

/// @param reference, other folders that `proxpath fit` made
/// @return seconds, gaps, supports and coefficients of both, and "problem": empty, or why they cannot both be right.
/// Two
///         certified points of one problem have objectives no further apart than the larger of their gaps.
/// @throws std::exception where a folder is not whole
nlohmann::ordered_json compare_paths(const std::string& reference, const std::string& other);

} // namespace proxpath::acceptance
