// See fits_watch.hpp.

#include "host/path/fits_watch.hpp"

#include <algorithm>
#include <utility>

namespace proxpath::path {

fits_watch::fits_watch(progress_callback ask, std::int64_t total)
    : ask_(std::move(ask)), total_(total), fits_(static_cast<double>(std::max<std::int64_t>(1, total)))
{}

progress_callback fits_watch::of_a_fit()
{
    if (!ask_) return {};
    return [this](const progress& fit) { return report(fit); };
}

bool fits_watch::report(const progress& fit)
{
    if (std::this_thread::get_id() != caller_) return !stopped_.load();
    progress now = fit;
    now.fits_done = done_.load();
    now.fits_total = total_;
    now.fraction = std::min(1.0, begin_ + share_ * (static_cast<double>(done_in_stage_.load()) + fit.fraction) / fits_);
    now.elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    try {
        if (!ask_(now)) stopped_.store(true);
    } catch (...) {
        stopped_.store(true);
        throw;
    }
    return !stopped_.load();
}

void fits_watch::enter_stage(double begin, double share, std::size_t fits)
{
    begin_ = begin;
    share_ = share;
    fits_ = static_cast<double>(fits);
    done_in_stage_.store(0);
}

void fits_watch::count_done()
{
    ++done_;
    ++done_in_stage_;
}

void fits_watch::ask_between_fits(std::int64_t lambdas)
{
    if (!ask_ || stopped_.load()) return;
    progress now;
    now.now = phase::solving;
    now.lambdas_total = lambdas;
    (void)report(now); // kept in stopped_
}

} // namespace proxpath::path
