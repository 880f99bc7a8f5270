// From checked arguments to what the library takes, and to the "options" of summary.json.
#pragma once

#include "host/cli/arguments.hpp"
#include "host/cli/choices.hpp"

#include <proxpath/bootstrap.hpp>
#include <proxpath/cv.hpp>
#include <proxpath/io.hpp>
#include <proxpath/options.hpp>
#include <proxpath/responses.hpp>
#include <proxpath/stability.hpp>

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

enum class verbosity { quiet, normal, verbose };

/// Where what a fit knows of single rows and features comes from; model_inputs.hpp reads it. Empty = not given.
struct input_sources {
    std::string weights;         ///< file
    std::string offset;          ///< file
    std::string penalty_factors; ///< file
    std::string lower, upper;    ///< a number or a file
    std::string exclude;         ///< a list, or @ and a file
};

/// What `proxpath fit` was asked to do.
struct fit_settings {
    std::string design;
    std::string y_file; ///< empty = responses in the design file
    std::string out;    ///< empty only with dry_run
    read_options read;
    path_options path; ///< without what `sources` holds
    input_sources sources;
    std::uint64_t memory = 0; ///< bytes for X and the work on it; 0 = automatic
    verbosity level = verbosity::normal;
    response_grid grid = response_grid::own; ///< of several responses
    bool criteria = false;
    bool relax = false;
    bool leave_one_out = false;
    bool force = false;
    bool resume = false;      ///< fits of several responses go on where an older folder ends
    double checkpoint_s = 60; ///< seconds after which those that are finished can be gone on from
    bool dry_run = false;
    bool json = false;
};

/// What `proxpath cv` was asked to do.
struct cv_settings {
    fit_settings fit;
    cv_options cv; ///< without `path`, which is that of `fit`, and without what the files hold
    std::string groups_file;
    std::string fold_ids_file;
};

/// What `proxpath stability` was asked to do.
struct stability_settings {
    fit_settings fit;
    stability_options stability; ///< without `path`, which is that of `fit`
};

/// What `proxpath bootstrap` was asked to do.
struct bootstrap_settings {
    fit_settings fit;
    bootstrap_options bootstrap; ///< without `path`, which is that of `fit`
};

/// What `proxpath predict` was asked to do.
struct predict_settings {
    std::string folder;
    std::string response; ///< name or number of one, where the folder holds several
    std::string design;
    std::string out;
    std::string offset_file;
    read_options read;
    std::optional<double> lambda;
    std::string lambda_rule;     ///< min, 1se, loo, gcv, aic, aicc, bic or ebic, instead of a number
    std::optional<double> gamma; ///< share of the penalised coefficients in the blend with relaxed ones
    int threads = 0;
    verbosity level = verbosity::normal;
};

/// @throws invalid_input for what is missing or does not go together; what reading a file of lambdas throws
fit_settings make_fit_settings(const arguments& typed);
cv_settings make_cv_settings(const arguments& typed);
stability_settings make_stability_settings(const arguments& typed);
bootstrap_settings make_bootstrap_settings(const arguments& typed);
predict_settings make_predict_settings(const arguments& typed);

/// Every option of the fit (or cross-validation) with the value in force, by its name without dashes ('-' within as
/// '_'); null where there is neither a value nor a default.
nlohmann::json options_json(const arguments& typed, const fit_settings& settings);

} // namespace proxpath::cli
