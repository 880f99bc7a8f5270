// Stability selection: halves that complement each other, frequencies that plain loops over separate fits find too,
// bounds by their formulas and by simulation, and the program around it.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/checks.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/selection/halves.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace proxpath::test {
namespace {

using cli_test::call;
using cli_test::outcome;
using io_test::slurp;
using io_test::spill;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

std::vector<double> ones(std::size_t n) { return std::vector<double>(n, 1.0); }

std::size_t rows_in(const std::vector<double>& half)
{
    return static_cast<std::size_t>(std::count_if(half.begin(), half.end(), [](double weight) { return weight > 0; }));
}

TEST(Halves, ComplementEachOtherAndKeepTheirWeights)
{
    std::vector<double> weights = ones(21);
    weights[4] = 0;
    weights[7] = 2.5;
    weights[20] = 0;
    for (std::int64_t pair = 0; pair < 20; ++pair) {
        const auto [first, second] = selection::draw_halves(weights, 3, pair);
        EXPECT_EQ(rows_in(first), 9U); // of 19 rows one is left out
        EXPECT_EQ(rows_in(second), 9U);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            EXPECT_TRUE(first[i] == 0 || second[i] == 0);
            EXPECT_THAT((std::vector{first[i], second[i]}), Each(testing::AnyOf(0.0, weights[i])));
        }
    }
}

TEST(Halves, AreThoseOfTheirSeedAndPair)
{
    const std::vector<double> weights = ones(40);
    EXPECT_EQ(selection::draw_halves(weights, 1, 5), selection::draw_halves(weights, 1, 5));
    EXPECT_NE(selection::draw_halves(weights, 1, 5), selection::draw_halves(weights, 1, 6));
    EXPECT_NE(selection::draw_halves(weights, 1, 5), selection::draw_halves(weights, 2, 5));
}

TEST(Halves, TakeEveryRowAboutAsOften)
{
    std::vector<int> taken(11, 0);
    for (std::int64_t pair = 0; pair < 2000; ++pair) {
        const auto halves = selection::draw_halves(ones(11), 1, pair);
        for (std::size_t i = 0; i < 11; ++i) taken[i] += halves.first[i] > 0 ? 1 : 0;
    }
    // 5 of 11 rows: 909 ± 22.
    for (const int count : taken) EXPECT_NEAR(count, 909, 5 * 22);
}

TEST(StabilityBounds, AreThoseOfThePaper)
{
    EXPECT_DOUBLE_EQ(selection::expected_false_at_worst(20, 1000, 0.9), 0.5);
    // Above 3/4: 4 (1 − τ + 1/(2B)) / (1 + 1/B), at or below it 1 / (2 (2τ − 1 − 1/(2B))).
    EXPECT_NEAR(*selection::expected_false_if_unimodal(20, 1000, 0.9, 50), 4 * 0.11 / 1.02 * 0.4, 1e-15);
    EXPECT_NEAR(*selection::expected_false_if_unimodal(20, 1000, 0.7, 50), 0.4 / (2 * 0.39), 1e-15);
    EXPECT_FALSE(selection::expected_false_if_unimodal(20, 1000, 0.5003, 50).has_value());
    EXPECT_FALSE(selection::expected_false_if_unimodal(700, 1000, 0.9, 50).has_value()); // θ above 1/√3
    EXPECT_EQ(selection::most_selected_for(1, 1000, 0.9), 28);                           // √800 = 28.3
    EXPECT_EQ(selection::most_selected_for(0.001, 10, 0.9), 1);
    EXPECT_EQ(selection::most_selected_for(1e9, 10, 0.9), 10);
}

/// n rows of noise in which the first `signals` of p features matter.
regression noisy_problem(std::uint64_t seed, std::int64_t n, std::int64_t p, std::int64_t signals)
{
    random_numbers random(seed);
    regression problem;
    problem.X = dense_matrix(n, p);
    for (double& value : problem.X.values) value = random.normal();
    for (std::int64_t i = 0; i < n; ++i) {
        double y = random.normal();
        for (std::int64_t j = 0; j < signals; ++j) y += 2 * problem.X.at(i, j);
        problem.y.push_back(y);
    }
    problem.settings.n_lambda = 30;
    problem.settings.lambda_min_ratio = 0.05;
    return problem;
}

stability_result select(const regression& problem, stability_options options)
{
    options.path = problem.options();
    return fit_stability(problem.X.view(), problem.y, options);
}

double frequency_of(const stability_result& result, std::int64_t feature, std::size_t k)
{
    for (auto e = result.frequency.offsets[k]; e < result.frequency.offsets[k + 1]; ++e)
        if (result.frequency.indices[static_cast<std::size_t>(e)] == feature)
            return result.frequency.values[static_cast<std::size_t>(e)];
    return 0;
}

TEST(Stability, CountsWhatSeparateFitsOfTheHalvesSelect)
{
    for (const bool awkward : {false, true}) {
        regression problem = noisy_problem(4, 41, 15, 2);
        if (awkward) {
            random_numbers random(8);
            for (int i = 0; i < 41; ++i) problem.weights.push_back(static_cast<double>(random.integer(0, 2)));
            for (int i = 0; i < 41; ++i) problem.offset.push_back(random.normal());
            problem.penalty_factors.assign(15, 1.0);
            problem.penalty_factors[3] = 0;
            problem.penalty_factors[5] = infinity;
            problem.settings.alpha = 0.7;
        }
        stability_options options;
        options.pairs = 6;
        options.most_selected = 4;
        const stability_result result = select(problem, options);
        ASSERT_EQ(result.lambda.size(), 30U);
        EXPECT_EQ(result.candidates, awkward ? 13 : 15);

        const std::vector<double> weights = awkward ? problem.weights : ones(41);
        std::vector<std::vector<double>> counted(30, std::vector<double>(15, 0.0));
        double selected = 0;
        for (std::int64_t pair = 0; pair < 6; ++pair) {
            const auto halves = selection::draw_halves(weights, options.seed, pair);
            for (const std::vector<double>& half : {halves.first, halves.second}) {
                regression one = problem;
                one.weights = half;
                one.settings.lambda = result.lambda;
                one.settings.pmax = awkward ? 5 : 4;
                const path_result fit = one.fit();
                std::vector<bool> seen(15, false);
                for (std::size_t k = 0; k < 30; ++k) {
                    if (k < fit.points.size()) {
                        const std::vector<double> b = dense_coefficients(fit, k);
                        for (std::size_t j = 0; j < 15; ++j) seen[j] = seen[j] || (b[j] != 0 && !(awkward && j == 3));
                    }
                    for (std::size_t j = 0; j < 15; ++j) counted[k][j] += seen[j] ? 1 : 0;
                }
                selected += static_cast<double>(std::count(seen.begin(), seen.end(), true));
            }
        }
        for (std::size_t k = 0; k < 30; ++k)
            for (std::int64_t j = 0; j < 15; ++j)
                EXPECT_DOUBLE_EQ(frequency_of(result, j, k), counted[k][static_cast<std::size_t>(j)] / 12)
                    << "feature " << j << ", lambda " << k;
        for (std::size_t j = 0; j < 15; ++j) {
            EXPECT_EQ(static_cast<double>(result.selections[j]), counted[29][j]);
            const bool stable = std::find(result.stable.begin(), result.stable.end(), static_cast<std::int64_t>(j)) !=
                                result.stable.end();
            EXPECT_EQ(stable, counted[29][j] >= 9); // 0.75 of 12
        }
        EXPECT_DOUBLE_EQ(result.mean_selected, selected / 12);
    }
}

TEST(Stability, FindsWhatIsThere)
{
    stability_options options;
    options.pairs = 20;
    options.threshold = 0.9;
    const stability_result result = select(noisy_problem(2, 120, 80, 3), options);
    EXPECT_THAT(result.stable, IsSupersetOf({0, 1, 2}));
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(result.selections[j], 40);
    EXPECT_EQ(result.most_selected, 8); // √(1 · 0.8 · 80)
    EXPECT_LE(result.expected_false, 1.0);
    EXPECT_LT(*result.expected_false_unimodal, result.expected_false);
    EXPECT_TRUE(std::is_sorted(result.stable.begin(), result.stable.end(), [&](std::int64_t a, std::int64_t b) {
        return result.selections[static_cast<std::size_t>(a)] > result.selections[static_cast<std::size_t>(b)];
    }));
}

/// Where nothing is there every stable feature is false.
TEST(Stability, SelectsNoMoreOfNoiseThanItsBoundSays)
{
    double worst = 0, unimodal = 0, found = 0;
    constexpr int trials = 40;
    for (int trial = 0; trial < trials; ++trial) {
        stability_options options;
        options.pairs = 10;
        options.threshold = 0.6;
        options.expected_false = 2;
        options.seed = static_cast<std::uint64_t>(trial);
        const stability_result result =
            select(noisy_problem(static_cast<std::uint64_t>(trial) + 50, 40, 40, 0), options);
        found += static_cast<double>(result.stable.size()) / trials;
        worst += result.expected_false / trials;
        unimodal += *result.expected_false_unimodal / trials;
    }
    EXPECT_GT(found, 0.0); // it is no empty promise
    EXPECT_LE(found, unimodal);
    EXPECT_LE(unimodal, worst);
    EXPECT_LE(worst, 2.0);
}

TEST(Stability, HasTheSameBitsForAnyNumberOfThreads)
{
    regression problem = noisy_problem(9, 60, 30, 2);
    stability_options options;
    options.pairs = 8;
    problem.settings.threads = 1;
    const stability_result one = select(problem, options);
    problem.settings.threads = 3;
    const stability_result three = select(problem, options);
    EXPECT_EQ(one.frequency.values, three.frequency.values);
    EXPECT_EQ(one.frequency.indices, three.frequency.indices);
    EXPECT_EQ(one.stable, three.stable);
    expect_same_bits(one.fit, three.fit);
    options.seed = 2;
    EXPECT_NE(select(problem, options).frequency.values, three.frequency.values);
}

/// They cannot be selected, and counted as if they could they would allow noise to be.
TEST(Stability, LeavesFeaturesWithoutVariationOutOfItsBounds)
{
    regression problem = noisy_problem(3, 60, 20, 0);
    stability_options options;
    options.pairs = 5;
    const stability_result alone = select(problem, options);
    dense_matrix wider(60, 500);
    std::copy(problem.X.values.begin(), problem.X.values.end(), wider.values.begin());
    for (std::int64_t i = 0; i < 60; ++i) wider.at(i, 499) = 3; // the others are empty
    problem.X = wider;
    const stability_result beside = select(problem, options);
    EXPECT_EQ(beside.candidates, 20);
    EXPECT_EQ(beside.most_selected, alone.most_selected);
    EXPECT_EQ(beside.expected_false, alone.expected_false);
    EXPECT_EQ(beside.stable, alone.stable);
}

TEST(Stability, SaysWhereItSelectsMoreThanItMay)
{
    regression problem = noisy_problem(9, 60, 30, 8);
    problem.settings.lambda = {0.05};
    stability_options options;
    options.pairs = 5;
    const stability_result result = select(problem, options);
    EXPECT_GT(result.mean_selected, static_cast<double>(result.most_selected));
    EXPECT_GT(result.expected_false, 1.0);
    EXPECT_THAT(result.notes, testing::Contains(HasSubstr("a first lambda is kept whatever it selects")));
    EXPECT_THAT(result.notes, testing::Contains(HasSubstr("cannot be promised here")));
    options.most_selected = 1000;
    EXPECT_EQ(select(problem, options).most_selected, 30); // all there are
}

TEST(Stability, SaysWhereItsAnswerIsWeak)
{
    stability_options options;
    options.pairs = 5;
    options.most_selected = 25; // q² / ((2τ − 1) p) = 41 of 30 features
    regression problem = noisy_problem(9, 60, 30, 2);
    EXPECT_THAT(select(problem, options).notes, testing::Contains(HasSubstr("it says nothing")));
    problem.settings.lambda_min_ratio = 0.9;
    EXPECT_THAT(select(problem, options).notes,
                testing::Contains(HasSubstr("lambdas further down would let them select more")));
}

std::string refusal(const regression& problem, const stability_options& options)
{
    try {
        (void)select(problem, options);
    } catch (const invalid_input& refused) {
        return refused.what();
    }
    return "accepted";
}

TEST(Stability, RefusesWhatMakesNoSense)
{
    const regression good = noisy_problem(1, 20, 5, 1);
    stability_options options;
    options.threshold = 0.5;
    EXPECT_THAT(refusal(good, options), HasSubstr("threshold is 0.5; must be above 0.5 and at most 1"));
    options = {};
    options.pairs = 0;
    EXPECT_THAT(refusal(good, options), HasSubstr("pairs is 0"));
    options = {};
    options.most_selected = 0;
    EXPECT_THAT(refusal(good, options), HasSubstr("most_selected is 0"));
    options = {};
    options.expected_false = 0;
    EXPECT_THAT(refusal(good, options), HasSubstr("expected_false is 0"));
    options = {};
    regression bad = good;
    bad.settings.alpha = 0;
    EXPECT_THAT(refusal(bad, options), HasSubstr("Ridge selects every feature"));
    bad = good;
    bad.settings.pmax = 3;
    EXPECT_THAT(refusal(bad, options), HasSubstr("dfmax and pmax do not go with stability selection"));
    bad = good;
    bad.penalty_factors.assign(5, infinity);
    EXPECT_THAT(refusal(bad, options), HasSubstr("no feature can be selected"));
    bad = good;
    bad.y.assign(20, 1.0);
    EXPECT_THAT(refusal(bad, options), HasSubstr("there is nothing to select"));
    bad = good;
    bad.weights.assign(20, 0.0);
    bad.weights[0] = bad.weights[1] = bad.weights[2] = 1;
    EXPECT_THAT(refusal(bad, options), HasSubstr("fewer than 4 rows of positive weight"));
}

TEST(Stability, IsStoppedByItsCaller)
{
    regression problem = noisy_problem(1, 60, 30, 1);
    problem.settings.threads = 2;
    double fraction = 0;
    problem.settings.on_progress = [&](const progress& now) {
        EXPECT_EQ(now.fits_total, 101);
        EXPECT_GE(now.fraction, fraction - 0.05); // fits of other threads end in between
        fraction = now.fraction;
        return now.fits_done < 30;
    };
    EXPECT_THROW(select(problem, {}), cancelled);
}

/// The program on a small table with names.
class StabilityCommand : public testing::Test {
protected:
    StabilityCommand()
    {
        const regression problem = noisy_problem(6, 50, 6, 2);
        std::string table = "a,b,\"c, d\",e,f,g,y\n";
        for (std::int64_t i = 0; i < 50; ++i) {
            for (std::int64_t j = 0; j < 6; ++j) table += fmt::format("{},", problem.X.at(i, j));
            table += fmt::format("{}\n", problem.y[static_cast<std::size_t>(i)]);
        }
        spill(folder.file("table.csv"), table);
    }
    outcome run(std::vector<std::string> options = {})
    {
        std::vector<std::string> words{"stability", folder.file("table.csv"), "--y-column", "y",
                                       "--out",     folder.file("chosen"),    "--pairs",    "10"};
        words.insert(words.end(), options.begin(), options.end());
        return call(words);
    }
    std::string file(const std::string& name) const { return folder.file("chosen/" + name); }

    io_test::temporary_folder folder;
};

TEST_F(StabilityCommand, WritesFrequenciesBesideAFit)
{
    const outcome done = run({"--most-selected", "2"});
    EXPECT_EQ(done.code, cli::exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("Stability selection: 10 pairs of halves, 2 features of 6 may be selected by one"));
    const std::vector<std::string> lines = read_lines(file("stability.csv"));
    ASSERT_GE(lines.size(), 3U);
    EXPECT_EQ(lines[0], "feature,selections,frequency,stable,lambda,name");
    EXPECT_TRUE(lines[1].starts_with("1,20,1,1,"));
    EXPECT_TRUE(lines[1].ends_with(",a"));
    EXPECT_TRUE(lines[2].starts_with("2,20,1,1,"));
    const nlohmann::json summary = nlohmann::json::parse(slurp(file("summary.json")));
    EXPECT_THAT(summary["stability"]["stable"].get<std::vector<int>>(), ElementsAre(1, 2));
    EXPECT_EQ(summary["stability"]["pairs"], 10);
    EXPECT_NEAR(summary["stability"]["expected_false"].get<double>(), 4 / (0.5 * 6), 1e-12);
    const matrix frequencies = read_data(file("frequencies.mtx")).X;
    EXPECT_EQ(frequencies.rows(), 6);
    EXPECT_EQ(frequencies.cols(), 100);
    EXPECT_TRUE(std::filesystem::exists(file("features.txt")));
    EXPECT_EQ(call({"predict", folder.file("chosen"), folder.file("table.csv"), "--y-column", "y", "--out",
                    folder.file("p.csv")})
                  .code,
              cli::exit_certified);
    EXPECT_EQ(run({"--force", "--quiet"}).code, cli::exit_certified);
}

TEST_F(StabilityCommand, RefusesWhatDoesNotGoTogether)
{
    EXPECT_THAT(run({"--most-selected", "2", "--expected-false", "1"}).err, HasSubstr("--most-selected"));
    EXPECT_THAT(run({"--alpha", "0"}).err, HasSubstr("Ridge selects every feature"));
    EXPECT_THAT(run({"--threshold", "0.4"}).err, HasSubstr("--threshold"));
    EXPECT_THAT(run({"--pmax", "4"}).err, HasSubstr("--pmax"));
    EXPECT_FALSE(std::filesystem::exists(folder.file("chosen")));
}

} // namespace
} // namespace proxpath::test
