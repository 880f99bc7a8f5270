// Cross-validation: for each alpha a fit on all rows, then one for every fold at the same lambdas, with weight 0 for
// the rows held out. Folds are pieces of one parallel loop, within which each fit is serial; nothing depends on who
// computes which. See include/proxpath/cv.hpp.

#include "host/path/problem.hpp"
#include "host/selection/curve.hpp"
#include "host/selection/held_out.hpp"
#include "host/selection/side_by_side.hpp"

#include <proxpath/cv.hpp>
#include <proxpath/fit.hpp>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

/// What a fold hands back.
struct fold_outcome {
    std::vector<double> losses;        // K for each gamma
    std::vector<std::uint8_t> counted; // K
    std::vector<double> predicted;     // |rows| × K, offset included; where they are kept
    std::vector<double> relaxed;       // the same of the relaxed fits; where there are any
    std::int64_t not_converged = 0;
    bool constant = false;        // y does not vary in the training rows
    bool without_measure = false; // no weight, or r2 of rows that do not vary
};

class cross_validation {
public:
    cross_validation(const matrix& X, std::span<const double> y, const cv_options& options)
        : X_(X), y_(y), options_(options), alphas_(options.alphas), gammas_(options.gammas),
          threads_(parallel::resolve_threads(options.path.threads))
    {
        if (alphas_.empty()) alphas_.push_back(options.path.alpha);
        path::check_response(y, X.rows());
        for (const double alpha : alphas_) {
            path_options path = options.path;
            path.alpha = alpha;
            path::check_options(path, X.rows(), X.cols());
        }
        check_gammas();
        if (options.patience < 0)
            throw invalid_input(fmt::format("patience is {}; must be 0 or more", options.patience));
        if (options.patience > 0 && (options.path.dfmax > 0 || options.path.pmax > 0))
            throw invalid_input("patience and dfmax or pmax do not go together: each says where the path ends");
        weights_.assign(options.path.weights.begin(), options.path.weights.end());
        if (weights_.empty()) weights_.assign(y.size(), 1.0);
        deal_folds();
        // All fits under one limit: their results may depend on it.
        memory_limit_ = plan_memory(X, options.path).limit_bytes;
        watch_.expect_more(static_cast<std::int64_t>(alphas_.size() * (1 + result_.folds.size())));
    }

    cv_result run()
    {
        for (const double alpha : alphas_) add_curve(alpha);
        note_edges();
        note_folds();
        return std::move(result_);
    }

private:
    bool relaxes() const { return !options_.gammas.empty(); }

    void check_gammas()
    {
        if (!relaxes()) {
            gammas_ = {1.0};
            return;
        }
        for (const double gamma : gammas_)
            if (!(gamma >= 0 && gamma <= 1))
                throw invalid_input(fmt::format("gamma is {}; must be from 0 (least squares) to 1 (the path)", gamma));
        if (options_.patience > 0) throw invalid_input("patience does not go with relaxed fits (gammas)");
        if (!options_.path.lower.empty() || !options_.path.upper.empty())
            throw invalid_input("relaxed fits (gammas) do not take bounds");
        if (std::count(alphas_.begin(), alphas_.end(), 0.0) > 0)
            throw invalid_input("relaxed fits (gammas) do not go with alpha 0: Ridge keeps every feature");
    }

    void deal_folds()
    {
        result_.loss = options_.loss;
        for (std::int64_t repeat = 0; repeat < options_.repeats; ++repeat) {
            const std::vector<std::int64_t> fold_of = make_folds(options_, y_, repeat);
            const std::int64_t count = 1 + *std::max_element(fold_of.begin(), fold_of.end());
            const std::size_t first = result_.folds.size();
            result_.folds.resize(first + static_cast<std::size_t>(count));
            double total = 0;
            for (std::size_t i = 0; i < fold_of.size(); ++i) {
                cv_fold& fold = result_.folds[first + static_cast<std::size_t>(fold_of[i])];
                ++fold.rows;
                fold.weight += weights_[i];
                total += weights_[i];
            }
            for (std::int64_t f = 0; f < count; ++f) {
                cv_fold& fold = result_.folds[first + static_cast<std::size_t>(f)];
                fold.repeat = repeat;
                place_.push_back(f);
                if (!leaves_weight(fold_of, f))
                    throw invalid_input(
                        fmt::format("fold {} holds all rows of positive weight; nothing is left to fit", f));
            }
            result_.fold_of.insert(result_.fold_of.end(), fold_of.begin(), fold_of.end());
        }
    }

    bool leaves_weight(std::span<const std::int64_t> fold_of, std::int64_t fold) const
    {
        for (std::size_t i = 0; i < fold_of.size(); ++i)
            if (fold_of[i] != fold && weights_[i] > 0) return true;
        return false;
    }

    std::span<const std::int64_t> folds_of_repeat(std::int64_t repeat) const
    {
        const std::size_t n = y_.size();
        return std::span(result_.fold_of).subspan(static_cast<std::size_t>(repeat) * n, n);
    }

    void stop_if_cancelled() const
    {
        if (watch_.stopped()) throw cancelled("cross-validation was stopped; there is no partial result");
    }

    void add_curve(double alpha)
    {
        path_options path = options_.path;
        path.alpha = alpha;
        path.memory_limit = memory_limit_;
        path.on_progress = watch_.of_a_fit();
        if (options_.patience == 0)
            validate_whole_path(path);
        else
            validate_in_steps(path);
    }

    void validate_whole_path(path_options& path)
    {
        const work_shares work = shares();
        watch_.enter_stage(work.begin, work.one_fit, 1);
        path_result whole = fit_all_rows(path);
        std::optional<relaxed_path> relaxed;
        if (relaxes()) relaxed = relax_path(X_, y_, path, whole); // what finds no room does so before the folds
        path.lambda.clear();
        for (const path_point& point : whole.points) path.lambda.push_back(point.lambda);
        path.dfmax = path.pmax = 0; // the path has ended where it ends
        watch_.enter_stage(work.begin + work.one_fit, work.folds, result_.folds.size());
        const std::vector<fold_outcome> outcomes = fit_folds(path);
        take(curves_of(path, outcomes), std::move(whole), std::move(relaxed), outcomes);
    }

    /// The folds first, on more and more lambdas, then all rows on those that were needed.
    void validate_in_steps(path_options& path)
    {
        const work_shares work = shares();
        watch_.enter_stage(work.begin, 0, 1);
        const std::vector<double> lambdas = whole_grid(path);
        const std::size_t K = lambdas.size();
        const auto step = static_cast<std::size_t>(options_.patience);
        cv_curve curve;
        std::vector<fold_outcome> outcomes;
        for (std::size_t length = std::min(K, 2 * step), before = 0;; length = std::min(K, length + step)) {
            path.lambda.assign(lambdas.begin(), lambdas.begin() + static_cast<std::ptrdiff_t>(length));
            const double each = work.folds / static_cast<double>(K);
            watch_.enter_stage(work.begin + each * static_cast<double>(before),
                               each * static_cast<double>(length - before), result_.folds.size());
            outcomes = fit_folds(path);
            curve = curves_of(path, outcomes).front();
            if (length == K || curve.at_min + step < length) break;
            before = length;
            watch_.expect_more(static_cast<std::int64_t>(result_.folds.size()));
        }
        watch_.enter_stage(work.begin + work.folds, work.one_fit, 1);
        path_result whole = fit_all_rows(path);
        whole.lambdas_asked = static_cast<std::int64_t>(K);
        if (path.lambda.size() < K) {
            whole.ended_by = path_end::patience;
            whole.notes.push_back(fmt::format("the curve did not improve for {} lambdas: the path ends after {} of {}",
                                              options_.patience, path.lambda.size(), K));
        }
        take({std::move(curve)}, std::move(whole), {}, outcomes);
    }

    /// The part of an alpha in all the work, if every fit takes the same time.
    struct work_shares {
        double begin = 0;
        double one_fit = 0;
        double folds = 0;
    };
    work_shares shares() const
    {
        const double span = 1.0 / static_cast<double>(alphas_.size());
        const double one_fit = span / static_cast<double>(result_.folds.size() + 1);
        const std::size_t alphas_done = result_.curves.size() / gammas_.size();
        return {span * static_cast<double>(alphas_done), one_fit, span - one_fit};
    }

    path_result fit_all_rows(const path_options& path)
    {
        const auto fitting = steady::now();
        path_result whole = fit_path(X_, y_, path);
        watch_.count_done();
        result_.fit_s += seconds_since(fitting);
        stop_if_cancelled();
        if (!(whole.points.front().lambda > 0))
            throw invalid_input(fmt::format("there is no lambda to choose: {}",
                                            whole.notes.empty() ? "the path is the null model" : whole.notes.back()));
        return whole;
    }

    /// The lambdas that a fit on all rows would have, from a path of one.
    std::vector<double> whole_grid(path_options path)
    {
        if (!path.lambda.empty()) return path.lambda;
        const int length = std::exchange(path.n_lambda, 1);
        const path_result first = fit_all_rows(path);
        watch_.uncount();
        path.n_lambda = length;
        return path::lambda_grid(path, first.lambda_max, X_.rows(), X_.cols());
    }

    /// One for each gamma.
    std::vector<cv_curve> curves_of(const path_options& path, const std::vector<fold_outcome>& outcomes) const
    {
        std::vector<cv_curve> curves(gammas_.size());
        const auto K = static_cast<std::ptrdiff_t>(path.lambda.size());
        for (std::size_t g = 0; g < gammas_.size(); ++g) {
            cv_curve& curve = curves[g];
            curve.alpha = path.alpha;
            curve.gamma = gammas_[g];
            for (const double lambda : path.lambda) curve.points.emplace_back().lambda = lambda;
            for (const fold_outcome& each : outcomes) {
                const auto losses = each.losses.begin() + static_cast<std::ptrdiff_t>(g) * K;
                curve.fold_losses.insert(curve.fold_losses.end(), losses, losses + K);
                curve.fold_counted.insert(curve.fold_counted.end(), each.counted.begin(), each.counted.end());
            }
            finish_curve(options_.loss, result_.folds, curve);
        }
        return curves;
    }

    /// Adds the curves of an alpha to the result, and its fit where one of them is the best so far.
    void take(std::vector<cv_curve> curves, path_result whole, std::optional<relaxed_path> relaxed,
              const std::vector<fold_outcome>& outcomes)
    {
        for (std::size_t f = 0; f < outcomes.size(); ++f) {
            result_.folds[f].not_converged += outcomes[f].not_converged;
            if (!result_.curves.empty()) continue; // the same for every alpha and gamma
            constant_folds_ += outcomes[f].constant ? 1 : 0;
            unmeasured_folds_ += outcomes[f].without_measure ? 1 : 0;
        }
        bool improved = false;
        for (cv_curve& curve : curves) {
            for (std::size_t k = 0; k < whole.points.size(); ++k) curve.points[k].df = whole.points[k].df;
            result_.curves.push_back(std::move(curve));
            const cv_curve& added = result_.curves.back();
            const cv_curve& best = result_.curves[result_.best];
            if (result_.curves.size() > 1 &&
                !better(options_.loss, added.points[added.at_min].mean, best.points[best.at_min].mean))
                continue;
            result_.best = result_.curves.size() - 1;
            improved = true;
        }
        if (!improved) return;
        result_.relaxed = std::move(relaxed);
        result_.fit = std::move(whole);
        if (options_.predictions) result_.predictions = gather_predictions(outcomes);
    }

    std::vector<fold_outcome> fit_folds(const path_options& path)
    {
        const auto validating = steady::now();
        std::vector<fold_outcome> outcomes(result_.folds.size());
        const memory_plan plan = plan_memory(X_, path);
        side_by_side_ = std::min(path::fits_side_by_side(plan, threads_), static_cast<int>(outcomes.size()));
        fit_side_by_side(watch_, plan, threads_, static_cast<std::int64_t>(outcomes.size()),
                         static_cast<std::int64_t>(path.lambda.size()), [&](std::int64_t piece) {
                             const auto fold = static_cast<std::size_t>(piece);
                             outcomes[fold] = fit_fold(path, fold);
                         });
        result_.folds_s += seconds_since(validating);
        stop_if_cancelled();
        return outcomes;
    }

    fold_outcome fit_fold(path_options path, std::size_t f) const
    {
        const std::span<const std::int64_t> fold_of = folds_of_repeat(result_.folds[f].repeat);
        const held_out_rows held = rows_of_fold(fold_of, place_[f]);
        std::vector<double> training(weights_);
        for (const std::int64_t row : held.rows) training[static_cast<std::size_t>(row)] = 0;
        path.weights = training;
        const path_result fit = fit_path(X_, y_, path);

        const std::vector<double> predicted = predict_held_out(held, fit.coefficients, intercepts_of(fit.points));
        std::vector<double> relaxed;
        if (relaxes()) {
            path.memory_limit /= static_cast<std::uint64_t>(side_by_side_); // as many are relaxed at a time
            const relaxed_path of_supports = relax_path(X_, y_, path, fit);
            relaxed = predict_held_out(held, of_supports.coefficients, intercepts_of(of_supports.points));
        }
        const double null_value = path.intercept ? training_mean(training) : 0;
        fold_outcome outcome;
        for (const double gamma : gammas_)
            measure(fit,
                    sum_losses(options_.loss, held, blend_predictions(predicted, relaxed, gamma), fit.points.size(), y_,
                               path.offset, weights_, null_value),
                    outcome);
        if (options_.predictions) {
            outcome.predicted = predicted;
            outcome.relaxed = std::move(relaxed);
        }
        return outcome;
    }

    template <class Point>
    static std::vector<double> intercepts_of(const std::vector<Point>& points)
    {
        std::vector<double> intercepts;
        intercepts.reserve(points.size());
        for (const Point& point : points) intercepts.push_back(point.intercept);
        return intercepts;
    }

    /// |rows| × K, offset included.
    std::vector<double> predict_held_out(const held_out_rows& held, const sparse_columns& coefficients,
                                         const std::vector<double>& intercepts) const
    {
        std::vector<double> predicted = predict_rows(X_, held, coefficients, intercepts);
        const std::span<const double> offset = options_.path.offset;
        const std::size_t K = intercepts.size();
        for (std::size_t r = 0; !offset.empty() && r < held.rows.size(); ++r)
            for (std::size_t k = 0; k < K; ++k) predicted[r * K + k] += offset[static_cast<std::size_t>(held.rows[r])];
        return predicted;
    }

    /// Predictions blend as coefficients do.
    static std::vector<double> blend_predictions(const std::vector<double>& predicted,
                                                 const std::vector<double>& relaxed, double gamma)
    {
        if (relaxed.empty() || gamma == 1) return predicted;
        std::vector<double> blended(predicted.size());
        for (std::size_t i = 0; i < blended.size(); ++i) blended[i] = gamma * predicted[i] + (1 - gamma) * relaxed[i];
        return blended;
    }

    /// Weighted mean of y − offset.
    double training_mean(std::span<const double> training) const
    {
        const std::span<const double> offset = options_.path.offset;
        double weight = 0;
        double sum = 0;
        for (std::size_t i = 0; i < training.size(); ++i) {
            if (training[i] == 0) continue;
            weight += training[i];
            sum += training[i] * (y_[i] - (offset.empty() ? 0.0 : offset[i]));
        }
        return sum / weight;
    }

    /// Adds the losses of a gamma.
    void measure(const path_result& fit, const loss_sums& sums, fold_outcome& outcome) const
    {
        const std::size_t K = fit.points.size();
        const std::size_t first = outcome.losses.size();
        outcome.losses.resize(first + K, 0.0);
        outcome.counted.assign(K, 0);
        outcome.not_converged = 0;
        outcome.constant = fit.null_loss == 0;
        outcome.without_measure = sums.weight == 0 || (options_.loss == cv_loss::r2 && sums.null_square == 0);
        for (std::size_t k = 0; k < K; ++k) {
            const bool converged = fit.points[k].status == column_status::converged;
            outcome.not_converged += converged ? 0 : 1;
            if (!converged || outcome.without_measure) continue;
            const double loss = options_.loss == cv_loss::mae   ? sums.absolute[k] / sums.weight
                                : options_.loss == cv_loss::mse ? sums.square[k] / sums.weight
                                                                : 1 - sums.square[k] / sums.null_square;
            if (!std::isfinite(loss))
                throw invalid_input("y: squares of its held-out residuals overflow; divide it by a power of ten");
            outcome.losses[first + k] = loss;
            outcome.counted[k] = 1;
        }
    }

    /// n × K of the best curve, the mean over the repeats, in their order.
    std::vector<double> gather_predictions(const std::vector<fold_outcome>& outcomes) const
    {
        const std::size_t K = result_.curve().points.size();
        std::vector<double> all(y_.size() * K, 0.0);
        for (std::size_t f = 0; f < outcomes.size(); ++f) {
            const held_out_rows held = rows_of_fold(folds_of_repeat(result_.folds[f].repeat), place_[f]);
            const std::vector<double> predicted =
                blend_predictions(outcomes[f].predicted, outcomes[f].relaxed, result_.curve().gamma);
            for (std::size_t r = 0; r < held.rows.size(); ++r)
                for (std::size_t k = 0; k < K; ++k)
                    all[static_cast<std::size_t>(held.rows[r]) * K + k] +=
                        predicted[r * K + k] / static_cast<double>(options_.repeats);
        }
        return all;
    }

    void note_edges()
    {
        const cv_curve& curve = result_.curve();
        std::vector<std::string>& notes = result_.notes;
        if (curve.points[curve.at_min].folds == 0)
            notes.emplace_back("no fold has a loss at any lambda: lambda.min and lambda.1se mean nothing");
        else if (curve.points.size() > 1 && curve.at_min + 1 == curve.points.size())
            notes.emplace_back("lambda.min is the smallest lambda: smaller ones may predict better (lambda_min_ratio)");
        else if (curve.at_min == 0)
            notes.emplace_back("lambda.min is the largest lambda: no smaller penalty predicts better");
        if (alphas_.size() < 3) return;
        const auto [least, most] = std::minmax_element(alphas_.begin(), alphas_.end());
        if ((curve.alpha == *least && curve.alpha > 0) || (curve.alpha == *most && curve.alpha < 1))
            notes.push_back(fmt::format("the best alpha, {}, is at the edge of those compared", curve.alpha));
    }

    void note_folds()
    {
        std::vector<std::string>& notes = result_.notes;
        const std::size_t count = result_.folds.size();
        std::int64_t open = 0;
        for (const cv_fold& fold : result_.folds) open += fold.not_converged;
        if (open > 0)
            notes.push_back(
                fmt::format("{} fits of folds at single lambdas did not reach the tolerance and are left out "
                            "of the curve: where points have fewer folds than others, compare with care",
                            open));
        if (constant_folds_ > 0)
            notes.push_back(fmt::format(
                "{} of {} folds leave training rows that the null model fits exactly (y does not vary in them)",
                constant_folds_, count));
        if (unmeasured_folds_ > 0)
            notes.push_back(fmt::format(
                "{} of {} folds have no loss ({}) and are left out of the curve", unmeasured_folds_, count,
                options_.loss == cv_loss::r2 ? "no weight, or rows that do not vary" : "their rows have no weight"));
    }

    const matrix& X_;
    std::span<const double> y_;
    const cv_options& options_;
    std::vector<double> alphas_;
    std::vector<double> gammas_; // at least one: 1
    int threads_;
    int side_by_side_ = 1;            // folds
    std::vector<double> weights_;     // as given, not normalised
    std::vector<std::int64_t> place_; // of each fold within its repeat
    std::uint64_t memory_limit_ = 0;
    std::int64_t constant_folds_ = 0;
    std::int64_t unmeasured_folds_ = 0;
    path::fits_watch watch_{options_.path.on_progress, 0};
    cv_result result_;
};

} // namespace

} // namespace selection

cv_result fit_cv(const matrix& X, std::span<const double> y, const cv_options& options)
{
    try {
        return selection::cross_validation(X, y, options).run();
    } catch (const std::bad_alloc&) {
        throw out_of_memory("the system refused memory during cross-validation; leave out the predictions, set a lower "
                            "limit, or use fewer threads",
                            0, options.path.memory_limit);
    }
}

cv_result fit_cv(const matrix_view& X, std::span<const double> y, const cv_options& options)
{
    return fit_cv(matrix::from_view(X, options.path.threads), y, options);
}

} // namespace proxpath
