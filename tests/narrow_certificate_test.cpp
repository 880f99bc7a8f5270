// Certificates of narrow fits from the products of their columns: what rounding may hide in the products is taken off
// the dual, so that the gap is a proof without any allowance of the test's; and where that would be too much, X is
// read.

#include "tests/support/checks.hpp"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

bool read_X(const path_result& result)
{
    return std::any_of(result.account.begin(), result.account.end(),
                       [](const round_account& round) { return round.share_read > 0; });
}

/// At least twice as many rows as features. Some columns are nearly the same, some far from zero, some sparse.
regression narrow_problem(std::uint64_t seed)
{
    random_numbers random(seed);
    const std::int64_t p = random.integer(1, 12);
    const std::int64_t n = random.integer(std::max<std::int64_t>(2 * p, 10), 300);
    regression problem;
    problem.X = random_matrix(random, n, p, random.chance(0.5) ? 1.0 : 0.2);
    for (std::int64_t j = 0; j < p; ++j) {
        if (j > 0 && random.chance(0.3))
            for (std::int64_t i = 0; i < n; ++i)
                problem.X.at(i, j) = problem.X.at(i, j - 1) * (1 + 1e-3 * random.normal());
        if (random.chance(0.3))
            for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, j) = 1e4 + random.normal();
    }
    problem.y.resize(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
        problem.y[static_cast<std::size_t>(i)] =
            3 + problem.X.at(i, 0) - 0.5 * problem.X.at(i, p / 2) + 0.3 * random.normal();
    if (random.chance(0.4))
        for (std::int64_t i = 0; i < n; ++i) problem.weights.push_back(i % 9 == 4 ? 0.0 : random.uniform(0.1, 5));
    problem.settings.alpha = random.chance(0.5) ? 1.0 : random.uniform(0.1, 1);
    problem.settings.intercept = random.chance(0.7);
    problem.settings.standardize = random.chance(0.6);
    problem.settings.n_lambda = 8;
    problem.settings.lambda_min_ratio = 0.003;
    problem.settings.threads = 1;
    return problem;
}

TEST(NarrowCertificate, FromProductsIsAProofByItself)
{
    int from_products = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const regression problem = narrow_problem(seed);
        SCOPED_TRACE(describe(problem, seed));
        const path_result result = problem.fit();
        const dense_reference reference(problem.X, problem.y, problem.options());
        expect_true_certificates(problem, reference, result);
        if (result.lambda_max == 0 || read_X(result)) continue;
        ++from_products;
        EXPECT_EQ(result.passes, 2);
        std::vector<double> start;
        for (std::size_t k = 0; k < result.points.size(); ++k) {
            const path_point& point = result.points[k];
            EXPECT_EQ(point.passes, 0);
            const reference_solution best = reference.solve(point.lambda, start, 1e-16, 3000);
            start = best.b;
            const long double at_best = reference.objective(point.lambda, best.intercept, best.b);
            const long double at_point =
                reference.objective(point.lambda, point.intercept, dense_coefficients(result, k));
            // No allowance for rounding: the gap has its own.
            EXPECT_GE(point.gap, static_cast<double>(at_point - at_best)) << "lambda " << point.lambda;
            EXPECT_LE(point.dual, static_cast<double>(at_best)) << "lambda " << point.lambda;
            EXPECT_EQ(point.gap, point.primal - point.dual);
        }
    }
    EXPECT_GE(from_products, 40);
}

TEST(NarrowCertificate, ReadsXWhereColumnsAreTooFarOffCentre)
{
    // A zero in a row of hardly any weight: the column's mean is 7,000 times its deviation, and the zero keeps it from
    // being subtracted entry by entry. Digits of the products are lost, the pass over X keeps them.
    const std::int64_t n = 200;
    random_numbers random(5);
    regression problem;
    problem.X = dense_matrix(n, 2);
    for (std::int64_t i = 0; i < n; ++i) {
        problem.X.at(i, 0) = i == 0 ? 0.0 : 1 + 1e-4 * random.normal();
        problem.X.at(i, 1) = random.normal();
        problem.y.push_back(1e4 * (problem.X.at(i, 0) - 1) + problem.X.at(i, 1) + 0.1 * random.normal());
        problem.weights.push_back(i == 0 ? 1e-6 : 1.0);
    }
    problem.y[0] = 0;
    problem.settings.n_lambda = 10;
    problem.settings.lambda_min_ratio = 0.01;
    const compressed_matrix<std::int32_t, double> columns(problem.X, storage_order::csc);
    const path_result result = fit_path(columns.view(), problem.y, problem.options());
    const dense_reference reference(problem.X, problem.y, problem.options());
    expect_gaps_hold(reference, result);
    ASSERT_FALSE(result.account.empty());
    for (const round_account& round : result.account) EXPECT_EQ(round.share_read, 1.0);
    EXPECT_EQ(result.passes, 2 + result.rounds);

    // The same column with 1 in that row is full, and near enough.
    problem.X.at(0, 0) = 1;
    EXPECT_FALSE(read_X(problem.fit()));
}

TEST(NarrowCertificate, ReadsXForBoundsRidgeAndToleranceNearRounding)
{
    const auto reads = [](const auto& change) {
        regression problem = narrow_problem(7);
        problem.settings.alpha = 0.7;
        EXPECT_FALSE(read_X(problem.fit()));
        change(problem);
        const path_result result = problem.fit();
        expect_true_certificates(problem, dense_reference(problem.X, problem.y, problem.options()), result);
        return read_X(result);
    };
    EXPECT_TRUE(reads([](regression& problem) { problem.lower.assign(static_cast<std::size_t>(problem.X.p), 0.0); }));
    EXPECT_TRUE(reads([](regression& problem) { problem.upper.assign(static_cast<std::size_t>(problem.X.p), 1e6); }));
    EXPECT_TRUE(reads([](regression& problem) { problem.settings.alpha = 0; }));
    EXPECT_TRUE(reads([](regression& problem) { problem.settings.form = form_kind::residual; }));
    EXPECT_TRUE(reads([](regression& problem) { problem.settings.tol = 1e-13; }));
}

TEST(NarrowCertificate, SaysHowFarAnUnfinishedSolveIs)
{
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        regression problem = narrow_problem(seed);
        problem.settings.max_iterations = 1;
        problem.settings.tol = 1e-9;
        SCOPED_TRACE(describe(problem, seed));
        expect_true_certificates(problem, dense_reference(problem.X, problem.y, problem.options()), problem.fit());
    }
}

TEST(NarrowCertificate, AFactorSoSmallThatItsPenaltyVanishesIsAnUnpenalisedFeature)
{
    regression problem = narrow_problem(3);
    problem.settings.alpha = 0.5;
    problem.penalty_factors.assign(static_cast<std::size_t>(problem.X.p), 1.0);
    problem.penalty_factors[0] = std::numeric_limits<double>::denorm_min();
    const path_result result = problem.fit();
    EXPECT_TRUE(read_X(result));
    EXPECT_TRUE(result.all_converged());
}

} // namespace
} // namespace proxpath::test
