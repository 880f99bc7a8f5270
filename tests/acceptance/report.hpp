// The evidence as a page to read.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace proxpath::acceptance {

/// @param found what gather_evidence made
std::string markdown(const nlohmann::ordered_json& found);

} // namespace proxpath::acceptance
