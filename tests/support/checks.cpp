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
    const double tolerance = certificate_accuracy * unit + 10 * reference.rounding();
    const double kkt_tolerance =
        reference.kkt_scale() * (certificate_accuracy * std::sqrt(2 * unit) + 10 * std::sqrt(reference.rounding()));
    EXPECT_NEAR(result.null_loss, unit, tolerance);
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        const path_point& point = result.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}, solver {}", k, point.lambda, result.solver));
        const std::vector<double> b = dense_coefficients(result, k);
        expect_admissible(problem, reference, b);
        const reference_certificate truth = reference.certify(point.lambda, point.intercept, b);
        EXPECT_NEAR(point.primal, truth.primal, tolerance);
        // Nothing computed in double is closer where λ is tiny against the units of the columns.
        const double dual_tolerance = std::max(tolerance, reference.certificate_rounding(point.lambda));
        // A certificate from products, without a look at X, takes off what rounding may hide: up to 5% of the
        // tolerance.
        const double taken_off = point.passes == 0 ? 0.05 * problem.settings.tol * result.null_loss : 0;
        EXPECT_LE(point.dual, truth.dual + dual_tolerance);
        EXPECT_GE(point.dual, truth.dual - dual_tolerance - taken_off);
        EXPECT_GE(point.gap, truth.gap - dual_tolerance);
        EXPECT_LE(point.gap, truth.gap + dual_tolerance + taken_off);
        EXPECT_NEAR(point.kkt, truth.kkt, kkt_tolerance);
        EXPECT_GE(point.gap, 0.0);
        if (result.null_loss > 0) {
            EXPECT_NEAR(point.dev_ratio, 1 - truth.residual_square / (2 * unit), certificate_accuracy);
            EXPECT_DOUBLE_EQ(point.rel_gap, point.gap / result.null_loss);
        }
        if (!problem.settings.intercept) {
            EXPECT_EQ(point.intercept, 0.0);
        }
        // A gap that is no more than rounding (of a response that the null model explains) counts as closed.
        const double allowed =
            std::max(problem.settings.tol * result.null_loss, result.null_loss > 0 ? 0 : 1e6 * reference.rounding());
        EXPECT_EQ(point.status == column_status::converged, point.gap <= allowed);
    }
}

std::vector<reference_solution> expect_gaps_hold(const dense_reference& reference, const path_result& result)
{
    std::vector<reference_solution> solutions;
    std::vector<double> start;
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        const path_point& point = result.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}, solver {}", k, point.lambda, result.solver));
        const double rounding = reference.certificate_rounding(point.lambda);
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

void expect_same_optimum(const dense_reference& reference, const path_result& a, const path_result& b,
                         const std::function<std::vector<double>(std::size_t)>& b_of)
{
    ASSERT_EQ(a.points.size(), b.points.size());
    const double rounding = certificate_accuracy * reference.null_loss() + 10 * reference.rounding();
    for (std::size_t k = 0; k < a.points.size(); ++k) {
        const path_point& left = a.points[k];
        const path_point& right = b.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}, solvers {} and {}", k, left.lambda, a.solver, b.solver));
        EXPECT_NEAR(left.lambda, right.lambda, 1e-12 * left.lambda);
        EXPECT_NEAR(left.primal, right.primal, std::max(left.gap, right.gap) + rounding);
        const double distance = reference.distance(left.intercept, dense_coefficients(a, k), right.intercept, b_of(k));
        EXPECT_LE(distance, std::sqrt(2 * left.gap) + std::sqrt(2 * right.gap) + std::sqrt(2 * rounding));
    }
}

void expect_same_optimum(const dense_reference& reference, const path_result& a, const path_result& b)
{
    expect_same_optimum(reference, a, b, [&](std::size_t k) { return dense_coefficients(b, k); });
}

void expect_same_bits(const path_result& a, const path_result& b)
{
    EXPECT_EQ(a.lambda_max, b.lambda_max);
    EXPECT_EQ(a.null_loss, b.null_loss);
    EXPECT_EQ(a.passes, b.passes);
    EXPECT_EQ(a.rounds, b.rounds);
    EXPECT_EQ(a.solver, b.solver);
    EXPECT_EQ(a.notes, b.notes);
    EXPECT_EQ(a.constant_features, b.constant_features);
    EXPECT_EQ(a.coefficients.offsets, b.coefficients.offsets);
    EXPECT_EQ(a.coefficients.indices, b.coefficients.indices);
    EXPECT_EQ(a.coefficients.values, b.coefficients.values);
    ASSERT_EQ(a.points.size(), b.points.size());
    for (std::size_t k = 0; k < a.points.size(); ++k) {
        const path_point& left = a.points[k];
        const path_point& right = b.points[k];
        SCOPED_TRACE(fmt::format("point {}, lambda {}", k, left.lambda));
        EXPECT_EQ(left.lambda, right.lambda);
        EXPECT_EQ(left.intercept, right.intercept);
        EXPECT_EQ(left.primal, right.primal);
        EXPECT_EQ(left.dual, right.dual);
        EXPECT_EQ(left.gap, right.gap);
        EXPECT_EQ(left.rel_gap, right.rel_gap);
        EXPECT_EQ(left.kkt, right.kkt);
        EXPECT_EQ(left.dev_ratio, right.dev_ratio);
        EXPECT_EQ(left.status, right.status);
        EXPECT_EQ(left.iterations, right.iterations);
        EXPECT_EQ(left.passes, right.passes);
    }
}

} // namespace proxpath::test
