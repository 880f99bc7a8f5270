// The descents of the backend contract on restricted problems, judged by the dense reference.

#include "tests/support/backend_examples.hpp"
#include "tests/support/dense_reference.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// A problem on unit-norm columns for the descents, with the reference that judges them.
struct restricted_example : penalty_vectors {
    regression problem;
    std::vector<double> weights;

    restricted_example(std::uint64_t seed, double alpha, bool bounds, std::int64_t n = 50, std::int64_t p = 24,
                       double density = 0.6)
    {
        random_numbers random(seed);
        problem.X = random_matrix(random, n, p, density);
        weights = random_weights(random, n);
        for (std::int64_t j = 0; j < p; ++j) {
            const auto sum_squares = [&] {
                double square = 0;
                for (std::int64_t i = 0; i < n; ++i)
                    square += weights[static_cast<std::size_t>(i)] * problem.X.at(i, j) * problem.X.at(i, j);
                return square;
            };
            if (sum_squares() == 0)
                for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, j) = random.normal();
            const double square = sum_squares();
            for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, j) /= std::sqrt(square);
            problem.penalty_factors.push_back(random.uniform(0.5, 1.5));
            l1.push_back(alpha * problem.penalty_factors.back());
            l2.push_back((1 - alpha) * problem.penalty_factors.back());
            lower.push_back(bounds ? -random.uniform(0, 0.4) : -infinity);
            upper.push_back(bounds ? random.uniform(0, 0.4) : infinity);
            kkt_scale.push_back(1);
        }
        for (std::int64_t i = 0; i < n; ++i)
            problem.y.push_back(problem.X.at(i, 0) - problem.X.at(i, 1) + 0.5 * random.normal());
        problem.weights = weights;
        problem.lower = lower;
        problem.upper = upper;
        problem.settings.alpha = alpha;
        problem.settings.intercept = false;
        problem.settings.standardize = false;
    }
};

/// Runs solve(ops, example, design, lambdas, B, iterations, gaps, tolerance) and judges every column.
template <class Backend, class Solve>
void expect_descent_solves(const Solve& solve)
{
    using T = typename Backend::value_type;
    // B is rounded to T on return; the gap moves by the slope of the objective at most, which is ‖ỹ‖ ‖ΔB‖₁.
    const bool narrow = std::is_same_v<T, float>;
    for (std::uint64_t seed = 1; seed <= 8; ++seed)
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

/// A path of k lambdas on sparse or dense columns, solved in two calls that share their memory, as the driver does.
template <class T>
host_panel<T> solve_with_memory(const operations<T>& ops, const restricted_example& one, const matrix& stored,
                                const std::vector<double>& lambda, double tolerance, std::vector<double>& gaps)
{
    const auto X = ops.make_design(stored, no_scaling(one.l1.size()));
    const auto memory = ops.make_descent_memory(std::uint64_t{1} << 20);
    const std::size_t k = lambda.size();
    host_panel<T> all(one.problem.X.p, static_cast<std::int64_t>(k));
    gaps.assign(k, -1.0);
    std::vector<double> start(static_cast<std::size_t>(all.rows), 0.0);
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{0, k / 3}, {k / 3, k - k / 3}}) {
        if (count == 0) continue;
        host_panel<T> B(all.rows, static_cast<std::int64_t>(count));
        for (std::int64_t j = 0; j < B.rows; ++j)
            for (std::int64_t c = 0; c < B.cols; ++c) B.at(j, c) = static_cast<T>(start[static_cast<std::size_t>(j)]);
        panel<T> on_backend = to_backend(ops, B);
        std::vector<std::int64_t> iterations(count, -1);
        backend::residual_problem problem;
        problem.X = X.get();
        problem.response = one.problem.y;
        problem.weights = one.weights;
        problem.penalty = one.view();
        problem.lambda = std::span(lambda).subspan(first, count);
        problem.gap_tolerance = tolerance;
        problem.max_iterations = 100000;
        problem.memory = memory.get();
        ops.coordinate_descent(problem, on_backend, iterations, std::span(gaps).subspan(first, count));
        B = to_host(ops, on_backend);
        for (std::int64_t j = 0; j < B.rows; ++j) {
            for (std::int64_t c = 0; c < B.cols; ++c) all.at(j, static_cast<std::int64_t>(first) + c) = B.at(j, c);
            start[static_cast<std::size_t>(j)] = B.at(j, B.cols - 1);
        }
    }
    return all;
}

TYPED_TEST(BackendDescent, ColumnsSolvedTogetherReachTheirGapsWhateverTheirNumber)
{
    using T = typename TypeParam::value_type;
    const bool narrow = std::is_same_v<T, float>;
    for (const std::size_t k : {2, 3, 4, 5, 8, 9, 17, 40})
        for (const double alpha : {1.0, 0.5})
            for (const double density : {0.05, 0.6})
                for (const bool bounds : {false, true}) {
                    SCOPED_TRACE(testing::Message() << k << " columns, alpha " << alpha << ", density " << density
                                                    << ", bounds " << bounds);
                    const restricted_example one(k, alpha, bounds, 80, 60, density);
                    const auto ops = TypeParam::make();
                    const matrix stored = matrix::from_view(one.problem.X.view());
                    const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
                    std::vector<double> lambda;
                    for (std::size_t c = 0; c < k; ++c)
                        lambda.push_back(0.5 * std::pow(0.002, static_cast<double>(c) / static_cast<double>(k)));
                    const double tolerance = (narrow ? 1e-4 : 1e-9) * reference.null_loss();
                    std::vector<double> gaps;
                    const host_panel<T> B = solve_with_memory(*ops, one, stored, lambda, tolerance, gaps);
                    for (std::size_t c = 0; c < k; ++c) {
                        SCOPED_TRACE(lambda[c]);
                        std::vector<double> b;
                        for (std::int64_t j = 0; j < B.rows; ++j) b.push_back(B.at(j, static_cast<std::int64_t>(c)));
                        EXPECT_LE(gaps[c], tolerance);
                        EXPECT_NEAR(reference.certify(lambda[c], 0, b).gap, gaps[c],
                                    (narrow ? 1e-5 : 1e-12) * reference.null_loss());
                    }
                }
}

} // namespace
} // namespace proxpath::test
