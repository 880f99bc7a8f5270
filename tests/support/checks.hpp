// What must hold of every result, whatever was fitted: each test that fits calls one of these.
#pragma once

#include "tests/support/dense_reference.hpp"
#include "tests/support/problems.hpp"

#include <proxpath/proxpath.hpp>

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

} // namespace proxpath::test
