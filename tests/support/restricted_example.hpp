// Restricted problems as the inner solvers get them: columns of unit norm, penalties and bounds of their own.
#pragma once

#include "tests/support/backends.hpp"
#include "tests/support/problems.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

namespace proxpath::test {

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

} // namespace proxpath::test
