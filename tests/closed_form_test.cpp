// Problems whose solution can be written down: orthonormal columns, one feature, one row, twins, and columns or
// responses in which there is nothing to find.

#include "tests/support/checks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

double soft_threshold(double z, double t) { return std::copysign(std::max(std::fabs(z) - t, 0.0), z); }

/// Columns with X'X / n = I exactly: rows of a Hadamard matrix of order 2^k, entries ±1, without its constant column.
/// They are centred, too, so that intercept and standardisation change nothing.
dense_matrix hadamard(std::int64_t n, std::int64_t p)
{
    dense_matrix X(n, p);
    for (std::int64_t j = 0; j < p; ++j)
        for (std::int64_t i = 0; i < n; ++i)
            X.at(i, j) = __builtin_parityll(static_cast<unsigned long long>(i & (j + 1))) != 0 ? -1 : 1;
    return X;
}

/// y whose correlations c_j = x_j'y / n with the columns are dyadic numbers, so that no sum rounds.
regression orthonormal_problem()
{
    regression problem;
    problem.X = hadamard(64, 40);
    random_numbers random(5);
    problem.y.assign(64, 0.0);
    for (std::int64_t j = 0; j < 40; ++j) {
        const double effect = static_cast<double>(random.integer(-64, 64)) / 64;
        for (std::int64_t i = 0; i < 64; ++i) problem.y[static_cast<std::size_t>(i)] += effect * problem.X.at(i, j);
    }
    problem.settings.threads = 1;
    return problem;
}

std::vector<double> correlations(const regression& problem)
{
    std::vector<double> c;
    for (std::int64_t j = 0; j < problem.X.p; ++j) {
        double sum = 0;
        for (std::int64_t i = 0; i < problem.X.n; ++i)
            sum += problem.X.at(i, j) * problem.y[static_cast<std::size_t>(i)];
        c.push_back(sum / static_cast<double>(problem.X.n));
    }
    return c;
}

struct fit_way {
    const char* name;
    solver_kind solver;
    form_kind form;
    screening_kind screening;
};

const fit_way lasso_ways[] = {
    {"automatic", solver_kind::automatic, form_kind::automatic, screening_kind::automatic},
    {"cd, Gram", solver_kind::cd, form_kind::gram, screening_kind::automatic},
    {"cd, residual", solver_kind::cd, form_kind::residual, screening_kind::automatic},
    {"cd, no screening", solver_kind::cd, form_kind::gram, screening_kind::none},
    {"ista, Gram", solver_kind::ista, form_kind::gram, screening_kind::automatic},
    {"ista, residual", solver_kind::ista, form_kind::residual, screening_kind::none},
    {"fista, Gram", solver_kind::fista, form_kind::gram, screening_kind::none},
    {"fista, residual", solver_kind::fista, form_kind::residual, screening_kind::automatic},
};

TEST(ClosedForm, LassoOnOrthonormalColumnsIsSoftThresholdingWithTheSameZeros)
{
    for (const fit_way& how : lasso_ways)
        for (const bool intercept : {false, true})
            for (const bool standardize : {false, true}) {
                SCOPED_TRACE(how.name);
                regression problem = orthonormal_problem();
                problem.settings.intercept = intercept;
                problem.settings.standardize = standardize;
                problem.settings.solver = how.solver;
                problem.settings.form = how.form;
                problem.settings.screening = how.screening;
                problem.settings.lambda = {0.7, 0.45, 0.2, 0.1, 0.01}; // no correlation lies on a threshold
                problem.settings.tol = 1e-12;
                const std::vector<double> c = correlations(problem);
                const path_result result = problem.fit();
                ASSERT_TRUE(result.all_converged());
                for (std::size_t k = 0; k < result.points.size(); ++k) {
                    const std::vector<double> b = dense_coefficients(result, k);
                    for (std::size_t j = 0; j < b.size(); ++j) {
                        const double expected = soft_threshold(c[j], result.points[k].lambda);
                        EXPECT_EQ(b[j] == 0, expected == 0) << "feature " << j << ", c " << c[j];
                        // gap ≥ ½ (b − b*)², gap ≤ tol · P(0)
                        EXPECT_NEAR(b[j], expected, std::sqrt(2 * 1e-12 * result.null_loss));
                    }
                }
            }
}

TEST(ClosedForm, RidgeOnOrthonormalColumnsDividesAndHasNotOneZero)
{
    for (const solver_kind solver :
         {solver_kind::automatic, solver_kind::cd, solver_kind::krylov, solver_kind::ista, solver_kind::fista}) {
        regression problem = orthonormal_problem();
        // No correlation that is exactly 0.
        for (std::int64_t j = 0; j < 40; ++j)
            if (correlations(problem)[static_cast<std::size_t>(j)] == 0)
                for (std::int64_t i = 0; i < 64; ++i)
                    problem.y[static_cast<std::size_t>(i)] += 0.5 * problem.X.at(i, j);
        problem.settings.alpha = 0;
        problem.settings.solver = solver;
        problem.settings.lambda = {1000, 10, 1, 0.1, 0.001};
        problem.settings.tol = 1e-13;
        const std::vector<double> c = correlations(problem);
        const path_result result = problem.fit();
        ASSERT_TRUE(result.all_converged());
        for (std::size_t k = 0; k < result.points.size(); ++k) {
            const std::vector<double> b = dense_coefficients(result, k);
            EXPECT_EQ(result.points[k].df, 40);
            for (std::size_t j = 0; j < b.size(); ++j)
                EXPECT_NEAR(b[j], c[j] / (1 + result.points[k].lambda), std::sqrt(2 * 1e-13 * result.null_loss));
        }
    }
}

TEST(ClosedForm, ElasticNetOnOrthonormalColumnsThresholdsThenDivides)
{
    regression problem = orthonormal_problem();
    problem.settings.alpha = 0.5;
    problem.settings.lambda = {0.9, 0.3};
    problem.settings.tol = 1e-13;
    const std::vector<double> c = correlations(problem);
    const path_result result = problem.fit();
    for (std::size_t k = 0; k < 2; ++k) {
        const double lambda = result.points[k].lambda;
        const std::vector<double> b = dense_coefficients(result, k);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const double expected = soft_threshold(c[j], lambda / 2) / (1 + lambda / 2);
            EXPECT_EQ(b[j] == 0, expected == 0);
            EXPECT_NEAR(b[j], expected, std::sqrt(2 * 1e-13 * result.null_loss));
        }
    }
}

TEST(ClosedForm, OneFeatureIsSolvedExactly)
{
    for (const double alpha : {1.0, 0.5, 0.0})
        for (const bool intercept : {false, true})
            for (const bool standardize : {false, true}) {
                regression problem;
                problem.X = dense_matrix(5, 1);
                problem.X.values = {1, 0, 2, 5, -1};
                problem.y = {3, 1, 4, 1, 5};
                problem.settings.alpha = alpha;
                problem.settings.intercept = intercept;
                problem.settings.standardize = standardize;
                problem.settings.lambda = {0.9, 0.3, 0.01};
                problem.settings.tol = 1e-14;
                const dense_reference reference(problem.X, problem.y, problem.options());
                const path_result result = problem.fit();
                expect_true_certificates(problem, reference, result);
                double mean_x = 0;
                double mean_y = 0;
                for (int i = 0; i < 5 && intercept; ++i) {
                    mean_x += problem.X.values[static_cast<std::size_t>(i)] / 5;
                    mean_y += problem.y[static_cast<std::size_t>(i)] / 5;
                }
                double xx = 0;
                double xy = 0;
                for (std::size_t i = 0; i < 5; ++i) {
                    xx += (problem.X.values[i] - mean_x) * (problem.X.values[i] - mean_x) / 5;
                    xy += (problem.X.values[i] - mean_x) * (problem.y[i] - mean_y) / 5;
                }
                const double s = standardize ? reference.deviation(0) : 1;
                for (std::size_t k = 0; k < 3; ++k) {
                    const double lambda = result.points[k].lambda;
                    const double b = soft_threshold(xy, lambda * alpha * s) / (xx + lambda * (1 - alpha) * s * s);
                    EXPECT_NEAR(dense_coefficients(result, k)[0], b, 1e-7) << describe(problem, 0);
                    EXPECT_NEAR(result.points[k].intercept, mean_y - mean_x * dense_coefficients(result, k)[0], 1e-14);
                }
            }
}

TEST(ClosedForm, TwinsShareUnderRidgeAndCarryTheSameSumUnderLasso)
{
    regression single;
    random_numbers random(9);
    single.X = random_matrix(random, 20, 3, 1.0);
    for (int i = 0; i < 20; ++i) single.y.push_back(single.X.at(i, 0) + random.normal());
    regression twins = single;
    twins.X = dense_matrix(20, 4);
    std::copy(single.X.values.begin(), single.X.values.end(), twins.X.values.begin());
    std::copy_n(single.X.values.begin(), 20, twins.X.values.begin() + 60);

    for (regression* problem : {&single, &twins}) {
        problem->settings.lambda = {0.2, 0.05, 0.01};
        problem->settings.tol = 1e-13;
    }
    const path_result one = single.fit();
    const path_result two = twins.fit();
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(one.points[k].primal, two.points[k].primal, 2e-13 * one.null_loss);
        EXPECT_NEAR(dense_coefficients(one, k)[0], dense_coefficients(two, k)[0] + dense_coefficients(two, k)[3], 1e-5);
    }
    twins.settings.alpha = 0;
    for (const solver_kind solver : {solver_kind::cd, solver_kind::krylov, solver_kind::fista}) {
        twins.settings.solver = solver;
        const path_result ridge = twins.fit();
        for (std::size_t k = 0; k < 3; ++k)
            EXPECT_NEAR(dense_coefficients(ridge, k)[0], dense_coefficients(ridge, k)[3], 1e-5);
    }
}

TEST(ClosedForm, EveryPenalisedCoefficientIsZeroFromLambdaMaxOn)
{
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        ingredients allowed;
        allowed.ridge = false;
        allowed.bounds = seed % 2 == 0;
        allowed.penalty_factors = seed % 2 != 0;
        regression problem = random_regression(seed, allowed);
        SCOPED_TRACE(describe(problem, seed));
        const dense_reference reference(problem.X, problem.y, problem.options());
        problem.settings.n_lambda = 1;
        const path_result first = problem.fit();
        EXPECT_NEAR(first.lambda_max, reference.lambda_max(), 1e-11 * reference.lambda_max());
        if (first.lambda_max == 0) continue;
        problem.settings.lambda = {7 * first.lambda_max, first.lambda_max * (1 + 1e-12), first.lambda_max};
        const path_result result = problem.fit();
        EXPECT_TRUE(result.all_converged());
        for (std::size_t k = 0; k < 3; ++k) {
            const std::vector<double> b = dense_coefficients(result, k);
            for (std::size_t j = 0; j < b.size(); ++j) {
                const bool unpenalised = !problem.penalty_factors.empty() && problem.penalty_factors[j] == 0;
                if (!unpenalised) {
                    EXPECT_EQ(b[j], 0.0) << "point " << k << ", feature " << j;
                }
            }
        }
        // Just below, something enters.
        problem.settings.lambda = {first.lambda_max * 0.999};
        problem.settings.tol = 1e-12;
        const path_result below = problem.fit();
        EXPECT_GT(below.points[0].df, first.points[0].df);
    }
}

TEST(ClosedForm, OneRowIsExplainedByTheInterceptOrShrunkWithoutIt)
{
    regression problem;
    problem.X = dense_matrix(1, 3);
    problem.X.values = {2, 0, -1};
    problem.y = {4};
    problem.settings.tol = 1e-13;
    for (const bool standardize : {false, true}) {
        problem.settings.standardize = standardize;
        const path_result result = problem.fit();
        EXPECT_TRUE(result.all_converged());
        EXPECT_EQ(result.points[0].intercept, 4.0);
        EXPECT_EQ(result.points[0].df, 0);
        EXPECT_EQ(result.null_loss, 0.0);
        EXPECT_THAT(result.constant_features, testing::ElementsAre(0, 1, 2));
        EXPECT_FALSE(result.notes.empty());
    }
    // ½ (4 − 2 b)² + λ |b|: b = (8 − λ) / 4
    problem.settings.intercept = false;
    problem.settings.standardize = false;
    problem.settings.lambda = {2};
    const path_result result = problem.fit();
    EXPECT_TRUE(result.all_converged());
    EXPECT_NEAR(dense_coefficients(result, 0)[0], 1.5, 1e-6);
    EXPECT_EQ(dense_coefficients(result, 0)[1], 0.0);
    EXPECT_EQ(dense_coefficients(result, 0)[2], 0.0);
    EXPECT_DOUBLE_EQ(result.lambda_max, 8);
}

TEST(ClosedForm, ColumnsWithoutVariationAreZeroAndNoted)
{
    for (const double alpha : {1.0, 0.5, 0.0})
        for (const bool intercept : {false, true})
            for (const bool standardize : {false, true}) {
                regression problem;
                random_numbers random(3);
                problem.X = random_matrix(random, 25, 6, 0.6);
                for (int i = 0; i < 25; ++i) {
                    problem.X.at(i, 1) = 0;   // empty
                    problem.X.at(i, 4) = 0.1; // constant, a number without exact binary form
                    problem.y.push_back(5 + problem.X.at(i, 0) + random.normal());
                }
                problem.settings.alpha = alpha;
                problem.settings.intercept = intercept;
                problem.settings.standardize = standardize;
                problem.settings.n_lambda = 5;
                SCOPED_TRACE(describe(problem, 3));
                const path_result result = problem.fit();
                expect_true_certificates(problem, dense_reference(problem.X, problem.y, problem.options()), result);
                EXPECT_TRUE(result.all_converged());
                // Without intercept and scale a column of one number is a feature like any other.
                if (intercept || standardize)
                    EXPECT_THAT(result.constant_features, testing::ElementsAre(1, 4));
                else
                    EXPECT_THAT(result.constant_features, testing::ElementsAre(1));
                EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("no variation")));
            }
}

TEST(ClosedForm, EmptyRowsCountAsObservations)
{
    // Two rows without an entry pull the intercept, and nothing else.
    regression problem;
    problem.X = dense_matrix(6, 2);
    for (int i = 0; i < 4; ++i) {
        problem.X.at(i, 0) = i;
        problem.X.at(i, 1) = i % 2;
    }
    problem.y = {1, 3, 5, 9, -2, -4};
    problem.settings.n_lambda = 6;
    for (const bool intercept : {false, true}) {
        problem.settings.intercept = intercept;
        const dense_reference reference(problem.X, problem.y, problem.options());
        const path_result result = problem.fit();
        expect_true_certificates(problem, reference, result);
        expect_gaps_hold(reference, result);
        EXPECT_TRUE(result.all_converged());
    }
}

TEST(ClosedForm, ResponseOfOneNumberIsItsIntercept)
{
    for (const double alpha : {1.0, 0.0})
        for (const double value : {0.0, 0.1, -1e9 / 3}) {
            regression problem;
            random_numbers random(8);
            problem.X = random_matrix(random, 11, 4, 0.7);
            problem.y.assign(11, value);
            problem.settings.alpha = alpha;
            const path_result grid = problem.fit();
            problem.settings.lambda = {1, 0.1};
            const path_result own = problem.fit();
            for (const path_result* result : {&grid, &own}) {
                EXPECT_TRUE(result->all_converged());
                EXPECT_EQ(result->null_loss, 0.0);
                for (const path_point& point : result->points) {
                    EXPECT_EQ(point.intercept, value);
                    EXPECT_EQ(point.df, 0);
                    EXPECT_EQ(point.gap, 0.0);
                }
                EXPECT_THAT(result->notes, testing::Contains(testing::HasSubstr("y is constant")));
            }
        }
}

TEST(ClosedForm, ResponseExplainedByUnpenalisedFeaturesLeavesNothingToFit)
{
    regression problem;
    random_numbers random(6);
    problem.X = random_matrix(random, 30, 5, 1.0);
    for (int i = 0; i < 30; ++i) problem.y.push_back(1 + 2 * problem.X.at(i, 0) - problem.X.at(i, 3));
    problem.penalty_factors = {0, 1, 1, 0, 1};
    const path_result result = problem.fit();
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        EXPECT_NEAR(dense_coefficients(result, k)[0], 2, 1e-12);
        EXPECT_NEAR(dense_coefficients(result, k)[3], -1, 1e-12);
        EXPECT_NEAR(result.points[k].intercept, 1, 1e-12);
    }
    EXPECT_TRUE(result.all_converged());
    EXPECT_EQ(result.null_loss, 0.0);
    EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("fits y exactly")));
    problem.settings.lambda = {1, 0.01};
    EXPECT_TRUE(problem.fit().all_converged());
}

TEST(ClosedForm, NoColumnsMeansTheNullModel)
{
    regression problem;
    problem.X = dense_matrix(4, 0);
    problem.y = {1, 2, 3, 6};
    const path_result result = problem.fit();
    ASSERT_EQ(result.points.size(), 1u);
    EXPECT_EQ(result.points[0].intercept, 3.0);
    EXPECT_TRUE(result.all_converged());
    EXPECT_FALSE(result.notes.empty());
}

} // namespace
} // namespace proxpath::test
