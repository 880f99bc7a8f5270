// The data that tests fit: a small dense matrix that owns its numbers, the same matrix in every form the library takes,
// and random regression problems with the awkward columns, weights and bounds that real ones have.
#pragma once

#include "tests/support/random.hpp"

#include <proxpath/proxpath.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace proxpath::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// n × p doubles, column after column.
struct dense_matrix {
    std::int64_t n = 0;
    std::int64_t p = 0;
    std::vector<double> values;

    dense_matrix() = default;
    dense_matrix(std::int64_t rows, std::int64_t cols)
        : n(rows), p(cols), values(static_cast<std::size_t>(rows * cols), 0.0)
    {}
    double& at(std::int64_t i, std::int64_t j) { return values[static_cast<std::size_t>(j * n + i)]; }
    double at(std::int64_t i, std::int64_t j) const { return values[static_cast<std::size_t>(j * n + i)]; }
    matrix_view view() const { return dense_view(n, p, values.data(), n); }
};

/// Compressed columns or rows of a dense matrix, zeros left out.
template <class I, class V>
struct compressed_matrix {
    std::int64_t n = 0;
    std::int64_t p = 0;
    storage_order order = storage_order::csc;
    std::vector<I> offsets;
    std::vector<I> indices;
    std::vector<V> values;

    compressed_matrix(const dense_matrix& X, storage_order by) : n(X.n), p(X.p), order(by), offsets(1, 0)
    {
        const bool by_column = by == storage_order::csc;
        for (std::int64_t line = 0; line < (by_column ? p : n); ++line) {
            for (std::int64_t place = 0; place < (by_column ? n : p); ++place) {
                const double value = by_column ? X.at(place, line) : X.at(line, place);
                if (value == 0) continue;
                indices.push_back(static_cast<I>(place));
                values.push_back(static_cast<V>(value));
            }
            offsets.push_back(static_cast<I>(indices.size()));
        }
    }
    matrix_view view() const
    {
        return order == storage_order::csc ? csc_view(n, p, offsets, indices, values)
                                           : csr_view(n, p, offsets, indices, values);
    }
};

/// A regression problem that owns everything path_options borrows.
struct regression {
    dense_matrix X;
    std::vector<double> y;
    std::vector<double> weights;
    std::vector<double> offset;
    std::vector<double> penalty_factors;
    std::vector<double> lower;
    std::vector<double> upper;
    path_options settings; ///< its spans are not used

    /// The settings with the spans set to the vectors above, as they stand now.
    path_options options() const;
    path_result fit() const { return fit_path(X.view(), y, options()); }
};

/// What a random problem may contain.
struct ingredients {
    std::int64_t largest_n = 40;
    std::int64_t largest_p = 30;
    bool weights = true;         ///< sometimes, some of them zero
    bool offset = true;          ///< sometimes
    bool penalty_factors = true; ///< sometimes, with 0 and infinity among them
    bool bounds = true;          ///< sometimes
    bool awkward_columns = true; ///< empty, constant, duplicate, badly scaled ones
    bool ridge = true;           ///< alpha 0 among the alphas
};

/// Draws shape, density, values, response and options. The same seed gives the same problem.
regression random_regression(std::uint64_t seed, const ingredients& allowed = {});

/// "n 12, p 7, alpha 0.5, intercept, weights, seed 31": what a failure has to print.
std::string describe(const regression& problem, std::uint64_t seed);

/// Column k of a result as p dense numbers.
std::vector<double> dense_coefficients(const path_result& result, std::size_t k);

/// Zeros, and values of one kind: ones, small integers, floats or doubles, so that every way of storing them occurs.
dense_matrix random_matrix(random_numbers& random, std::int64_t n, std::int64_t p, double density);

} // namespace proxpath::test
