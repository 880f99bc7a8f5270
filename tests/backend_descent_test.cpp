// The descents of the backend contract on restricted problems, judged by the dense reference.

#include "tests/support/backend_examples.hpp"
#include "tests/support/dense_reference.hpp"
#include "tests/support/restricted_example.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// Runs solve(ops, example, design, lambdas, B, iterations, gaps, tolerance) and judges every column.
template <class Backend, class Solve>
void expect_descent_solves(const Solve& solve)
{
    using T = typename Backend::value_type;
    // B is rounded to T on return; the gap moves by the slope of the objective at most, which is ‖ỹ‖ ‖ΔB‖₁.
    const bool narrow = std::is_same_v<T, float>;
    for (std::uint64_t seed = 1; seed <= problems_of<Backend>(8); ++seed)
        for (const double alpha : {1.0, 0.5, 0.0})
            for (const bool bounds : {false, true}) {
                SCOPED_TRACE(testing::Message() << "seed " << seed << ", alpha " << alpha << ", bounds " << bounds);
                const restricted_example one(seed, alpha, bounds);
                const auto ops = Backend::make();
                const matrix stored = matrix::from_view(one.problem.X.view());
                const auto X = ops->make_design(stored, no_scaling(one.l1.size()));
                const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
                const std::vector<double> lambda{0.5, 0.2, 0.05, 0.01, 0.001};
                const double tolerance = (narrow ? 1e-4 : 1e-9) * reference.null_loss();
                panel<T> B = ops->allocate(one.problem.X.p, 5);
                std::vector<std::int64_t> iterations(5, -1);
                std::vector<double> gaps(5, -1.0);
                solve(*ops, one, *X, lambda, B, iterations, gaps, tolerance);
                const host_panel<T> result = to_host(*ops, B);
                for (std::size_t c = 0; c < 5; ++c) {
                    SCOPED_TRACE(lambda[c]);
                    std::vector<double> b;
                    for (std::int64_t j = 0; j < result.rows; ++j)
                        b.push_back(result.at(j, static_cast<std::int64_t>(c)));
                    const double slack = narrow ? 1e-5 * reference.null_loss() : 1e-12 * reference.null_loss();
                    EXPECT_LE(gaps[c], tolerance);
                    EXPECT_GE(iterations[c], 0);
                    EXPECT_NEAR(reference.certify(lambda[c], 0, b).gap, gaps[c], slack);
                }
            }
}

template <class Backend>
class BackendDescent : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendDescent, backends_times_types);

TYPED_TEST(BackendDescent, CovarianceDescentReachesTheGapItReports)
{
    using T = typename TypeParam::value_type;
    expect_descent_solves<TypeParam>([](const operations<T>& ops, const restricted_example& one, const design& X,
                                        std::span<const double> lambda, panel<T>& B, std::span<std::int64_t> iterations,
                                        std::span<double> gaps, double tolerance) {
        panel<T> C = ops.allocate(X.cols(), X.cols());
        ops.gram(X, one.weights, 0, C);
        std::vector<double> correlation;
        double square = 0;
        for (std::int64_t j = 0; j < X.cols(); ++j) {
            double sum = 0;
            for (std::int64_t i = 0; i < X.rows(); ++i)
                sum += one.weights[static_cast<std::size_t>(i)] * one.problem.X.at(i, j) *
                       one.problem.y[static_cast<std::size_t>(i)];
            correlation.push_back(sum);
        }
        for (std::size_t i = 0; i < one.weights.size(); ++i)
            square += one.weights[i] * one.problem.y[i] * one.problem.y[i];
        backend::covariance_problem<T> problem;
        problem.gram = &C;
        problem.correlation = correlation;
        problem.response_square = square;
        problem.penalty = one.view();
        problem.lambda = lambda;
        problem.gap_tolerance = tolerance;
        problem.max_iterations = 100000;
        ops.covariance_descent(problem, B, iterations, gaps);
    });
}

TYPED_TEST(BackendDescent, NumbersThatAreNoneAreNotTakenForASolution)
{
    using T = typename TypeParam::value_type;
    const auto ops = TypeParam::make();
    panel<T> C = ops->allocate(2, 2);
    ops->upload(std::vector<T>{1, std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::quiet_NaN(), 1}, C);
    panel<T> B = ops->allocate(2, 1);
    ops->upload(std::vector<T>{T{1} / 2, T{1} / 4}, B); // so that the first gap has it
    const penalty_vectors penalty{{1, 1}, {0, 0}, {-infinity, -infinity}, {infinity, infinity}, {1, 1}};
    const std::vector<double> correlation{1, 0.5};
    const std::vector<double> lambda{0.1};
    std::vector<std::int64_t> iterations(1, -1);
    std::vector<double> gaps(1, 0.0);
    backend::covariance_problem<T> problem;
    problem.gram = &C;
    problem.correlation = correlation;
    problem.response_square = 2;
    problem.penalty = penalty.view();
    problem.lambda = lambda;
    problem.gap_tolerance = 1e-9;
    problem.max_iterations = 20;
    ops->covariance_descent(problem, B, iterations, gaps);
    EXPECT_FALSE(gaps[0] <= problem.gap_tolerance) << gaps[0];
}

TYPED_TEST(BackendDescent, CoordinateDescentReachesTheGapItReports)
{
    using T = typename TypeParam::value_type;
    expect_descent_solves<TypeParam>([](const operations<T>& ops, const restricted_example& one, const design& X,
                                        std::span<const double> lambda, panel<T>& B, std::span<std::int64_t> iterations,
                                        std::span<double> gaps, double tolerance) {
        backend::residual_problem problem;
        problem.X = &X;
        problem.response = one.problem.y;
        problem.weights = one.weights;
        problem.penalty = one.view();
        problem.lambda = lambda;
        problem.gap_tolerance = tolerance;
        problem.max_iterations = 100000;
        ops.coordinate_descent(problem, B, iterations, gaps);
    });
}

} // namespace
} // namespace proxpath::test
