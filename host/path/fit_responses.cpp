// Paths of many responses. X is prepared once; groups of responses share the pass that gives their correlations with X;
// then each response is a fit of its own (path_driver.hpp). On the CPU the fits of a group are pieces of one parallel
// loop, within which each is serial; another device takes them one after the other. See include/proxpath/responses.hpp.

#include "host/backend/device_choice.hpp"
#include "host/parallel/parallel_for.hpp"
#include "host/path/path_driver.hpp"

#include <proxpath/fit.hpp>
#include <proxpath/responses.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <new>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace path {

namespace {

using clock = std::chrono::steady_clock;

/// Responses whose null models share a pass over X: as many as a product takes at about the cost of its reading.
constexpr std::int64_t group_size = 16;

/// @return q
std::int64_t check_responses(std::span<const double> Y, std::int64_t n)
{
    const auto rows = static_cast<std::size_t>(n);
    if (Y.empty() || rows == 0 || Y.size() % rows != 0)
        throw invalid_input(
            fmt::format("Y has {} values; it must have {} for each response, one for each row of X", Y.size(), n));
    for (std::size_t at = 0; at < Y.size(); ++at)
        if (!std::isfinite(Y[at]))
            throw invalid_input(
                fmt::format("Y: response {}, row {} is {}; must be finite", at / rows, at % rows, Y[at]));
    return static_cast<std::int64_t>(Y.size() / rows);
}

class response_fits {
public:
    /// @param handed_out responses before this one are done
    response_fits(const backend::device_choice& choice, const matrix& X, std::span<const double> Y,
                  const responses_options& options, const response_sink& sink, std::int64_t& handed_out)
        : choice_(choice), Y_(Y), count_(static_cast<std::int64_t>(Y.size()) / X.rows()), options_(options),
          sink_(sink), handed_out_(handed_out), threads_(parallel::resolve_threads(options.path.threads)),
          device_(backend::open_device(choice, {options.path.device_memory, threads_, {}})),
          ops_(device_->make_double()), shares_(share_memory(X, options.path, ops_->memory_beside(X))),
          ground_(prepare_columns(*ops_, X, options.path)), unpenalised_(*ops_, ground_),
          narrow_(start_narrow_columns(*ops_, ground_, options.path, shares_)), each_(options.path)
    {
        each_.on_progress = watch();
        size_groups(X);
    }

    void run()
    {
        if (options_.grid == response_grid::common && each_.lambda.empty()) find_common_grid();
        while (handed_out_ < count_) fit_group(handed_out_, std::min(handed_out_ + group_, count_));
    }

private:
    void size_groups(const matrix& X)
    {
        // Beside what a fit takes, each response of a group has its problem and its null model until its turn.
        const std::uint64_t waiting = sizeof(double) * static_cast<std::uint64_t>(3 * X.rows() + 9 * X.cols());
        const std::uint64_t room = shares_.plan.limit_bytes / 8;
        group_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(room / waiting), 1, group_size);
        if (choice_.provider != nullptr) return;
        const std::uint64_t one = std::max<std::uint64_t>(1, shares_.plan.vectors_bytes + shares_.plan.working_bytes);
        const std::uint64_t fits = std::max<std::uint64_t>(1, shares_.plan.limit_bytes / one);
        side_by_side_ = static_cast<int>(std::min<std::uint64_t>(fits, static_cast<std::uint64_t>(threads_)));
    }

    std::span<const double> response(std::int64_t r) const
    {
        const auto n = static_cast<std::size_t>(ground_.n);
        return Y_.subspan(static_cast<std::size_t>(r) * n, n);
    }

    /// A copy of what all share, with a response.
    problem problem_of(std::int64_t r) const
    {
        problem fit = ground_;
        set_response(fit, response(r), options_.path);
        return fit;
    }

    std::vector<null_model> null_models(std::span<const problem> fits) const
    {
        std::vector<std::span<const double>> responses;
        for (const problem& fit : fits) responses.emplace_back(fit.response);
        return fit_null_models(*ops_, ground_, unpenalised_, responses);
    }

    /// The grid of the largest lambda_max. Where no response has one, each fit says so for itself.
    void find_common_grid()
    {
        double largest = 0;
        for (std::int64_t first = 0; first < count_; first += group_) {
            stop_if_cancelled();
            std::vector<problem> fits;
            for (std::int64_t r = first; r < std::min(first + group_, count_); ++r) fits.push_back(problem_of(r));
            for (const null_model& null : null_models(fits)) largest = std::max(largest, null.lambda_max);
        }
        each_.lambda = lambda_grid(options_.path, largest, ground_.n, ground_.p);
    }

    void fit_group(std::int64_t first, std::int64_t last)
    {
        std::vector<problem> fits;
        for (std::int64_t r = first; r < last; ++r) fits.push_back(problem_of(r));
        std::vector<null_model> nulls = null_models(fits);
        std::vector<path_result> results(fits.size());
        parallel::parallel_for(side_by_side_, last - first, [&](std::int64_t piece) {
            if (stopped_.load()) return;
            const auto at = static_cast<std::size_t>(piece);
            narrow_start narrow;
            if (!narrow_.empty()) narrow = with_response(narrow_, nulls[at]);
            results[at] =
                drive_path(*device_, *ops_, each_,
                           {fits[at], unpenalised_, shares_, std::move(narrow), std::move(nulls[at]), &of_all_});
            ++fits_done_;
        });
        // Other threads may have had all the fits: whoever calls is asked at least here.
        if (each_.on_progress && !stopped_.load()) {
            progress now;
            now.now = phase::solving;
            (void)each_.on_progress(now); // kept in stopped_
        }
        for (std::int64_t r = first; r < last; ++r) {
            path_result& fit = results[static_cast<std::size_t>(r - first)];
            if (fit.points.empty() || fit.points.back().status == column_status::interrupted) break;
            fit.device = choice_.device;
            fit.device_name = choice_.name;
            fit.device_reason = choice_.reason;
            sink_(r, std::move(fit));
            handed_out_ = r + 1;
        }
        stop_if_cancelled();
    }

    /// Stops every fit once the caller wants to; tells him how far all of them are, from his own thread only.
    progress_callback watch()
    {
        if (!options_.path.on_progress) return {};
        return [this](const progress& fit) {
            if (std::this_thread::get_id() != caller_) return !stopped_.load();
            progress now = fit;
            now.fits_done = fits_done_.load();
            now.fits_total = count_;
            now.fraction =
                std::min(1.0, (static_cast<double>(now.fits_done) + fit.fraction) / static_cast<double>(count_));
            now.elapsed_s = std::chrono::duration<double>(clock::now() - started_).count();
            try {
                if (!options_.path.on_progress(now)) stopped_.store(true);
            } catch (...) {
                stopped_.store(true);
                throw;
            }
            return !stopped_.load();
        };
    }

    void stop_if_cancelled() const
    {
        if (stopped_.load())
            throw cancelled(fmt::format("stopped after {} of {} responses; their fits are done", handed_out_, count_));
    }

    clock::time_point started_ = clock::now();
    std::thread::id caller_ = std::this_thread::get_id();
    const backend::device_choice& choice_;
    std::span<const double> Y_;
    std::int64_t count_;
    const responses_options& options_;
    const response_sink& sink_;
    std::int64_t& handed_out_;
    int threads_;
    std::unique_ptr<backend::opened_device> device_;
    std::unique_ptr<operations<double>> ops_;
    memory_shares shares_;
    problem ground_; // without a response
    unpenalised_space unpenalised_;
    narrow_start narrow_; // of no response
    shared_gram of_all_;
    path_options each_;
    std::int64_t group_ = 1;
    int side_by_side_ = 1;
    std::atomic<std::int64_t> fits_done_{0};
    std::atomic<bool> stopped_{false};
};

} // namespace

} // namespace path

void fit_responses(const matrix& X, std::span<const double> Y, const responses_options& options,
                   const response_sink& sink)
{
    path::check_options(options.path, X.rows(), X.cols());
    path::check_responses(Y, X.rows());
    std::int64_t handed_out = 0;
    backend::device_choice choice = backend::choose_device(options.path.device);
    try {
        try {
            path::response_fits(choice, X, Y, options, sink, handed_out).run();
        } catch (const out_of_memory& problem) {
            // Nobody asked for a device that turns out to be too small: the CPU goes on.
            if (!choice.automatic || choice.provider == nullptr) throw;
            const std::string device = choice.device;
            choice = {};
            choice.reason = fmt::format("auto: the memory of {} did not do: {}", device, problem.what());
            path::response_fits(choice, X, Y, options, sink, handed_out).run();
        }
    } catch (const std::bad_alloc&) {
        throw out_of_memory("the system refused memory during the fits of several responses; set a lower limit, or use "
                            "fewer threads",
                            0, options.path.memory_limit);
    }
}

std::vector<path_result> fit_responses(const matrix& X, std::span<const double> Y, const responses_options& options)
{
    std::vector<path_result> fits;
    fit_responses(X, Y, options, [&](std::int64_t, path_result&& fit) { fits.push_back(std::move(fit)); });
    return fits;
}

} // namespace proxpath
