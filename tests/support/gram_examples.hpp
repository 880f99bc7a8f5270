// Gram matrices that the tests of the kept factor are written on, and how a factor asks for their entries.
#pragma once

#include "tests/support/random.hpp"

#include "host/backend/cpu/support_factor.hpp"

#include <cstdint>
#include <span>

#include <Eigen/Core>

namespace proxpath::test {

/// Correlation matrix of p features seen in n rows, its diagonal 1.
inline Eigen::MatrixXd random_gram(std::int64_t n, std::int64_t p, std::uint64_t seed)
{
    random_numbers random(seed);
    Eigen::MatrixXd X(n, p);
    for (std::int64_t j = 0; j < p; ++j)
        for (std::int64_t i = 0; i < n; ++i) X(i, j) = random.normal();
    X.colwise().normalize();
    return X.transpose() * X;
}

/// The entries of a matrix, which must live as long.
inline backend::support_factor::gram_function entries_of(const Eigen::MatrixXd& C)
{
    return [&C](std::span<const std::int64_t> rows, std::span<const std::int64_t> columns, Eigen::MatrixXd& out) {
        for (std::size_t a = 0; a < rows.size(); ++a)
            for (std::size_t e = 0; e < columns.size(); ++e)
                out(static_cast<std::int64_t>(a), static_cast<std::int64_t>(e)) = C(rows[a], columns[e]);
    };
}

} // namespace proxpath::test
