// The files of a fit's folder: their names, and how they are written and read back.
#pragma once

#include "host/cli/staging.hpp"

#include <proxpath/criteria.hpp>
#include <proxpath/relax.hpp>
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
inline const std::string relaxed = "relaxed.csv";
inline const std::string relaxed_coefficients = "relaxed.mtx";
inline const std::string leave_one_out = "loo.csv";
inline const std::string stability = "stability.csv";
inline const std::string frequencies = "frequencies.mtx";
inline const std::string lambdas = "lambdas.txt";
inline const std::string bootstrap = "bootstrap.csv";
/// Of several responses: each fit's files are path.csv, coefficients.mtx, summary.json and perhaps criteria.csv, their
/// names behind response-N., and this says of every fit which those are.
inline const std::string responses = "responses.csv";
inline const std::string response_prefix = "response-";
inline const std::string responses_header =
    "response,files,lambda_max,null_loss,lambdas,converged,not_converged,rel_gap,df,dev_ratio,passes,name";
inline const std::string path_header =
    "lambda,df,dev_ratio,intercept,primal,dual,gap,rel_gap,kkt,status,iterations,passes";
inline const std::string relaxed_header = "lambda,df,dev_ratio,intercept,loss,gap,rel_gap";
} // namespace fit_files

/// What tells a folder that fit, cv, stability or bootstrap wrote.
const std::vector<folder_mark>& fit_marks();
/// Whether any of them writes a file of that name: what --force may delete.
bool is_fit_file(const std::string& name);

/// "converged", "not_converged" or "interrupted".
const char* status_text(column_status status);

/// @throws system_error
void write_path_csv(const std::string& file, const std::vector<path_point>& points);
void write_criteria_csv(const std::string& file, const path_result& path, const information_criteria& criteria);
void write_coefficients(const std::string& file, const sparse_columns& coefficients);
/// relaxed.csv and relaxed.mtx.
void write_relaxed(const staging_folder& folder, const relaxed_path& relaxed);
void write_features(const std::string& file, const std::vector<std::string>& names);
void write_summary(const std::string& file, const nlohmann::json& summary);

/// @throws file_error when it is none of ours, system_error
nlohmann::json read_summary(const std::string& file);

/// JSON as text, two spaces a level; file names that are no UTF-8 get replacement characters.
std::string json_text(const nlohmann::json& value);

/// What predict needs of a fit.
struct fitted_path {
    std::vector<path_point> points; ///< lambda, intercept and status only
    sparse_columns coefficients;    ///< p × K
    std::vector<std::string> features;
    std::optional<int> index_base; ///< of the svmlight file that was fitted
    bool offset = false;           ///< the fit had offsets
    std::map<std::string, double>
        chosen;              ///< lambdas by their rules: min, 1se, loo, gcv, aic and so on; where there are any
    bool relaxed = false;    ///< there are relaxed coefficients, too
    double chosen_gamma = 1; ///< that cv --relax chose with min and 1se
};

/// The path becomes its blend with the relaxed fits of the same folder.
/// @throws as read_fit; invalid_input where there are none
void blend_with_relaxed(const std::string& folder, double gamma, int threads, fitted_path& fit);

/// @param response name or number from 1 of one, where the folder holds fits of several; else empty
/// @throws invalid_input when `folder` is none of ours, or its responses are other ones; file_error when a file in it
///         is damaged; system_error
fitted_path read_fit(const std::string& folder, const std::string& response, int threads);

} // namespace proxpath::cli
