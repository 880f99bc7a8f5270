// Fits that begin from what is likely: whatever that is, right or wrong, the certificates are true and the optimum is
// that of a fit from nothing.

#include "tests/support/checks.hpp"

#include "host/path/path_driver.hpp"

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

path::likely_solution likely_from(const path_result& fit, std::size_t k)
{
    path::likely_solution likely;
    const std::vector<double> b = dense_coefficients(fit, k);
    for (std::size_t j = 0; j < b.size(); ++j) {
        if (b[j] == 0) continue;
        likely.features.push_back(static_cast<std::int64_t>(j));
        likely.coefficients.push_back(b[j]);
    }
    return likely;
}

/// Some features, excluded and constant ones among them, with coefficients that know nothing of bounds.
path::likely_solution any_solution(random_numbers& random, std::int64_t p)
{
    path::likely_solution likely;
    for (std::int64_t j = 0; j < p; ++j) {
        if (random.chance(0.5)) continue;
        likely.features.push_back(j);
        likely.coefficients.push_back(3 * random.normal());
    }
    return likely;
}

void expect_a_fit_like_any(const regression& problem, const path::likely_solution& likely)
{
    const dense_reference reference(problem.X, problem.y, problem.options());
    const path_result cold = problem.fit();
    const path_result warm =
        path::fit_path_near(matrix::from_view(problem.X.view()), problem.y, problem.options(), likely);
    expect_true_certificates(problem, reference, warm);
    if (!cold.all_converged() || !warm.all_converged()) return;
    expect_same_optimum(reference, cold, warm);
}

TEST(LikelySolution, LeadsToTheOptimumWhateverItIs)
{
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        random_numbers random(seed + 5000);
        regression problem = random_regression(seed);
        if (random.chance(0.5)) problem.settings.screening = screening_kind::none;
        SCOPED_TRACE(describe(problem, seed));
        const path_result whole = problem.fit();
        if (!(whole.points.back().lambda > 0)) continue;
        if (random.chance(0.7)) problem.settings.lambda = {whole.points.back().lambda}; // else a path
        expect_a_fit_like_any(problem, any_solution(random, problem.X.p));
        expect_a_fit_like_any(problem, likely_from(whole, whole.points.size() - 1));
    }
}

TEST(LikelySolution, BeginsWithItsFeaturesWhereFeaturesAreMany)
{
    random_numbers random(3);
    regression problem;
    problem.X = random_matrix(random, 60, 900, 0.5);
    for (int i = 0; i < 60; ++i) problem.y.push_back(random.normal() + 3 * problem.X.at(i, 17));
    problem.settings.n_lambda = 20;
    problem.settings.lambda_min_ratio = 0.2;
    const path_result whole = problem.fit();
    problem.settings.lambda = {whole.points.back().lambda};
    const path::likely_solution likely = likely_from(whole, 19);
    const path_result warm =
        path::fit_path_near(matrix::from_view(problem.X.view()), problem.y, problem.options(), likely);
    EXPECT_EQ(warm.account.front().working_set, static_cast<std::int64_t>(likely.features.size()));
    EXPECT_EQ(warm.rounds, 1);
    EXPECT_LT(warm.account.front().working_set, problem.fit().account.front().working_set);
    expect_a_fit_like_any(problem, likely);
}

} // namespace
} // namespace proxpath::test
