// The files of a fit's folder: their names, and how they are written and read back.
#pragma once

#include <proxpath/criteria.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

namespace fit_files {
inline const std::string path = "path.csv";
inline const std::string coefficients = "coefficients.mtx";
inline const std::string summary = "summary.json";
inline const std::string features = "features.txt";
inline const std::string curve = "cv.csv";
inline const std::string folds = "folds.csv";
inline const std::string predictions = "predictions.csv";
inline const std::string criteria = "criteria.csv";
inline const std::string path_header =
    "lambda,df,dev_ratio,intercept,primal,dual,gap,rel_gap,kkt,status,iterations,passes";
} // namespace fit_files

/// All that fit and cv write: what --force may delete.
const std::vector<std::string>& fit_file_names();

/// "converged", "not_converged" or "interrupted".
const char* status_text(column_status status);

/// @throws system_error
void write_path_csv(const std::string& file, const std::vector<path_point>& points);
void write_criteria_csv(const std::string& file, const path_result& path, const information_criteria& criteria);
void write_coefficients(const std::string& file, const sparse_columns& coefficients);
void write_features(const std::string& file, const std::vector<std::string>& names);
void write_summary(const std::string& file, const nlohmann::json& summary);

/// JSON as text, two spaces a level; file names that are no UTF-8 get replacement characters.
std::string json_text(const nlohmann::json& value);

/// What predict needs of a fit.
struct fitted_path {
    std::vector<path_point> points; ///< lambda, intercept and status only
    sparse_columns coefficients;    ///< p × K
    std::vector<std::string> features;
    std::optional<int> index_base;        ///< of the svmlight file that was fitted
    bool offset = false;                  ///< the fit had offsets
    std::map<std::string, double> chosen; ///< lambdas by their rules: min, 1se, aic, bic, ebic; where there are any
};

/// @throws invalid_input when `folder` is none of ours, file_error when a file in it is damaged, system_error
fitted_path read_fit(const std::string& folder, int threads);

} // namespace proxpath::cli
