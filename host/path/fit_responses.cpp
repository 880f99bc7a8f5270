// Paths of many responses. X is prepared once; groups of responses share the pass that gives their correlations with X;
// then each response is a fit of its own (path_driver.hpp). On the CPU the fits of a group are pieces of one parallel
// loop, within which each is serial; another device takes them one after the other. See include/proxpath/responses.hpp.

#include "host/backend/device_choice.hpp"
#include "host/parallel/parallel_for.hpp"
#include "host/path/fits_watch.hpp"
#include "host/path/path_driver.hpp"

#include <proxpath/fit.hpp>
#include <proxpath/responses.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace path {

namespace {

/// Responses whose null models share a pass over X: as many as a product takes at about the cost of its reading.
constexpr std::int64_t group_size = 16;

void check_responses(std::span<const double> Y, std::int64_t n, const response_sink& sink)
{
    if (!sink) throw invalid_input("the sink is empty; it has to take the fits");
    const auto rows = static_cast<std::size_t>(n);
    if (Y.empty() || rows == 0 || Y.size() % rows != 0)
        throw invalid_input(
            fmt::format("Y has {} values; it must have {} for each response, one for each row of X", Y.size(), n));
    for (std::size_t at = 0; at < Y.size(); ++at)
        if (!std::isfinite(Y[at]))
            throw invalid_input(
                fmt::format("Y: response {}, row {} is {}; must be finite", at / rows, at % rows, Y[at]));
}

/// What a sink threw, on its way to the caller past whoever would take it for a failure of a fit.
struct failure_of_sink {
    std::exception_ptr what;
};

/// What is left of a call when a device gives up and the CPU goes on.
struct calls_progress {
    std::int64_t next = 0; ///< responses before it are handed out
    std::int64_t handed_out = 0;
    std::vector<double> lambda; ///< the grid in common, once it is known
    fits_watch watch;
};

class response_fits {
public:
    response_fits(const backend::device_choice& choice, const matrix& X, std::span<const double> Y,
                  const responses_options& options, const response_sink& sink, calls_progress& call)
        : choice_(choice), Y_(Y), count_(static_cast<std::int64_t>(Y.size()) / X.rows()), options_(options),
          sink_(sink), call_(call), threads_(parallel::resolve_threads(options.path.threads)),
          device_(backend::open_device(choice, {options.path.device_memory, threads_, {}})),
          ops_(device_->make_double()), shares_(share_memory(X, options.path, ops_->memory_beside(X))),
          ground_(prepare_columns(*ops_, X, options.path)), unpenalised_(*ops_, ground_),
          narrow_(start_narrow_columns(*ops_, ground_, options.path, shares_)), each_(options.path)
    {
        each_.on_progress = call.watch.of_a_fit();
        if (choice_.provider == nullptr) side_by_side_ = fits_side_by_side(shares_.plan, threads_);
        size_groups(X);
    }

    void run()
    {
        check_scales();
        if (options_.grid == response_grid::common && each_.lambda.empty()) {
            if (call_.lambda.empty()) find_common_grid();
            each_.lambda = call_.lambda;
        }
        // The first fit makes the Gram matrix of all features, where that is used, with all threads.
        const bool gram = takes_all_features(options_.path) && !takes_krylov(options_.path, ground_.n, ground_.p);
        if (gram && call_.next == 0) fit_group(0, 1);
        while (call_.next < count_) fit_group(call_.next, std::min(end_of_group(call_.next), count_));
    }

private:
    /// As many responses as the threads have work with for a while, in whole groups that share a pass: what a fit has
    /// in common with others must not depend on the number of threads.
    void size_groups(const matrix& X)
    {
        // Each response of a group has its problem and its null model until its turn, and, with several threads, its
        // result until those before it are there.
        const auto lambdas = static_cast<std::uint64_t>(options_.path.lambda.empty() ? options_.path.n_lambda
                                                                                     : options_.path.lambda.size());
        const auto n = static_cast<std::uint64_t>(X.rows());
        const auto p = static_cast<std::uint64_t>(X.cols());
        const std::uint64_t result = 16 * lambdas * (options_.path.alpha == 0 ? p : std::min(n, p) / 2);
        const std::uint64_t waiting = sizeof(double) * (3 * n + 9 * p) + result;
        const std::uint64_t room = shares_.plan.limit_bytes / 8 / std::max<std::uint64_t>(1, waiting);
        while (group_ > 1 && static_cast<std::uint64_t>(group_) > room) group_ /= 2;
        const std::int64_t wanted = (4 * side_by_side_ + group_size - 1) / group_size;
        together_ =
            group_ < group_size
                ? group_
                : group_size * std::clamp<std::int64_t>(static_cast<std::int64_t>(room) / group_size, 1, wanted);
    }

    std::int64_t end_of_group(std::int64_t first) const { return (first / group_ * group_) + together_; }

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

    /// Before anything is fitted: which response has squares that a double does not hold.
    void check_scales() const
    {
        problem scratch;
        scratch.weights = ground_.weights;
        scratch.intercept = ground_.intercept;
        for (std::int64_t r = call_.next; r < count_; ++r) {
            set_response(scratch, response(r), options_.path);
            try {
                check_scale_of_response(scratch);
            } catch (const invalid_input& problem) {
                throw invalid_input(fmt::format("Y: response {}: {}", r, problem.what()));
            }
        }
    }

    /// Of responses from `first` on, in groups that are the same whatever the threads are.
    std::vector<null_model> null_models(std::span<const problem> fits, std::int64_t first) const
    {
        std::vector<null_model> nulls;
        for (std::size_t at = 0; at < fits.size();) {
            const std::int64_t left = group_ - (first + static_cast<std::int64_t>(at)) % group_;
            const std::size_t count = std::min(fits.size() - at, static_cast<std::size_t>(left));
            std::vector<std::span<const double>> responses;
            for (const problem& fit : fits.subspan(at, count)) responses.emplace_back(fit.response);
            for (null_model& null : fit_null_models(*ops_, ground_, unpenalised_, responses))
                nulls.push_back(std::move(null));
            at += count;
        }
        return nulls;
    }

    /// The grid of the largest lambda_max. Where no response has one, each fit says so for itself.
    void find_common_grid()
    {
        double largest = 0;
        for (std::int64_t first = 0; first < count_; first += group_) {
            call_.watch.ask_between_fits(options_.path.n_lambda);
            stop_if_cancelled();
            std::vector<problem> fits;
            for (std::int64_t r = first; r < std::min(first + group_, count_); ++r) fits.push_back(problem_of(r));
            for (const null_model& null : null_models(fits, first)) largest = std::max(largest, null.lambda_max);
        }
        call_.lambda = lambda_grid(options_.path, largest, ground_.n, ground_.p);
    }

    void fit_group(std::int64_t first, std::int64_t last)
    {
        std::vector<problem> fits;
        for (std::int64_t r = first; r < last; ++r) fits.push_back(problem_of(r));
        std::vector<null_model> nulls = null_models(fits, first);
        results_.assign(fits.size(), {});
        ready_ = std::vector<std::atomic<bool>>(fits.size());
        first_ = first;
        const std::thread::id caller = std::this_thread::get_id();
        parallel::parallel_for(side_by_side_, last - first, [&](std::int64_t piece) {
            if (call_.watch.stopped()) return;
            const auto at = static_cast<std::size_t>(piece);
            narrow_start narrow;
            if (!narrow_.empty()) narrow = with_response(narrow_, nulls[at]);
            results_[at] = drive_path(
                *device_, *ops_, each_,
                {fits[at], unpenalised_, shares_, std::move(narrow), std::move(nulls[at]), nullptr, &of_all_});
            call_.watch.count_done();
            ready_[at].store(true, std::memory_order_release);
            if (std::this_thread::get_id() == caller) hand_out_those_in_order();
        });
        call_.watch.ask_between_fits(
            static_cast<std::int64_t>(each_.lambda.empty() ? each_.n_lambda : static_cast<int>(each_.lambda.size())));
        // After a stop there may be finished ones behind one that is not.
        for (; call_.next < last; ++call_.next) {
            const auto at = static_cast<std::size_t>(call_.next - first_);
            if (ready_[at].load(std::memory_order_acquire)) hand_out(at);
        }
        stop_if_cancelled();
    }

    void hand_out_those_in_order()
    {
        while (call_.next - first_ < static_cast<std::int64_t>(ready_.size())) {
            const auto at = static_cast<std::size_t>(call_.next - first_);
            if (!ready_[at].load(std::memory_order_acquire) || is_interrupted(results_[at])) return;
            hand_out(at);
            ++call_.next;
        }
    }

    static bool is_interrupted(const path_result& fit)
    {
        return fit.points.empty() || fit.points.back().status == column_status::interrupted;
    }

    void hand_out(std::size_t at)
    {
        path_result& fit = results_[at];
        if (is_interrupted(fit)) return;
        fit.device = choice_.device;
        fit.device_name = choice_.name;
        fit.device_reason = choice_.reason;
        try {
            sink_(first_ + static_cast<std::int64_t>(at), std::move(fit));
        } catch (...) {
            throw failure_of_sink{std::current_exception()};
        }
        fit = {};
        ++call_.handed_out;
    }

    void stop_if_cancelled() const
    {
        if (call_.watch.stopped() && call_.handed_out < count_)
            throw cancelled(fmt::format("stopped when {} of {} responses were fitted", call_.handed_out, count_));
    }

    const backend::device_choice& choice_;
    std::span<const double> Y_;
    std::int64_t count_;
    const responses_options& options_;
    const response_sink& sink_;
    calls_progress& call_;
    int threads_;
    std::unique_ptr<backend::opened_device> device_;
    std::unique_ptr<operations<double>> ops_;
    memory_shares shares_;
    problem ground_; // without a response
    unpenalised_space unpenalised_;
    narrow_start narrow_; // of no response
    shared_gram of_all_;
    path_options each_;
    int side_by_side_ = 1;
    std::int64_t group_ = group_size; // responses that share a pass
    std::int64_t together_ = 1;       // responses of a parallel loop
    // Of the loop in work.
    std::int64_t first_ = 0;
    std::vector<path_result> results_;
    std::vector<std::atomic<bool>> ready_;
};

} // namespace

} // namespace path

void fit_responses(const matrix& X, std::span<const double> Y, const responses_options& options,
                   const response_sink& sink)
{
    path::check_options(options.path, X.rows(), X.cols());
    path::check_responses(Y, X.rows(), sink);
    path::calls_progress call{0, 0, {}, {options.path.on_progress, static_cast<std::int64_t>(Y.size()) / X.rows()}};
    backend::device_choice choice = backend::choose_device(options.path.device);
    try {
        try {
            path::response_fits(choice, X, Y, options, sink, call).run();
        } catch (const out_of_memory& problem) {
            // Nobody asked for a device that turns out to be too small: the CPU goes on.
            if (!choice.automatic || choice.provider == nullptr) throw;
            const std::string device = choice.device;
            choice = {};
            choice.reason = fmt::format("auto: the memory of {} did not do: {}", device, problem.what());
            path::response_fits(choice, X, Y, options, sink, call).run();
        }
    } catch (const path::failure_of_sink& failure) {
        std::rethrow_exception(failure.what);
    } catch (const std::bad_alloc&) {
        const memory_plan plan = path::share_memory(X, options.path).plan;
        throw out_of_memory(fmt::format("the system refused memory during the fits of several responses, each of which "
                                        "takes about {} MiB beside X; set a lower limit, or use fewer threads",
                                        (plan.total() - plan.matrix_bytes) / 1048576 + 1),
                            plan.total() - plan.matrix_bytes, plan.limit_bytes);
    }
}

std::vector<path_result> fit_responses(const matrix& X, std::span<const double> Y, const responses_options& options)
{
    std::vector<path_result> fits;
    fit_responses(X, Y, options, [&](std::int64_t, path_result&& fit) { fits.push_back(std::move(fit)); });
    return fits;
}

} // namespace proxpath
