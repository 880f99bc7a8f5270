// Columns of the residual form side by side (lane_descent.hpp): every number of them, on sparse and dense columns, is
// solved to the gap that is reported, the same bits for any number of threads, and what is cut short says so.

#include "tests/support/backend_examples.hpp"
#include "tests/support/dense_reference.hpp"
#include "tests/support/restricted_example.hpp"

#include "host/backend/cpu/lane_descent.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

struct side_by_side {
    bool done = false;
    std::vector<double> B; // p x k
    std::vector<std::int64_t> iterations;
    std::vector<double> gaps;
};

struct allowance {
    int threads = 1;
    double limit = infinity;
    std::int64_t iterations = 100000;
    std::function<bool()> keep_going = {};
};

/// k lambdas from zero; then, if `again`, as many smaller ones from where the last of them is.
side_by_side descend(const restricted_example& one, const std::vector<double>& lambda, double tolerance,
                     const allowance& allowed = {}, backend::column_scaling scaling = {}, bool again = false)
{
    const auto ops = backend::make_cpu_operations<double>(1);
    const matrix stored = matrix::from_view(one.problem.X.view());
    const auto X = ops->make_design(stored, scaling.inverse.empty() ? no_scaling(one.l1.size()) : scaling);
    backend::cpu_descent_memory memory(std::uint64_t{1} << 30);
    const std::size_t k = lambda.size();
    side_by_side made;
    made.B.assign(one.l1.size() * k, 0.0);
    made.iterations.assign(k, -1);
    made.gaps.assign(k, -1.0);
    backend::residual_problem problem;
    problem.X = X.get();
    problem.response = one.problem.y;
    problem.weights = one.weights;
    problem.penalty = one.view();
    problem.gap_tolerance = tolerance;
    problem.max_iterations = allowed.iterations;
    problem.keep_going = allowed.keep_going;
    std::vector<double> now = lambda;
    for (int call = 0; call < (again ? 2 : 1); ++call) {
        problem.lambda = now;
        backend::residual_data data(problem);
        made.done =
            backend::descend_in_lanes(data, memory, allowed.threads, allowed.limit, made.B, made.iterations, made.gaps);
        if (!again || call == 1) break;
        for (std::size_t j = 0; j < one.l1.size(); ++j)
            std::fill_n(made.B.begin() + static_cast<std::ptrdiff_t>(j * k), k, made.B[j * k + k - 1]);
        for (double& each : now) each *= lambda.back() / lambda.front() * 0.95;
    }
    return made;
}

std::vector<double> lambdas(std::size_t k, double first = 0.5, double ratio = 0.004)
{
    std::vector<double> made;
    for (std::size_t c = 0; c < k; ++c)
        made.push_back(first * std::pow(ratio, static_cast<double>(c) / static_cast<double>(k)));
    return made;
}

void expect_solved(const restricted_example& one, const std::vector<double>& lambda, double tolerance,
                   const side_by_side& made)
{
    const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
    ASSERT_TRUE(made.done);
    for (std::size_t c = 0; c < lambda.size(); ++c) {
        SCOPED_TRACE(lambda[c]);
        std::vector<double> b;
        for (std::size_t j = 0; j < one.l1.size(); ++j) b.push_back(made.B[j * lambda.size() + c]);
        EXPECT_LE(made.gaps[c], tolerance);
        EXPECT_GE(made.iterations[c], 0);
        EXPECT_NEAR(reference.certify(lambda[c], 0, b).gap, made.gaps[c], 1e-12 * reference.null_loss());
    }
}

double null_loss(const restricted_example& one)
{
    return dense_reference(one.problem.X, one.problem.y, one.problem.options()).null_loss();
}

TEST(LaneDescent, EveryNumberOfColumnsReachesTheGapItReports)
{
    for (const std::size_t k : {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 33})
        for (const double alpha : {1.0, 0.5})
            for (const double density : {0.05, 0.6})
                for (const bool bounds : {false, true}) {
                    SCOPED_TRACE(testing::Message() << k << " columns, alpha " << alpha << ", density " << density
                                                    << ", bounds " << bounds);
                    const restricted_example one(k, alpha, bounds, 80, 60, density);
                    const double tolerance = 1e-9 * null_loss(one);
                    expect_solved(one, lambdas(k), tolerance, descend(one, lambdas(k), tolerance));
                }
}

TEST(LaneDescent, ColumnsThatGoOnFromTheLatestSolutionAreSolvedToo)
{
    for (const double density : {0.05, 0.6})
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", density " << density);
            const restricted_example one(seed, 1.0, false, 80, 120, density);
            const double tolerance = 1e-9 * null_loss(one);
            const std::vector<double> first = lambdas(9, 0.5, 0.1);
            std::vector<double> then = first;
            for (double& each : then) each *= first.back() / first.front() * 0.95;
            expect_solved(one, then, tolerance, descend(one, first, tolerance, {}, {}, true));
        }
}

TEST(LaneDescent, TheBitsDoNotDependOnThreads)
{
    for (const double density : {0.05, 0.6})
        for (const std::size_t k : {7, 17}) {
            SCOPED_TRACE(testing::Message() << k << " columns, density " << density);
            const restricted_example one(k, 1.0, false, 150, 90, density);
            const double tolerance = 1e-6 * null_loss(one);
            const side_by_side alone = descend(one, lambdas(k, 0.5, 0.1), tolerance, {}, {}, true);
            for (const int threads : {2, 7}) {
                const side_by_side shared = descend(one, lambdas(k, 0.5, 0.1), tolerance, {threads}, {}, true);
                EXPECT_EQ(shared.B, alone.B) << threads << " threads";
                EXPECT_EQ(shared.gaps, alone.gaps) << threads << " threads";
                EXPECT_EQ(shared.iterations, alone.iterations) << threads << " threads";
            }
        }
}

TEST(LaneDescent, UnpenalisedAndConstantFeaturesAreWhatTheyAre)
{
    restricted_example one(3, 1.0, false, 80, 60, 0.3);
    one.l1[7] = one.l2[7] = 0; // free, and found by Newton steps
    backend::column_scaling scaling = no_scaling(60);
    scaling.inverse[20] = 0; // without variation
    const double tolerance = 1e-9 * null_loss(one);
    const side_by_side made = descend(one, lambdas(10), tolerance, {}, scaling);
    ASSERT_TRUE(made.done);
    for (std::size_t c = 0; c < 10; ++c) {
        EXPECT_LE(made.gaps[c], tolerance);
        EXPECT_NE(made.B[7 * 10 + c], 0);
        EXPECT_EQ(made.B[20 * 10 + c], 0);
    }
}

TEST(LaneDescent, AResponseOfZerosIsSolvedAtOnce)
{
    restricted_example one(4, 1.0, false, 80, 60, 0.3);
    std::fill(one.problem.y.begin(), one.problem.y.end(), 0.0);
    const side_by_side made = descend(one, lambdas(9), 1e-9);
    EXPECT_TRUE(made.done);
    for (const double gap : made.gaps) EXPECT_EQ(gap, 0);
    for (const std::int64_t steps : made.iterations) EXPECT_EQ(steps, 0);
}

TEST(LaneDescent, ALimitEndsItWithColumnsLeftForOthers)
{
    const restricted_example one(5, 1.0, false, 80, 60, 0.6);
    const double tolerance = 1e-9 * null_loss(one);
    const side_by_side made = descend(one, lambdas(9), tolerance, {1, 0.0});
    EXPECT_FALSE(made.done);
    EXPECT_GT(*std::max_element(made.gaps.begin(), made.gaps.end()), tolerance);
    for (const double b : made.B) EXPECT_TRUE(std::isfinite(b));
}

TEST(LaneDescent, CancellationLeavesNoGapToRelyOn)
{
    const restricted_example one(6, 1.0, false, 80, 60, 0.6);
    int asked = 0;
    const side_by_side made =
        descend(one, lambdas(9), 1e-12 * null_loss(one), {2, infinity, 100000, [&] { return ++asked < 3; }});
    EXPECT_EQ(asked, 3);
    for (const double gap : made.gaps) EXPECT_EQ(gap, infinity);
}

TEST(LaneDescent, IterationsEndWhereTheyAreTold)
{
    const restricted_example one(7, 1.0, false, 80, 60, 0.6);
    const double tolerance = 1e-12 * null_loss(one);
    const side_by_side made = descend(one, lambdas(9), tolerance, {1, infinity, 6});
    EXPECT_TRUE(made.done);
    for (std::size_t c = 0; c < 9; ++c) {
        EXPECT_LE(made.iterations[c], 6);
        if (made.iterations[c] < 6) {
            EXPECT_LE(made.gaps[c], tolerance);
        }
    }
    EXPECT_GT(*std::max_element(made.gaps.begin(), made.gaps.end()), tolerance);
}

TEST(LaneDescent, TheBackendTakesColumnsSideBySideOnceItKnowsWhatTheyCostInTurn)
{
    const restricted_example one(8, 1.0, false, 200, 150, 0.05);
    const auto ops = backend::make_cpu_operations<double>(2);
    const matrix stored = matrix::from_view(one.problem.X.view());
    const auto X = ops->make_design(stored, no_scaling(150));
    const auto memory = ops->make_descent_memory(std::uint64_t{1} << 30);
    const auto& kept = dynamic_cast<const backend::cpu_descent_memory&>(*memory);
    const std::vector<double> all = lambdas(24, 0.3, 0.05);
    backend::residual_problem problem;
    problem.X = X.get();
    problem.response = one.problem.y;
    problem.weights = one.weights;
    problem.penalty = one.view();
    problem.gap_tolerance = 1e-9 * null_loss(one);
    problem.max_iterations = 100000;
    problem.memory = memory.get();
    EXPECT_EQ(kept.ways.cheaper(150), backend::ways_of_columns::in_turn);
    for (const std::size_t first : {0, 12}) {
        problem.lambda = std::span(all).subspan(first, 12);
        panel<double> B = ops->allocate(150, 12);
        std::vector<std::int64_t> iterations(12);
        std::vector<double> gaps(12);
        ops->coordinate_descent(problem, B, iterations, gaps);
        for (const double gap : gaps) EXPECT_LE(gap, problem.gap_tolerance);
        EXPECT_TRUE(kept.ways.known(backend::ways_of_columns::in_turn));
        EXPECT_EQ(kept.ways.known(backend::ways_of_columns::side_by_side), first > 0);
    }
}

} // namespace
} // namespace proxpath::test
