// Where the Newton steps of the descents on the CPU find their solutions: a factor that is kept while it is cheap,
// conjugate gradients alone on large sparse supports, and a factor bought when they have cost as much.

#include "tests/support/backends.hpp"
#include "tests/support/problems.hpp"

#include "host/backend/cpu/descent.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// Columns of a few entries each, of unit norm under weights 1/n, and a response that nearly all of them explain.
struct sparse_problem {
    std::int64_t n, p;
    std::vector<std::int64_t> offsets{0}, rows;
    std::vector<double> values, response;

    sparse_problem(std::int64_t n_rows, std::int64_t n_cols, std::int64_t entries) : n(n_rows), p(n_cols)
    {
        random_numbers random(1);
        response.assign(static_cast<std::size_t>(n), 0.0);
        for (std::int64_t j = 0; j < p; ++j) {
            const double size = std::sqrt(static_cast<double>(n) / static_cast<double>(entries));
            const double effect = random.normal();
            std::int64_t row = random.integer(0, n / entries - 1);
            for (std::int64_t e = 0; e < entries; ++e, row += random.integer(1, n / entries - 1)) {
                rows.push_back(row);
                values.push_back(random.chance(0.5) ? size : -size);
                response[static_cast<std::size_t>(row)] += effect * values.back();
            }
            offsets.push_back(static_cast<std::int64_t>(rows.size()));
        }
    }
};

/// Relative duality gap of a Lasso column, from the data alone.
double certified_gap(const sparse_problem& one, double lambda, const double* b, std::int64_t stride)
{
    const auto n = static_cast<double>(one.n);
    std::vector<double> residual = one.response;
    double l1 = 0;
    const auto column = [&](std::int64_t j, auto&& f) {
        for (auto e = static_cast<std::size_t>(one.offsets[static_cast<std::size_t>(j)]);
             e < static_cast<std::size_t>(one.offsets[static_cast<std::size_t>(j) + 1]); ++e)
            f(static_cast<std::size_t>(one.rows[e]), one.values[e]);
    };
    for (std::int64_t j = 0; j < one.p; ++j) {
        l1 += std::fabs(b[j * stride]);
        column(j, [&](std::size_t row, double x) { residual[row] -= x * b[j * stride]; });
    }
    double largest = 0;
    for (std::int64_t j = 0; j < one.p; ++j) {
        double u = 0;
        column(j, [&](std::size_t row, double x) { u += x * residual[row] / n; });
        largest = std::max(largest, std::fabs(u));
    }
    double square = 0;
    double dot = 0;
    double null_loss = 0;
    for (std::size_t i = 0; i < residual.size(); ++i) {
        square += residual[i] * residual[i] / n;
        dot += residual[i] * one.response[i] / n;
        null_loss += 0.5 * one.response[i] * one.response[i] / n;
    }
    const double scale = std::min(1.0, lambda / largest); // of the residual, to a feasible dual point
    return (0.5 * square + lambda * l1 - (scale * dot - 0.5 * scale * scale * square)) / null_loss;
}

struct descended {
    std::vector<double> coefficients, gaps;
    double largest_certified = 0; ///< over the columns, by certified_gap
    std::int64_t factor_size = 0;
    bool went_plain = false;
    double null_loss = 0;
};

descended descend(const sparse_problem& one, const std::vector<double>& lambda, int threads)
{
    const auto p = static_cast<std::size_t>(one.p);
    const auto k = static_cast<std::int64_t>(lambda.size());
    const auto ops = backend::make_cpu_operations<double>(threads);
    const matrix X =
        matrix::from_view(csc_view(one.n, one.p, std::span<const std::int64_t>(one.offsets),
                                   std::span<const std::int64_t>(one.rows), std::span<const double>(one.values)));
    const std::vector<double> zeros(p, 0.0);
    const std::vector<double> ones(p, 1.0);
    const penalty_vectors lasso{ones, zeros, std::vector<double>(p, -infinity), std::vector<double>(p, infinity), ones};
    const std::vector<double> weights(static_cast<std::size_t>(one.n), 1.0 / static_cast<double>(one.n));
    const auto design = ops->make_design(X, no_scaling(p));
    const auto memory = ops->make_descent_memory(std::uint64_t{1} << 30);
    descended made;
    for (const double y : one.response) made.null_loss += 0.5 * y * y / static_cast<double>(one.n);
    backend::residual_problem problem;
    problem.X = design.get();
    problem.response = one.response;
    problem.weights = weights;
    problem.penalty = lasso.view();
    problem.lambda = lambda;
    problem.gap_tolerance = 1e-7 * made.null_loss;
    problem.max_iterations = 100000;
    problem.memory = memory.get();
    backend::panel<double> B = ops->allocate(one.p, k);
    std::vector<std::int64_t> iterations(lambda.size());
    made.gaps.resize(lambda.size());
    ops->coordinate_descent(problem, B, iterations, made.gaps);
    made.coefficients = to_host(*ops, B).values;
    for (std::int64_t c = 0; c < k; ++c)
        made.largest_certified =
            std::max(made.largest_certified,
                     certified_gap(one, lambda[static_cast<std::size_t>(c)], made.coefficients.data() + c, k));
    const auto& kept = dynamic_cast<backend::cpu_descent_memory&>(*memory);
    made.factor_size = kept.factor.size();
    made.went_plain = kept.costs.went_plain();
    return made;
}

TEST(Descent, ALargeSparseSupportIsSolvedWithoutAFactor)
{
    const sparse_problem one(2000, 1500, 4);
    const std::vector<double> lambda{0.3, 0.1, 0.03};
    const descended alone = descend(one, lambda, 1);
    EXPECT_EQ(alone.factor_size, 0);
    EXPECT_TRUE(alone.went_plain);
    for (const double gap : alone.gaps) EXPECT_LE(gap, 1e-7 * alone.null_loss);
    EXPECT_LE(alone.largest_certified, 1.01e-7);
    for (const int threads : {2, 5}) {
        const descended shared = descend(one, lambda, threads);
        EXPECT_EQ(shared.coefficients, alone.coefficients) << threads << " threads";
        EXPECT_EQ(shared.gaps, alone.gaps) << threads << " threads";
    }
}

TEST(Descent, AFactorIsMadeOnceStepsWithoutItHaveCostAsMuch)
{
    // Supports that hardly change from lambda to lambda: a factor made once serves them all.
    const sparse_problem one(900, 800, 12);
    std::vector<double> lambda(40, 0.02);
    for (std::size_t c = 1; c < lambda.size(); ++c) lambda[c] = 0.9 * lambda[c - 1];
    const descended made = descend(one, lambda, 2);
    EXPECT_TRUE(made.went_plain);
    EXPECT_GT(made.factor_size, 400);
    EXPECT_LE(made.largest_certified, 1.01e-7);
    for (const double gap : made.gaps) EXPECT_LE(gap, 1e-7 * made.null_loss);
}

TEST(Descent, NearlyDependentColumnsAreSolvedThoughStepsAreEndedEarlyAndCutShort)
{
    // Every column once more, a thousandth of its entries' size apart: conjugate gradients need thousands of steps for
    // what lies between the two, and exact steps run far along it.
    sparse_problem one(1000, 300, 4);
    const std::size_t entries = one.values.size();
    random_numbers random(3);
    for (std::size_t e = 0; e < entries; ++e) {
        one.rows.push_back(one.rows[e]);
        one.values.push_back(one.values[e] * (1 + 1e-3 * random.normal()));
        if (e % 4 != 3) continue;
        double square = 0; // back to unit norm
        for (auto value = one.values.end() - 4; value != one.values.end(); ++value) square += *value * *value / 1000;
        for (auto value = one.values.end() - 4; value != one.values.end(); ++value) *value /= std::sqrt(square);
        one.offsets.push_back(static_cast<std::int64_t>(one.rows.size()));
    }
    one.p *= 2;
    for (double& y : one.response) y += 0.1 * random.normal();
    const descended made = descend(one, {0.1, 0.01, 0.001, 0.0001}, 2);
    EXPECT_TRUE(made.went_plain);
    EXPECT_LE(made.largest_certified, 1.01e-7);
}

} // namespace
} // namespace proxpath::test
