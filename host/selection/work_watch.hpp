// What is computed from a finished path asks its caller, too, whether it shall go on.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/options.hpp>
#include <proxpath/progress.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace proxpath::selection {

class work_watch {
public:
    /// @param options must stay
    /// @param what    is stopped then, for the message
    work_watch(const path_options& options, const char* what) : options_(options), what_(what) {}

    /// Reports so many of the path's lambdas. @return false to stop
    bool goes_on(std::size_t done, std::size_t lambdas, std::int64_t features = 0) const
    {
        if (!options_.on_progress) return true;
        progress now;
        now.now = phase::solving;
        now.lambdas_done = static_cast<std::int64_t>(done);
        now.lambdas_total = static_cast<std::int64_t>(lambdas);
        now.fraction = 1;
        now.elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
        now.working_set = features;
        return options_.on_progress(now);
    }
    /// @throws cancelled
    void stop_if_asked(std::size_t done, std::size_t lambdas, std::int64_t features = 0) const
    {
        if (!goes_on(done, lambdas, features)) stop();
    }
    [[noreturn]] void stop() const { throw cancelled(what_); }

private:
    const path_options& options_;
    const char* what_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

} // namespace proxpath::selection
