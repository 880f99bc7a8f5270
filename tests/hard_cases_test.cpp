// Paths that solvers are known to stumble over: every lambda is certified, or marked as what it is.

#include "tests/support/checks.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// A response that a few columns explain, and noise of a share of its deviation.
std::vector<double> response_of(random_numbers& random, const dense_matrix& X, double noise, std::int64_t true_features)
{
    std::vector<double> y(static_cast<std::size_t>(X.n), 0.0);
    for (std::int64_t e = 0; e < true_features; ++e) {
        const std::int64_t j = e * (X.p / true_features);
        const double effect = random.normal();
        for (std::int64_t i = 0; i < X.n; ++i) y[static_cast<std::size_t>(i)] += effect * X.at(i, j);
    }
    double square = 0;
    for (const double value : y) square += value * value;
    const double deviation = std::sqrt(square / static_cast<double>(X.n));
    for (double& value : y) value += noise * deviation * random.normal();
    return y;
}

dense_matrix normal_matrix(random_numbers& random, std::int64_t n, std::int64_t p)
{
    dense_matrix X(n, p);
    for (double& value : X.values) value = random.normal();
    return X;
}

/// Columns without relation, and a response that some of them explain.
regression normal_problem(std::uint64_t seed, std::int64_t n, std::int64_t p, double noise, std::int64_t true_features)
{
    random_numbers random(seed);
    regression problem;
    problem.X = normal_matrix(random, n, p);
    problem.y = response_of(random, problem.X, noise, true_features);
    return problem;
}

/// Fits with alpha 1 and 0.5; every lambda has to be certified, and its certificate to be true.
void expect_certified(regression problem)
{
    problem.settings.threads = 2;
    for (const double alpha : {1.0, 0.5}) {
        SCOPED_TRACE(alpha);
        problem.settings.alpha = alpha;
        const path_result result = problem.fit();
        const dense_reference reference(problem.X, problem.y, problem.options());
        expect_true_certificates(problem, reference, result);
        for (const path_point& point : result.points) {
            EXPECT_EQ(point.status, column_status::converged) << "lambda " << point.lambda;
            EXPECT_LE(point.rel_gap, problem.settings.tol) << "lambda " << point.lambda;
        }
    }
}

TEST(HardCases, NeighboursCorrelatedBy99Percent)
{
    random_numbers random(1);
    regression problem;
    problem.X = normal_matrix(random, 150, 400);
    const double share = 0.99;
    for (std::int64_t j = 1; j < 400; ++j)
        for (std::int64_t i = 0; i < 150; ++i)
            problem.X.at(i, j) = share * problem.X.at(i, j - 1) + std::sqrt(1 - share * share) * problem.X.at(i, j);
    problem.y = response_of(random, problem.X, 0.3, 10);
    problem.settings.lambda_min_ratio = 0.001;
    expect_certified(problem);
}

TEST(HardCases, EveryColumnTwiceAndOnceWithTheOtherSign)
{
    random_numbers random(2);
    regression problem;
    problem.X = normal_matrix(random, 60, 150);
    for (std::int64_t j = 0; j < 50; ++j)
        for (std::int64_t i = 0; i < 60; ++i) {
            problem.X.at(i, 50 + j) = problem.X.at(i, j);
            problem.X.at(i, 100 + j) = -problem.X.at(i, j);
        }
    problem.y = response_of(random, problem.X, 0.3, 8);
    problem.settings.lambda_min_ratio = 0.001;
    expect_certified(problem);
}

TEST(HardCases, TenTimesAsManyFeaturesAsRowsDownToAThousandth)
{
    regression problem = normal_problem(3, 100, 1000, 0.5, 20);
    problem.settings.lambda_min_ratio = 0.001;
    expect_certified(problem);
}

TEST(HardCases, ColumnsOfAnyScaleWithoutStandardisation)
{
    random_numbers random(4);
    regression problem;
    problem.X = normal_matrix(random, 120, 60);
    for (std::int64_t j = 0; j < 60; ++j) {
        const double scale = std::pow(10, -6 + 12 * static_cast<double>(j) / 59);
        for (std::int64_t i = 0; i < 120; ++i) problem.X.at(i, j) *= scale;
    }
    problem.y = response_of(random, normal_matrix(random, 120, 60), 0.3, 10);
    for (std::int64_t i = 0; i < 120; ++i)
        for (std::int64_t j = 0; j < 60; j += 6)
            problem.y[static_cast<std::size_t>(i)] +=
                problem.X.at(i, j) / std::pow(10, -6 + 12 * static_cast<double>(j) / 59);
    problem.settings.standardize = false;
    problem.settings.lambda_min_ratio = 1e-4;
    expect_certified(problem);
}

TEST(HardCases, TwentyRowsAndAHundredThousandFeatures)
{
    regression problem = normal_problem(5, 20, 100000, 0.5, 5);
    problem.settings.n_lambda = 30;
    expect_certified(problem);
}

TEST(HardCases, NothingButZerosAndOnes)
{
    random_numbers random(6);
    regression problem;
    problem.X = dense_matrix(300, 200);
    for (double& value : problem.X.values) value = random.chance(0.1) ? 1 : 0;
    problem.y = response_of(random, problem.X, 0.5, 20);
    problem.settings.lambda_min_ratio = 0.001;
    expect_certified(problem);
}

TEST(HardCases, AConstantResponseIsTheNullModelAndSaysSo)
{
    random_numbers random(7);
    regression problem;
    problem.X = normal_matrix(random, 30, 40);
    problem.y.assign(30, 3.7);
    const path_result result = problem.fit();
    ASSERT_FALSE(result.points.empty());
    for (const path_point& point : result.points) {
        EXPECT_EQ(point.status, column_status::converged);
        EXPECT_EQ(point.df, 0);
        EXPECT_EQ(point.gap, 0);
        EXPECT_DOUBLE_EQ(point.intercept, 3.7);
    }
    EXPECT_FALSE(result.notes.empty());
}

TEST(HardCases, AResponseWithoutNoise)
{
    for (const std::int64_t p : {30, 500}) {
        SCOPED_TRACE(p);
        regression problem = normal_problem(8, 100, p, 0.0, 10);
        problem.settings.lambda_min_ratio = 1e-4;
        expect_certified(problem);
    }
}

TEST(HardCases, ALambdaWithoutTimeEnoughIsMarkedWithTheGapItHas)
{
    regression problem = normal_problem(9, 100, 1000, 0.5, 20);
    problem.settings.lambda_min_ratio = 0.001;
    problem.settings.max_iterations = 1;
    const path_result result = problem.fit();
    std::int64_t marked = 0;
    for (const path_point& point : result.points) {
        EXPECT_EQ(point.status == column_status::converged, point.rel_gap <= problem.settings.tol);
        marked += point.status == column_status::not_converged ? 1 : 0;
    }
    EXPECT_GT(marked, 0);
    expect_true_certificates(problem, dense_reference(problem.X, problem.y, problem.options()), result);
}

} // namespace
} // namespace proxpath::test
