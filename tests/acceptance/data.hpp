// Problems for whole paths, the same on every machine.
#pragma once

#include <string>

namespace proxpath::acceptance {

/// Writes words.svm (more features than rows, counts by Zipf's law) and tall.svm (far more rows than features, doubles)
/// into a folder. @param tiny as small as the emulated device needs them
void write_problems(const std::string& folder, bool tiny);

} // namespace proxpath::acceptance
