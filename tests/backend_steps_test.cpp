// The steps of proximal gradient and Krylov solvers, and the sums over columns they are steered by.

#include "tests/support/backend_examples.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendSteps : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendSteps, backends_times_types);

TYPED_TEST(BackendSteps, ExtrapolatedResidualMatchesItsFormula)
{
    using T = typename TypeParam::value_type;
    random_numbers random(12);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths)
            for (const bool wide_base : {false, true})
                for (const bool factors : {false, true}) {
                    SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
                    const host_panel<T> base = random_panel<T>(random, rows, wide_base ? k : 1);
                    const host_panel<T> Z = random_panel<T>(random, rows, k);
                    const host_panel<T> Zp = random_panel<T>(random, rows, k);
                    const std::vector<double> theta = random_vector(random, k, 0, 1);
                    std::vector<double> a;
                    if (factors) a = random_vector(random, rows, -2, 2);
                    panel<T> out = this->ops_->allocate(rows, k);
                    const panel<T> base_up = this->up(base);
                    const panel<T> Z_up = this->up(Z);
                    panel<T> Zp_up = this->up(Zp);
                    this->ops_->extrapolated_residual(base_up, Z_up, Zp_up, theta, a, out);
                    const host_panel<T> result = this->down(out);
                    for (std::int64_t i = 0; i < rows; ++i)
                        for (std::int64_t c = 0; c < k; ++c) {
                            const real from = base.at(i, wide_base ? c : 0);
                            const real z = Z.at(i, c);
                            const real moved =
                                theta[static_cast<std::size_t>(c)] * (z - static_cast<real>(Zp.at(i, c)));
                            const real scale = factors ? a[static_cast<std::size_t>(i)] : 1;
                            const real size =
                                std::fabs(scale) * (std::fabs(from) + std::fabs(z) + 2 * std::fabs(moved));
                            expect_near(result.at(i, c), scale * (from - z - moved), sum_error(0) * size, i, c);
                        }
                    // The result may take the place of Zprev.
                    this->ops_->extrapolated_residual(base_up, Z_up, Zp_up, theta, a, Zp_up);
                    EXPECT_EQ(this->down(Zp_up).values, result.values);
                }
}

TYPED_TEST(BackendSteps, ProxStepThresholdsThenScalesThenClips)
{
    using T = typename TypeParam::value_type;
    random_numbers random(13);
    for (const std::int64_t p : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            const penalties penalty(random, p, true);
            const host_panel<T> B = random_panel<T>(random, p, k);
            const host_panel<T> Bp = random_panel<T>(random, p, k);
            const host_panel<T> N = random_panel<T>(random, p, k);
            const std::vector<double> lambda = random_vector(random, k, 0.1, 2);
            const std::vector<double> theta = random_vector(random, k, 0, 1);
            const std::vector<double> step = random_vector(random, k, 0.1, 1.5);
            panel<T> out = this->up(random_panel<T>(random, p, k));
            std::vector<double> square(static_cast<std::size_t>(k));
            std::vector<double> restart(static_cast<std::size_t>(k));
            this->ops_->prox_step(this->up(B), this->up(Bp), this->up(N), penalty.view(), lambda, theta, step, out,
                                  square, restart);
            const host_panel<T> result = this->down(out);
            for (std::int64_t c = 0; c < k; ++c) {
                const auto at = static_cast<std::size_t>(c);
                real expected_square = 0;
                real expected_restart = 0;
                real restart_size = 0;
                for (std::int64_t j = 0; j < p; ++j) {
                    const auto feature = static_cast<std::size_t>(j);
                    const real b = B.at(j, c);
                    const real moved = theta[at] * (b - static_cast<real>(Bp.at(j, c)));
                    const real v = b + moved;
                    const real t = step[at];
                    const real z = v + t * N.at(j, c);
                    const real threshold = t * lambda[at] * penalty.l1[feature];
                    real next =
                        std::max<real>(std::fabs(z) - threshold, 0) / (1 + t * lambda[at] * penalty.l2[feature]);
                    if (z < 0) next = -next;
                    next = std::clamp<real>(next, penalty.lower[feature], penalty.upper[feature]);
                    // The prox does not expand errors of its argument.
                    const real size = std::fabs(b) + 2 * std::fabs(moved) + std::fabs(t * N.at(j, c)) + threshold;
                    expect_near(result.at(j, c), next, sum_error(0) * size, j, c);
                    if (std::fabs(z) < threshold * (1 - 1e-12L)) {
                        EXPECT_EQ(result.at(j, c), T(0)) << "not exactly 0";
                    }
                    const real taken = result.at(j, c);
                    expected_square += (taken - v) * (taken - v);
                    expected_restart += (v - taken) * (taken - b);
                    restart_size += std::fabs((std::fabs(v) + std::fabs(taken)) * (std::fabs(taken) + std::fabs(b)));
                }
                EXPECT_NEAR(square[at], static_cast<double>(expected_square),
                            static_cast<double>(sum_error(p) * (expected_square + 2 * restart_size)));
                EXPECT_NEAR(restart[at], static_cast<double>(expected_restart),
                            static_cast<double>(sum_error(p) * 2 * restart_size));
            }
        }
}

TYPED_TEST(BackendSteps, DotsMatchNaiveLoops)
{
    using T = typename TypeParam::value_type;
    random_numbers random(14);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths)
            for (const bool factors : {false, true}) {
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
                std::vector<double> a;
                if (factors) a = random_vector(random, rows, 0, 2);
                const auto factor = [&](std::int64_t i) { return factors ? a[static_cast<std::size_t>(i)] : 1.0; };
                std::array<host_panel<T>, 6> P;
                std::array<panel<T>, 6> up;
                for (std::size_t i = 0; i < 6; ++i) up[i] = this->up(P[i] = random_panel<T>(random, rows, k));
                const host_panel<T> one_column = random_panel<T>(random, rows, 1);
                const panel<T> one_up = this->up(one_column);
                const std::vector<double> theta = random_vector(random, k, 0, 1);
                std::vector<double> pair(static_cast<std::size_t>(k));
                std::vector<double> single(static_cast<std::size_t>(k));
                std::vector<double> self(static_cast<std::size_t>(k));
                std::vector<double> extrapolated(static_cast<std::size_t>(k));
                std::vector<double> square(static_cast<std::size_t>(k));
                std::vector<double> dot(static_cast<std::size_t>(k));
                this->ops_->column_dots(up[0], up[1], a, pair);
                this->ops_->column_dots(up[0], one_up, a, single);
                this->ops_->column_dots(up[0], up[0], a, self);
                this->ops_->extrapolation_dots(up[0], up[1], up[2], up[3], up[4], up[5], theta, a, extrapolated);
                this->ops_->residual_dots(one_up, up[1], a, square, dot);
                for (std::int64_t c = 0; c < k; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    real sums[6] = {};
                    real sizes[6] = {};
                    const auto add = [&](int which, real value, real size) {
                        sums[which] += value;
                        sizes[which] += size;
                    };
                    for (std::int64_t i = 0; i < rows; ++i) {
                        real x[6];
                        for (std::size_t e = 0; e < 6; ++e) x[e] = P[e].at(i, c);
                        const real y = one_column.at(i, 0);
                        const real w = factor(i);
                        const real m = theta[at];
                        add(0, w * x[0] * x[1], w * std::fabs(x[0] * x[1]));
                        add(1, w * x[0] * y, w * std::fabs(x[0] * y));
                        add(2, w * x[0] * x[0], w * x[0] * x[0]);
                        const real left = x[0] - x[1] - m * (x[1] - x[2]);
                        const real right = x[3] - x[4] - m * (x[4] - x[5]);
                        add(3, w * left * right,
                            w * (std::fabs(x[0]) + 2 * std::fabs(x[1]) + std::fabs(x[2])) *
                                (std::fabs(x[3]) + 2 * std::fabs(x[4]) + std::fabs(x[5])));
                        const real size = std::fabs(y) + std::fabs(x[1]);
                        add(4, w * (y - x[1]) * (y - x[1]), w * size * size);
                        add(5, w * y * (y - x[1]), w * std::fabs(y) * size);
                    }
                    const double results[6] = {pair[at], single[at], self[at], extrapolated[at], square[at], dot[at]};
                    for (int which = 0; which < 6; ++which)
                        EXPECT_LE(std::fabs(results[which] - sums[which]), sum_error(rows) * sizes[which])
                            << "sum " << which << ", column " << c;
                }
            }
}

TYPED_TEST(BackendSteps, ProjectionsAndChordDistancesMatchNaiveLoops)
{
    using T = typename TypeParam::value_type;
    random_numbers random(18);
    for (const std::int64_t rows : {0, 1, 33, 2100, 4096})
        for (const std::int64_t k : batch_widths)
            for (const bool factors : {false, true}) {
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
                std::vector<double> a;
                if (factors) a = random_vector(random, rows, 0, 2);
                const auto factor = [&](std::int64_t i) { return factors ? a[static_cast<std::size_t>(i)] : 1.0; };
                const host_panel<T> X = random_panel<T>(random, rows, k);
                const host_panel<T> Y = random_panel<T>(random, rows, 3);
                host_panel<T> from(rows, 1), to(rows, 1);
                for (std::int64_t i = 0; i < rows; ++i) {
                    from.at(i, 0) = Y.at(i, 0);
                    to.at(i, 0) = Y.at(i, 1);
                }
                const std::vector<double> theta = random_vector(random, k, -1, 2);
                std::vector<double> square(static_cast<std::size_t>(k), -1), distance(square),
                    product(3 * square.size());
                this->ops_->projections(this->up(X), this->up(Y), a, square, product);
                this->ops_->chord_distances(this->up(X), this->up(from), this->up(to), theta, a, distance);
                for (std::int64_t c = 0; c < k; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    real sums[5] = {}, sizes[5] = {};
                    for (std::int64_t i = 0; i < rows; ++i) {
                        const real x = X.at(i, c);
                        const real off = x - from.at(i, 0) - theta[at] * (real(to.at(i, 0)) - from.at(i, 0));
                        const real size = std::fabs(x) + 4 * std::fabs(from.at(i, 0)) + 3 * std::fabs(to.at(i, 0));
                        const real terms[5] = {x * x, x * Y.at(i, 0), x * Y.at(i, 1), x * Y.at(i, 2), off * off};
                        for (int e = 0; e < 5; ++e) {
                            sums[e] += factor(i) * terms[e];
                            sizes[e] += factor(i) * (e < 4 ? std::fabs(terms[e]) : size * size);
                        }
                    }
                    const double results[4] = {square[at], product[3 * at], product[3 * at + 1], product[3 * at + 2]};
                    for (int e = 0; e < 4; ++e)
                        EXPECT_LE(std::fabs(results[e] - sums[e]), sum_error(rows) * sizes[e]) << "sum " << e;
                    EXPECT_LE(std::fabs(distance[at] * distance[at] - sums[4]), sum_error(rows + 4) * sizes[4]);
                }
            }
}

TYPED_TEST(BackendSteps, ScaleRowsMultipliesEveryRowByItsFactor)
{
    using T = typename TypeParam::value_type;
    random_numbers random(19);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths) {
            const std::vector<double> a = random_vector(random, rows, -2, 2);
            const host_panel<T> X = random_panel<T>(random, rows, k);
            panel<T> X_up = this->up(X);
            this->ops_->scale_rows(a, X_up);
            const host_panel<T> result = this->down(X_up);
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t c = 0; c < k; ++c)
                    expect_near(result.at(i, c), real(a[static_cast<std::size_t>(i)]) * X.at(i, c), 0, i, c);
        }
}

TYPED_TEST(BackendSteps, KrylovUpdateMovesEveryShift)
{
    using T = typename TypeParam::value_type;
    random_numbers random(17);
    for (const std::int64_t p : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            const host_panel<T> r = random_panel<T>(random, p, 1);
            const host_panel<T> D = random_panel<T>(random, p, k);
            const host_panel<T> B = random_panel<T>(random, p, k);
            const std::vector<double> a = random_vector(random, k, -1, 1);
            const std::vector<double> z = random_vector(random, k, -1, 1);
            const std::vector<double> b = random_vector(random, k, -1, 1);
            panel<T> D_up = this->up(D);
            panel<T> B_up = this->up(B);
            this->ops_->krylov_update(this->up(r), a, z, b, D_up, B_up);
            const host_panel<T> new_D = this->down(D_up);
            const host_panel<T> new_B = this->down(B_up);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    const real d = D.at(j, c);
                    expect_near(new_B.at(j, c), B.at(j, c) + a[at] * d,
                                sum_error(0) * (std::fabs(B.at(j, c)) + std::fabs(d)), j, c);
                    expect_near(new_D.at(j, c), z[at] * r.at(j, 0) + b[at] * d,
                                sum_error(0) * (std::fabs(r.at(j, 0)) + std::fabs(d)), j, c);
                }
        }
}

TYPED_TEST(BackendSteps, CombineMakesColumnsOfFewVectors)
{
    using T = typename TypeParam::value_type;
    random_numbers random(18);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t s : {0, 1, 3, 17})
            for (const std::int64_t k : batch_widths) {
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", s " << s << ", k " << k);
                const host_panel<T> V = random_panel<T>(random, rows, s);
                const std::vector<double> Y = random_vector(random, s * k, -1, 1);
                panel<T> B = this->up(random_panel<T>(random, rows, k)); // overwritten
                this->ops_->combine(this->up(V), Y, B);
                const host_panel<T> result = this->down(B);
                for (std::int64_t r = 0; r < rows; ++r)
                    for (std::int64_t c = 0; c < k; ++c) {
                        real exact = 0;
                        real size = 0;
                        for (std::int64_t i = 0; i < s; ++i) {
                            const real term = static_cast<real>(V.at(r, i)) * Y[static_cast<std::size_t>(i * k + c)];
                            exact += term;
                            size += std::fabs(term);
                        }
                        expect_near(result.at(r, c), exact, sum_error(s) * size, r, c);
                    }
            }
}

} // namespace
} // namespace proxpath::test
