// Gram matrices of the backend contract, grown and multiplied.

#include "tests/support/backend_examples.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendGram : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendGram, readers_times_types);

TYPED_TEST(BackendGram, GramMatchesNaiveLoopsAndKeepsWhatIsThere)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.p > 100) return;
        random_numbers random(seed + 6000);
        const std::int64_t p = one.X.X.p;
        const std::vector<double> w = random_weights(random, one.X.X.n);
        const auto X = this->make(one);
        for (const std::int64_t known : {std::int64_t{0}, p / 3, p}) {
            SCOPED_TRACE(known);
            host_panel<T> start(p, p);
            for (T& value : start.values) value = T(-77);
            panel<T> C = this->up(start);
            this->ops_->gram(*X, w, known, C);
            const host_panel<T> result = this->down(C);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t e = 0; e <= j; ++e) {
                    EXPECT_EQ(result.at(j, e), result.at(e, j)) << "not symmetric";
                    if (j < known) {
                        EXPECT_EQ(result.at(j, e), T(-77));
                        continue;
                    }
                    real sum = 0;
                    real size = 0;
                    for (std::size_t i = 0; i < w.size(); ++i) {
                        sum += w[i] * one.naive.value[static_cast<std::size_t>(j)][i] *
                               one.naive.value[static_cast<std::size_t>(e)][i];
                        size += w[i] * one.naive.size[static_cast<std::size_t>(j)][i] *
                                one.naive.size[static_cast<std::size_t>(e)][i];
                    }
                    // Centring by a correction of rank two adds sums of the same sizes: four times at most.
                    expect_near(result.at(j, e), sum, 4 * sum_error(one.X.X.n) * size, j, e);
                }
        }
    });
}

TYPED_TEST(BackendGram, AGramMatrixGrownOnSparseColumnsIsTheOneMadeAtOnce)
{
    // Where only old columns are nearly full, only new ones, both or none.
    using T = typename TypeParam::value_type;
    for (const int full : {0, 1, 2, 3}) {
        SCOPED_TRACE(full);
        random_numbers random(21);
        const std::int64_t n = 300, p = 20, known = 7;
        dense_matrix X = random_matrix(random, n, p, 0.1);
        for (std::int64_t i = 1; i < n; ++i) {
            if ((full & 1) != 0) X.at(i, 3) = random.normal();
            if ((full & 2) != 0) X.at(i, 12) = random.normal();
        }
        column_scaling scaling = no_scaling(static_cast<std::size_t>(p));
        for (double& center : scaling.center) center = random.uniform(0.5, 1.5);
        const std::vector<double> w = random_weights(random, n);
        const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
        const auto design = this->ops_->make_design(matrix::from_view(columns.view()), scaling);
        panel<T> at_once = this->up(host_panel<T>(p, p));
        this->ops_->gram(*design, w, 0, at_once);
        const host_panel<T> expected = this->down(at_once);
        host_panel<T> start(p, p);
        for (std::int64_t j = 0; j < known; ++j)
            for (std::int64_t e = 0; e < known; ++e) start.at(j, e) = expected.at(j, e);
        panel<T> grown = this->up(start);
        this->ops_->gram(*design, w, known, grown);
        const host_panel<T> result = this->down(grown);
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t e = 0; e < p; ++e)
                EXPECT_NEAR(result.at(j, e), expected.at(j, e), 1e-13 + 4 * unit_roundoff<T>) << j << ", " << e;
    }
}

TYPED_TEST(BackendGram, GramWithResponseMatchesNaiveLoopsWithinItsAdditions)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.p > 100) return;
        random_numbers random(seed + 6500);
        const std::int64_t p = one.X.X.p;
        const std::vector<double> w = random_weights(random, one.X.X.n);
        const std::vector<double> y = random_vector(random, one.X.X.n, -3, 5);
        const auto X = this->make(one);
        panel<T> C = this->up(host_panel<T>(p, p));
        std::vector<double> correlation(static_cast<std::size_t>(p));
        const double square = this->ops_->gram_with_response(*X, w, y, C, correlation);
        const host_panel<T> result = this->down(C);
        // Centring adds sums of the same sizes: four times at most.
        const double error = 4 * sum_error(this->ops_->gram_additions(*X));
        real response = 0;
        for (std::size_t i = 0; i < w.size(); ++i) response += w[i] * y[i] * y[i];
        EXPECT_LE(std::fabs(square - response), error * response);
        for (std::int64_t j = 0; j < p; ++j) {
            const auto& left = one.naive.value[static_cast<std::size_t>(j)];
            const auto& left_size = one.naive.size[static_cast<std::size_t>(j)];
            real sum = 0, size = 0;
            for (std::size_t i = 0; i < w.size(); ++i) {
                sum += w[i] * left[i] * y[i];
                size += w[i] * left_size[i] * std::fabs(y[i]);
            }
            EXPECT_LE(std::fabs(correlation[static_cast<std::size_t>(j)] - sum), error * size) << "at " << j;
            for (std::int64_t e = 0; e < p; ++e) {
                const auto& right = one.naive.value[static_cast<std::size_t>(e)];
                const auto& right_size = one.naive.size[static_cast<std::size_t>(e)];
                sum = size = 0;
                for (std::size_t i = 0; i < w.size(); ++i) {
                    sum += w[i] * left[i] * right[i];
                    size += w[i] * left_size[i] * right_size[i];
                }
                expect_near(result.at(j, e), sum, error * size, j, e);
            }
        }
    });
}

TYPED_TEST(BackendGram, SymmetricMultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    random_numbers random(11);
    for (const std::int64_t p : {0, 1, 5, 31, 64, 65, 200})
        for (const std::int64_t k : {0, 1, 2, 3, 4, 5, 8, 17, 32, 33}) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            host_panel<T> C = random_panel<T>(random, p, p);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t e = 0; e < j; ++e) C.at(j, e) = C.at(e, j);
            const host_panel<T> B = random_panel<T>(random, p, k);
            panel<T> Z = this->up(random_panel<T>(random, p, k));
            this->ops_->symmetric_multiply(this->up(C), this->up(B), Z);
            const host_panel<T> result = this->down(Z);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::int64_t e = 0; e < p; ++e) {
                        sum += static_cast<real>(C.at(j, e)) * B.at(e, c);
                        size += std::fabs(static_cast<real>(C.at(j, e)) * B.at(e, c));
                    }
                    // A matrix product may sum in T.
                    expect_near(result.at(j, c), sum, static_cast<real>(p + 1) * 1.01L * unit_roundoff<T> * size, j, c);
                }
        }
}

} // namespace
} // namespace proxpath::test
