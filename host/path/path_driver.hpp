// The fit of one response, once everything is made ready that does not depend on lambda.
#pragma once

#include "host/backend/device_provider.hpp"
#include "host/path/memory.hpp"
#include "host/path/narrow_start.hpp"
#include "host/path/null_model.hpp"
#include "host/path/problem.hpp"
#include "host/path/restricted_solver.hpp"

#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::path {

/// Features that the first lambda is likely to need, with coefficients near its solution: those of another fit to about
/// the same rows. Whatever they are, the certificate finds what is missing.
struct likely_solution {
    std::vector<std::int64_t> features; ///< ascending
    std::vector<double> coefficients;   ///< original scale

    bool empty() const { return features.empty(); }
};

/// Where the driver begins. What is lent may be lent to other fits at the same time.
struct path_start {
    const problem& fit; ///< with its response
    const unpenalised_space& unpenalised;
    memory_shares shares;
    narrow_start narrow; ///< empty: not a fit of this kind
    null_model null;
    const likely_solution* likely = nullptr;                                          ///< may be null
    shared_gram* of_all = nullptr;                                                    ///< see restricted_settings
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now(); ///< seconds count from here
};

/// @param device that `ops` is of
path_result drive_path(const backend::opened_device& device, const operations<double>& ops, const path_options& options,
                       path_start start);

/// fit_path, begun from what is likely.
path_result fit_path_near(const matrix& X, std::span<const double> y, const path_options& options,
                          const likely_solution& likely);

} // namespace proxpath::path
