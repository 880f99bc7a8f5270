// Cross-validation: folds, curves, and that a fold's fit knows nothing of the rows held out. What the program makes of
// it stands in cv_command_test.cpp.

#include "tests/support/checks.hpp"

#include "host/selection/random_bits.hpp"

#include <proxpath/cv.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include <gmock/gmock.h>

namespace proxpath::test {
namespace {

using fold_ids = std::vector<std::int64_t>;

std::vector<std::int64_t> sizes_of(const fold_ids& folds, std::int64_t k)
{
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(k), 0);
    for (const std::int64_t fold : folds) ++sizes.at(static_cast<std::size_t>(fold));
    return sizes;
}

std::int64_t spread(const std::vector<std::int64_t>& sizes)
{
    return *std::max_element(sizes.begin(), sizes.end()) - *std::min_element(sizes.begin(), sizes.end());
}

/// A problem with a few awkward things less: what is asked of cross-validation needs lambdas and converged folds.
regression cv_problem(std::uint64_t seed)
{
    regression problem = random_regression(seed);
    while (problem.X.n < 6) problem = random_regression(seed += 100000);
    return problem;
}

cv_options options_of(const regression& problem, std::int64_t folds, std::uint64_t seed = 1)
{
    cv_options options;
    options.path = problem.options();
    options.folds = std::min(folds, problem.X.n);
    options.seed = seed;
    return options;
}

/// Share of the null loss by which the curves of two fits to gaps of 1e-10 may differ: fitted values of training rows
/// agree to 2 sqrt(2e-10) of y's deviation, 3e-5, those of held-out rows to some 30 times that where rows lie far from
/// the others, and a squared loss to twice as much.
constexpr double tight_gap = 1e-10;
constexpr double curve_accuracy = 2e-3;

/// Calls f(problem, seed) for random problems that have a path and folds that can be fitted.
template <class F>
void for_cv_problems(std::uint64_t first_seed, int count, const F& f)
{
    int tried = 0;
    for (std::uint64_t seed = first_seed; tried < count; ++seed) {
        regression problem = cv_problem(seed);
        if (!(problem.fit().points.front().lambda > 0)) continue;
        double weight = 0;
        for (const double each : problem.weights) weight += each > 0 ? 1 : 0;
        if (!problem.weights.empty() && weight < 6) continue;
        ++tried;
        SCOPED_TRACE(describe(problem, seed));
        f(problem, seed);
        if (testing::Test::HasFailure()) return;
    }
}

void expect_same_curves(const cv_result& a, const cv_result& b)
{
    ASSERT_EQ(a.curves.size(), b.curves.size());
    for (std::size_t c = 0; c < a.curves.size(); ++c) {
        EXPECT_EQ(a.curves[c].fold_losses, b.curves[c].fold_losses);
        EXPECT_EQ(a.curves[c].fold_counted, b.curves[c].fold_counted);
        EXPECT_EQ(a.curves[c].at_min, b.curves[c].at_min);
        EXPECT_EQ(a.curves[c].at_1se, b.curves[c].at_1se);
        for (std::size_t k = 0; k < a.curves[c].points.size(); ++k) {
            EXPECT_EQ(a.curves[c].points[k].mean, b.curves[c].points[k].mean);
            EXPECT_EQ(a.curves[c].points[k].standard_error, b.curves[c].points[k].standard_error);
        }
    }
    EXPECT_EQ(a.predictions, b.predictions);
    expect_same_bits(a.fit, b.fit);
}

TEST(Folds, SplitMixGivesThePublishedNumbers)
{
    // From state 1234567, as widely quoted for checking implementations.
    selection::random_bits bits = selection::random_bits::from_state(1234567);
    for (const std::uint64_t expected : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                         4593380528125082431U, 16408922859458223821U})
        EXPECT_EQ(bits.next(), expected);
}

TEST(Folds, TheSameSeedGivesTheseFoldsEverywhere)
{
    const std::vector<double> y{5, 3, 8, 1, 9, 2, 7, 4, 6, 0, 3, 3};
    cv_options options;
    options.folds = 4;
    options.seed = 42;
    options.repeats = 2;
    EXPECT_EQ(make_folds(options, y), (fold_ids{2, 0, 2, 1, 0, 2, 3, 3, 3, 0, 1, 1}));
    EXPECT_EQ(make_folds(options, y, 1), (fold_ids{2, 0, 1, 3, 1, 2, 3, 3, 2, 0, 1, 0}));
    options.kind = fold_kind::stratified;
    EXPECT_EQ(make_folds(options, y), (fold_ids{2, 3, 3, 1, 1, 0, 2, 0, 0, 3, 2, 1}));
}

TEST(Folds, AreEquallyLargeAndEveryRowIsHeldOutOnce)
{
    for (const std::int64_t n : {2, 3, 7, 10, 101, 1000})
        for (const std::int64_t k : {2, 3, 10, 101}) {
            if (k > n) continue;
            const std::vector<double> y(static_cast<std::size_t>(n), 1.0);
            cv_options options;
            options.folds = k;
            for (const fold_kind kind : {fold_kind::random, fold_kind::stratified, fold_kind::blocked}) {
                options.kind = kind;
                EXPECT_LE(spread(sizes_of(make_folds(options, y), k)), 1) << n << " rows, " << k << " folds";
            }
            options.kind = fold_kind::blocked;
            const fold_ids blocks = make_folds(options, y);
            EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end()));
        }
}

TEST(Folds, DependOnSeedAndRepeat)
{
    const std::vector<double> y(50, 0.0);
    cv_options options;
    options.repeats = 3;
    std::set<fold_ids> seen;
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        for (std::int64_t repeat = 0; repeat < 3; ++repeat) {
            options.seed = seed;
            seen.insert(make_folds(options, y, repeat));
        }
    EXPECT_EQ(seen.size(), 30U);
}

TEST(Folds, StratifiedOnesHaveTheSameClassesAndQuantiles)
{
    random_numbers random(3);
    for (int round = 0; round < 50; ++round) {
        const std::int64_t k = random.integer(2, 8);
        std::vector<double> y;
        for (int i = 0; i < 100; ++i) y.push_back(static_cast<double>(random.integer(0, 3)));
        cv_options options;
        options.kind = fold_kind::stratified;
        options.folds = k;
        options.seed = static_cast<std::uint64_t>(round);
        const fold_ids folds = make_folds(options, y);
        std::map<double, fold_ids> of_class;
        for (std::size_t i = 0; i < y.size(); ++i) of_class[y[i]].push_back(folds[i]);
        for (const auto& [value, members] : of_class) EXPECT_LE(spread(sizes_of(members, k)), 2) << "class " << value;
        // Every quantile: the first m rows in the order of y.
        std::vector<std::size_t> order(y.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::vector<double> distinct;
        for (int i = 0; i < 100; ++i) distinct.push_back(random.normal());
        const fold_ids of_distinct = make_folds(options, distinct);
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return distinct[a] < distinct[b]; });
        fold_ids first;
        for (const std::size_t row : order) {
            first.push_back(of_distinct[row]);
            EXPECT_LE(spread(sizes_of(first, k)), 1);
        }
    }
}

TEST(Folds, GroupsStayTogether)
{
    random_numbers random(4);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::int64_t> groups;
        for (int i = 0; i < 90; ++i) groups.push_back(random.integer(-5, 12));
        cv_options options;
        options.kind = fold_kind::grouped;
        options.groups = groups;
        options.folds = 4;
        options.seed = static_cast<std::uint64_t>(round);
        const fold_ids folds = make_folds(options, std::vector<double>(90, 0.0));
        std::map<std::int64_t, std::int64_t> fold_of_group;
        for (std::size_t i = 0; i < folds.size(); ++i)
            EXPECT_EQ(fold_of_group.emplace(groups[i], folds[i]).first->second, folds[i]);
        const auto sizes = sizes_of(folds, 4);
        EXPECT_GT(*std::min_element(sizes.begin(), sizes.end()), 0);
    }
}

TEST(Folds, GivenOnesAreNumberedInAscendingOrder)
{
    const std::vector<std::int64_t> ids{7, -1, 7, 3, 3};
    cv_options options;
    options.fold_ids = ids;
    EXPECT_EQ(make_folds(options, std::vector<double>(5, 0.0)), (fold_ids{2, 0, 2, 1, 1}));
}

TEST(Folds, WhatCannotBeDealtIsRefused)
{
    const std::vector<double> y(5, 0.0);
    const auto refusal = [&](const cv_options& options) -> std::string {
        try {
            make_folds(options, y);
        } catch (const invalid_input& problem) {
            return problem.what();
        }
        return "accepted";
    };
    const std::vector<std::int64_t> same(5, 4);
    const std::vector<std::int64_t> few(3, 1);
    cv_options options;
    options.folds = 6;
    EXPECT_EQ(refusal(options), "folds is 6; must be from 2 to 5, the number of rows");
    options.folds = 1;
    EXPECT_EQ(refusal(options), "folds is 1; must be from 2 to 5, the number of rows");
    options.folds = 2;
    options.repeats = 0;
    EXPECT_EQ(refusal(options), "repeats is 0; must be 1 or more");
    options.repeats = 2;
    options.kind = fold_kind::blocked;
    EXPECT_THAT(refusal(options), testing::HasSubstr("blocks are the same every time"));
    options.repeats = 1;
    options.kind = fold_kind::grouped;
    EXPECT_EQ(refusal(options), "groups has 0 numbers, but X has 5 rows");
    options.groups = same;
    EXPECT_THAT(refusal(options), testing::HasSubstr("1 of them for 2 folds"));
    options.groups = {};
    options.kind = fold_kind::random;
    options.fold_ids = few;
    EXPECT_EQ(refusal(options), "fold_ids has 3 numbers, but X has 5 rows");
    options.fold_ids = same;
    EXPECT_THAT(refusal(options), testing::HasSubstr("every row is in fold 4"));
}

/// The curve by plain loops: fits with weight 0 for held-out rows, losses row by row.
struct naive_curve {
    std::vector<double> mean, standard_error, losses, predictions;
};

naive_curve validate_naively(const regression& problem, const cv_result& result, cv_loss loss)
{
    const std::size_t K = result.curve().points.size();
    const auto n = static_cast<std::size_t>(problem.X.n);
    const std::size_t folds = result.folds.size();
    const std::vector<double> given = problem.weights.empty() ? std::vector<double>(n, 1.0) : problem.weights;
    naive_curve out;
    out.predictions.assign(n * K, 0.0);
    for (std::size_t f = 0; f < folds; ++f) {
        regression part = problem;
        part.weights = given;
        part.settings.lambda.clear();
        for (const cv_point& point : result.curve().points) part.settings.lambda.push_back(point.lambda);
        double mean = 0;
        double weight = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (result.fold_of[i] == static_cast<std::int64_t>(f)) part.weights[i] = 0;
            weight += part.weights[i];
            mean += part.weights[i] * (problem.y[i] - (problem.offset.empty() ? 0 : problem.offset[i]));
        }
        mean = problem.settings.intercept ? mean / weight : 0;
        const path_result fit = part.fit();
        for (std::size_t k = 0; k < K; ++k) {
            const std::vector<double> b = dense_coefficients(fit, k);
            double sum = 0;
            double null_sum = 0;
            double held = 0;
            for (std::size_t i = 0; i < n; ++i) {
                if (result.fold_of[i] != static_cast<std::int64_t>(f)) continue;
                const double offset = problem.offset.empty() ? 0 : problem.offset[i];
                double predicted = fit.points[k].intercept + offset;
                for (std::int64_t j = 0; j < problem.X.p; ++j)
                    predicted += problem.X.at(static_cast<std::int64_t>(i), j) * b[static_cast<std::size_t>(j)];
                out.predictions[i * K + k] = predicted;
                const double away = problem.y[i] - predicted;
                sum += given[i] * (loss == cv_loss::mae ? std::fabs(away) : away * away);
                null_sum += given[i] * std::pow(problem.y[i] - offset - mean, 2);
                held += given[i];
            }
            out.losses.push_back(held == 0 ? 0 : loss == cv_loss::r2 ? 1 - sum / null_sum : sum / held);
        }
    }
    for (std::size_t k = 0; k < K; ++k) {
        double weight = 0;
        double mean = 0;
        double square = 0;
        double used = 0;
        for (std::size_t f = 0; f < folds; ++f) {
            if (result.folds[f].weight == 0) continue;
            weight += result.folds[f].weight;
            mean += result.folds[f].weight * out.losses[f * K + k];
            ++used;
        }
        mean /= weight;
        for (std::size_t f = 0; f < folds; ++f)
            square += result.folds[f].weight * std::pow(out.losses[f * K + k] - mean, 2);
        out.mean.push_back(mean);
        out.standard_error.push_back(used > 1 ? std::sqrt(square / weight / (used - 1)) : 0);
    }
    return out;
}

TEST(CrossValidation, CurveIsThatOfPlainLoops)
{
    for_cv_problems(1, 60, [](const regression& problem, std::uint64_t seed) {
        for (const cv_loss loss : {cv_loss::mse, cv_loss::mae, cv_loss::r2}) {
            cv_options options = options_of(problem, 4, seed);
            options.loss = loss;
            const cv_result result = fit_cv(problem.X.view(), problem.y, options);
            const bool measured = std::all_of(result.curve().fold_counted.begin(), result.curve().fold_counted.end(),
                                              [](std::uint8_t counted) { return counted != 0; });
            if (!measured) continue; // of weight 0, or not converged: another test
            const naive_curve expected = validate_naively(problem, result, loss);
            const double unit = *std::max_element(expected.mean.begin(), expected.mean.end(),
                                                  [](double a, double b) { return std::fabs(a) < std::fabs(b); });
            for (std::size_t k = 0; k < expected.mean.size(); ++k) {
                EXPECT_NEAR(result.curve().points[k].mean, expected.mean[k], 1e-10 * std::fabs(unit));
                EXPECT_NEAR(result.curve().points[k].standard_error, expected.standard_error[k],
                            1e-9 * (std::fabs(unit) + expected.standard_error[k]));
                EXPECT_EQ(result.curve().points[k].folds, static_cast<std::int64_t>(result.folds.size()));
            }
            double largest = 1;
            for (const double value : expected.predictions) largest = std::max(largest, std::fabs(value));
            for (std::size_t i = 0; i < expected.predictions.size(); ++i)
                EXPECT_NEAR(result.predictions[i], expected.predictions[i], 1e-11 * largest);
        }
    });
}

TEST(CrossValidation, LambdaMinIsTheBestAndLambda1seTheLargestWithinOneStandardError)
{
    for_cv_problems(2001, 80, [](const regression& problem, std::uint64_t seed) {
        for (const cv_loss loss : {cv_loss::mse, cv_loss::r2}) {
            cv_options options = options_of(problem, 5, seed);
            options.loss = loss;
            const cv_result result = fit_cv(problem.X.view(), problem.y, options);
            const cv_curve& curve = result.curve();
            EXPECT_LE(curve.at_1se, curve.at_min);
            EXPECT_GE(result.lambda_1se(), result.lambda_min());
            const double sign = loss == cv_loss::r2 ? -1 : 1;
            const cv_point& best = curve.points[curve.at_min];
            for (std::size_t k = 0; k < curve.points.size(); ++k) {
                if (curve.points[k].folds == 0) continue;
                EXPECT_GE(sign * curve.points[k].mean, sign * best.mean);
                if (k < curve.at_min) {
                    EXPECT_GT(sign * curve.points[k].mean, sign * best.mean);
                }
                const bool within = sign * curve.points[k].mean <= sign * best.mean + best.standard_error;
                if (k < curve.at_1se) {
                    EXPECT_FALSE(within);
                }
                if (k == curve.at_1se) {
                    EXPECT_TRUE(within);
                }
            }
        }
    });
}

TEST(CrossValidation, AFoldIsTheFitOfItsTrainingRowsAloneWithinItsGap)
{
    for_cv_problems(4001, 60, [](regression& problem, std::uint64_t seed) {
        const path_result whole = problem.fit();
        problem.settings.lambda.clear();
        for (const path_point& point : whole.points) problem.settings.lambda.push_back(point.lambda);
        const fold_ids folds = make_folds(options_of(problem, 3, seed), problem.y);
        regression weighted = problem;
        regression alone = problem;
        if (weighted.weights.empty()) weighted.weights.assign(problem.y.size(), 1.0);
        std::vector<std::int64_t> rows;
        for (std::size_t i = 0; i < folds.size(); ++i)
            if (folds[i] == 0)
                weighted.weights[i] = 0;
            else
                rows.push_back(static_cast<std::int64_t>(i));
        alone.X = dense_matrix(static_cast<std::int64_t>(rows.size()), problem.X.p);
        alone.y.clear();
        alone.weights.clear();
        alone.offset.clear();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const auto from = static_cast<std::size_t>(rows[r]);
            for (std::int64_t j = 0; j < problem.X.p; ++j)
                alone.X.at(static_cast<std::int64_t>(r), j) = problem.X.at(rows[r], j);
            alone.y.push_back(problem.y[from]);
            alone.weights.push_back(weighted.weights[from]);
            if (!problem.offset.empty()) alone.offset.push_back(problem.offset[from]);
        }
        const path_result by_rows = alone.fit();
        const path_result by_weights = weighted.fit();
        EXPECT_NEAR(by_rows.null_loss, by_weights.null_loss, 1e-11 * by_rows.null_loss);
        EXPECT_EQ(by_rows.constant_features, by_weights.constant_features);
        const dense_reference reference(alone.X, alone.y, alone.options());
        expect_same_optimum(reference, by_rows, by_weights);
    });
}

TEST(CrossValidation, WhatStandsInHeldOutRowsDoesNotReachTheFitToTheLastBit)
{
    for_cv_problems(6001, 80, [](regression& problem, std::uint64_t seed) {
        const path_result whole = problem.fit();
        problem.settings.lambda.clear();
        for (const path_point& point : whole.points) problem.settings.lambda.push_back(point.lambda);
        const fold_ids folds = make_folds(options_of(problem, 3, seed), problem.y);
        if (problem.weights.empty()) problem.weights.assign(problem.y.size(), 1.0);
        random_numbers random(seed);
        const auto change_held_out = [&](double unit, bool keep_zeros) {
            regression other = problem;
            for (std::size_t i = 0; i < folds.size(); ++i) {
                if (folds[i] != 0) continue;
                problem.weights[i] = other.weights[i] = 0;
                other.y[i] = unit * random.normal();
                if (!other.offset.empty()) other.offset[i] = unit * random.normal();
                for (std::int64_t j = 0; j < other.X.p; ++j) {
                    double& x = other.X.at(static_cast<std::int64_t>(i), j);
                    x = keep_zeros && x == 0 ? 0 : unit * random.normal();
                }
            }
            return other;
        };
        for (const double unit : {1.0, 1e6, 1e150, 1e-170}) {
            SCOPED_TRACE(unit);
            const regression dense = change_held_out(unit, false);
            expect_same_bits(problem.fit(), dense.fit());
            // Stored without zeros: the places of numbers decide the order of sums, so they stay.
            const regression sparse = change_held_out(unit, true);
            const compressed_matrix<std::int32_t, double> before(problem.X, storage_order::csc);
            const compressed_matrix<std::int32_t, double> after(sparse.X, storage_order::csc);
            expect_same_bits(fit_path(before.view(), problem.y, problem.options()),
                             fit_path(after.view(), sparse.y, sparse.options()));
        }
    });
}

TEST(CrossValidation, NamesOfFoldsDoNotMatter)
{
    for_cv_problems(8001, 40, [](const regression& problem, std::uint64_t seed) {
        fold_ids folds = make_folds(options_of(problem, 4, seed), problem.y);
        cv_options options = options_of(problem, 4, seed);
        options.fold_ids = folds;
        const cv_result straight = fit_cv(problem.X.view(), problem.y, options);
        const std::size_t count = straight.folds.size();
        for (std::int64_t& fold : folds) fold = -fold; // the last one first
        options.fold_ids = folds;
        const cv_result reversed = fit_cv(problem.X.view(), problem.y, options);
        EXPECT_EQ(straight.predictions, reversed.predictions);
        const std::size_t K = straight.curve().points.size();
        for (std::size_t f = 0; f < count; ++f)
            for (std::size_t k = 0; k < K; ++k)
                EXPECT_EQ(straight.curve().fold_losses[f * K + k],
                          reversed.curve().fold_losses[(count - 1 - f) * K + k]);
        for (std::size_t k = 0; k < K; ++k)
            EXPECT_NEAR(straight.curve().points[k].mean, reversed.curve().points[k].mean,
                        1e-14 * std::fabs(straight.curve().points[k].mean));
    });
}

TEST(CrossValidation, TheNumberOfThreadsChangesNothing)
{
    for_cv_problems(10001, 15, [](const regression& problem, std::uint64_t seed) {
        cv_options options = options_of(problem, 5, seed);
        options.repeats = 2;
        options.alphas = {1, 0.5};
        options.path.threads = 1;
        const cv_result alone = fit_cv(problem.X.view(), problem.y, options);
        for (const int threads : {2, 7}) {
            options.path.threads = threads;
            expect_same_curves(alone, fit_cv(problem.X.view(), problem.y, options));
        }
    });
}

TEST(CrossValidation, TheBestAlphaIsThatOfTheBestCurveOnTheSameFolds)
{
    for_cv_problems(12001, 25, [](const regression& problem, std::uint64_t seed) {
        cv_options options = options_of(problem, 4, seed);
        options.alphas = {1, 0.2, 0.6};
        const cv_result together = fit_cv(problem.X.view(), problem.y, options);
        ASSERT_EQ(together.curves.size(), 3U);
        double best = infinity;
        for (std::size_t c = 0; c < 3; ++c) {
            cv_options single = options;
            single.alphas = {options.alphas[c]};
            const cv_result one = fit_cv(problem.X.view(), problem.y, single);
            EXPECT_EQ(one.curve().fold_losses, together.curves[c].fold_losses);
            best = std::min(best, one.curve().points[one.curve().at_min].mean);
            if (c == together.best) {
                EXPECT_EQ(one.predictions, together.predictions);
                expect_same_bits(one.fit, together.fit);
            }
        }
        EXPECT_EQ(together.curve().points[together.curve().at_min].mean, best);
    });
}

TEST(CrossValidation, RepeatsAreTheMeanOfSingleOnes)
{
    for_cv_problems(14001, 15, [](const regression& problem, std::uint64_t seed) {
        cv_options options = options_of(problem, 3, seed);
        options.repeats = 3;
        const cv_result all = fit_cv(problem.X.view(), problem.y, options);
        const std::size_t K = all.curve().points.size();
        std::vector<double> mean(K, 0.0);
        std::vector<double> standard_error(K, 0.0);
        std::vector<double> predictions(all.predictions.size(), 0.0);
        for (std::int64_t repeat = 0; repeat < 3; ++repeat) {
            const fold_ids folds = make_folds(options, problem.y, repeat);
            cv_options single = options;
            single.repeats = 1;
            single.fold_ids = folds;
            const cv_result one = fit_cv(problem.X.view(), problem.y, single);
            for (std::size_t k = 0; k < K; ++k) {
                mean[k] += one.curve().points[k].mean / 3;
                standard_error[k] += one.curve().points[k].standard_error / 3;
            }
            for (std::size_t i = 0; i < predictions.size(); ++i) predictions[i] += one.predictions[i] / 3;
        }
        for (std::size_t k = 0; k < K; ++k) {
            EXPECT_NEAR(all.curve().points[k].mean, mean[k], 1e-13 * mean[k]);
            EXPECT_NEAR(all.curve().points[k].standard_error, standard_error[k], 1e-12 * (mean[k] + standard_error[k]));
        }
        for (std::size_t i = 0; i < predictions.size(); ++i)
            EXPECT_NEAR(all.predictions[i], predictions[i], 1e-12 * (1 + std::fabs(predictions[i])));
    });
}

TEST(CrossValidation, RowsOfWeightTwoAreRowsTwiceInTheSameFold)
{
    for_cv_problems(16001, 25, [](regression& problem, std::uint64_t seed) {
        problem.weights.assign(problem.y.size(), 1.0);
        problem.settings.tol = tight_gap;
        const path_result whole = problem.fit();
        fold_ids folds = make_folds(options_of(problem, 3, seed), problem.y);
        regression doubled = problem;
        doubled.X = dense_matrix(problem.X.n + 1, problem.X.p);
        for (std::int64_t j = 0; j < problem.X.p; ++j)
            for (std::int64_t i = 0; i <= problem.X.n; ++i) doubled.X.at(i, j) = problem.X.at(i % problem.X.n, j);
        doubled.y.push_back(problem.y[0]);
        if (!doubled.offset.empty()) doubled.offset.push_back(problem.offset[0]);
        doubled.weights.clear();
        problem.weights[0] = 2;

        problem.settings.lambda.clear();
        for (const path_point& point : whole.points) problem.settings.lambda.push_back(point.lambda);
        doubled.settings.lambda = problem.settings.lambda;
        cv_options options = options_of(problem, 3, seed);
        options.fold_ids = folds;
        const cv_result by_weight = fit_cv(problem.X.view(), problem.y, options);
        fold_ids more = folds;
        more.push_back(folds[0]);
        cv_options other = options_of(doubled, 3, seed);
        other.fold_ids = more;
        const cv_result by_row = fit_cv(doubled.X.view(), doubled.y, other);
        if (!by_weight.all_converged() || !by_row.all_converged()) return;
        const double unit = by_weight.fit.null_loss;
        for (std::size_t k = 0; k < problem.settings.lambda.size(); ++k)
            EXPECT_NEAR(by_weight.curve().points[k].mean, by_row.curve().points[k].mean,
                        curve_accuracy * (unit + by_weight.curve().points[k].mean));
        for (std::size_t f = 0; f < by_weight.folds.size(); ++f)
            EXPECT_EQ(by_weight.folds[f].weight, by_row.folds[f].weight);
    });
}

TEST(CrossValidation, FoldsThatDoNotConvergeAreLeftOutAndSaid)
{
    regression problem = cv_problem(5);
    problem.settings.solver = solver_kind::ista;
    problem.settings.max_iterations = 1;
    problem.settings.tol = 1e-12;
    const cv_result result = fit_cv(problem.X.view(), problem.y, options_of(problem, 3));
    EXPECT_FALSE(result.all_converged());
    const cv_curve& curve = result.curve();
    std::int64_t open = 0;
    for (const cv_fold& fold : result.folds) open += fold.not_converged;
    EXPECT_EQ(open, std::count(curve.fold_counted.begin(), curve.fold_counted.end(), std::uint8_t{0}));
    ASSERT_GT(open, 0);
    EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("did not reach the tolerance")));
    for (const cv_point& point : curve.points) {
        EXPECT_LT(point.folds, 4);
        if (point.folds == 0) {
            EXPECT_EQ(point.mean, 0);
        }
    }
}

TEST(CrossValidation, FoldsWithoutWeightOrVariationAreSaid)
{
    regression problem = cv_problem(1);
    problem = regression{};
    random_numbers random(8);
    problem.X = random_matrix(random, 12, 3, 1.0);
    for (int i = 0; i < 12; ++i) problem.y.push_back(i < 4 ? random.normal() : 1.0);
    const fold_ids folds{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2};
    problem.weights = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    cv_options options = options_of(problem, 3);
    options.fold_ids = folds;
    const cv_result result = fit_cv(problem.X.view(), problem.y, options);
    // Fold 0 leaves y = 1 alone; fold 2 has no weight.
    EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("1 of 3 folds leave training rows")));
    EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("1 of 3 folds have no loss")));
    for (const cv_point& point : result.curve().points) EXPECT_EQ(point.folds, 2);
    problem.weights = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0};
    problem.y[5] = 2;
    options.path.weights = problem.weights;
    EXPECT_THROW(fit_cv(problem.X.view(), problem.y, options), invalid_input) << "fold 1 is all there is";
}

TEST(CrossValidation, EdgesOfTheGridAreSaid)
{
    random_numbers random(9);
    regression problem;
    problem.X = random_matrix(random, 60, 3, 1.0);
    for (int i = 0; i < 60; ++i) problem.y.push_back(3 * problem.X.at(i, 0) + 0.1 * random.normal());
    problem.settings.lambda_min_ratio = 0.5;
    problem.settings.n_lambda = 5;
    EXPECT_THAT(fit_cv(problem.X.view(), problem.y, options_of(problem, 5)).notes,
                testing::Contains(testing::HasSubstr("lambda.min is the smallest lambda")));
    for (double& value : problem.y) value = random.normal();
    problem.settings.lambda_min_ratio.reset();
    const cv_result noise = fit_cv(problem.X.view(), problem.y, options_of(problem, 5));
    if (noise.curve().at_min == 0) {
        EXPECT_THAT(noise.notes, testing::Contains(testing::HasSubstr("lambda.min is the largest lambda")));
    }
}

TEST(CrossValidation, CanBeStoppedAndReportsItsProgressFromTheCallingThreadAlone)
{
    regression problem = cv_problem(12);
    cv_options options = options_of(problem, 5);
    options.path.threads = 3;
    double furthest = 0;
    std::int64_t calls = 0;
    const auto caller = std::this_thread::get_id();
    options.path.on_progress = [&](const progress& now) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        EXPECT_GE(now.fraction, furthest);
        EXPECT_LE(now.fraction, 1);
        EXPECT_EQ(now.fits_total, 6);
        furthest = now.fraction;
        ++calls;
        return true;
    };
    const cv_result whole = fit_cv(problem.X.view(), problem.y, options);
    EXPECT_GT(calls, 1);
    // In steps and for several alphas, too, it only moves forward.
    furthest = 0;
    options.alphas = {1, 0.5};
    options.patience = 2;
    options.path.on_progress = [&](const progress& now) {
        EXPECT_GE(now.fraction, furthest);
        furthest = now.fraction;
        return true;
    };
    (void)fit_cv(problem.X.view(), problem.y, options);
    EXPECT_GT(furthest, 0.5);
    options.alphas.clear();
    options.patience = 0;
    // As soon as it is asked after the fit on all rows, however the folds are shared among threads.
    std::int64_t asked_again = 0;
    options.path.on_progress = [&](const progress& now) {
        asked_again += now.fits_done > 0 ? 1 : 0;
        return now.fits_done == 0;
    };
    EXPECT_THROW(fit_cv(problem.X.view(), problem.y, options), cancelled);
    EXPECT_GE(asked_again, 1);
    options.path.on_progress = {};
    expect_same_curves(whole, fit_cv(problem.X.view(), problem.y, options));
}

TEST(CrossValidation, PatienceEndsTheCurveWhereItsBestPointLiesBackAndIsTheSameBeforeThat)
{
    int ended = 0;
    for_cv_problems(18001, 40, [&](regression& problem, std::uint64_t seed) {
        problem.settings.n_lambda = 30;
        problem.settings.lambda_min_ratio = 1e-3;
        problem.settings.tol = tight_gap;
        cv_options options = options_of(problem, 4, seed);
        const cv_result whole = fit_cv(problem.X.view(), problem.y, options);
        options.patience = 4;
        const cv_result part = fit_cv(problem.X.view(), problem.y, options);
        const cv_curve& curve = part.curve();
        const std::size_t m = curve.points.size();
        EXPECT_EQ(part.fit.points.size(), m);
        EXPECT_EQ(part.fit.lambdas_asked, 30);
        if (m < 30) {
            ++ended;
            EXPECT_EQ(m % 4, 0U);
            EXPECT_LT(curve.at_min + 4, m);
            EXPECT_EQ(part.fit.ended_by, path_end::patience);
        } else {
            EXPECT_EQ(part.fit.ended_by, path_end::whole);
        }
        for (std::size_t k = 0; k < m; ++k) {
            EXPECT_EQ(curve.points[k].lambda, whole.curve().points[k].lambda);
            // Other lambdas beside it: another point within the same gap.
            if (curve.points[k].folds == whole.curve().points[k].folds) {
                EXPECT_NEAR(curve.points[k].mean, whole.curve().points[k].mean,
                            curve_accuracy * (whole.fit.null_loss + whole.curve().points[k].mean));
            }
        }
    });
    EXPECT_GT(ended, 10);
    regression problem = cv_problem(3);
    cv_options options = options_of(problem, 3);
    options.patience = 5;
    options.path.dfmax = 3;
    EXPECT_THROW(fit_cv(problem.X.view(), problem.y, options), invalid_input);
}

TEST(CrossValidation, NothingToChooseIsRefusedInWords)
{
    regression problem = cv_problem(3);
    std::fill(problem.y.begin(), problem.y.end(), 2.0);
    problem.offset.clear();
    problem.settings.intercept = true;
    EXPECT_THROW(fit_cv(problem.X.view(), problem.y, options_of(problem, 3)), invalid_input);
}

TEST(CrossValidation, ALowMemoryLimitMakesFoldsTakeTurnsAndChangesNothing)
{
    regression problem = cv_problem(21);
    cv_options options = options_of(problem, 4);
    options.path.threads = 2;
    options.path.memory_limit = plan_memory(matrix::from_view(problem.X.view()), problem.options()).total() + (1 << 20);
    const cv_result two = fit_cv(problem.X.view(), problem.y, options);
    options.path.threads = 1;
    expect_same_curves(two, fit_cv(problem.X.view(), problem.y, options));
}

} // namespace
} // namespace proxpath::test
