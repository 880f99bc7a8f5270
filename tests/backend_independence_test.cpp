// What the bits of a result may not depend on: the neighbours in the batch, and the number of threads.

#include "tests/support/backend_examples.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendIndependence : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendIndependence, readers_times_types);

TYPED_TEST(BackendIndependence, AFitDoesNotSeeItsNeighboursInTheBatch)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const std::int64_t watched = k / 2;
            std::vector<T> first_product;
            std::vector<T> first_image;
            for (int variant = 0; variant < 2; ++variant) {
                random_numbers same(seed + 7000);
                random_numbers other(seed + 8000 + static_cast<std::uint64_t>(variant));
                host_panel<T> R = random_panel<T>(other, one.X.X.n, k);
                host_panel<T> B = random_panel<T>(other, one.X.X.p, k);
                for (std::int64_t i = 0; i < R.rows; ++i) R.at(i, watched) = static_cast<T>(same.normal());
                for (std::int64_t j = 0; j < B.rows; ++j) B.at(j, watched) = static_cast<T>(same.normal());
                panel<T> C = this->ops_->allocate(one.X.X.p, k);
                panel<T> V = this->ops_->allocate(one.X.X.n, k);
                this->ops_->transpose_multiply(*X, this->up(R), C);
                this->ops_->multiply(*X, this->up(B), V);
                const std::vector<T> product = this->down(this->ops_->compact(C, std::array{watched})).values;
                const std::vector<T> image = this->down(this->ops_->compact(V, std::array{watched})).values;
                if (variant == 0) {
                    first_product = product;
                    first_image = image;
                } else {
                    EXPECT_EQ(product, first_product);
                    EXPECT_EQ(image, first_image);
                }
            }
        }
    });
}

TYPED_TEST(BackendIndependence, BitsDoNotDependOnThreads)
{
    using T = typename TypeParam::value_type;
    std::vector<T> expected;
    std::vector<double> expected_sums;
    for (const int threads : {1, 2, 5}) {
        const auto ops = TypeParam::make(threads);
        std::vector<T> bits;
        std::vector<double> sums;
        const auto keep = [&](const panel<T>& from) {
            const host_panel<T> host = to_host(*ops, from);
            bits.insert(bits.end(), host.values.begin(), host.values.end());
        };
        for (const shape& of : {shape{597, 43, 0.05}, shape{597, 43, 0.6}, shape{9000, 50, 0.5}}) {
            const example one(77, of, number_kind::mixed, keeping::assembled);
            random_numbers random(78);
            const auto X = ops->make_design(one.X.stored, one.scaling);
            const std::vector<double> w = random_weights(random, of.n);
            const panel<T> R = to_backend(*ops, random_panel<T>(random, of.n, 5));
            const panel<T> B = to_backend(*ops, random_panel<T>(random, of.p, 5));
            panel<T> C = ops->allocate(of.p, 5);
            panel<T> V = ops->allocate(of.n, 5);
            panel<T> G = ops->allocate(of.p, of.p);
            panel<T> Z = ops->allocate(of.p, 5);
            ops->transpose_multiply(*X, R, C);
            ops->multiply(*X, B, V);
            ops->gram(*X, w, 0, G);
            ops->symmetric_multiply(G, B, Z);
            for (const panel<T>* each : {&C, &V, &G, &Z}) keep(*each);
            std::vector<double> dots(5);
            ops->column_dots(R, V, w, dots);
            sums.insert(sums.end(), dots.begin(), dots.end());
            std::vector<double> products(25);
            ops->projections(R, V, w, dots, products);
            sums.insert(sums.end(), products.begin(), products.end());
            const penalties penalty(random, of.p, true);
            const std::vector<double> lambda = random_vector(random, 5, 0.1, 2);
            std::vector<gap_sums> gaps(5);
            ops->penalty_sums(C, B, penalty.view(), lambda, gaps);
            const backend::column_moments moments = ops->moments(one.X.stored, w);
            for (const gap_sums& each : gaps)
                sums.insert(sums.end(), {each.l1, each.l2, each.support, each.conjugate, each.s_max, each.kkt});
            sums.insert(sums.end(), moments.mean.begin(), moments.mean.end());
            sums.insert(sums.end(), moments.variance.begin(), moments.variance.end());
        }
        if (threads == 1) {
            expected = bits;
            expected_sums = sums;
        } else {
            EXPECT_EQ(bits, expected) << threads << " threads";
            EXPECT_EQ(sums, expected_sums) << threads << " threads";
        }
    }
}

} // namespace
} // namespace proxpath::test
