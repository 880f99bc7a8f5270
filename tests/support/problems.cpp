// Drawing random regression problems; see problems.hpp.

#include "tests/support/problems.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace proxpath::test {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void plant_awkward_columns(random_numbers& random, dense_matrix& X)
{
    for (std::int64_t j = 0; j < X.p; ++j) {
        const double kind = random.uniform();
        if (kind < 0.06) { // empty
            for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) = 0;
        } else if (kind < 0.12) { // constant
            const double value = random.normal();
            for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) = value;
        } else if (kind < 0.18 && j > 0) { // the same as an earlier one
            const std::int64_t twin = random.integer(0, j - 1);
            for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) = X.at(i, twin);
        } else if (kind < 0.24) { // another unit
            const double unit = std::pow(10.0, static_cast<double>(random.integer(-3, 3)));
            for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) *= unit;
        } else if (kind < 0.30) { // a mean well above its deviation
            for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) += 50;
        }
    }
}

void draw_response(random_numbers& random, regression& problem)
{
    const dense_matrix& X = problem.X;
    problem.y.assign(at(X.n), random.normal());
    const std::int64_t used = random.integer(0, std::min<std::int64_t>(X.p, 6));
    for (std::int64_t u = 0; u < used; ++u) {
        const std::int64_t j = random.integer(0, X.p - 1);
        double largest = 0;
        for (std::int64_t i = 0; i < X.n; ++i) largest = std::max(largest, std::fabs(X.at(i, j)));
        const double effect = random.normal() / std::max(largest, 1e-3);
        for (std::int64_t i = 0; i < X.n; ++i) problem.y[at(i)] += effect * X.at(i, j);
    }
    const double noise = random.uniform(0.05, 1);
    for (double& value : problem.y) value += noise * random.normal();
}

void draw_row_vectors(random_numbers& random, const ingredients& allowed, regression& problem)
{
    if (allowed.weights && random.chance(0.3)) {
        problem.weights.resize(at(problem.X.n));
        for (double& weight : problem.weights) weight = random.chance(0.15) ? 0.0 : random.uniform(0.1, 3);
        problem.weights[at(random.integer(0, problem.X.n - 1))] = 1; // at least one row counts
    }
    if (allowed.offset && random.chance(0.2)) {
        problem.offset.resize(at(problem.X.n));
        for (double& value : problem.offset) value = random.normal();
    }
}

void draw_column_vectors(random_numbers& random, const ingredients& allowed, regression& problem)
{
    const std::size_t p = at(problem.X.p);
    if (allowed.penalty_factors && random.chance(0.3)) {
        problem.penalty_factors.resize(p);
        for (double& factor : problem.penalty_factors) {
            const double kind = random.uniform();
            factor = kind < 0.1 ? 0.0 : kind < 0.2 ? infinity : random.uniform(0.2, 3);
        }
    }
    if (allowed.bounds && random.chance(0.25)) {
        problem.lower.resize(p);
        problem.upper.resize(p);
        for (std::size_t j = 0; j < p; ++j) {
            const double kind = random.uniform();
            problem.lower[j] = kind < 0.4 ? -infinity : kind < 0.6 ? 0.0 : -random.uniform(0.01, 0.5);
            problem.upper[j] = random.chance(0.4) ? infinity : random.chance(0.1) ? 0.0 : random.uniform(0.01, 0.5);
            // An unpenalised feature has both bounds or none.
            if (!problem.penalty_factors.empty() && problem.penalty_factors[j] == 0 &&
                std::isinf(problem.lower[j]) != std::isinf(problem.upper[j]))
                problem.lower[j] = -(problem.upper[j] = random.uniform(0.1, 1));
        }
    }
}

} // namespace

path_options regression::options() const
{
    path_options with = settings;
    with.weights = weights;
    with.offset = offset;
    with.penalty_factors = penalty_factors;
    with.lower = lower;
    with.upper = upper;
    return with;
}

dense_matrix random_matrix(random_numbers& random, std::int64_t n, std::int64_t p, double density)
{
    dense_matrix X(n, p);
    const double kind = random.uniform();
    for (double& value : X.values) {
        if (!random.chance(density)) continue;
        if (kind < 0.2)
            value = 1; // stored without values
        else if (kind < 0.4)
            value = static_cast<double>(random.integer(1, 9)); // stored as bytes
        else if (kind < 0.5)
            value = static_cast<double>(static_cast<float>(random.normal())); // stored as float
        else
            value = random.normal();
    }
    return X;
}

regression random_regression(std::uint64_t seed, const ingredients& allowed)
{
    random_numbers random(seed);
    regression problem;
    const std::int64_t n = random.integer(2, allowed.largest_n);
    const std::int64_t p = random.integer(1, allowed.largest_p);
    problem.X = random_matrix(random, n, p, random.chance(0.3) ? 1.0 : random.uniform(0.1, 0.9));
    if (allowed.awkward_columns) plant_awkward_columns(random, problem.X);
    draw_response(random, problem);
    draw_row_vectors(random, allowed, problem);
    draw_column_vectors(random, allowed, problem);

    path_options& settings = problem.settings;
    constexpr double alphas[] = {1, 1, 0.7, 0.3, 0};
    settings.alpha = alphas[random.integer(0, allowed.ridge ? 4 : 3)];
    settings.intercept = random.chance(0.6);
    settings.standardize = random.chance(0.6);
    settings.n_lambda = static_cast<int>(random.integer(2, 7));
    settings.lambda_min_ratio = random.uniform(0.01, 0.2);
    settings.threads = 1;
    return problem;
}

std::string describe(const regression& problem, std::uint64_t seed)
{
    return fmt::format(
        "seed {}: n {}, p {}, alpha {}{}{}{}{}{}{}", seed, problem.X.n, problem.X.p, problem.settings.alpha,
        problem.settings.intercept ? ", intercept" : "", problem.settings.standardize ? ", standardised" : "",
        problem.weights.empty() ? "" : ", weights", problem.offset.empty() ? "" : ", offset",
        problem.penalty_factors.empty() ? "" : ", penalty factors", problem.lower.empty() ? "" : ", bounds");
}

std::vector<double> dense_coefficients(const path_result& result, std::size_t k)
{
    std::vector<double> b(at(result.p), 0.0);
    for (auto e = at(result.coefficients.offsets[k]); e < at(result.coefficients.offsets[k + 1]); ++e)
        b[at(result.coefficients.indices[e])] = result.coefficients.values[e];
    return b;
}

} // namespace proxpath::test
