// Stability selection: a fit on all rows for the grid, then one for each half of the rows, side by side as the folds of
// a cross-validation are. Of a half only the place in the path where each feature entered is kept. See
// include/proxpath/stability.hpp.

#include "host/path/problem.hpp"
#include "host/selection/halves.hpp"
#include "host/selection/side_by_side.hpp"

#include <proxpath/fit.hpp>
#include <proxpath/stability.hpp>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

/// What one half selected: features in the order of their numbers, and the first lambda at which each was not 0.
struct half_selection {
    std::vector<std::pair<std::int64_t, std::size_t>> entered;
    std::int64_t not_converged = 0;
};

class stability_selection {
public:
    stability_selection(const matrix& X, std::span<const double> y, const stability_options& options)
        : X_(X), y_(y), options_(options), path_(options.path),
          threads_(parallel::resolve_threads(options.path.threads))
    {
        path::check_response(y, X.rows());
        path::check_options(options.path, X.rows(), X.cols());
        check();
        weights_.assign(path_.weights.begin(), path_.weights.end());
        if (weights_.empty()) weights_.assign(y.size(), 1.0);
        if (std::count_if(weights_.begin(), weights_.end(), [](double weight) { return weight > 0; }) < 4)
            throw invalid_input("X has fewer than 4 rows of positive weight; halves of them say nothing");
        count_candidates();
        // All fits under one limit: their results may depend on it.
        path_.memory_limit = plan_memory(X, options.path).limit_bytes;
        path_.on_progress = watch_.of_a_fit();
    }

    stability_result run()
    {
        fit_all_rows();
        const std::vector<half_selection> halves = fit_halves();
        count(halves);
        judge();
        return std::move(result_);
    }

private:
    void check() const
    {
        if (!(path_.alpha > 0))
            throw invalid_input("alpha is 0: Ridge selects every feature; stability selection needs alpha above 0");
        if (path_.dfmax > 0 || path_.pmax > 0)
            throw invalid_input("dfmax and pmax do not go with stability selection: most_selected ends the paths");
        if (options_.pairs < 1 || options_.pairs > 1000000)
            throw invalid_input(fmt::format("pairs is {}; must be from 1 to 1000000", options_.pairs));
        if (!(options_.threshold > 0.5 && options_.threshold <= 1))
            throw invalid_input(fmt::format("threshold is {}; must be above 0.5 and at most 1", options_.threshold));
        if (options_.most_selected && *options_.most_selected < 1)
            throw invalid_input(fmt::format("most_selected is {}; must be 1 or more", *options_.most_selected));
        if (!(options_.expected_false > 0 && std::isfinite(options_.expected_false)))
            throw invalid_input(fmt::format("expected_false is {}; must be above 0", options_.expected_false));
    }

    /// p of the bounds: features that some half can select. One without variation in the rows is none, and would make
    /// the bounds look better than they are.
    void count_candidates()
    {
        const std::span<const double> factors = path_.penalty_factors;
        candidate_.assign(static_cast<std::size_t>(X_.cols()), 1);
        for (const std::int64_t feature : features_without_variation())
            candidate_[static_cast<std::size_t>(feature)] = 0;
        for (std::size_t j = 0; j < factors.size(); ++j) {
            unpenalised_ += factors[j] == 0 ? 1 : 0;
            if (factors[j] == 0 || std::isinf(factors[j])) candidate_[j] = 0;
        }
        result_.candidates = std::count(candidate_.begin(), candidate_.end(), 1);
        if (result_.candidates == 0)
            throw invalid_input("no feature can be selected: all are unpenalised, excluded or without variation");
        const auto p = static_cast<double>(result_.candidates);
        result_.most_selected = std::min(result_.candidates, options_.most_selected.value_or(most_selected_for(
                                                                 options_.expected_false, p, options_.threshold)));
        path_.pmax = result_.most_selected + unpenalised_;
    }

    std::vector<std::int64_t> features_without_variation() const
    {
        // A path of one lambda says which they are.
        path_options first = options_.path;
        first.lambda.clear();
        first.n_lambda = 1;
        first.on_progress = {};
        return fit_path(X_, y_, first).constant_features;
    }

    void stop_if_cancelled() const
    {
        if (watch_.stopped()) throw cancelled("stability selection was stopped; there is no partial result");
    }

    void fit_all_rows()
    {
        const auto fitting = steady::now();
        watch_.enter_stage(0, 1.0 / static_cast<double>(1 + 2 * options_.pairs), 1);
        result_.fit = fit_path(X_, y_, path_);
        watch_.count_done();
        stop_if_cancelled();
        if (!(result_.fit.points.front().lambda > 0))
            throw invalid_input(fmt::format("there is nothing to select: {}", result_.fit.notes.empty()
                                                                                  ? "the path is the null model"
                                                                                  : result_.fit.notes.back()));
        result_.lambda = path::lambda_grid(options_.path, result_.fit.lambda_max, X_.rows(), X_.cols());
        result_.fit_s = seconds_since(fitting);
    }

    std::vector<half_selection> fit_halves()
    {
        const auto fitting = steady::now();
        std::vector<half_selection> halves(static_cast<std::size_t>(2 * options_.pairs));
        const double one = 1.0 / static_cast<double>(1 + halves.size());
        watch_.enter_stage(one, 1 - one, halves.size());
        path_options each = path_;
        each.lambda = result_.lambda;
        fit_side_by_side(watch_, plan_memory(X_, each), threads_, static_cast<std::int64_t>(halves.size()),
                         static_cast<std::int64_t>(each.lambda.size()),
                         [&](std::int64_t piece) { halves[static_cast<std::size_t>(piece)] = fit_half(each, piece); });
        stop_if_cancelled();
        result_.halves_s = seconds_since(fitting);
        return halves;
    }

    half_selection fit_half(path_options each, std::int64_t piece) const
    {
        const auto halves = draw_halves(weights_, options_.seed, piece / 2);
        each.weights = piece % 2 == 0 ? halves.first : halves.second;
        const path_result fit = fit_path(X_, y_, each);
        half_selection selected;
        std::vector<std::uint8_t> seen(candidate_.size(), 0);
        for (std::size_t k = 0; k < fit.points.size(); ++k) {
            if (fit.points[k].status != column_status::converged) ++selected.not_converged;
            for (auto e = fit.coefficients.offsets[k]; e < fit.coefficients.offsets[k + 1]; ++e) {
                const std::int64_t feature = fit.coefficients.indices[static_cast<std::size_t>(e)];
                const auto at = static_cast<std::size_t>(feature);
                if (candidate_[at] == 0 || seen[at] != 0) continue;
                seen[at] = 1;
                selected.entered.emplace_back(feature, k);
            }
        }
        std::sort(selected.entered.begin(), selected.entered.end());
        return selected;
    }

    /// From where features entered to how often they had, at each lambda.
    void count(const std::vector<half_selection>& halves)
    {
        const std::size_t K = result_.lambda.size();
        result_.selections.assign(candidate_.size(), 0);
        std::vector<std::vector<std::int64_t>> entering(K); // features, once for each half
        for (const half_selection& half : halves) {
            result_.not_converged += half.not_converged;
            result_.mean_selected += static_cast<double>(half.entered.size()) / static_cast<double>(halves.size());
            for (const auto& [feature, k] : half.entered) {
                entering[k].push_back(feature);
                ++result_.selections[static_cast<std::size_t>(feature)];
            }
        }
        std::vector<std::int64_t> so_far(candidate_.size(), 0);
        std::vector<std::int64_t> ever; // features that any half selected by now, ascending
        sparse_columns& frequency = result_.frequency;
        frequency.rows = X_.cols();
        frequency.cols = static_cast<std::int64_t>(K);
        frequency.offsets.assign(1, 0);
        for (std::size_t k = 0; k < K; ++k) {
            for (const std::int64_t feature : entering[k])
                if (so_far[static_cast<std::size_t>(feature)]++ == 0) ever.push_back(feature);
            std::sort(ever.begin(), ever.end());
            for (const std::int64_t feature : ever) {
                frequency.indices.push_back(feature);
                frequency.values.push_back(static_cast<double>(so_far[static_cast<std::size_t>(feature)]) /
                                           static_cast<double>(halves.size()));
            }
            frequency.offsets.push_back(static_cast<std::int64_t>(frequency.indices.size()));
        }
    }

    void judge()
    {
        result_.pairs = options_.pairs;
        result_.threshold = options_.threshold;
        // τ 2B may be a whole number that rounding has moved.
        const double needed = options_.threshold * 2 * static_cast<double>(options_.pairs) * (1 - 1e-12);
        for (std::size_t j = 0; j < result_.selections.size(); ++j)
            if (static_cast<double>(result_.selections[j]) >= needed)
                result_.stable.push_back(static_cast<std::int64_t>(j));
        std::stable_sort(result_.stable.begin(), result_.stable.end(), [&](std::int64_t a, std::int64_t b) {
            return result_.selections[static_cast<std::size_t>(a)] > result_.selections[static_cast<std::size_t>(b)];
        });
        const double q = std::max(static_cast<double>(result_.most_selected), result_.mean_selected);
        const auto p = static_cast<double>(result_.candidates);
        result_.expected_false = expected_false_at_worst(q, p, options_.threshold);
        result_.expected_false_unimodal = expected_false_if_unimodal(q, p, options_.threshold, options_.pairs);
        if (result_.not_converged > 0)
            result_.notes.push_back(fmt::format("{} lambdas of the halves did not reach the tolerance; their non-zeros "
                                                "count as they are",
                                                result_.not_converged));
        if (result_.mean_selected < 0.5 * static_cast<double>(result_.most_selected))
            result_.notes.push_back(fmt::format("halves selected {:.1f} features on average where {} are allowed: "
                                                "lambdas further down would let them select more",
                                                result_.mean_selected, result_.most_selected));
        if (result_.mean_selected > static_cast<double>(result_.most_selected))
            result_.notes.push_back(
                fmt::format("halves selected {:.1f} features on average where {} are allowed, since a "
                            "first lambda is kept whatever it selects; the bounds are those of {:.1f}",
                            result_.mean_selected, result_.most_selected, result_.mean_selected));
        if (!options_.most_selected && result_.expected_false > options_.expected_false * (1 + 1e-9))
            result_.notes.push_back(
                fmt::format("fewer than {:.3g} false features cannot be promised here: halves would "
                            "have to select fewer features than they did",
                            result_.expected_false));
        if (result_.stable.empty())
            result_.notes.emplace_back(
                "no feature is stable: a larger bound on the false ones lets halves select more, "
                "and finds weaker features");
        else if (result_.expected_false > static_cast<double>(result_.stable.size()))
            result_.notes.push_back(
                fmt::format("the bound on falsely selected features, {:.3g}, is above their number: "
                            "it says nothing (a higher threshold or fewer selections would)",
                            result_.expected_false));
        // Not the user's own limit, and said in other words above.
        std::erase_if(result_.fit.notes, [](const std::string& note) { return note.starts_with("pmax "); });
    }

    const matrix& X_;
    std::span<const double> y_;
    const stability_options& options_;
    path_options path_;
    int threads_;
    path::fits_watch watch_{options_.path.on_progress, 1 + 2 * options_.pairs};
    std::vector<double> weights_;         // as given, not normalised
    std::vector<std::uint8_t> candidate_; // p
    std::int64_t unpenalised_ = 0;
    stability_result result_;
};

} // namespace

} // namespace selection

stability_result fit_stability(const matrix& X, std::span<const double> y, const stability_options& options)
{
    try {
        return selection::stability_selection(X, y, options).run();
    } catch (const std::bad_alloc&) {
        throw out_of_memory("the system refused memory during stability selection; set a lower limit, or use fewer "
                            "threads",
                            0, options.path.memory_limit);
    }
}

stability_result fit_stability(const matrix_view& X, std::span<const double> y, const stability_options& options)
{
    return fit_stability(matrix::from_view(X, options.path.threads), y, options);
}

} // namespace proxpath
