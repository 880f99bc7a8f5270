// What a cross-validation writes beside the files of its fit, and says on the terminal.
#pragma once

#include "host/cli/settings.hpp"

#include <proxpath/cv.hpp>

#include <string>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// @throws system_error
void write_curve_csv(const std::string& file, const cv_result& result);
void write_folds_csv(const std::string& file, const cv_result& result);
void write_predictions_csv(const std::string& file, const cv_result& result);

/// The object `cv` of summary.json.
nlohmann::json cv_json(const cv_result& result, const cv_options& options);

/// Curve and choice, to be printed before the page of the fit.
/// @param whole_curve every lambda instead of some ten
std::string cv_page(const cv_result& result, bool whole_curve);

} // namespace proxpath::cli
