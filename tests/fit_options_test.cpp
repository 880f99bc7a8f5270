// Weights, offsets, penalty factors, bounds, exclusions and early ends: what the command line makes of them, and what
// the library does beyond the properties of property_test.cpp.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/checks.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace proxpath::test {
namespace {

using cli_test::call;
using cli_test::outcome;
using io_test::slurp;
using io_test::spill;
using testing::HasSubstr;

std::string one_a_line(const std::vector<double>& numbers)
{
    std::string text;
    for (const double number : numbers) text += fmt::format("{}\n", number);
    return text;
}

std::string csv_of(const regression& problem)
{
    std::string text;
    for (std::int64_t j = 0; j < problem.X.p; ++j) text += fmt::format("f{},", j);
    text += "response\n";
    for (std::int64_t i = 0; i < problem.X.n; ++i) {
        for (std::int64_t j = 0; j < problem.X.p; ++j) text += fmt::format("{},", problem.X.at(i, j));
        text += fmt::format("{}\n", problem.y[static_cast<std::size_t>(i)]);
    }
    return text;
}

/// 30 rows, 6 features, everything that rows and features may have.
regression problem_with_everything()
{
    random_numbers random(17);
    regression problem;
    problem.X = random_matrix(random, 30, 6, 0.7);
    for (std::int64_t i = 0; i < 30; ++i) {
        problem.y.push_back(problem.X.at(i, 0) - 0.5 * problem.X.at(i, 3) + random.normal());
        problem.weights.push_back(static_cast<double>(random.integer(0, 3)));
        problem.offset.push_back(random.normal());
    }
    problem.penalty_factors = {1, 0.5, infinity, 2, 1, 1};
    problem.lower = {0, -infinity, 0, -0.25, 0, -1};
    problem.upper = {infinity, 0.5, 0, 0.25, 1, 1};
    problem.settings.n_lambda = 12;
    return problem;
}

class FitOptions : public testing::Test {
protected:
    FitOptions()
    {
        spill(folder.file("X.csv"), csv_of(problem));
        spill(folder.file("w.txt"), one_a_line(problem.weights));
        spill(folder.file("o.txt"), one_a_line(problem.offset));
        spill(folder.file("v.txt"), one_a_line(problem.penalty_factors));
        spill(folder.file("l.txt"), one_a_line(problem.lower));
        spill(folder.file("u.txt"), one_a_line(problem.upper));
    }
    outcome fit(std::vector<std::string> options)
    {
        std::vector<std::string> words{"fit",   folder.file("X.csv"), "--y-column", "response",
                                       "--out", folder.file("fit"),   "--force"};
        words.insert(words.end(), options.begin(), options.end());
        return call(words);
    }
    cli::fitted_path fitted() const { return cli::read_fit(folder.file("fit"), "", 1); }
    nlohmann::json summary() const { return nlohmann::json::parse(slurp(folder.file("fit/summary.json"))); }

    io_test::temporary_folder folder;
    regression problem = problem_with_everything();
};

void expect_same_coefficients(const sparse_columns& a, const sparse_columns& b)
{
    EXPECT_EQ(a.offsets, b.offsets);
    EXPECT_EQ(a.indices, b.indices);
    EXPECT_EQ(a.values, b.values);
}

TEST_F(FitOptions, FilesGiveTheFitOfTheLibraryToTheLastBit)
{
    const outcome done = fit({"--n-lambda", "12", "--weights", folder.file("w.txt"), "--offset", folder.file("o.txt"),
                              "--penalty-factors", folder.file("v.txt"), "--lower", folder.file("l.txt"), "--upper",
                              folder.file("u.txt")});
    ASSERT_EQ(done.code, cli::exit_certified) << done.err;
    // Without explicit zeros, as a CSV is kept.
    const compressed_matrix<std::int32_t, double> X(problem.X, storage_order::csc);
    expect_same_coefficients(fitted().coefficients, fit_path(X.view(), problem.y, problem.options()).coefficients);
    const auto told = summary();
    for (const char* key :
         {"weights_checksum", "offset_checksum", "penalty_factors_checksum", "lower_checksum", "upper_checksum"})
        EXPECT_TRUE(told[key].is_string()) << key;
    EXPECT_EQ(told["options"]["weights"], folder.file("w.txt"));
}

TEST_F(FitOptions, WhatIsNotGivenHasNoChecksum)
{
    ASSERT_EQ(fit({}).code, cli::exit_certified);
    for (const char* key : {"weights_checksum", "offset_checksum", "penalty_factors_checksum", "lower_checksum",
                            "upper_checksum", "ended_by"})
        EXPECT_TRUE(summary()[key].is_null()) << key;
}

TEST_F(FitOptions, ANumberBoundsEveryCoefficientAndPositiveIsTheLowerBoundZero)
{
    ASSERT_EQ(fit({"--positive", "--upper", "0.3"}).code, cli::exit_certified);
    const auto by_number = fitted().coefficients;
    ASSERT_FALSE(by_number.values.empty());
    EXPECT_GE(*std::min_element(by_number.values.begin(), by_number.values.end()), 0);
    EXPECT_LE(*std::max_element(by_number.values.begin(), by_number.values.end()), 0.3);
    spill(folder.file("l.txt"), one_a_line(std::vector<double>(6, 0.0)));
    spill(folder.file("u.txt"), one_a_line(std::vector<double>(6, 0.3)));
    ASSERT_EQ(fit({"--lower", folder.file("l.txt"), "--upper", folder.file("u.txt")}).code, cli::exit_certified);
    expect_same_coefficients(by_number, fitted().coefficients);
}

TEST_F(FitOptions, ExcludedFeaturesAreNumbersFromOneRangesOrNames)
{
    spill(folder.file("out.txt"), "1\n4-5\nf5\n");
    for (const std::string& list : {std::string("1,4-5,f5"), "@" + folder.file("out.txt")}) {
        ASSERT_EQ(fit({"--exclude", list}).code, cli::exit_certified);
        const auto coefficients = fitted().coefficients;
        const std::set<std::int64_t> used(coefficients.indices.begin(), coefficients.indices.end());
        EXPECT_EQ(used, (std::set<std::int64_t>{1, 2}));
        EXPECT_EQ(summary()["excluded_features"], 4);
    }
    EXPECT_THAT(fit({"--exclude", "0"}).err, HasSubstr("'0' is outside the features"));
    EXPECT_THAT(fit({"--exclude", "2-7"}).err, HasSubstr("'2-7' is outside the features"));
    EXPECT_THAT(fit({"--exclude", "1,,2"}).err, HasSubstr("'' is no feature"));
    EXPECT_THAT(fit({"--exclude", "g1"}).err, HasSubstr("'g1' is no feature"));
}

TEST_F(FitOptions, ARefusalNamesFileLineAndValue)
{
    const auto refused = [&](const std::string& option, const std::string& text) {
        spill(folder.file("bad.txt"), text);
        const outcome done = fit({option, folder.file("bad.txt")});
        EXPECT_EQ(done.code, cli::exit_wrong_input) << option << text;
        EXPECT_THAT(done.err, HasSubstr("bad.txt"));
        return done.err;
    };
    EXPECT_THAT(refused("--weights", "1\n-2\n"), HasSubstr("line 2: the value '-2' must be 0 or more"));
    EXPECT_THAT(refused("--weights", "1\ninf\n"), HasSubstr("line 2: the value 'inf' is not a finite number"));
    EXPECT_THAT(refused("--weights", "1\n2\n"), HasSubstr("2 weights, but"));
    EXPECT_THAT(refused("--weights", one_a_line(std::vector<double>(30, 0.0))), HasSubstr("every weight is 0"));
    EXPECT_THAT(refused("--offset", "1\n-inf\n"), HasSubstr("line 2: the value '-inf' is not a finite number"));
    EXPECT_THAT(refused("--penalty-factors", "1\n-inf\n"), HasSubstr("line 2: the value '-inf' must be 0 or more"));
    EXPECT_THAT(refused("--penalty-factors", "1e999\n"), HasSubstr("line 1: the value '1e999' is too large"));
    EXPECT_THAT(refused("--penalty-factors", "1\nnan\n"), HasSubstr("line 2: the value 'nan' is not a finite number"));
    EXPECT_THAT(refused("--lower", "-1\n1\n"), HasSubstr("line 2: the value '1' must be 0 or less"));
    EXPECT_THAT(refused("--upper", "1\n1\n"), HasSubstr("2 bounds, but"));
    EXPECT_THAT(fit({"--lower", "1"}).err, HasSubstr("--lower is '1'; it must be 0 or less"));
    EXPECT_THAT(fit({"--positive", "--lower", "0"}).err, HasSubstr("do not go together"));
    EXPECT_THAT(fit({"--rescale-penalty-factors"}).err, HasSubstr("--penalty-factors is missing"));
}

TEST_F(FitOptions, PredictionsAddTheOffsetsOfTheNewRowsAndAskForThem)
{
    const auto predict = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"predict", folder.file("fit"),  folder.file("X.csv"), "--y-column", "response",
                                       "--out",   folder.file("p.csv")};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    };
    ASSERT_EQ(fit({}).code, cli::exit_certified);
    EXPECT_THAT(predict({"--offset", folder.file("o.txt")}).err, HasSubstr("had no offsets"));
    ASSERT_EQ(fit({"--offset", folder.file("o.txt"), "--lambda", "0.1"}).code, cli::exit_certified);
    EXPECT_THAT(predict({}).err, HasSubstr("had offsets; give those of"));
    ASSERT_EQ(predict({"--offset", folder.file("o.txt")}).code, cli::exit_certified);

    const matrix X = matrix::from_view(problem.X.view());
    const cli::fitted_path path = fitted();
    const std::vector<double> intercept{path.points[0].intercept};
    const std::vector<double> without = proxpath::predict(X, path.coefficients, intercept);
    std::string expected = "lambda=0.1\n";
    for (std::size_t i = 0; i < without.size(); ++i) expected += fmt::format("{}\n", without[i] + problem.offset[i]);
    EXPECT_EQ(slurp(folder.file("p.csv")), expected);
}

TEST_F(FitOptions, AnEarlyEndLeavesTheRestOfThePathOutAndSaysSo)
{
    ASSERT_EQ(fit({"--n-lambda", "12", "--dfmax", "2"}).code, cli::exit_certified);
    const auto told = summary();
    EXPECT_EQ(told["ended_by"], "dfmax");
    EXPECT_EQ(told["lambdas_asked"], 12);
    EXPECT_LT(told["n_lambda"], 12);
    EXPECT_EQ(fitted().coefficients.cols, told["n_lambda"]);
    EXPECT_THAT(told["notes"].dump(), HasSubstr("dfmax 2 ended the path"));
}

/// How many features are not 0 at one of the first `lambdas` lambdas.
std::int64_t ever_nonzero(const path_result& path, std::size_t lambdas)
{
    const auto end = path.coefficients.indices.begin() + path.coefficients.offsets[lambdas];
    return static_cast<std::int64_t>(std::set<std::int64_t>(path.coefficients.indices.begin(), end).size());
}

TEST(PathEnd, DfmaxKeepsTheFirstLambdaThatExceedsItAndPmaxDoesNot)
{
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        regression problem = random_regression(seed);
        SCOPED_TRACE(describe(problem, seed));
        const path_result whole = problem.fit();
        const auto limit = static_cast<std::int64_t>(1 + seed % 7);

        problem.settings.dfmax = limit;
        const path_result by_df = problem.fit();
        std::size_t kept = 0;
        while (kept < whole.points.size() && whole.points[kept].df <= limit) ++kept;
        const bool ended = kept < whole.points.size();
        EXPECT_EQ(by_df.points.size(), ended ? kept + 1 : kept);
        EXPECT_EQ(by_df.ended_by, ended ? path_end::dfmax : path_end::whole);
        EXPECT_EQ(by_df.lambdas_asked, static_cast<std::int64_t>(whole.points.size()));

        problem.settings.dfmax = 0;
        problem.settings.pmax = limit;
        const path_result by_features = problem.fit();
        kept = 0;
        while (kept < whole.points.size() && ever_nonzero(whole, kept + 1) <= limit) ++kept;
        const bool cut = kept < whole.points.size();
        EXPECT_EQ(by_features.points.size(), std::max<std::size_t>(kept, 1));
        EXPECT_EQ(by_features.ended_by, cut ? path_end::pmax : path_end::whole);

        // What is kept has the bits of the whole path.
        for (const path_result* part : {&by_df, &by_features})
            for (std::size_t k = 0; k < part->points.size(); ++k) {
                EXPECT_EQ(part->points[k].gap, whole.points[k].gap);
                EXPECT_EQ(dense_coefficients(*part, k), dense_coefficients(whole, k));
            }
        if (testing::Test::HasFailure()) return;
    }
}

TEST(PenaltyFactors, AFeatureOfFactorZeroIsNotShrunkAtAnyLambdaAndOneOfInfinityNeverEnters)
{
    int unpenalised = 0;
    int excluded = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        ingredients allowed;
        allowed.bounds = false;
        regression problem = random_regression(seed, allowed);
        if (problem.penalty_factors.empty()) continue;
        problem.settings.lambda = {1e6, 1, 0.01};
        problem.settings.tol = 1e-10;
        SCOPED_TRACE(describe(problem, seed));
        const path_result path = problem.fit();
        const dense_reference reference(problem.X, problem.y, problem.options());
        for (std::size_t k = 0; k < path.points.size(); ++k) {
            const std::vector<double> b = dense_coefficients(path, k);
            // Not shrunk: the least-squares fit of what the others leave, so no step in its direction lowers the loss.
            for (std::size_t j = 0; j < b.size(); ++j) {
                if (std::isinf(problem.penalty_factors[j])) {
                    EXPECT_EQ(b[j], 0) << j;
                    ++excluded;
                }
                if (problem.penalty_factors[j] != 0 || !reference.takes_part(static_cast<std::int64_t>(j))) continue;
                const auto objective = [&](double step) {
                    std::vector<double> moved = b;
                    moved[j] += step;
                    double intercept = path.points[k].intercept;
                    // The intercept follows the weighted mean of the column.
                    double mean = 0;
                    double weight = 0;
                    for (std::size_t i = 0; i < problem.y.size(); ++i) {
                        const double w = problem.weights.empty() ? 1 : problem.weights[i];
                        mean += w * problem.X.at(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
                        weight += w;
                    }
                    if (problem.settings.intercept) intercept -= step * mean / weight;
                    return static_cast<double>(reference.objective(path.points[k].lambda, intercept, moved));
                };
                const double size = std::max(std::fabs(b[j]), 1e-3);
                const double here = objective(0);
                for (const double step : {1e-3 * size, -1e-3 * size})
                    EXPECT_GE(objective(step), here - path.points[k].gap - 1e-12 * std::fabs(here)) << j;
                ++unpenalised;
            }
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(unpenalised, 50);
    EXPECT_GT(excluded, 50);
}

TEST(PenaltyFactors, RescaledOnesSumToTheNumberOfFeaturesWithExcludedOnesCountedAsOne)
{
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        regression problem = random_regression(seed);
        if (problem.penalty_factors.empty()) problem.penalty_factors.assign(static_cast<std::size_t>(problem.X.p), 3.0);
        double sum = 0;
        for (const double factor : problem.penalty_factors) sum += std::isinf(factor) ? 1 : factor;
        regression by_hand = problem;
        for (double& factor : by_hand.penalty_factors) factor *= static_cast<double>(problem.X.p) / (sum > 0 ? sum : 1);
        problem.settings.rescale_penalty_factors = true;
        SCOPED_TRACE(describe(problem, seed));
        expect_same_bits(problem.fit(), by_hand.fit());
    }
}

} // namespace
} // namespace proxpath::test
