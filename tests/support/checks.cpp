// Checks of whole results; see checks.hpp.

#include "tests/support/checks.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxpath::test {

namespace {

void expect_well_formed(const path_result& result)
{
    const sparse_columns& B = result.coefficients;
    ASSERT_EQ(B.rows, result.p);
    ASSERT_EQ(B.cols, static_cast<std::int64_t>(result.points.size()));
    ASSERT_EQ(B.offsets.size(), result.points.size() + 1);
    ASSERT_EQ(B.indices.size(), B.values.size());
    ASSERT_EQ(B.offsets.back(), static_cast<std::int64_t>(B.values.size()));
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        EXPECT_EQ(result.points[k].df, B.offsets[k + 1] - B.offsets[k]);
        for (auto e = static_cast<std::size_t>(B.offsets[k]); e < static_cast<std::size_t>(B.offsets[k + 1]); ++e) {
            EXPECT_NE(B.values[e], 0.0) << "a stored zero";
            EXPECT_TRUE(std::isfinite(B.values[e]));
            if (e > static_cast<std::size_t>(B.offsets[k])) {
                EXPECT_LT(B.indices[e - 1], B.indices[e]);
            }
        }
    }
}

void expect_admissible(const regression& problem, const dense_reference& reference, const std::vector<double>& b)
{
    for (std::size_t j = 0; j < b.size(); ++j) {
        if (!reference.takes_part(static_cast<std::int64_t>(j))) {
            EXPECT_EQ(b[j], 0.0) << "feature " << j;
        }
        if (!problem.lower.empty()) {
            EXPECT_GE(b[j], problem.lower[j]) << "feature " << j;
        }
        if (!problem.upper.empty()) {
            EXPECT_LE(b[j], problem.upper[j]) << "feature " << j;
        }
    }
}

} // namespace

void expect_true_certificates(const regression& problem, const dense_reference& reference, const path_result& result)
{
    expect_well_formed(result);
    const double unit = reference.null_loss();
    EXPECT_NEAR(result.null_loss, unit, certificate_accuracy * unit);
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        const path_point& point = result.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}, solver {}", k, point.lambda, result.solver));
        const std::vector<double> b = dense_coefficients(result, k);
        expect_admissible(problem, reference, b);
        const reference_certificate truth = reference.certify(point.lambda, point.intercept, b);
        EXPECT_NEAR(point.primal, truth.primal, certificate_accuracy * unit);
        EXPECT_NEAR(point.dual, truth.dual, certificate_accuracy * unit);
        EXPECT_NEAR(point.gap, truth.gap, certificate_accuracy * unit);
        EXPECT_NEAR(point.kkt, truth.kkt, certificate_accuracy * reference.kkt_unit());
        EXPECT_GE(point.gap, 0.0);
        if (unit > 0) {
            EXPECT_NEAR(point.dev_ratio, 1 - truth.residual_square / (2 * unit), certificate_accuracy);
            EXPECT_DOUBLE_EQ(point.rel_gap, point.gap / result.null_loss);
        }
        if (!problem.settings.intercept) {
            EXPECT_EQ(point.intercept, 0.0);
        }
        EXPECT_EQ(point.status == column_status::converged, point.gap <= problem.settings.tol * result.null_loss);
    }
}

std::vector<reference_solution> expect_gaps_hold(const dense_reference& reference, const path_result& result)
{
    std::vector<reference_solution> solutions;
    std::vector<double> start;
    // The reference's own numbers carry the rounding of one evaluation in double.
    const double rounding = 1e-14 * reference.null_loss();
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        const path_point& point = result.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}, solver {}", k, point.lambda, result.solver));
        solutions.push_back(reference.solve(point.lambda, start));
        const reference_solution& best = solutions.back();
        start = best.b;
        const double suboptimality =
            static_cast<double>(reference.objective(point.lambda, point.intercept, dense_coefficients(result, k)) -
                                reference.objective(point.lambda, best.intercept, best.b));
        EXPECT_GE(point.gap + rounding, suboptimality);
        EXPECT_LE(point.dual, best.primal + rounding);
    }
    return solutions;
}

} // namespace proxpath::test
