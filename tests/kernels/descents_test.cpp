// The descents on the device: the same bits in every way to run, and columns as good as they report, on more features
// than a block has threads. tests/backend_descent_test.cpp judges them on problems of every kind.

#include "tests/kernels/operations_suite.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class T>
class KernelDescents : public operations_suite<T> {};

TYPED_TEST_SUITE(KernelDescents, kernel_numbers);

/// A restricted problem on columns of unit norm, and its objective by plain loops.
struct descent_example {
    column_example columns;
    std::vector<double> w, y, l1, l2, lower, upper, kkt_scale, correlation;
    double response_square = 0;
    double largest = 0; ///< correlation

    descent_example(random_numbers& random, std::int64_t n, std::int64_t p, double density)
        : columns(random, n, p, density, false), w(weights_of_rows(random, n)), y(random_vector(random, n, -2, 2)),
          l1(random_vector(random, p, 0.5, 1.5)), l2(random_vector(random, p, 0.1, 0.2)),
          lower(random_vector(random, p, -0.4, -0.1)), upper(random_vector(random, p, 0.1, 0.4)),
          kkt_scale(static_cast<std::size_t>(p), 1.0)
    {
        const auto sum_over_rows = [&](const auto& term) {
            double sum = 0;
            for (std::int64_t i = 0; i < n; ++i) sum += w[static_cast<std::size_t>(i)] * term(i);
            return sum;
        };
        response_square = sum_over_rows([&](std::int64_t i) { return response(i) * response(i); });
        for (std::int64_t j = 0; j < p; ++j) {
            const auto x = [&](std::int64_t i) { return columns.X.at(i, j); };
            const double square = sum_over_rows([&](std::int64_t i) { return x(i) * x(i); });
            const auto at = static_cast<std::size_t>(j);
            columns.scaling.shift[at] = columns.scaling.center[at] = 0;
            columns.scaling.inverse[at] = square > 0 ? 1 / std::sqrt(square) : 0;
            correlation.push_back(columns.scaling.inverse[at] *
                                  sum_over_rows([&](std::int64_t i) { return x(i) * response(i); }));
            largest = std::max(largest, std::fabs(correlation.back()) / l1[at]);
        }
    }
    double response(std::int64_t i) const { return y[static_cast<std::size_t>(i)]; }
    backend::penalty_view penalty() const { return {l1, l2, lower, upper, kkt_scale}; }

    template <class T>
    double objective(const host_panel<T>& B, std::int64_t c, double lambda) const
    {
        std::vector<double> rest = y;
        double sum = 0;
        for (std::int64_t j = 0; j < B.rows; ++j) {
            const auto at = static_cast<std::size_t>(j);
            const auto b = static_cast<double>(B.at(j, c));
            sum += lambda * (l1[at] * std::fabs(b) + 0.5 * l2[at] * b * b);
            for (std::int64_t i = 0; i < columns.X.n; ++i)
                rest[static_cast<std::size_t>(i)] -= columns.X.at(i, j) * columns.scaling.inverse[at] * b;
        }
        for (std::size_t i = 0; i < rest.size(); ++i) sum += 0.5 * w[i] * rest[i] * rest[i];
        return sum;
    }
};

TYPED_TEST(KernelDescents, HaveTheSameBitsInEveryWayAndReachTheGapTheyReport)
{
    using T = TypeParam;
    struct descent_shape {
        std::int64_t n, p;
        double density;
        bool to_the_end;
        std::vector<double> lambdas; ///< over the largest
    };
    std::uint64_t seed = 2000;
    // Columns that are done at different times; more features than threads, of which a sweep takes those that move.
    for (const descent_shape& of :
         {descent_shape{14, 12, 0.7, true, {0.01, 0.9, 0.02, 0.6, 0.1}}, {20, 300, 0.2, false, {0.7, 0.6}}})
        for (const bool gram : {true, false}) {
            SCOPED_TRACE(testing::Message() << "p " << of.p << ", gram " << gram);
            random_numbers random(++seed);
            const descent_example example(random, of.n, of.p, of.density);
            std::vector<double> lambda = of.lambdas;
            for (double& each : lambda) each *= example.largest;
            const auto k = static_cast<std::int64_t>(lambda.size());
            const double tolerance = 1e-7 * example.response_square;
            const double rounding = (std::is_same_v<T, float> ? 1e-5 : 1e-12) * example.response_square;
            const auto solved = [&](const backend::operations<T>& ops) {
                const auto X = ops.make_design(example.columns.stored(), example.columns.scaling);
                panel<T> B = ops.allocate(of.p, k);
                std::vector<std::int64_t> iterations(lambda.size());
                std::vector<double> gaps(lambda.size());
                const auto run = [&](auto problem, const auto& descend) {
                    problem.penalty = example.penalty();
                    problem.lambda = lambda;
                    problem.gap_tolerance = tolerance;
                    problem.max_iterations = of.to_the_end ? 1000 : 1;
                    descend(problem);
                };
                if (gram) {
                    panel<T> C = ops.allocate(of.p, of.p);
                    ops.gram(*X, example.w, 0, C);
                    backend::covariance_problem<T> problem;
                    problem.gram = &C;
                    problem.correlation = example.correlation;
                    problem.response_square = example.response_square;
                    run(problem, [&](const auto& one) { ops.covariance_descent(one, B, iterations, gaps); });
                } else {
                    backend::residual_problem problem;
                    problem.X = X.get();
                    problem.response = example.y;
                    problem.weights = example.w;
                    run(problem, [&](const auto& one) { ops.coordinate_descent(one, B, iterations, gaps); });
                }
                return std::tuple(to_host(ops, B).values, gaps, iterations);
            };
            const auto result = this->same_in_every_way([&] { return solved(*this->device_); });
            const auto& [values, gaps, iterations] = result;
            host_panel<T> start(of.p, k), B = start, B_of_cpu = start;
            B.values = values;
            B_of_cpu.values = std::get<0>(solved(*this->cpu_));
            for (std::int64_t c = 0; c < k; ++c) {
                const double lambda_c = lambda[static_cast<std::size_t>(c)];
                const double objective = example.objective(B, c, lambda_c);
                EXPECT_LT(objective, example.objective(start, c, lambda_c));
                if (!of.to_the_end) continue;
                EXPECT_LE(gaps[static_cast<std::size_t>(c)], tolerance);
                EXPECT_LE(objective, example.objective(B_of_cpu, c, lambda_c) + tolerance + rounding);
            }
        }
}

} // namespace
} // namespace proxpath::test
