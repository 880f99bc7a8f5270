// The bootstrap: resamples that are what they are called, spreads that plain loops over separate fits find too,
// intervals that cover a known truth, and the program around it.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/checks.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/values.hpp"
#include "host/selection/resamples.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace proxpath::test {
namespace {

using cli_test::call;
using cli_test::outcome;
using io_test::slurp;
using io_test::spill;
using selection::draw_resample;
using testing::Contains;
using testing::HasSubstr;

constexpr auto pairs = bootstrap_kind::pairs;
constexpr auto bayesian = bootstrap_kind::bayesian;

std::vector<double> equal_weights(std::size_t n) { return std::vector<double>(n, 1.0); }

TEST(Resamples, AreAsManyDrawsAsRowsOfPositiveWeight)
{
    std::vector<double> weights = equal_weights(21);
    weights[4] = 0;
    weights[7] = 2.5;
    weights[20] = 0;
    for (std::int64_t r = 0; r < 50; ++r) {
        const std::vector<double> drawn = draw_resample(weights, pairs, 3, r);
        double draws = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] == 0) {
                EXPECT_EQ(drawn[i], 0.0) << "row " << i;
                continue;
            }
            const double times = drawn[i] / weights[i];
            EXPECT_EQ(times, std::round(times)) << "row " << i;
            draws += times;
        }
        EXPECT_EQ(draws, 19);
    }
}

TEST(Resamples, AreThoseOfTheirSeedAndNumber)
{
    for (const bootstrap_kind kind : {pairs, bayesian}) {
        const std::vector<double> weights = equal_weights(40);
        EXPECT_EQ(draw_resample(weights, kind, 1, 5), draw_resample(weights, kind, 1, 5));
        EXPECT_NE(draw_resample(weights, kind, 1, 5), draw_resample(weights, kind, 1, 6));
        EXPECT_NE(draw_resample(weights, kind, 1, 5), draw_resample(weights, kind, 2, 5));
    }
}

TEST(Resamples, DrawEveryRowAboutAsOften)
{
    constexpr int resamples = 2000;
    std::vector<double> drawn(11, 0.0);
    double left_out = 0;
    for (std::int64_t r = 0; r < resamples; ++r) {
        const std::vector<double> one = draw_resample(equal_weights(11), pairs, 1, r);
        for (std::size_t i = 0; i < 11; ++i) drawn[i] += one[i];
        left_out += static_cast<double>(std::count(one.begin(), one.end(), 0.0));
    }
    // Binomial of 22,000 draws with 1/11: 2000 ± 42.6.
    for (const double times : drawn) EXPECT_NEAR(times, resamples, 5 * 42.6);
    // (10/11)^11 of the rows are in no draw, and the numbers of different rows are nearly independent.
    const double share = std::pow(10.0 / 11, 11);
    EXPECT_NEAR(left_out / (11.0 * resamples), share, 5 * std::sqrt(share * (1 - share) / (11.0 * resamples)));
}

/// A standard exponential variate has mean 1, variance 1 and fourth central moment 9.
TEST(Resamples, BayesianWeightsHaveMeanAndVarianceOne)
{
    constexpr double count = 200 * 1000;
    double sum = 0;
    double square = 0;
    for (std::int64_t r = 0; r < 200; ++r)
        for (const double weight : draw_resample(equal_weights(1000), bayesian, 7, r)) {
            EXPECT_GE(weight, 0.0);
            sum += weight;
            square += (weight - 1) * (weight - 1);
        }
    EXPECT_NEAR(sum / count, 1, 5 / std::sqrt(count));
    EXPECT_NEAR(square / count, 1, 5 * std::sqrt(8 / count));
}

TEST(Resamples, BayesianWeightsMultiplyThoseOfTheRows)
{
    std::vector<double> weights = equal_weights(6);
    const std::vector<double> plain = draw_resample(weights, bayesian, 2, 9);
    weights[5] = 3; // the last one: those before it keep their variates
    const std::vector<double> heavier = draw_resample(weights, bayesian, 2, 9);
    const double scale = heavier[0] / plain[0]; // their sum is that of the rows' weights
    for (std::size_t i = 0; i < 5; ++i) EXPECT_DOUBLE_EQ(heavier[i], scale * plain[i]);
    EXPECT_DOUBLE_EQ(heavier[5], 3 * scale * plain[5]);
    EXPECT_DOUBLE_EQ(std::accumulate(plain.begin(), plain.end(), 0.0), 6);
    EXPECT_DOUBLE_EQ(std::accumulate(heavier.begin(), heavier.end(), 0.0), 8);
    weights[5] = 0;
    EXPECT_EQ(draw_resample(weights, bayesian, 2, 9)[5], 0.0);
}

TEST(Spread, CountsResamplesInWhichANumberIsZero)
{
    std::vector<double> values{-2, 3, 1};
    const bootstrap_spread half = selection::spread_of(values, 5, 0.5); // of −2, 0, 0, 1, 3
    EXPECT_DOUBLE_EQ(half.mean, 0.4);
    EXPECT_DOUBLE_EQ(half.standard_deviation, std::sqrt((14 - 5 * 0.16) / 4));
    EXPECT_DOUBLE_EQ(half.lower, 0.0);
    EXPECT_DOUBLE_EQ(half.upper, 1.0);
    const bootstrap_spread most = selection::spread_of(values, 5, 0.9); // places 0.2 and 3.8
    EXPECT_DOUBLE_EQ(most.lower, -1.6);
    EXPECT_DOUBLE_EQ(most.upper, 2.6);
    const bootstrap_spread none = selection::spread_of({}, 5, 0.9);
    EXPECT_EQ(none.standard_deviation, 0.0);
    EXPECT_EQ(none.upper, 0.0);
}

/// n rows of noise in which the first `signals` of p features matter.
regression drawn_problem(std::uint64_t seed, std::int64_t n, std::int64_t p, std::int64_t signals)
{
    random_numbers random(seed);
    regression problem;
    problem.X = dense_matrix(n, p);
    for (double& value : problem.X.values) value = random.chance(0.7) ? random.normal() : 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        double y = 0.5 + random.normal();
        for (std::int64_t j = 0; j < signals; ++j) y += 2 * problem.X.at(i, j);
        problem.y.push_back(y);
    }
    problem.settings.lambda = {0.4, 0.15};
    return problem;
}

/// The same with weights, an offset, factors and bounds.
regression awkward_problem(std::uint64_t seed, double alpha)
{
    regression problem = drawn_problem(seed, 41, 15, 2);
    random_numbers random(8);
    for (int i = 0; i < 41; ++i) problem.weights.push_back(static_cast<double>(random.integer(0, 2)));
    for (int i = 0; i < 41; ++i) problem.offset.push_back(random.normal());
    problem.penalty_factors.assign(15, 1.0);
    problem.penalty_factors[3] = 0;
    problem.penalty_factors[5] = infinity;
    problem.settings.alpha = alpha;
    return problem;
}

bootstrap_result resample(const regression& problem, bootstrap_options options)
{
    options.path = problem.options();
    return fit_bootstrap(problem.X.view(), problem.y, options);
}

/// The fit of a resample, by itself.
path_result fit_alone(regression problem, const bootstrap_options& options, std::int64_t r)
{
    if (problem.weights.empty()) problem.weights = equal_weights(problem.y.size());
    problem.weights = draw_resample(problem.weights, options.kind, options.seed, r);
    return problem.fit();
}

/// By its definition, from all values, zeros included.
double naive_quantile(std::vector<double> values, double share)
{
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto before = static_cast<std::size_t>(place);
    if (before + 1 == values.size()) return values[before];
    const double between = place - static_cast<double>(before);
    return (1 - between) * values[before] + between * values[before + 1];
}

void expect_spread_of(const std::vector<double>& values, double confidence, const bootstrap_spread& spread,
                      double accuracy)
{
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double square = 0;
    for (const double value : values) square += (value - mean) * (value - mean);
    EXPECT_NEAR(spread.mean, mean, accuracy);
    EXPECT_NEAR(spread.standard_deviation, std::sqrt(square / (count - 1)), accuracy);
    EXPECT_NEAR(spread.lower, naive_quantile(values, (1 - confidence) / 2), accuracy);
    EXPECT_NEAR(spread.upper, naive_quantile(values, (1 + confidence) / 2), accuracy);
}

/// What the result says of a feature; all zeros where it is absent.
bootstrap_coefficient coefficient_at(const bootstrap_result& result, std::int64_t feature, std::size_t k)
{
    for (const bootstrap_coefficient& each : result.at(k))
        if (each.feature == feature) return each;
    return {};
}

/// Every number of a result, from one fit after the other.
/// @param accuracy of coefficients
void expect_what_separate_fits_say(const regression& problem, const bootstrap_options& options, double accuracy)
{
    const bootstrap_result result = resample(problem, options);
    const auto p = static_cast<std::size_t>(problem.X.p);
    const auto B = static_cast<std::size_t>(options.resamples);
    expect_same_bits(result.fit, problem.fit());
    ASSERT_EQ(result.lambda, problem.settings.lambda);
    EXPECT_EQ(result.not_converged, 0);
    std::vector<path_result> fits;
    for (std::size_t r = 0; r < B; ++r) fits.push_back(fit_alone(problem, options, static_cast<std::int64_t>(r)));
    for (std::size_t k = 0; k < result.lambda.size(); ++k) {
        SCOPED_TRACE(testing::Message() << "lambda " << result.lambda[k]);
        std::vector<std::vector<double>> values(p);
        std::vector<double> intercepts;
        for (const path_result& fit : fits) {
            const std::vector<double> b = dense_coefficients(fit, k);
            for (std::size_t j = 0; j < p; ++j) values[j].push_back(b[j]);
            intercepts.push_back(fit.points[k].intercept);
        }
        expect_spread_of(intercepts, options.confidence, result.intercept[k], accuracy);
        const std::vector<double> estimate = dense_coefficients(result.fit, k);
        std::size_t present = 0;
        for (std::size_t j = 0; j < p; ++j) {
            SCOPED_TRACE(testing::Message() << "feature " << j);
            const auto zeros = static_cast<std::size_t>(std::count(values[j].begin(), values[j].end(), 0.0));
            const auto positive = static_cast<double>(
                std::count_if(values[j].begin(), values[j].end(), [](double value) { return value > 0; }));
            const bootstrap_coefficient made = coefficient_at(result, static_cast<std::int64_t>(j), k);
            EXPECT_EQ(made.estimate, estimate[j]);
            EXPECT_DOUBLE_EQ(made.frequency, static_cast<double>(B - zeros) / static_cast<double>(B));
            EXPECT_DOUBLE_EQ(made.positive, positive / static_cast<double>(B));
            expect_spread_of(values[j], options.confidence, made.spread, accuracy);
            present += zeros < B || estimate[j] != 0 ? 1 : 0;
        }
        EXPECT_EQ(result.at(k).size(), present);
        EXPECT_TRUE(std::is_sorted(result.at(k).begin(), result.at(k).end(),
                                   [](const auto& a, const auto& b) { return a.feature < b.feature; }));
    }
}

TEST(Bootstrap, SaysWhatSeparateFitsOfItsResamplesSay)
{
    bootstrap_options options;
    options.resamples = 25;
    options.confidence = 0.8;
    for (const bootstrap_kind kind : {pairs, bayesian}) {
        options.kind = kind;
        // Of several lambdas the fits have the same bits; what remains is rounding of sums and of interpolation.
        constexpr double rounding = 1e-12;
        expect_what_separate_fits_say(drawn_problem(4, 41, 15, 2), options, rounding);
        expect_what_separate_fits_say(awkward_problem(5, 0.7), options, rounding);
        expect_what_separate_fits_say(awkward_problem(6, 0), options, rounding);
    }
}

/// Those of a single lambda begin at the solution of all rows instead of 0, and end elsewhere within the gap.
TEST(Bootstrap, SaysWhatSeparateFitsAtASingleLambdaSay)
{
    bootstrap_options options;
    options.resamples = 25;
    for (const bootstrap_kind kind : {pairs, bayesian})
        for (const bool wide : {false, true}) {
            options.kind = kind;
            regression problem = wide ? drawn_problem(7, 30, 80, 2) : awkward_problem(5, 0.7);
            problem.settings.lambda = {0.3};
            problem.settings.intercept = !wide;
            problem.settings.tol = 1e-13;
            // Fitted values differ by √(2 gap) of each fit, √(2e-13 P(0)) with P(0) near 5; coefficients by that over
            // the smallest singular value of the columns in use, which is above 0.1.
            expect_what_separate_fits_say(problem, options, 2e-5);
        }
}

/// A weight of 2 is a row that is there twice.
TEST(Bootstrap, FitsTheRowsAsOftenAsTheyWereDrawn)
{
    const regression problem = drawn_problem(12, 30, 10, 2);
    const bootstrap_options options;
    for (std::int64_t r = 0; r < 5; ++r) {
        const std::vector<double> drawn = draw_resample(equal_weights(30), pairs, options.seed, r);
        regression repeated = problem;
        repeated.y.clear();
        repeated.X = dense_matrix(30, 10);
        for (std::size_t i = 0; i < 30; ++i)
            for (int time = 0; time < static_cast<int>(drawn[i]); ++time) {
                for (std::int64_t j = 0; j < 10; ++j)
                    repeated.X.at(static_cast<std::int64_t>(repeated.y.size()), j) =
                        problem.X.at(static_cast<std::int64_t>(i), j);
                repeated.y.push_back(problem.y[i]);
            }
        ASSERT_EQ(repeated.y.size(), 30U);
        const dense_reference reference(repeated.X, repeated.y, repeated.options());
        const path_result weighted = fit_alone(problem, options, r);
        expect_gaps_hold(reference, weighted);
        expect_same_optimum(reference, weighted, repeated.fit());
    }
}

void expect_same_spreads(const bootstrap_result& a, const bootstrap_result& b)
{
    const auto same = [](const bootstrap_spread& one, const bootstrap_spread& other) {
        return one.mean == other.mean && one.standard_deviation == other.standard_deviation &&
               one.lower == other.lower && one.upper == other.upper;
    };
    ASSERT_EQ(a.offsets, b.offsets);
    for (std::size_t k = 0; k < a.intercept.size(); ++k) EXPECT_TRUE(same(a.intercept[k], b.intercept[k]));
    for (std::size_t e = 0; e < a.coefficients.size(); ++e) {
        EXPECT_EQ(a.coefficients[e].feature, b.coefficients[e].feature);
        EXPECT_EQ(a.coefficients[e].frequency, b.coefficients[e].frequency);
        EXPECT_EQ(a.coefficients[e].positive, b.coefficients[e].positive);
        EXPECT_TRUE(same(a.coefficients[e].spread, b.coefficients[e].spread));
    }
}

TEST(Bootstrap, HasTheSameBitsForAnyNumberOfThreads)
{
    for (const double alpha : {1.0, 0.0}) {
        regression problem = drawn_problem(9, 60, 700, 2); // more features than one thread sums up at a time
        problem.settings.alpha = alpha;
        problem.settings.memory_limit = std::uint64_t{1} << 30;
        bootstrap_options options;
        options.resamples = 12;
        problem.settings.threads = 1;
        const bootstrap_result one = resample(problem, options);
        for (const int threads : {2, 5}) {
            problem.settings.threads = threads;
            const bootstrap_result many = resample(problem, options);
            expect_same_spreads(one, many);
            expect_same_bits(one.fit, many.fit);
        }
        options.seed = 2;
        EXPECT_NE(resample(problem, options).intercept.front().mean, one.intercept.front().mean);
    }
}

TEST(Bootstrap, LooksAtNoRowOfWeightZero)
{
    regression problem = drawn_problem(3, 40, 8, 2);
    problem.weights = equal_weights(40);
    problem.weights[11] = problem.weights[30] = 0;
    for (const bootstrap_kind kind : {pairs, bayesian}) {
        bootstrap_options options;
        options.kind = kind;
        options.resamples = 30;
        const bootstrap_result clean = resample(problem, options);
        regression spoilt = problem;
        spoilt.y[11] = 1e6;
        spoilt.X.at(30, 0) = 100;
        expect_same_spreads(clean, resample(spoilt, options));
    }
}

TEST(Bootstrap, TakesTheGridOfAllRowsWhereNoLambdasAreGiven)
{
    regression problem = drawn_problem(3, 40, 8, 2);
    problem.settings.lambda.clear();
    problem.settings.n_lambda = 7;
    bootstrap_options options;
    options.resamples = 10;
    const bootstrap_result result = resample(problem, options);
    ASSERT_EQ(result.lambda.size(), 7U);
    EXPECT_EQ(result.lambda.front(), result.fit.lambda_max);
    EXPECT_TRUE(result.fit.points.front().df == 0);
    problem.settings.lambda = result.lambda;
    expect_same_spreads(result, resample(problem, options));
}

TEST(Bootstrap, SelectsEveryFeatureOfARidge)
{
    regression problem = drawn_problem(3, 40, 8, 2);
    problem.settings.alpha = 0;
    bootstrap_options options;
    options.resamples = 10;
    const bootstrap_result result = resample(problem, options);
    for (std::size_t k = 0; k < 2; ++k) {
        ASSERT_EQ(result.at(k).size(), 8U);
        for (const bootstrap_coefficient& each : result.at(k)) EXPECT_EQ(each.frequency, 1.0);
    }
}

/// Of a coefficient that is not penalised, where the percentile interval is known to be right up to O(1/n): the share
/// of trials whose interval holds the truth, and what the bootstrap takes for its standard error, σ/√n here.
TEST(Bootstrap, IntervalsOfAnUnpenalisedCoefficientCoverTheTruth)
{
    constexpr int trials = 200;
    constexpr std::int64_t n = 60;
    for (const bootstrap_kind kind : {pairs, bayesian}) {
        int covered = 0;
        double standard_deviation = 0;
        for (int trial = 0; trial < trials; ++trial) {
            random_numbers random(static_cast<std::uint64_t>(trial) + 1000);
            regression problem;
            problem.X = dense_matrix(n, 2);
            for (double& value : problem.X.values) value = random.normal();
            for (std::int64_t i = 0; i < n; ++i) problem.y.push_back(1.5 * problem.X.at(i, 0) + random.normal());
            problem.penalty_factors = {0, 1};
            problem.settings.lambda = {1e-4};
            problem.settings.threads = 1;
            bootstrap_options options;
            options.kind = kind;
            options.resamples = 100;
            options.seed = static_cast<std::uint64_t>(trial);
            const bootstrap_coefficient made = coefficient_at(resample(problem, options), 0, 0);
            covered += made.spread.lower <= 1.5 && 1.5 <= made.spread.upper ? 1 : 0;
            standard_deviation += made.spread.standard_deviation / trials;
        }
        // With 60 rows and 100 resamples percentile intervals hold some 0.93 rather than 0.95; the Monte Carlo error of
        // 200 trials is 0.018.
        EXPECT_NEAR(covered / static_cast<double>(trials), 0.93, 3 * 0.018);
        EXPECT_NEAR(standard_deviation * std::sqrt(static_cast<double>(n)), 1, 0.1);
    }
}

/// What penalised coefficients have lost to the penalty they lose in every resample: the interval is one of what is
/// estimated, not of the truth.
TEST(Bootstrap, IntervalsOfShrunkenCoefficientsDoNotCoverTheTruth)
{
    regression problem = drawn_problem(3, 200, 8, 1); // the truth is 2
    problem.settings.lambda = {0.5};
    const bootstrap_coefficient made = coefficient_at(resample(problem, {}), 0, 0);
    EXPECT_EQ(made.frequency, 1.0);
    EXPECT_LT(made.spread.upper, 1.9);
    EXPECT_GT(made.spread.lower, 0.5);
}

std::string refusal(const regression& problem, const bootstrap_options& options)
{
    try {
        (void)resample(problem, options);
    } catch (const invalid_input& refused) {
        return refused.what();
    }
    return "accepted";
}

TEST(Bootstrap, RefusesWhatMakesNoSense)
{
    const regression good = drawn_problem(1, 20, 5, 1);
    bootstrap_options options;
    for (const std::int64_t resamples : {std::int64_t{1}, std::int64_t{-3}, std::int64_t{1000001}}) {
        options.resamples = resamples;
        EXPECT_THAT(refusal(good, options), HasSubstr(fmt::format("resamples is {}; must be from 2", resamples)));
    }
    options = {};
    for (const double confidence : {0.0, 1.0, -0.5, std::nan("")}) {
        options.confidence = confidence;
        EXPECT_THAT(refusal(good, options),
                    HasSubstr(fmt::format("confidence is {}; must be above 0 and below 1", confidence)));
    }
    options = {};
    regression bad = good;
    bad.settings.pmax = 3;
    EXPECT_THAT(refusal(bad, options), HasSubstr("dfmax and pmax do not go with the bootstrap"));
    bad = good;
    bad.settings.dfmax = 3;
    EXPECT_THAT(refusal(bad, options), HasSubstr("dfmax and pmax do not go with the bootstrap"));
    bad = good;
    bad.settings.lambda.clear();
    bad.y.assign(20, 1.0);
    EXPECT_THAT(refusal(bad, options), HasSubstr("there is no lambda to fit resamples at"));
    bad = good;
    bad.weights.assign(20, 0.0);
    bad.weights[0] = 1;
    EXPECT_THAT(refusal(bad, options), HasSubstr("fewer than 2 rows of positive weight"));
    bad = good;
    bad.y[3] = infinity;
    EXPECT_THAT(refusal(bad, options), HasSubstr("y[3] is inf"));
    bad = good;
    bad.settings.alpha = 2;
    EXPECT_THAT(refusal(bad, options), HasSubstr("alpha is 2"));
}

/// Some resamples of three rows have one of them only.
TEST(Bootstrap, TakesResamplesInWhichNothingVaries)
{
    regression problem;
    problem.X = dense_matrix(3, 1);
    problem.X.values = {1, 2, 3};
    problem.y = {1, 2.5, 3};
    problem.settings.lambda = {0.01};
    bootstrap_options options;
    options.resamples = 100;
    const bootstrap_result result = resample(problem, options);
    EXPECT_EQ(result.not_converged, 0);
    ASSERT_EQ(result.at(0).size(), 1U);
    EXPECT_LT(result.at(0)[0].frequency, 1.0);
    EXPECT_GT(result.at(0)[0].frequency, 0.7); // 1/9 of all draws of three
    EXPECT_THAT(result.notes, Contains(HasSubstr("resamples have nothing to explain")));
}

TEST(Bootstrap, SaysWhatItsAnswerIsWorth)
{
    regression problem = drawn_problem(3, 40, 8, 2);
    bootstrap_options options;
    options.resamples = 20;
    EXPECT_THAT(resample(problem, options).notes, Contains(HasSubstr("20 resamples are few for an interval of 0.95")));
    options.confidence = 0.5;
    EXPECT_TRUE(resample(problem, options).notes.empty());
    problem.settings.solver = solver_kind::ista;
    problem.settings.max_iterations = 1;
    problem.settings.tol = 1e-13;
    const bootstrap_result open = resample(problem, options);
    EXPECT_GT(open.not_converged, 0);
    EXPECT_THAT(open.notes, Contains(HasSubstr("did not reach the tolerance; their coefficients count as they are")));
}

TEST(Bootstrap, RefusesMoreCoefficientsThanItsMemoryHolds)
{
    regression problem = drawn_problem(3, 40, 30, 2);
    problem.settings.alpha = 0;
    problem.settings.lambda.clear();
    problem.settings.n_lambda = 30;
    problem.settings.memory_limit = 1 << 20;
    bootstrap_options options;
    options.resamples = 10000;
    try {
        (void)resample(problem, options);
        FAIL() << "accepted";
    } catch (const out_of_memory& refused) {
        // 16 bytes for 30 features at 30 lambdas, and once more at one of them, of each resample.
        EXPECT_EQ(refused.needed_bytes(), 2 * 16U * 30 * 31 * 10000);
        EXPECT_EQ(refused.limit_bytes(), 1U << 20);
        EXPECT_THAT(refused.what(), HasSubstr("coefficients of 10000 resamples at 30 lambdas take 142 MiB"));
    }
    options.resamples = 20;
    problem.settings.lambda = {0.1};
    EXPECT_EQ(resample(problem, options).at(0).size(), 30U);
}

TEST(Bootstrap, IsStoppedByItsCaller)
{
    regression problem = drawn_problem(1, 60, 30, 1);
    problem.settings.threads = 2;
    double fraction = 0;
    problem.settings.on_progress = [&](const progress& now) {
        EXPECT_EQ(now.fits_total, 201);
        EXPECT_GE(now.fraction, fraction - 0.05); // fits of other threads end in between
        fraction = now.fraction;
        return now.fits_done < 30;
    };
    EXPECT_THROW(resample(problem, {}), cancelled);
    problem.settings.on_progress = {};
    EXPECT_EQ(resample(problem, {}).resamples, 200); // nothing is left over of it
}

/// The program on a small table with names.
class BootstrapCommand : public testing::Test {
protected:
    BootstrapCommand()
    {
        problem = drawn_problem(6, 50, 6, 2);
        std::string table = "a,b,\"c, d\",e,f,g,y\n";
        for (std::int64_t i = 0; i < 50; ++i) {
            for (std::int64_t j = 0; j < 6; ++j) table += fmt::format("{},", problem.X.at(i, j));
            table += fmt::format("{}\n", problem.y[static_cast<std::size_t>(i)]);
        }
        spill(folder.file("table.csv"), table);
    }
    outcome run(std::vector<std::string> options = {})
    {
        std::vector<std::string> words{"bootstrap", folder.file("table.csv"), "--y-column", "y",
                                       "--out",     folder.file("drawn")};
        words.insert(words.end(), options.begin(), options.end());
        if (std::find(options.begin(), options.end(), "--resamples") == options.end())
            words.insert(words.end(), {"--resamples", "50"});
        return call(words);
    }
    std::string file(const std::string& name) const { return folder.file("drawn/" + name); }
    nlohmann::json summary() const { return nlohmann::json::parse(slurp(file("summary.json"))); }

    regression problem;
    io_test::temporary_folder folder;
};

TEST_F(BootstrapCommand, WritesWhatTheLibrarySays)
{
    const outcome done = run({"--lambda", "0.4,0.15", "--kind", "bayesian", "--confidence", "0.9", "--seed", "5"});
    EXPECT_EQ(done.code, cli::exit_certified) << done.err;
    bootstrap_options options;
    options.resamples = 50;
    options.kind = bayesian;
    options.confidence = 0.9;
    options.seed = 5;
    options.path = problem.options();
    read_options reading;
    reading.y_column = "y";
    const data_set data = read_data(folder.file("table.csv"), reading);
    const bootstrap_result result = fit_bootstrap(data.X, data.y, options);

    const std::vector<std::string> lines = read_lines(file("bootstrap.csv"));
    ASSERT_EQ(lines.size(), 1 + result.coefficients.size());
    EXPECT_EQ(lines[0], "lambda,feature,coefficient,mean,sd,lower,upper,frequency,positive,name");
    const std::vector<std::string> names{"a", "b", "\"c, d\"", "e", "f", "g"};
    for (std::size_t k = 0, line = 1; k < 2; ++k)
        for (const bootstrap_coefficient& each : result.at(k)) {
            const bootstrap_spread& spread = each.spread;
            EXPECT_EQ(lines[line++],
                      fmt::format("{},{},{},{},{},{},{},{},{},{}", result.lambda[k], each.feature + 1, each.estimate,
                                  spread.mean, spread.standard_deviation, spread.lower, spread.upper, each.frequency,
                                  each.positive, names[static_cast<std::size_t>(each.feature)]));
        }

    const nlohmann::json said = summary()["bootstrap"];
    EXPECT_EQ(said["resamples"], 50);
    EXPECT_EQ(said["kind"], "bayesian");
    EXPECT_EQ(said["confidence"], 0.9);
    EXPECT_EQ(said["not_converged"], 0);
    ASSERT_EQ(said["lambdas"].size(), 2U);
    EXPECT_EQ(said["lambdas"][1]["intercept"]["mean"], result.intercept[1].mean);
    EXPECT_EQ(said["lambdas"][1]["intercept"]["upper"], result.intercept[1].upper);
    EXPECT_EQ(said["lambdas"][1]["features"], result.at(1).size());
    EXPECT_EQ(summary()["options"]["seed"], 5);
    EXPECT_THAT(done.out, HasSubstr("Bootstrap: 50 resamples (exponential weights), percentile intervals of 0.9"));
    EXPECT_TRUE(std::filesystem::exists(file("features.txt")));
}

TEST_F(BootstrapCommand, ShowsTheFeaturesOfASingleLambda)
{
    const outcome done = run({"--lambda", "0.2"});
    EXPECT_EQ(done.code, cli::exit_certified) << done.err;
    EXPECT_THAT(done.out,
                HasSubstr("Bootstrap: 50 resamples (rows drawn with replacement), percentile intervals of 0.95"));
    EXPECT_THAT(done.out, HasSubstr("        1     1.000"));
    EXPECT_EQ(call({"predict", folder.file("drawn"), folder.file("table.csv"), "--y-column", "y", "--out",
                    folder.file("p.csv")})
                  .code,
              cli::exit_certified);
    const outcome grid = run({"--n-lambda", "12", "--force"});
    EXPECT_EQ(grid.code, cli::exit_certified) << grid.err;
    EXPECT_THAT(grid.out, HasSubstr("in most of them"));
    EXPECT_EQ(summary()["bootstrap"]["lambdas"].size(), 12U);
    EXPECT_EQ(run({"--force", "--quiet", "--json", "--lambda", "0.2"}).code, cli::exit_certified);
    EXPECT_EQ(call({"fit", folder.file("table.csv"), "--y-column", "y", "--out", folder.file("drawn"), "--force"}).code,
              cli::exit_certified);
    EXPECT_FALSE(std::filesystem::exists(file("bootstrap.csv")));
}

TEST_F(BootstrapCommand, RefusesWhatMakesNoSenseAndWritesNothing)
{
    EXPECT_THAT(run({"--kind", "parametric"}).err, HasSubstr("--kind is 'parametric'; it must be"));
    EXPECT_THAT(run({"--confidence", "1"}).err, HasSubstr("--confidence is '1'; it must be"));
    EXPECT_THAT(run({"--resamples", "1"}).err, HasSubstr("--resamples is '1'; it must be"));
    EXPECT_THAT(run({"--pmax", "4"}).err, HasSubstr("--pmax"));
    EXPECT_THAT(run({"--pairs", "4"}).err, HasSubstr("--pairs"));
    const outcome memory = run({"--alpha", "0", "--resamples", "1000000", "--memory", "8M"});
    EXPECT_EQ(memory.code, cli::exit_system);
    EXPECT_THAT(memory.err, HasSubstr("coefficients of 1000000 resamples at 100 lambdas"));
    EXPECT_FALSE(std::filesystem::exists(folder.file("drawn")));
}

TEST_F(BootstrapCommand, ResamplesThatDoNotConvergeGiveCodeTwo)
{
    const outcome done = run({"--lambda", "0.01", "--solver", "ista", "--max-iterations", "1", "--tol", "1e-13"});
    EXPECT_EQ(done.code, cli::exit_not_converged);
    EXPECT_THAT(done.err, HasSubstr("did not reach the tolerance"));
    EXPECT_EQ(summary()["bootstrap"]["not_converged"], 50);
}

TEST_F(BootstrapCommand, ASignalEndsItWithCodeThreeAndNothingIsWritten)
{
    spill(folder.file("slow.svm"), cli_test::random_svmlight(400, 300, 2));
    std::thread sender([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ::kill(::getpid(), SIGINT);
    });
    const outcome done = call({"bootstrap", folder.file("slow.svm"), "--out", folder.file("drawn"), "--solver", "ista",
                               "--screening", "none", "--tol", "1e-13", "--threads", "2"});
    sender.join();
    EXPECT_EQ(done.code, cli::exit_interrupted) << done.err;
    EXPECT_FALSE(std::filesystem::exists(folder.file("drawn")));
    EXPECT_EQ(folder.entries(), 2U);
}

} // namespace
} // namespace proxpath::test
