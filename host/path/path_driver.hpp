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

namespace proxpath::path {

/// Where the driver begins. What is lent may be lent to other fits at the same time.
struct path_start {
    const problem& fit; ///< with its response
    const unpenalised_space& unpenalised;
    memory_shares shares;
    narrow_start narrow; ///< empty: not a fit of this kind
    null_model null;
    shared_gram* of_all = nullptr;                                                    ///< see restricted_settings
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now(); ///< seconds count from here
};

/// @param device that `ops` is of
path_result drive_path(const backend::opened_device& device, const operations<double>& ops, const path_options& options,
                       path_start start);

} // namespace proxpath::path
