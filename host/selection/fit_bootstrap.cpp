// The bootstrap: a fit on all rows for lambdas and estimates, then one for each resample, side by side as the folds of
// a cross-validation are. Of a resample its non-zero coefficients are kept, and turned over at the end, lambda by
// lambda, to what each feature has in all of them. See include/proxpath/bootstrap.hpp.

#include "host/path/path_driver.hpp"
#include "host/path/problem.hpp"
#include "host/selection/resamples.hpp"
#include "host/selection/side_by_side.hpp"

#include <proxpath/bootstrap.hpp>
#include <proxpath/fit.hpp>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

/// What is kept of one resample.
struct resample_outcome {
    sparse_columns coefficients; // p × K
    std::vector<double> intercept;
    std::int64_t not_converged = 0;
    bool explained = false; // by the null model, with nothing left
};

/// An index and a value.
constexpr std::uint64_t bytes_of_coefficient = 16;
/// Features whose spreads one thread computes at a time.
constexpr std::int64_t features_of_piece = 256;

class bootstrap {
public:
    bootstrap(const matrix& X, std::span<const double> y, const bootstrap_options& options)
        : X_(X), y_(y), options_(options), path_(options.path),
          threads_(parallel::resolve_threads(options.path.threads))
    {
        path::check_response(y, X.rows());
        path::check_options(options.path, X.rows(), X.cols());
        check();
        weights_.assign(path_.weights.begin(), path_.weights.end());
        if (weights_.empty()) weights_.assign(y.size(), 1.0);
        if (std::count_if(weights_.begin(), weights_.end(), [](double weight) { return weight > 0; }) < 2)
            throw invalid_input("X has fewer than 2 rows of positive weight; there is nothing to resample");
        // All fits under one limit: their results may depend on it.
        path_.memory_limit = plan_memory(X, options.path).limit_bytes;
        path_.on_progress = watch_.of_a_fit();
    }

    bootstrap_result run()
    {
        fit_all_rows();
        check_memory();
        sum_up(fit_resamples());
        add_notes();
        return std::move(result_);
    }

private:
    void check() const
    {
        if (path_.dfmax > 0 || path_.pmax > 0)
            throw invalid_input("dfmax and pmax do not go with the bootstrap: every resample is fitted at all lambdas");
        if (options_.resamples < 2 || options_.resamples > 1000000)
            throw invalid_input(fmt::format("resamples is {}; must be from 2 to 1000000", options_.resamples));
        if (!(options_.confidence > 0 && options_.confidence < 1))
            throw invalid_input(fmt::format("confidence is {}; must be above 0 and below 1", options_.confidence));
    }

    void stop_if_cancelled() const
    {
        if (watch_.stopped()) throw cancelled("the bootstrap was stopped; there is no partial result");
    }

    void fit_all_rows()
    {
        const auto fitting = steady::now();
        watch_.enter_stage(0, 1.0 / static_cast<double>(1 + options_.resamples), 1);
        result_.fit = fit_path(X_, y_, path_);
        watch_.count_done();
        stop_if_cancelled();
        if (!(result_.fit.points.front().lambda > 0))
            throw invalid_input(
                fmt::format("there is no lambda to fit resamples at: {}",
                            result_.fit.notes.empty() ? "the path is the null model" : result_.fit.notes.back()));
        for (const path_point& point : result_.fit.points) result_.lambda.push_back(point.lambda);
        path_.lambda = result_.lambda;
        result_.fit_s = seconds_since(fitting);
    }

    /// Before the long work: what the coefficients of all resamples will take, if they are as many as those of the fit.
    void check_memory()
    {
        std::int64_t most = 0;
        for (const path_point& point : result_.fit.points) most = std::max(most, point.df);
        const auto of_a_resample = static_cast<std::uint64_t>(result_.fit.coefficients.offsets.back() + most);
        kept_bytes_ = bytes_of_coefficient * of_a_resample * static_cast<std::uint64_t>(options_.resamples);
        if (kept_bytes_ > path_.memory_limit / 2) refuse_memory(kept_bytes_);
    }

    [[noreturn]] void refuse_memory(std::uint64_t bytes) const
    {
        throw out_of_memory(
            fmt::format("coefficients of {} resamples at {} lambdas take {} MiB, which is more than half "
                        "of the memory limit of {} MiB; take fewer lambdas, of which one is the usual "
                        "case, or fewer resamples, or raise the limit",
                        options_.resamples, result_.lambda.size(), (bytes >> 20) + 1, path_.memory_limit >> 20),
            2 * bytes, path_.memory_limit);
    }

    std::vector<resample_outcome> fit_resamples()
    {
        const auto fitting = steady::now();
        std::vector<resample_outcome> resamples(static_cast<std::size_t>(options_.resamples));
        const double one = 1.0 / static_cast<double>(1 + resamples.size());
        watch_.enter_stage(one, 1 - one, resamples.size());
        memory_plan plan = plan_memory(X_, path_);
        plan.limit_bytes -= kept_bytes_;
        const path::likely_solution likely = likely_solution();
        fit_side_by_side(watch_, plan, threads_, options_.resamples, static_cast<std::int64_t>(result_.lambda.size()),
                         [&](std::int64_t r) { resamples[static_cast<std::size_t>(r)] = fit_resample(r, likely); });
        stop_if_cancelled();
        result_.resamples_s = seconds_since(fitting);
        return resamples;
    }

    /// Of a single lambda: what the fit on all rows has there, near which the resamples' solutions are. A path comes
    /// down to its lambdas by itself.
    path::likely_solution likely_solution() const
    {
        path::likely_solution likely;
        if (result_.lambda.size() > 1) return likely;
        visit_column(result_.fit.coefficients, 0, [&](std::size_t j, double value) {
            likely.features.push_back(static_cast<std::int64_t>(j));
            likely.coefficients.push_back(value);
        });
        return likely;
    }

    resample_outcome fit_resample(std::int64_t r, const path::likely_solution& likely)
    {
        const std::vector<double> drawn = draw_resample(weights_, options_.kind, options_.seed, r);
        path_options each = path_;
        each.weights = drawn;
        path_result fit = path::fit_path_near(X_, y_, each, likely);
        resample_outcome outcome;
        for (const path_point& point : fit.points) {
            outcome.intercept.push_back(point.intercept);
            outcome.not_converged += point.status == column_status::converged ? 0 : 1;
        }
        outcome.explained = fit.null_loss == 0;
        outcome.coefficients = std::move(fit.coefficients);
        // The fit on all rows did not tell how many there would be.
        const std::uint64_t bytes = bytes_of_coefficient * (kept_coefficients_ += outcome.coefficients.values.size());
        if (bytes > path_.memory_limit / 2) refuse_memory(bytes);
        return outcome;
    }

    void sum_up(const std::vector<resample_outcome>& resamples)
    {
        result_.offsets.assign(1, 0);
        for (std::size_t k = 0; k < result_.lambda.size(); ++k) {
            std::vector<double> intercepts(resamples.size());
            for (std::size_t r = 0; r < resamples.size(); ++r) intercepts[r] = resamples[r].intercept[k];
            result_.intercept.push_back(spread_of(intercepts, options_.resamples, options_.confidence));
            add_coefficients(resamples, k);
            result_.offsets.push_back(static_cast<std::int64_t>(result_.coefficients.size()));
        }
        for (const resample_outcome& each : resamples) {
            result_.not_converged += each.not_converged;
            explained_ += each.explained ? 1 : 0;
        }
    }

    template <class Take>
    static void visit_column(const sparse_columns& B, std::size_t k, const Take& take)
    {
        for (auto e = static_cast<std::size_t>(B.offsets[k]); e < static_cast<std::size_t>(B.offsets[k + 1]); ++e)
            take(static_cast<std::size_t>(B.indices[e]), B.values[e]);
    }

    /// Of lambda k: what every feature has in all resamples, in their order.
    void add_coefficients(const std::vector<resample_outcome>& resamples, std::size_t k)
    {
        const auto p = static_cast<std::size_t>(X_.cols());
        std::vector<double> estimate(p, 0.0);
        visit_column(result_.fit.coefficients, k, [&](std::size_t j, double value) { estimate[j] = value; });
        std::vector<std::size_t> begin(p + 1, 0);
        for (const resample_outcome& each : resamples)
            visit_column(each.coefficients, k, [&](std::size_t j, double) { ++begin[j + 1]; });
        std::vector<std::size_t> features;
        for (std::size_t j = 0; j < p; ++j) {
            if (begin[j + 1] > 0 || estimate[j] != 0) features.push_back(j);
            begin[j + 1] += begin[j];
        }
        std::vector<double> values(begin[p]);
        std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
        for (const resample_outcome& each : resamples)
            visit_column(each.coefficients, k, [&](std::size_t j, double value) { values[next[j]++] = value; });

        const std::size_t first = result_.coefficients.size();
        result_.coefficients.resize(first + features.size());
        const auto count = static_cast<std::int64_t>(features.size());
        parallel::parallel_for(threads_, parallel::pieces(count, features_of_piece), [&](std::int64_t piece) {
            const std::int64_t end = std::min(count, (piece + 1) * features_of_piece);
            for (auto at = static_cast<std::size_t>(piece * features_of_piece); at < static_cast<std::size_t>(end);
                 ++at) {
                const std::size_t j = features[at];
                result_.coefficients[first + at] =
                    coefficient_of(j, estimate[j], std::span(values).subspan(begin[j], begin[j + 1] - begin[j]));
            }
        });
    }

    /// @param values not 0
    bootstrap_coefficient coefficient_of(std::size_t feature, double estimate, std::span<double> values) const
    {
        const auto count = static_cast<double>(options_.resamples);
        const auto positive = std::count_if(values.begin(), values.end(), [](double value) { return value > 0; });
        bootstrap_coefficient made;
        made.feature = static_cast<std::int64_t>(feature);
        made.estimate = estimate;
        made.frequency = static_cast<double>(values.size()) / count;
        made.positive = static_cast<double>(positive) / count;
        made.spread = spread_of(values, options_.resamples, options_.confidence);
        return made;
    }

    void add_notes()
    {
        result_.resamples = options_.resamples;
        result_.kind = options_.kind;
        result_.confidence = options_.confidence;
        std::vector<std::string>& notes = result_.notes;
        if (result_.not_converged > 0)
            notes.push_back(fmt::format("{} lambdas of the resamples did not reach the tolerance; their coefficients "
                                        "count as they are",
                                        result_.not_converged));
        if (explained_ > 0 && result_.fit.null_loss > 0)
            notes.push_back(fmt::format("{} of {} resamples have nothing to explain (y does not vary in their rows, or "
                                        "the unpenalised part explains it): their penalised coefficients are 0",
                                        explained_, options_.resamples));
        // The ends are at this place from the smallest and from the largest value.
        const double place = static_cast<double>(options_.resamples - 1) * (1 - options_.confidence) / 2;
        if (place < 1)
            notes.push_back(fmt::format("{} resamples are few for an interval of {:g}: its ends lie beyond the second "
                                        "smallest and the second largest value",
                                        options_.resamples, options_.confidence));
    }

    const matrix& X_;
    std::span<const double> y_;
    const bootstrap_options& options_;
    path_options path_;
    int threads_;
    path::fits_watch watch_{options_.path.on_progress, 1 + options_.resamples};
    std::vector<double> weights_;  // as given, not normalised
    std::uint64_t kept_bytes_ = 0; // of all resamples' coefficients, as expected
    std::atomic<std::uint64_t> kept_coefficients_{0};
    std::int64_t explained_ = 0;
    bootstrap_result result_;
};

} // namespace

} // namespace selection

bootstrap_result fit_bootstrap(const matrix& X, std::span<const double> y, const bootstrap_options& options)
{
    try {
        return selection::bootstrap(X, y, options).run();
    } catch (const std::bad_alloc&) {
        throw out_of_memory("the system refused memory during the bootstrap; set a lower limit, or use fewer threads, "
                            "resamples or lambdas",
                            0, options.path.memory_limit);
    }
}

bootstrap_result fit_bootstrap(const matrix_view& X, std::span<const double> y, const bootstrap_options& options)
{
    return fit_bootstrap(matrix::from_view(X, options.path.threads), y, options);
}

} // namespace proxpath
