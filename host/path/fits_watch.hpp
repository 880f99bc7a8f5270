// Progress of several fits that run side by side: cross-validation and many responses have one report for all of them,
// and one answer stops them all.
#pragma once

#include <proxpath/progress.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace proxpath::path {

class fits_watch {
public:
    /// @param ask   the caller's; may be empty. Called from the thread that makes this object only
    /// @param total fits, as far as is known
    fits_watch(progress_callback ask, std::int64_t total);

    /// For the options of each fit; empty where nobody asks.
    progress_callback of_a_fit();

    /// What comes next is `share` of all the work, from `begin` on, in `fits` fits of the same length.
    void enter_stage(double begin, double share, std::size_t fits);
    /// A fit more is done. From any thread.
    void count_done();
    void expect_more(std::int64_t fits) { total_ += fits; }
    /// What was counted as done is none of those that count.
    void uncount() { --done_; }

    /// Asks in any case: other threads may have had all the fits.
    void ask_between_fits(std::int64_t lambdas);
    bool stopped() const { return stopped_.load(); }

private:
    bool report(const progress& fit);

    progress_callback ask_;
    std::int64_t total_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::thread::id caller_ = std::this_thread::get_id();
    // Where the work stands: written and read by the caller's thread, but for what is counted.
    double begin_ = 0;
    double share_ = 1;
    double fits_ = 1;
    std::atomic<std::int64_t> done_in_stage_{0};
    std::atomic<std::int64_t> done_{0};
    std::atomic<bool> stopped_{false};
};

} // namespace proxpath::path
