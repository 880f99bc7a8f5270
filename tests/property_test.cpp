// Properties that hold for every problem, tried on more than a thousand random ones (seeded: a failure prints its
// seed). Sizes are small so that each can be solved a second time by plain dense loops.

#include "tests/support/checks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// Calls f(problem, seed) for `count` random problems, stopping at the first that fails.
template <class F>
void for_random_problems(std::uint64_t first_seed, int count, const ingredients& allowed, const F& f)
{
    for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(count); ++seed) {
        regression problem = random_regression(seed, allowed);
        SCOPED_TRACE(describe(problem, seed));
        f(problem, seed);
        if (testing::Test::HasFailure()) return;
    }
}

dense_reference reference_of(const regression& problem) { return {problem.X, problem.y, problem.options()}; }

TEST(Property, CertificatesAreTrueAndNoSolutionIsBetterThanItsGapSays)
{
    int unsolved_by_reference = 0;
    int points = 0;
    for_random_problems(1, 450, {}, [&](const regression& problem, std::uint64_t) {
        const dense_reference reference = reference_of(problem);
        const path_result result = problem.fit();
        expect_true_certificates(problem, reference, result);
        EXPECT_TRUE(result.all_converged());
        for (const reference_solution& best : expect_gaps_hold(reference, result)) {
            ++points;
            if (best.gap > 1e-12 * reference.null_loss()) ++unsolved_by_reference;
        }
    });
    // A reference that stops early makes the comparison weaker, never wrong; it must stay the exception.
    EXPECT_LE(unsolved_by_reference, points / 20);
}

TEST(Property, EverySolverFormAndScreeningCertifiesTheSameOptimum)
{
    for_random_problems(1001, 70, {}, [](regression& problem, std::uint64_t) {
        const dense_reference reference = reference_of(problem);
        problem.settings.tol = 1e-8;
        const path_result first = problem.fit();
        EXPECT_TRUE(first.all_converged());
        problem.settings.lambda.clear();
        for (const path_point& point : first.points)
            if (point.lambda > 0) problem.settings.lambda.push_back(point.lambda);
        if (problem.settings.lambda.empty()) return;
        for (const solver_kind solver : {solver_kind::ista, solver_kind::fista, solver_kind::cd})
            for (const form_kind form : {form_kind::gram, form_kind::residual})
                for (const screening_kind screening : {screening_kind::automatic, screening_kind::none}) {
                    problem.settings.solver = solver;
                    problem.settings.form = form;
                    problem.settings.screening = screening;
                    // ista may need a million steps where columns nearly agree: its point then has a larger gap, as
                    // true.
                    problem.settings.max_iterations = solver == solver_kind::ista ? 10000 : 1000000;
                    const path_result result = problem.fit();
                    EXPECT_TRUE(solver == solver_kind::ista || result.all_converged()) << result.solver;
                    expect_true_certificates(problem, reference, result);
                    expect_same_optimum(reference, first, result);
                }
    });
}

TEST(Property, KrylovCertifiesTheSameRidgeAsTheOthers)
{
    ingredients allowed;
    allowed.bounds = false;
    for_random_problems(2001, 80, allowed, [](regression& problem, std::uint64_t) {
        for (double& factor : problem.penalty_factors) factor = factor == 0 ? 0.5 : factor;
        problem.settings.alpha = 0;
        problem.settings.tol = 1e-9;
        const dense_reference reference = reference_of(problem);
        problem.settings.solver = solver_kind::krylov;
        const path_result krylov = problem.fit();
        EXPECT_TRUE(krylov.all_converged());
        expect_true_certificates(problem, reference, krylov);
        problem.settings.solver = solver_kind::cd;
        expect_same_optimum(reference, krylov, problem.fit());
    });
}

TEST(Property, WeightsEqualRepeatedRows)
{
    ingredients allowed;
    allowed.weights = false;
    for_random_problems(3001, 80, allowed, [](regression& problem, std::uint64_t seed) {
        random_numbers random(seed + 5);
        std::vector<std::int64_t> rows;
        problem.weights.clear();
        for (std::int64_t i = 0; i < problem.X.n; ++i) {
            const std::int64_t copies = i == 0 ? 1 : random.integer(0, 3);
            problem.weights.push_back(static_cast<double>(copies));
            rows.insert(rows.end(), static_cast<std::size_t>(copies), i);
        }
        regression repeated = problem;
        repeated.weights.clear();
        repeated.X = dense_matrix(static_cast<std::int64_t>(rows.size()), problem.X.p);
        repeated.y.clear();
        repeated.offset.clear();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const auto from = static_cast<std::size_t>(rows[r]);
            for (std::int64_t j = 0; j < problem.X.p; ++j)
                repeated.X.at(static_cast<std::int64_t>(r), j) = problem.X.at(rows[r], j);
            repeated.y.push_back(problem.y[from]);
            if (!problem.offset.empty()) repeated.offset.push_back(problem.offset[from]);
        }
        const path_result by_weights = problem.fit();
        if (by_weights.lambda_max > 0) {
            repeated.settings.lambda.clear();
            for (const path_point& point : by_weights.points) repeated.settings.lambda.push_back(point.lambda);
        }
        const path_result by_rows = repeated.fit();
        EXPECT_NEAR(by_weights.lambda_max, by_rows.lambda_max, 1e-11 * by_weights.lambda_max);
        EXPECT_EQ(by_weights.constant_features, by_rows.constant_features);
        expect_same_optimum(reference_of(problem), by_weights, by_rows);
    });
}

TEST(Property, EveryWayOfHandingInTheMatrixGivesTheSameFit)
{
    for_random_problems(4001, 80, {}, [](regression& problem, std::uint64_t) {
        // Numbers that a float holds, so that all forms hold the same matrix.
        for (double& value : problem.X.values) value = static_cast<double>(static_cast<float>(value));
        const dense_reference reference = reference_of(problem);
        const auto fit = [&](const matrix_view& view) { return fit_path(view, problem.y, problem.options()); };

        const dense_matrix& X = problem.X;
        const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
        const compressed_matrix<std::int64_t, double> wide_columns(X, storage_order::csc);
        const compressed_matrix<std::int32_t, float> narrow_columns(X, storage_order::csc);
        const compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
        const compressed_matrix<std::int64_t, float> wide_rows(X, storage_order::csr);
        std::vector<float> narrow(X.values.begin(), X.values.end());
        std::vector<double> row_major(X.values.size());
        for (std::int64_t i = 0; i < X.n; ++i)
            for (std::int64_t j = 0; j < X.p; ++j) row_major[static_cast<std::size_t>(i * X.p + j)] = X.at(i, j);

        const path_result from_columns = fit(columns.view());
        expect_true_certificates(problem, reference, from_columns);
        const matrix_view others[] = {wide_columns.view(),
                                      narrow_columns.view(),
                                      rows.view(),
                                      wide_rows.view(),
                                      X.view(),
                                      dense_view(X.n, X.p, narrow.data(), X.n),
                                      dense_view(X.n, X.p, row_major.data(), X.p, storage_order::dense_row_major)};
        for (std::size_t way = 0; way < std::size(others); ++way) {
            SCOPED_TRACE(way);
            const path_result result = fit(others[way]);
            expect_true_certificates(problem, reference, result);
            expect_same_optimum(reference, from_columns, result);
        }
    });
}

TEST(Property, PermutingColumnsPermutesCoefficients)
{
    for_random_problems(5001, 80, {}, [](const regression& problem, std::uint64_t seed) {
        random_numbers random(seed + 7);
        std::vector<std::size_t> order(static_cast<std::size_t>(problem.X.p));
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t j = order.size(); j > 1; --j)
            std::swap(order[j - 1],
                      order[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(j) - 1))]);
        const auto permuted = [&](const std::vector<double>& values) {
            std::vector<double> out;
            for (std::size_t j = 0; j < values.size(); ++j) out.push_back(values[order[j]]);
            return out;
        };
        regression other = problem;
        for (std::size_t j = 0; j < order.size(); ++j)
            for (std::int64_t i = 0; i < problem.X.n; ++i)
                other.X.at(i, static_cast<std::int64_t>(j)) = problem.X.at(i, static_cast<std::int64_t>(order[j]));
        other.penalty_factors = permuted(problem.penalty_factors);
        other.lower = permuted(problem.lower);
        other.upper = permuted(problem.upper);

        const path_result straight = problem.fit();
        const path_result result = other.fit();
        EXPECT_NEAR(straight.lambda_max, result.lambda_max, 1e-12 * straight.lambda_max);
        expect_same_optimum(reference_of(problem), straight, result, [&](std::size_t k) {
            const std::vector<double> b = dense_coefficients(result, k);
            std::vector<double> back(b.size());
            for (std::size_t j = 0; j < b.size(); ++j) back[order[j]] = b[j];
            return back;
        });
    });
}

TEST(Property, RescalingColumnsRescalesCoefficientsToTheLastBit)
{
    // With standardisation nothing depends on a column's unit; powers of two do not even round.
    ingredients allowed;
    allowed.bounds = false;
    for_random_problems(6001, 60, allowed, [](regression& problem, std::uint64_t seed) {
        random_numbers random(seed + 9);
        problem.settings.standardize = true;
        regression other = problem;
        std::vector<double> unit;
        for (std::int64_t j = 0; j < problem.X.p; ++j) {
            unit.push_back(std::ldexp(1.0, static_cast<int>(random.integer(-20, 20))));
            for (std::int64_t i = 0; i < problem.X.n; ++i) other.X.at(i, j) *= unit.back();
        }
        const path_result straight = problem.fit();
        const path_result result = other.fit();
        ASSERT_EQ(straight.points.size(), result.points.size());
        EXPECT_EQ(straight.lambda_max, result.lambda_max);
        for (std::size_t k = 0; k < straight.points.size(); ++k) {
            const std::vector<double> a = dense_coefficients(straight, k);
            const std::vector<double> b = dense_coefficients(result, k);
            for (std::size_t j = 0; j < a.size(); ++j) EXPECT_EQ(a[j], b[j] * unit[j]) << "point " << k;
            EXPECT_EQ(straight.points[k].gap, result.points[k].gap);
            EXPECT_EQ(straight.points[k].intercept, result.points[k].intercept);
        }
    });
}

TEST(Property, RescalingTheResponseRescalesEverythingToTheLastBit)
{
    ingredients allowed;
    allowed.bounds = false;
    for_random_problems(7001, 60, allowed, [](regression& problem, std::uint64_t) {
        problem.settings.alpha = 1; // the ridge part has another unit than the lasso part
        regression other = problem;
        for (double& value : other.y) value *= 1024;
        for (double& value : other.offset) value *= 1024;
        const path_result straight = problem.fit();
        const path_result result = other.fit();
        ASSERT_EQ(straight.points.size(), result.points.size());
        EXPECT_EQ(straight.lambda_max * 1024, result.lambda_max);
        for (std::size_t k = 0; k < straight.points.size(); ++k) {
            EXPECT_EQ(straight.points[k].rel_gap, result.points[k].rel_gap);
            const std::vector<double> a = dense_coefficients(straight, k);
            const std::vector<double> b = dense_coefficients(result, k);
            for (std::size_t j = 0; j < a.size(); ++j) EXPECT_EQ(a[j] * 1024, b[j]) << "point " << k;
        }
    });
}

TEST(Property, StandardisingOutsideEqualsStandardisingInside)
{
    ingredients allowed;
    allowed.bounds = false;
    for_random_problems(8001, 80, allowed, [](regression& problem, std::uint64_t) {
        problem.settings.standardize = true;
        const dense_reference reference = reference_of(problem);
        regression outside = problem;
        outside.settings.standardize = false;
        std::vector<double> deviation;
        for (std::int64_t j = 0; j < problem.X.p; ++j) {
            deviation.push_back(reference.constant(j) ? 1 : reference.deviation(j));
            for (std::int64_t i = 0; i < problem.X.n; ++i)
                outside.X.at(i, j) = reference.constant(j) ? 0 : problem.X.at(i, j) / deviation.back();
        }
        const path_result inside = problem.fit();
        const path_result result = outside.fit();
        EXPECT_NEAR(inside.lambda_max, result.lambda_max, 1e-11 * inside.lambda_max);
        expect_same_optimum(reference, inside, result, [&](std::size_t k) {
            std::vector<double> b = dense_coefficients(result, k);
            for (std::size_t j = 0; j < b.size(); ++j) b[j] /= deviation[j];
            return b;
        });
    });
}

TEST(Property, FloatIterationsAreCertifiedInDoubleAndMeetTheSameGap)
{
    for_random_problems(9001, 60, {}, [](regression& problem, std::uint64_t seed) {
        const dense_reference reference = reference_of(problem);
        problem.settings.solver = solver_kind::fista;
        problem.settings.form = seed % 2 == 0 ? form_kind::gram : form_kind::residual;
        const path_result in_double = problem.fit();
        problem.settings.precision = precision_kind::float32;
        const path_result in_float = problem.fit();
        EXPECT_TRUE(in_float.all_converged());
        expect_true_certificates(problem, reference, in_float);
        expect_same_optimum(reference, in_double, in_float);
    });
}

TEST(Property, AColumnThePathNeverUsesChangesNothing)
{
    for_random_problems(10001, 60, {}, [](const regression& problem, std::uint64_t seed) {
        // At the far end, at the front or in the middle: an excluded column of any content.
        const std::int64_t place = static_cast<std::int64_t>(seed % 3) * problem.X.p / 2;
        random_numbers random(seed + 3);
        regression wider = problem;
        wider.X = dense_matrix(problem.X.n, problem.X.p + 1);
        for (std::int64_t j = 0; j <= problem.X.p; ++j)
            for (std::int64_t i = 0; i < problem.X.n; ++i)
                wider.X.at(i, j) = j == place ? random.normal() : problem.X.at(i, j < place ? j : j - 1);
        const auto widen = [&](std::vector<double>& values, double filler, bool always) {
            if (values.empty() && !always) return;
            if (values.empty()) values.assign(static_cast<std::size_t>(problem.X.p), filler == filler ? 1.0 : 0.0);
            values.insert(values.begin() + place, filler);
        };
        widen(wider.penalty_factors, infinity, true);
        widen(wider.lower, -1, false);
        widen(wider.upper, 1, false);

        // The default grid looks at n < p, so both get the same lambdas.
        const path_result straight = problem.fit();
        if (straight.lambda_max > 0) {
            wider.settings.lambda.clear();
            for (const path_point& point : straight.points) wider.settings.lambda.push_back(point.lambda);
        }
        const path_result result = wider.fit();
        EXPECT_EQ(straight.lambda_max, result.lambda_max);
        ASSERT_EQ(straight.points.size(), result.points.size());
        for (std::size_t k = 0; k < straight.points.size(); ++k) {
            std::vector<double> b = dense_coefficients(result, k);
            EXPECT_EQ(b[static_cast<std::size_t>(place)], 0.0);
            b.erase(b.begin() + place);
            const reference_certificate truth =
                reference_of(problem).certify(straight.points[k].lambda, result.points[k].intercept, b);
            EXPECT_NEAR(result.points[k].gap, truth.gap, certificate_accuracy * straight.null_loss);
        }
        expect_same_optimum(reference_of(problem), straight, result, [&](std::size_t k) {
            std::vector<double> b = dense_coefficients(result, k);
            b.erase(b.begin() + place);
            return b;
        });
    });
}

TEST(Property, OffsetEqualsSubtractionAndWeightsHaveNoUnit)
{
    for_random_problems(11001, 60, {}, [](const regression& problem, std::uint64_t) {
        regression other = problem;
        for (std::size_t i = 0; i < other.offset.size(); ++i) other.y[i] -= other.offset[i];
        other.offset.clear();
        for (double& weight : other.weights) weight *= 4;
        expect_same_bits(problem.fit(), other.fit());
    });
}

} // namespace
} // namespace proxpath::test
