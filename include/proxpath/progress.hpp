// How a long call tells its caller where it is, and how the caller stops it.
#pragma once

#include <cstdint>
#include <functional>

namespace proxpath {

/// What the library is doing when it reports.
enum class phase : std::uint8_t { reading, preparing, solving, writing };

/// One report.
struct progress {
    phase now = phase::preparing;
    double fraction = 0;            ///< share of the phase that is done, 0 … 1
    double elapsed_s = 0;           ///< seconds since the call began
    std::int64_t lambdas_done = 0;  ///< lambdas certified so far (solving)
    std::int64_t lambdas_total = 0; ///< lambdas of the path (solving)
    std::int64_t passes = 0;        ///< passes over the whole of X so far
    std::int64_t working_set = 0;   ///< features in the working set
    double largest_rel_gap = 0;     ///< largest relative gap among the finished lambdas
};

/// Called now and then from the thread that called the library. Return false to stop: the call then returns what is
/// finished (statuses say `interrupted`), or throws `cancelled` where there is nothing to return.
using progress_callback = std::function<bool(const progress&)>;

} // namespace proxpath
