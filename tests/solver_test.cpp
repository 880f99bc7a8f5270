// The solvers by themselves, on every backend and number type, and the problems that are hard for them: correlated
// neighbours, columns of very different units, means far above deviations, many more features than rows.

#include "tests/support/backends.hpp"
#include "tests/support/checks.hpp"
#include "tests/support/dense_algebra.hpp"

#include "host/solver/krylov.hpp"
#include "host/solver/proximal_gradient.hpp"
#include "host/solver/quadratic_form.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Core>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using backend::operations;
using backend::panel;

/// A dense problem without intercept, and its penalty as the solvers take it.
struct plain : penalty_vectors {
    regression problem;
    std::vector<double> weights;

    plain(std::uint64_t seed, double alpha, bool bounds, std::int64_t n = 40, std::int64_t p = 15)
    {
        random_numbers random(seed);
        problem.X = random_matrix(random, n, p, 0.8);
        for (std::int64_t i = 0; i < n; ++i) {
            problem.y.push_back(problem.X.at(i, 0) - problem.X.at(i, 1) + 0.5 * random.normal());
            weights.push_back(1.0 / static_cast<double>(n));
        }
        for (std::int64_t j = 0; j < p; ++j) {
            double square = 0;
            for (std::int64_t i = 0; i < n; ++i)
                square += problem.X.at(i, j) * problem.X.at(i, j) / static_cast<double>(n);
            for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, j) /= std::sqrt(square);
            l1.push_back(alpha);
            l2.push_back(1 - alpha);
            lower.push_back(bounds ? -0.3 : -infinity);
            upper.push_back(bounds ? 0.2 : infinity);
            kkt_scale.push_back(1);
        }
        problem.settings.alpha = alpha;
        problem.settings.intercept = false;
        problem.settings.standardize = false;
        if (bounds) {
            problem.lower = lower;
            problem.upper = upper;
        }
    }
    Eigen::MatrixXd dense() const
    {
        return Eigen::Map<const Eigen::MatrixXd>(problem.X.values.data(), problem.X.n, problem.X.p);
    }
    Eigen::MatrixXd gram() const { return dense().transpose() * dense() / static_cast<double>(problem.X.n); }
    Eigen::VectorXd correlation() const
    {
        const Eigen::Map<const Eigen::VectorXd> y(problem.y.data(), problem.X.n);
        return dense().transpose() * y / static_cast<double>(problem.X.n);
    }
    double response_square() const
    {
        double sum = 0;
        for (const double value : problem.y) sum += value * value / static_cast<double>(problem.X.n);
        return sum;
    }
};

template <class Backend>
class Solvers : public testing::Test {};
TYPED_TEST_SUITE(Solvers, solvers_times_types);

/// Calls f(form name, form) for the Gram and the residual form of a problem.
template <class T, class F>
void for_both_forms(const operations<T>& ops, const plain& one, const F& f)
{
    const matrix stored = matrix::from_view(one.problem.X.view());
    const auto X = ops.make_design(stored, no_scaling(one.l1.size()));
    panel<T> C = ops.allocate(one.problem.X.p, one.problem.X.p);
    ops.gram(*X, one.weights, 0, C);
    const Eigen::VectorXd c = one.correlation();
    const std::vector<double> correlation(c.data(), c.data() + c.size());
    f("Gram", *solver::make_gram_form<T>(ops, C, correlation, one.response_square()));
    f("residual", *solver::make_residual_form<T>(ops, *X, one.problem.y, one.weights));
}

TYPED_TEST(Solvers, IstaAndFistaReachTheGapTheyReportInBothForms)
{
    using T = typename TypeParam::value_type;
    constexpr bool narrow = std::is_same_v<T, float>;
    const auto ops = TypeParam::make();
    for (std::uint64_t seed = 1; seed <= problems_of<TypeParam>(5); ++seed)
        for (const double alpha : {1.0, 0.5, 0.0})
            for (const bool bounds : {false, true}) {
                const plain one(seed, alpha, bounds);
                const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
                const std::vector<double> lambda{0.4, 0.1, 0.02, 0.005};
                for_both_forms<T>(*ops, one, [&](const char* name, const solver::quadratic_form<T>& form) {
                    for (const bool accelerate : {false, true}) {
                        SCOPED_TRACE(fmt::format("seed {}, alpha {}, bounds {}, {}, {}", seed, alpha, bounds, name,
                                                 accelerate ? "fista" : "ista"));
                        solver::proximal_gradient_options options;
                        options.accelerate = accelerate;
                        options.gap_tolerance = (narrow ? 3e-4 : 1e-9) * reference.null_loss();
                        options.max_iterations = 200000;
                        panel<T> B = ops->allocate(one.problem.X.p, 4);
                        const solver::batch_outcome outcome =
                            solver::proximal_gradient<T>(*ops, form, one.view(), lambda, B, options);
                        const host_panel<T> result = to_host(*ops, B);
                        for (std::size_t c = 0; c < lambda.size(); ++c) {
                            EXPECT_LE(outcome.gaps[c], options.gap_tolerance);
                            std::vector<double> b;
                            for (std::int64_t j = 0; j < result.rows; ++j)
                                b.push_back(result.at(j, static_cast<std::int64_t>(c)));
                            // Products in float carry 1e-7 of the loss; in double the two gaps agree.
                            EXPECT_NEAR(reference.certify(lambda[c], 0, b).gap, outcome.gaps[c],
                                        (narrow ? 1e-5 : 1e-13) * 10 * reference.null_loss());
                        }
                    }
                });
            }
}

TYPED_TEST(Solvers, AnIterationLimitIsKeptAndThePointIsNotWorseThanTheStart)
{
    using T = typename TypeParam::value_type;
    const auto ops = TypeParam::make();
    const plain one(3, 1.0, false);
    const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
    const std::vector<double> lambda{0.02};
    for_both_forms<T>(*ops, one, [&](const char*, const solver::quadratic_form<T>& form) {
        double before = reference.null_loss();
        for (const std::int64_t limit : {1, 2, 3, 7, 12, 30}) {
            solver::proximal_gradient_options options;
            options.accelerate = false;
            options.max_iterations = limit;
            panel<T> B = ops->allocate(one.problem.X.p, 1);
            const auto outcome = solver::proximal_gradient<T>(*ops, form, one.view(), lambda, B, options);
            EXPECT_LE(outcome.iterations[0], limit);
            const host_panel<T> result = to_host(*ops, B);
            const std::vector<double> b(result.values.begin(), result.values.end());
            const double after = static_cast<double>(reference.objective(lambda[0], 0, b));
            EXPECT_LE(after, before * (1 + 1e-6)) << limit << " iterations of ista";
            before = after;
        }
    });
}

TYPED_TEST(Solvers, StoppingReturnsEveryColumnAsItStands)
{
    using T = typename TypeParam::value_type;
    const auto ops = TypeParam::make();
    const plain one(3, 1.0, false);
    const std::vector<double> lambda{0.1, 0.001};
    for_both_forms<T>(*ops, one, [&](const char*, const solver::quadratic_form<T>& form) {
        solver::proximal_gradient_options options;
        options.max_iterations = 1000000;
        int looks = 0;
        options.keep_going = [&] { return ++looks < 3; };
        panel<T> B = ops->allocate(one.problem.X.p, 2);
        const auto outcome = solver::proximal_gradient<T>(*ops, form, one.view(), lambda, B, options);
        EXPECT_TRUE(outcome.cancelled);
        EXPECT_EQ(looks, 3);
        EXPECT_EQ(outcome.iterations[0], 20);
        EXPECT_EQ(outcome.iterations[1], 20);
        double size = 0;
        for (const T value : to_host(*ops, B).values) size += std::fabs(value);
        EXPECT_GT(size, 0);
    });
}

TYPED_TEST(Solvers, TheLargestEigenvalueComesFromBelowAndNear)
{
    using T = typename TypeParam::value_type;
    const auto ops = TypeParam::make();
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        const plain one(seed, 1.0, false, 30, 1 + static_cast<std::int64_t>(seed) * 3);
        const double exact = eigenvalues(one.gram()).maxCoeff();
        for_both_forms<T>(*ops, one, [&](const char* name, const solver::quadratic_form<T>& form) {
            const double found = solver::largest_eigenvalue<T>(*ops, form);
            EXPECT_LE(found, exact * (1 + 1e-5)) << name;
            EXPECT_GE(found, exact * 0.9) << name;
        });
    }
}

TYPED_TEST(Solvers, KrylovSolvesEveryShiftLikeADirectSolve)
{
    using T = typename TypeParam::value_type;
    constexpr bool narrow = std::is_same_v<T, float>;
    const auto ops = TypeParam::make();
    for (std::uint64_t seed = 1; seed <= 6; ++seed)
        for (const std::int64_t p : {1, 5, 60}) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", p " << p);
            const plain one(seed, 0.0, false, 25, std::max<std::int64_t>(p, 2));
            const matrix stored = matrix::from_view(one.problem.X.view());
            const auto X = ops->make_design(stored, no_scaling(one.l1.size()));
            const std::vector<double> lambda{10, 1, 0.3, 0.1};
            const double loss = one.response_square() / 2;
            solver::krylov_options options;
            options.gap_tolerance = (narrow ? 1e-8 : 1e-14) * loss;
            options.max_iterations = 1000;
            panel<T> B;
            solver::krylov_space<T> space;
            const auto outcome = solver::krylov<T>(*ops, *X, one.problem.y, one.weights, lambda, B, space, options);
            EXPECT_TRUE(space.empty());
            const host_panel<T> result = to_host(*ops, B);
            for (std::size_t c = 0; c < lambda.size(); ++c) {
                EXPECT_LE(outcome.gaps[c], options.gap_tolerance);
                Eigen::MatrixXd H = one.gram();
                H.diagonal().array() += lambda[c];
                const Eigen::VectorXd exact = solve(H, one.correlation());
                // ½ λ ‖b − b*‖² ≤ gap, the gap as the recurrences carry it and what they lose on the way.
                const double accuracy = std::sqrt(2 * (narrow ? 1e-7 : 1e-13) * loss / lambda[c]);
                for (std::int64_t j = 0; j < result.rows; ++j)
                    EXPECT_NEAR(result.at(j, static_cast<std::int64_t>(c)), exact[j], accuracy);
            }
            // A pass of X and of its transpose for each step, whatever the number of shifts.
            std::int64_t most = 0;
            for (const std::int64_t iterations : outcome.iterations) most = std::max(most, iterations);
            EXPECT_LE(outcome.products, 2 * most + 3);

            // The same with vectors kept: to the end, or given up on the way.
            for (const std::int64_t kept : {std::int64_t{1}, (most + 1) / 2, most + 1}) {
                SCOPED_TRACE(testing::Message() << "kept " << kept << " of " << most + 1);
                options.vectors_kept = kept;
                panel<T> again;
                const auto same =
                    solver::krylov<T>(*ops, *X, one.problem.y, one.weights, lambda, again, space, options);
                EXPECT_EQ(same.iterations, outcome.iterations);
                EXPECT_EQ(space.empty(), kept < most + 1);
                const host_panel<T> other = to_host(*ops, again);
                for (std::int64_t j = 0; j < result.rows; ++j)
                    for (std::int64_t c = 0; c < result.cols; ++c)
                        EXPECT_NEAR(other.at(j, c), result.at(j, c), (narrow ? 1e-4 : 1e-11) * std::sqrt(loss));
                if (!space.empty()) {
                    EXPECT_EQ(space.vectors.cols, most + 1);
                    EXPECT_EQ(space.coordinates.size(), static_cast<std::size_t>(most + 1) * lambda.size());
                }
            }
        }
}

// ---------------------------------------------------------------------------------------------------------------------

/// Fits, checks the certificates, compares with the reference where that is affordable.
path_result fit_hard(const regression& problem, bool compare = true)
{
    const path_result result = problem.fit();
    const dense_reference reference(problem.X, problem.y, problem.options());
    expect_true_certificates(problem, reference, result);
    if (compare) expect_gaps_hold(reference, result);
    return result;
}

void add_response(random_numbers& random, regression& problem)
{
    for (std::int64_t i = 0; i < problem.X.n; ++i) problem.y.push_back(random.normal());
    for (std::int64_t j = 0; j < problem.X.p; j += std::max<std::int64_t>(1, problem.X.p / 5)) {
        double mean = 0;
        double square = 0;
        for (std::int64_t i = 0; i < problem.X.n; ++i) mean += problem.X.at(i, j) / static_cast<double>(problem.X.n);
        for (std::int64_t i = 0; i < problem.X.n; ++i)
            square += std::pow(problem.X.at(i, j) - mean, 2) / static_cast<double>(problem.X.n);
        for (std::int64_t i = 0; i < problem.X.n; ++i)
            problem.y[static_cast<std::size_t>(i)] += (problem.X.at(i, j) - mean) / std::sqrt(square);
    }
}

TEST(HardProblems, NeighboursWithCorrelation99AreCertifiedByEverySolver)
{
    random_numbers random(1);
    regression problem;
    problem.X = dense_matrix(60, 40);
    for (std::int64_t i = 0; i < 60; ++i) {
        double value = random.normal();
        for (std::int64_t j = 0; j < 40; ++j) {
            value = 0.99 * value + std::sqrt(1 - 0.99 * 0.99) * random.normal();
            problem.X.at(i, j) = value;
        }
    }
    add_response(random, problem);
    problem.settings.n_lambda = 12;
    problem.settings.lambda_min_ratio = 1e-3;
    for (const double alpha : {1.0, 0.5, 0.0})
        for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista, solver_kind::cd})
            for (const form_kind form : {form_kind::gram, form_kind::residual}) {
                problem.settings.alpha = alpha;
                problem.settings.solver = solver;
                problem.settings.form = form;
                SCOPED_TRACE(describe(problem, 1));
                EXPECT_TRUE(fit_hard(problem, solver == solver_kind::automatic).all_converged());
            }
}

TEST(HardProblems, UnitsFromMillionthsToMillionsKeepAValidGapWithoutStandardisation)
{
    random_numbers random(2);
    regression problem;
    problem.X = random_matrix(random, 60, 26, 0.7);
    for (std::int64_t j = 0; j < 26; ++j)
        for (std::int64_t i = 0; i < 60; ++i) problem.X.at(i, j) *= std::pow(10.0, static_cast<double>(j % 13 - 6));
    add_response(random, problem);
    problem.settings.standardize = false;
    for (const bool intercept : {false, true})
        for (const double alpha : {1.0, 0.5, 0.0})
            for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista}) {
                problem.settings.intercept = intercept;
                problem.settings.alpha = alpha;
                problem.settings.solver = solver;
                SCOPED_TRACE(describe(problem, 2));
                // As far down as double can certify: the columns of the smallest units do not enter.
                problem.settings.n_lambda = 14;
                problem.settings.lambda_min_ratio = 1e-7;
                EXPECT_TRUE(fit_hard(problem, solver == solver_kind::automatic).all_converged());
                if (solver == solver_kind::fista) continue;
                // Further down rounding forbids a small gap for the columns of the largest units. What is said is true.
                problem.settings.n_lambda = 5;
                problem.settings.lambda_min_ratio = 1e-12;
                fit_hard(problem);
            }
}

/// 10⁶ and a deviation of 1.
regression far_from_zero(std::uint64_t seed)
{
    random_numbers random(seed);
    regression problem;
    problem.X = dense_matrix(60, 12);
    for (double& value : problem.X.values) value = 1e6 + random.normal();
    add_response(random, problem);
    problem.settings.n_lambda = 10;
    problem.settings.lambda_min_ratio = 1e-3;
    return problem;
}

TEST(HardProblems, MeansFarAboveDeviationsKeepAValidGap)
{
    for (const bool standardize : {false, true})
        for (const double alpha : {1.0, 0.5, 0.0})
            for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista, solver_kind::cd})
                for (const form_kind form : {form_kind::gram, form_kind::residual}) {
                    regression problem = far_from_zero(3);
                    problem.settings.standardize = standardize;
                    problem.settings.alpha = alpha;
                    problem.settings.solver = solver;
                    problem.settings.form = form;
                    SCOPED_TRACE(describe(problem, 3));
                    EXPECT_TRUE(fit_hard(problem).all_converged());
                }
}

TEST(HardProblems, MeansFarAboveDeviationsWithoutInterceptKeepAValidGap)
{
    // Columns that differ from a multiple of each other in their sixth digit: solved or not, the gap must be true.
    for (const double alpha : {1.0, 0.0}) {
        regression problem = far_from_zero(4);
        problem.settings.intercept = false;
        problem.settings.alpha = alpha;
        SCOPED_TRACE(describe(problem, 4));
        const path_result result = problem.fit();
        const dense_reference reference(problem.X, problem.y, problem.options());
        expect_true_certificates(problem, reference, result);
        expect_gaps_hold(reference, result);
    }
}

TEST(HardProblems, AMissingRowOfNoWeightDoesNotCostTheDigitsOfAFarAwayMean)
{
    // The column is full in every row that counts; the one that is missing must not make it sparse.
    regression problem = far_from_zero(5);
    problem.weights.assign(60, 1.0);
    problem.weights[7] = 0;
    for (std::int64_t j = 0; j < 12; ++j) problem.X.at(7, j) = 0;
    const compressed_matrix<std::int32_t, double> columns(problem.X, storage_order::csc);
    const path_result result = fit_path(columns.view(), problem.y, problem.options());
    const dense_reference reference(problem.X, problem.y, problem.options());
    EXPECT_TRUE(result.all_converged());
    expect_true_certificates(problem, reference, result);
    expect_gaps_hold(reference, result);
}

TEST(HardProblems, ResponseFarFromZeroKeepsItsDigits)
{
    regression problem = far_from_zero(6);
    const path_result near = problem.fit();
    for (double& value : problem.y) value += 1e9;
    const path_result far = fit_hard(problem, false);
    EXPECT_TRUE(far.all_converged());
    // y itself was rounded to 1e-7.
    EXPECT_NEAR(far.null_loss, near.null_loss, 1e-6);
    EXPECT_NEAR(far.lambda_max, near.lambda_max, 1e-6);
}

TEST(HardProblems, TenTimesMoreFeaturesThanRows)
{
    random_numbers random(7);
    regression problem;
    problem.X = random_matrix(random, 30, 300, 0.5);
    add_response(random, problem);
    problem.settings.n_lambda = 15;
    for (const double alpha : {1.0, 0.5, 0.0})
        for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista}) {
            problem.settings.alpha = alpha;
            problem.settings.solver = solver;
            SCOPED_TRACE(describe(problem, 7));
            EXPECT_TRUE(fit_hard(problem, false).all_converged());
        }
}

TEST(HardProblems, TwentyRowsAndFiveThousandFeatures)
{
    random_numbers random(8);
    regression problem;
    problem.X = random_matrix(random, 20, 5000, 0.5);
    add_response(random, problem);
    problem.settings.n_lambda = 10;
    for (const double alpha : {1.0, 0.3, 0.0})
        for (const screening_kind screening : {screening_kind::automatic, screening_kind::none}) {
            problem.settings.alpha = alpha;
            problem.settings.screening = screening;
            problem.settings.form = screening == screening_kind::none ? form_kind::residual : form_kind::automatic;
            SCOPED_TRACE(describe(problem, 8));
            EXPECT_TRUE(fit_hard(problem, false).all_converged());
        }
}

TEST(HardProblems, TheTightestToleranceDoubleAllowsIsReached)
{
    random_numbers random(9);
    regression problem;
    problem.X = random_matrix(random, 50, 20, 0.6);
    add_response(random, problem);
    problem.settings.n_lambda = 10;
    problem.settings.lambda_min_ratio = 0.01;
    problem.settings.tol = 1e-13;
    for (const double alpha : {1.0, 0.5, 0.0}) {
        problem.settings.alpha = alpha;
        EXPECT_TRUE(fit_hard(problem).all_converged()) << alpha;
    }
}

} // namespace
} // namespace proxpath::test
