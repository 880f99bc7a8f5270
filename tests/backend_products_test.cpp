// Designs of the backend contract, their products with a batch of columns, and gathered columns.

#include "tests/support/backend_examples.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendProducts : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendProducts, readers_times_types);

TYPED_TEST(BackendProducts, DesignsKeepShapeAndScaling)
{
    for_examples([&](const example& one, std::uint64_t) {
        const auto X = this->make(one);
        EXPECT_EQ(X->rows(), one.X.X.n);
        EXPECT_EQ(X->cols(), one.X.X.p);
        EXPECT_EQ(X->nonzeros(), one.X.stored.nonzeros());
        EXPECT_EQ(X->scaling().inverse, one.scaling.inverse);
        EXPECT_EQ(X->scaling().shift, one.scaling.shift);
        EXPECT_EQ(X->scaling().center, one.scaling.center);
    });
}

TYPED_TEST(BackendProducts, TransposeMultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 1000);
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const host_panel<T> R = random_panel<T>(random, one.X.X.n, k);
            panel<T> C = this->up(random_panel<T>(random, one.X.X.p, k)); // to be overwritten
            this->ops_->transpose_multiply(*X, this->up(R), C);
            const host_panel<T> result = this->down(C);
            for (std::int64_t j = 0; j < one.X.X.p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                        const auto at = static_cast<std::size_t>(i);
                        sum += one.naive.value[static_cast<std::size_t>(j)][at] * R.at(i, c);
                        size += one.naive.size[static_cast<std::size_t>(j)][at] * std::fabs(R.at(i, c));
                    }
                    expect_near(result.at(j, c), sum, sum_error(one.X.X.n) * size, j, c);
                }
        }
    });
}

TYPED_TEST(BackendProducts, MultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 2000);
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            host_panel<T> B = random_panel<T>(random, one.X.X.p, k);
            for (std::int64_t j = 0; j < one.X.X.p; j += 3)
                for (std::int64_t c = 0; c < k; ++c) B.at(j, c) = 0; // features that no fit uses
            panel<T> V = this->up(random_panel<T>(random, one.X.X.n, k));
            this->ops_->multiply(*X, this->up(B), V);
            const host_panel<T> result = this->down(V);
            const host_panel<T> y = random_panel<T>(random, one.X.X.n, 1);
            this->ops_->residual(*X, this->up(B), this->up(y), V);
            const host_panel<T> rest = this->down(V);
            for (std::int64_t i = 0; i < one.X.X.n; ++i)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::size_t j = 0; j < one.naive.value.size(); ++j) {
                        const real b = B.at(static_cast<std::int64_t>(j), c);
                        sum += one.naive.value[j][static_cast<std::size_t>(i)] * b;
                        size += one.naive.size[j][static_cast<std::size_t>(i)] * std::fabs(b);
                    }
                    expect_near(result.at(i, c), sum, sum_error(one.X.X.p) * size, i, c);
                    expect_near(rest.at(i, c), y.at(i, 0) - sum,
                                sum_error(one.X.X.p + 1) * (size + std::fabs(y.at(i, 0))), i, c);
                }
        }
    });
}

TYPED_TEST(BackendProducts, ResidualCorrelationsMatchNaiveLoops)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 2500);
        const auto X = this->make(one);
        const std::int64_t n = one.X.X.n;
        const std::int64_t p = one.X.X.p;
        const std::vector<double> w = random_weights(random, n);
        const host_panel<T> y = random_panel<T>(random, n, 1);
        const host_panel<T> z = random_panel<T>(random, n, 1);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const host_panel<T> B = random_panel<T>(random, p, k);
            panel<T> U = this->up(random_panel<T>(random, p, k));
            std::vector<double> square(static_cast<std::size_t>(k), -1), product(square);
            this->ops_->residual_correlations(*X, this->up(B), this->up(y), this->up(z), w, U, square, product);
            const host_panel<T> result = this->down(U);
            for (std::int64_t c = 0; c < k; ++c) {
                std::vector<real> rho(w.size()), size(w.size());
                real sums[2] = {}, sizes[2] = {};
                for (std::size_t i = 0; i < w.size(); ++i) {
                    rho[i] = y.at(static_cast<std::int64_t>(i), 0);
                    size[i] = std::fabs(rho[i]);
                    for (std::size_t j = 0; j < one.naive.value.size(); ++j) {
                        const real b = B.at(static_cast<std::int64_t>(j), c);
                        rho[i] -= one.naive.value[j][i] * b;
                        size[i] += one.naive.size[j][i] * std::fabs(b);
                    }
                    const real other = z.at(static_cast<std::int64_t>(i), 0);
                    sums[0] += w[i] * rho[i] * rho[i];
                    sizes[0] += w[i] * size[i] * size[i];
                    sums[1] += w[i] * rho[i] * other;
                    sizes[1] += w[i] * size[i] * std::fabs(other);
                }
                const auto at = static_cast<std::size_t>(c);
                EXPECT_LE(std::fabs(square[at] - sums[0]), sum_error(n + 2 * p + 4) * sizes[0]);
                EXPECT_LE(std::fabs(product[at] - sums[1]), sum_error(n + p + 4) * sizes[1]);
                for (std::int64_t j = 0; j < p; ++j) {
                    real u = 0, bound = 0;
                    for (std::size_t i = 0; i < w.size(); ++i) {
                        u += one.naive.value[static_cast<std::size_t>(j)][i] * w[i] * rho[i];
                        bound += one.naive.size[static_cast<std::size_t>(j)][i] * w[i] * size[i];
                    }
                    expect_near(result.at(j, c), u, sum_error(n + p + 4) * bound, j, c);
                }
            }
        }
    });
}

TYPED_TEST(BackendProducts, GatheredColumnsActAsTheyDidInTheirDesign)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.p == 0) return;
        random_numbers random(seed + 3000);
        std::vector<std::int64_t> columns(40);
        for (std::int64_t& j : columns) j = random.integer(0, one.X.X.p - 1); // any order, some twice
        const auto X = this->make(one);
        // In two steps, the second behind the first.
        const auto first = this->ops_->gather_columns(*X, std::span(columns).first(15), nullptr);
        const auto W = this->ops_->gather_columns(*X, std::span(columns).subspan(15), first.get());
        EXPECT_EQ(first->cols(), 15);
        EXPECT_EQ(W->rows(), one.X.X.n);
        EXPECT_EQ(W->cols(), 40);
        const panel<T> R = this->up(random_panel<T>(random, one.X.X.n, 5));
        panel<T> all = this->ops_->allocate(one.X.X.p, 5);
        panel<T> some = this->ops_->allocate(40, 5);
        this->ops_->transpose_multiply(*X, R, all);
        this->ops_->transpose_multiply(*W, R, some);
        const host_panel<T> from_all = this->down(all);
        const host_panel<T> from_some = this->down(some);
        for (std::int64_t c = 0; c < 40; ++c)
            for (std::int64_t e = 0; e < 5; ++e)
                EXPECT_EQ(from_some.at(c, e), from_all.at(columns[static_cast<std::size_t>(c)], e));
        const auto none = this->ops_->gather_columns(*X, {}, nullptr);
        EXPECT_EQ(none->cols(), 0);
        EXPECT_EQ(none->nonzeros(), 0);
    });
}

} // namespace
} // namespace proxpath::test
