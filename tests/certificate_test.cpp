// Certificates against a second opinion: what fit_path says of a point (primal, dual, gap, KKT residual) is what a
// plain dense computation says of the same coefficients, and no point is worse than its gap.

#include "tests/support/checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// Fits, checks, and returns the result.
path_result fit_and_check(const regression& problem)
{
    const path_result result = problem.fit();
    const dense_reference reference(problem.X, problem.y, problem.options());
    expect_true_certificates(problem, reference, result);
    expect_gaps_hold(reference, result);
    return result;
}

regression plain_problem(std::uint64_t seed, std::int64_t n = 30, std::int64_t p = 12)
{
    random_numbers random(seed);
    regression problem;
    problem.X = random_matrix(random, n, p, 0.7);
    problem.y.resize(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
        problem.y[static_cast<std::size_t>(i)] =
            2 + problem.X.at(i, 0) - 0.5 * problem.X.at(i, p / 2) + random.normal();
    problem.settings.n_lambda = 12;
    problem.settings.lambda_min_ratio = 0.01;
    problem.settings.threads = 1;
    return problem;
}

TEST(Certificate, HoldsForEveryAlphaWithAndWithoutInterceptAndStandardisation)
{
    for (const double alpha : {1.0, 0.5, 0.01, 0.0})
        for (const bool intercept : {false, true})
            for (const bool standardize : {false, true}) {
                regression problem = plain_problem(1);
                problem.settings.alpha = alpha;
                problem.settings.intercept = intercept;
                problem.settings.standardize = standardize;
                SCOPED_TRACE(describe(problem, 1));
                EXPECT_TRUE(fit_and_check(problem).all_converged());
            }
}

/// Where the Krylov space is short, the certificates come from its vectors (ridge_certificate.hpp), else from a pass.
TEST(Certificate, HoldsForRidgeFromShortAndLongKrylovSpaces)
{
    int from_vectors = 0;
    int from_pass = 0;
    for (const bool hard : {false, true})
        for (const bool standardize : {false, true}) {
            regression problem = plain_problem(hard ? 5 : 6, 40, 60);
            for (std::int64_t i = 0; i < 40; ++i) problem.X.at(i, 7) = 0; // a constant column
            if (hard)
                for (std::int64_t j = 0; j < 60; ++j)
                    for (std::int64_t i = 0; i < 40; ++i) problem.X.at(i, j) *= std::pow(1.2, static_cast<double>(j));
            for (std::int64_t i = 0; i < 40; ++i)
                problem.weights.push_back(i % 5 == 0 ? 0.0 : 1.0 + 0.1 * static_cast<double>(i % 3));
            problem.penalty_factors.assign(60, 1.0);
            problem.penalty_factors[3] = std::numeric_limits<double>::infinity();
            problem.penalty_factors[4] = 2.5;
            problem.settings.alpha = 0;
            problem.settings.solver = solver_kind::krylov;
            problem.settings.standardize = standardize;
            problem.settings.n_lambda = 100;
            problem.settings.lambda_min_ratio = hard ? 1e-5 : 1e-2;
            SCOPED_TRACE(describe(problem, 5));
            const path_result result = fit_and_check(problem);
            EXPECT_TRUE(result.all_converged());
            std::int64_t longest = 0;
            for (const path_point& point : result.points) longest = std::max(longest, point.iterations);
            ++(longest < 33 ? from_vectors : from_pass);
        }
    EXPECT_GT(from_vectors, 0);
    EXPECT_GT(from_pass, 0);
}

TEST(Certificate, HoldsWithWeightsAndOffset)
{
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        regression problem = plain_problem(seed);
        random_numbers random(seed + 100);
        for (std::size_t i = 0; i < problem.y.size(); ++i) {
            problem.weights.push_back(i % 7 == 3 ? 0.0 : random.uniform(0.01, 5));
            problem.offset.push_back(3 * random.normal());
        }
        problem.settings.alpha = seed % 2 == 0 ? 1.0 : 0.4;
        problem.settings.intercept = seed % 3 != 0;
        SCOPED_TRACE(describe(problem, seed));
        EXPECT_TRUE(fit_and_check(problem).all_converged());
    }
}

TEST(Certificate, HoldsWithUnpenalisedAndExcludedFeatures)
{
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        regression problem = plain_problem(seed);
        problem.penalty_factors.assign(12, 1.0);
        problem.penalty_factors[1] = problem.penalty_factors[7] = 0;
        problem.penalty_factors[4] = std::numeric_limits<double>::infinity();
        problem.penalty_factors[5] = 2.5;
        problem.settings.alpha = seed % 2 == 0 ? 1.0 : 0.4;
        problem.settings.intercept = seed % 3 != 0;
        problem.settings.standardize = seed % 5 != 0;
        SCOPED_TRACE(describe(problem, seed));
        const path_result result = fit_and_check(problem);
        EXPECT_TRUE(result.all_converged());
        for (std::size_t k = 0; k < result.points.size(); ++k) {
            EXPECT_EQ(dense_coefficients(result, k)[4], 0.0);
            EXPECT_NE(dense_coefficients(result, k)[1], 0.0);
        }
    }
}

TEST(Certificate, HoldsWithCollinearUnpenalisedFeatures)
{
    regression problem = plain_problem(3);
    for (std::int64_t i = 0; i < problem.X.n; ++i) {
        problem.X.at(i, 2) = problem.X.at(i, 1);
        problem.X.at(i, 3) = 2 * problem.X.at(i, 1) - problem.X.at(i, 9);
    }
    problem.penalty_factors.assign(12, 1.0);
    for (const std::size_t j : {1, 2, 3, 9}) problem.penalty_factors[j] = 0;
    EXPECT_TRUE(fit_and_check(problem).all_converged());
}

TEST(Certificate, HoldsWithNearlyCollinearUnpenalisedFeatures)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const std::vector<double> differences{1e-3}; // the nearer, the slower
#else
    const std::vector<double> differences{1e-3, 1e-5, 1e-7, 1e-9};
#endif
    for (const double difference : differences) {
        SCOPED_TRACE(difference);
        regression problem = plain_problem(4);
        problem.settings.n_lambda = 3; // coordinate descent, which judges, is slow here
        random_numbers random(17);
        for (std::int64_t i = 0; i < problem.X.n; ++i)
            problem.X.at(i, 2) = problem.X.at(i, 1) + difference * random.normal();
        problem.penalty_factors.assign(12, 1.0);
        problem.penalty_factors[1] = problem.penalty_factors[2] = 0;
        const path_result result = problem.fit();
        const dense_reference reference(problem.X, problem.y, problem.options());
        expect_gaps_hold(reference, result);
    }
}

TEST(Certificate, HoldsWithBounds)
{
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        regression problem = plain_problem(seed);
        random_numbers random(seed + 50);
        for (std::int64_t j = 0; j < problem.X.p; ++j) {
            problem.lower.push_back(random.chance(0.3) ? -infinity : random.chance(0.4) ? 0 : -random.uniform(0, 0.3));
            problem.upper.push_back(random.chance(0.3) ? infinity : random.chance(0.2) ? 0 : random.uniform(0, 0.3));
        }
        problem.settings.alpha = seed % 3 == 0 ? 0.0 : seed % 3 == 1 ? 1.0 : 0.5;
        problem.settings.intercept = seed % 2 != 0;
        SCOPED_TRACE(describe(problem, seed));
        EXPECT_TRUE(fit_and_check(problem).all_converged());
    }
}

TEST(Certificate, HoldsWhenEveryFeatureIsBoundedFarFromTheSolution)
{
    // Bounds that are never met must not make the gap smaller than it is.
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
        for (const double alpha : {1.0, 0.5}) {
            regression problem = plain_problem(seed);
            problem.lower.assign(12, -100.0);
            problem.upper.assign(12, 100.0);
            problem.settings.alpha = alpha;
            problem.settings.tol = 1e-3;
            SCOPED_TRACE(describe(problem, seed));
            EXPECT_TRUE(fit_and_check(problem).all_converged());
        }
}

TEST(Certificate, HoldsForUnpenalisedFeaturesBetweenBounds)
{
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        regression problem = plain_problem(seed);
        problem.penalty_factors.assign(12, 1.0);
        problem.penalty_factors[0] = problem.penalty_factors[3] = 0;
        problem.lower.assign(12, -std::numeric_limits<double>::infinity());
        problem.upper.assign(12, std::numeric_limits<double>::infinity());
        problem.lower[0] = problem.lower[3] = -0.2;
        problem.upper[0] = problem.upper[3] = 0.2;
        problem.settings.alpha = seed % 2 == 0 ? 1.0 : 0.4;
        SCOPED_TRACE(describe(problem, seed));
        EXPECT_TRUE(fit_and_check(problem).all_converged());
    }
}

TEST(Certificate, IsNotFlatteredByAnUnfinishedSolve)
{
    // A handful of iterations leave a large gap: it must be said, and be true.
    for (const solver_kind solver : {solver_kind::ista, solver_kind::fista, solver_kind::cd})
        for (const form_kind form : {form_kind::gram, form_kind::residual})
            for (std::uint64_t seed = 1; seed <= 4; ++seed) {
                regression problem = plain_problem(seed, 25, 40);
                problem.settings.solver = solver;
                problem.settings.form = form;
                problem.settings.max_iterations = 2;
                problem.settings.tol = 1e-12;
                problem.settings.n_lambda = 5;
                SCOPED_TRACE(describe(problem, seed));
                fit_and_check(problem);
            }
}

TEST(Certificate, SaysNotConvergedWhenTheIterationsRunOut)
{
    regression problem = plain_problem(2, 25, 40);
    problem.settings.solver = solver_kind::ista;
    problem.settings.max_iterations = 1;
    problem.settings.tol = 1e-10;
    const path_result result = fit_and_check(problem);
    EXPECT_FALSE(result.all_converged());
    EXPECT_EQ(result.points.back().status, column_status::not_converged);
    EXPECT_GT(result.points.back().rel_gap, 1e-10);
}

} // namespace
} // namespace proxpath::test
