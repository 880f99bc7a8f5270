// Fits of one question that run side by side: folds, halves and resamples, each of the same X with weights of its own.
// Within such a fit everything is serial, and nothing depends on who computes which.
#pragma once

#include "host/parallel/parallel_for.hpp"
#include "host/path/fits_watch.hpp"
#include "host/path/memory.hpp"

#include <chrono>
#include <cstdint>

namespace proxpath::selection {

using steady = std::chrono::steady_clock;

inline double seconds_since(steady::time_point start)
{
    return std::chrono::duration<double>(steady::now() - start).count();
}

/// Calls fit(i) for each i in [0, count), as many at a time as there are threads and the plan's limit has room for.
/// Once the watch has stopped no more are begun.
/// @param lambdas of each fit
template <class Fit>
void fit_side_by_side(path::fits_watch& watch, const memory_plan& plan, int threads, std::int64_t count,
                      std::int64_t lambdas, const Fit& fit)
{
    parallel::parallel_for(path::fits_side_by_side(plan, threads), count, [&](std::int64_t piece) {
        if (watch.stopped()) return;
        fit(piece);
        watch.count_done();
    });
    watch.ask_between_fits(lambdas);
}

} // namespace proxpath::selection
