// What the steps of tests/gpu_acceptance.sh left behind, brought together. Kept apart from how it is shown
// (report.hpp), so that the JSON file holds all of it.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace proxpath::acceptance {

/// Reads FOLDER/run.tsv (key, value) and FOLDER/steps.tsv, a line a step:
///
///     name  kind  state  exit code  seconds  limit  log  command
///
/// kind: devices, tests, bench, fit, sanitizer or other; state: passed, failed, timed out, absent or not run. A step
/// that passed by its exit code may fail by what it left: no test ran, an answer was wrong, a path was not certified.
/// @throws std::runtime_error where these two cannot be read; whatever a step should have left and did not is a finding
nlohmann::ordered_json gather_evidence(const std::string& folder);

} // namespace proxpath::acceptance
