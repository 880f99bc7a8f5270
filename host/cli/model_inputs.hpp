// What a fit knows of single rows and features beside X and y: weights, offsets, penalty factors, bounds, exclusions.
// They are read once X is there, because their lengths and the features' names are its.
#pragma once

#include "host/cli/settings.hpp"

#include <proxpath/io.hpp>
#include <proxpath/options.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// Vectors of the lengths the library takes; empty = not given.
struct model_inputs {
    std::vector<double> weights;
    std::vector<double> offset;
    std::vector<double> penalty_factors; ///< with infinity for what is excluded
    std::vector<double> lower;
    std::vector<double> upper;
    std::int64_t excluded = 0; ///< features that --exclude names

    /// Lends them to the options: they have to outlive the fit.
    void lend_to(path_options& path) const;
};

/// @throws invalid_input for exclusions that are no features, file_error naming file and line, system_error
model_inputs read_model_inputs(const input_sources& sources, const data_set& data, const std::string& design);

/// Numbers for the rows of `design`. @throws file_error when there is not one for each
std::vector<double> read_row_numbers(const std::string& file, number_rule rule, const std::string& what,
                                     const matrix& X, const std::string& design);

/// Checksum of a vector of numbers, as text; null for an empty one.
nlohmann::json checksum_of(const std::vector<double>& numbers);

} // namespace proxpath::cli
