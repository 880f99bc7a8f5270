// What must hold of every result, whatever was fitted: each test that fits calls one of these.
#pragma once

#include "tests/support/dense_reference.hpp"
#include "tests/support/problems.hpp"

#include <proxpath/proxpath.hpp>

#include <functional>
#include <vector>

namespace proxpath::test {

/// Share of the null loss by which primal, dual and gap may differ from the reference's.
constexpr double certificate_accuracy = 1e-9;

/// Checks shapes, order, df, dev_ratio, rel_gap and status of the result against each other, that features without
/// variation or excluded are 0, that bounds hold, that nothing is NaN, and primal, dual, gap and KKT residual of every
/// point against the reference.
void expect_true_certificates(const regression& problem, const dense_reference& reference, const path_result& result);

/// Checks that no solution is better than the gaps allow, and that the duals are below the optimum: solves every lambda
/// with the reference to 1e-13 of the null loss.
/// @return the solutions
std::vector<reference_solution> expect_gaps_hold(const dense_reference& reference, const path_result& result);

/// Checks that two paths over the same lambdas solve the problem of the reference equally well: objectives differ by no
/// more than the larger gap, and fitted values by no more than the gaps allow, because the loss is strongly convex in
/// them: ½ Σ w (f − f*)² ≤ P − P* ≤ gap.
/// @param b_of coefficients of point k of `b`, as coefficients of the reference's problem
void expect_same_optimum(const dense_reference& reference, const path_result& a, const path_result& b,
                         const std::function<std::vector<double>(std::size_t)>& b_of);
void expect_same_optimum(const dense_reference& reference, const path_result& a, const path_result& b);

/// Checks that two results are equal in every bit but the times.
void expect_same_bits(const path_result& a, const path_result& b);

} // namespace proxpath::test
