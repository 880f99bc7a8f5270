// How a long call tells its caller where it is, and how the caller stops it.
#pragma once

#include <cstdint>
#include <functional>

namespace proxpath {

/// What the library is doing when it reports.
enum class phase : std::uint8_t { reading, solving };

/// One report.
struct progress {
    phase now = phase::reading;
    double fraction = 0;            ///< share of the phase that is done, 0 … 1
    double elapsed_s = 0;           ///< seconds since the call began
    std::int64_t lambdas_done = 0;  ///< lambdas certified so far (solving)
    std::int64_t lambdas_total = 0; ///< lambdas of the path (solving)
    std::int64_t passes = 0;        ///< passes over the whole of X so far
    std::int64_t working_set = 0;   ///< features in the working set
    std::int64_t fits_done = 0;     ///< fit_cv and fit_responses only: paths that are finished
    std::int64_t fits_total = 0;    ///< the same: paths to be fitted, as far as is known; lambdas and passes are of one
    double largest_rel_gap = 0;     ///< largest relative gap among the finished lambdas
};

/// Called now and then from the thread that called the library. Return false to stop: fit_path then returns the path
/// with what is finished (the statuses of the rest say `interrupted`), reading throws `cancelled`.
using progress_callback = std::function<bool(const progress&)>;

} // namespace proxpath
