// Means and variances of columns, as the backend contract has them.

#include "tests/support/backend_examples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendMoments : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendMoments, readers_times_types);

TYPED_TEST(BackendMoments, MomentsMatchNaiveLoops)
{
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.n == 0) return;
        random_numbers random(seed + 4000);
        const std::vector<double> w = random_weights(random, one.X.X.n);
        const backend::column_moments moments = this->ops_->moments(one.X.stored, w);
        const double error = sum_error(one.X.X.n);
        for (std::int64_t j = 0; j < one.X.X.p; ++j) {
            SCOPED_TRACE(j);
            const auto at = static_cast<std::size_t>(j);
            real mean = 0;
            real size = 0;
            real square = 0;
            double lowest = infinity;
            double highest = -infinity;
            for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                const real weight = w[static_cast<std::size_t>(i)];
                const double x = one.X.X.at(i, j);
                mean += weight * x;
                size += weight * std::fabs(x);
                square += weight * x * x;
                if (weight == 0) continue;
                lowest = std::min(lowest, x);
                highest = std::max(highest, x);
            }
            real variance = 0;
            for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                const real deviation = one.X.X.at(i, j) - mean;
                variance += w[static_cast<std::size_t>(i)] * deviation * deviation;
            }
            EXPECT_LE(std::fabs(moments.mean[at] - mean), error * size);
            EXPECT_LE(std::fabs(moments.mean_square[at] - square), error * square);
            EXPECT_EQ(moments.constant[at] != 0, lowest == highest);
            EXPECT_GE(moments.variance[at], 0.0);
            if (lowest == highest) {
                EXPECT_EQ(moments.variance[at], 0.0);
                EXPECT_EQ(moments.mean[at], lowest);
            } else {
                // A wrong mean m + e adds e², and where zeros are not stored 2 e (m less its share) at most.
                EXPECT_LE(std::fabs(moments.variance[at] - variance),
                          4 * error * variance + error * error * size * size);
            }
        }
    });
}

TYPED_TEST(BackendMoments, ANearlyFullColumnKeepsTheDigitsOfItsFewZeros)
{
    // Ones and a single zero that is not stored: the variance is w (1 − w), w the weight of that row.
    constexpr std::int64_t n = 1000003;
    random_numbers random(4);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n) - 1);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i + 1);
    const std::vector<double> ones(rows.size(), 1.0);
    const std::vector<std::int64_t> offsets{0, n - 1};
    const matrix X = matrix::from_view(csc_view(n, 1, std::span<const std::int64_t>(offsets),
                                                std::span<const std::int64_t>(rows), std::span<const double>(ones)));
    for (const bool equal : {true, false}) {
        SCOPED_TRACE(equal);
        std::vector<double> w(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
        real total = 0;
        for (double& weight : w) {
            if (!equal) weight = &weight == w.data() ? 1e-12 : weight * random.uniform(0.5, 1.5);
            total += weight;
        }
        if (!equal)
            for (double& weight : w) weight = static_cast<double>(weight / total);
        const real zero = w[0];
        const backend::column_moments moments = this->ops_->moments(X, w);
        EXPECT_NEAR(moments.variance[0] / static_cast<double>(zero * (1 - zero)), 1.0, 1e-9);
    }
}

TYPED_TEST(BackendMoments, MomentsOfAFarAwayColumnKeepTheirDigits)
{
    // 10⁸ and a deviation of 1: a difference of squares would keep no digit, two passes keep all but a few.
    random_numbers random(3);
    dense_matrix X(1000, 1);
    real mean = 0;
    for (double& value : X.values) mean += (value = 1e8 + random.normal());
    mean /= 1000;
    real variance = 0;
    for (const double value : X.values) variance += (value - mean) * (value - mean) / 1000;
    const std::vector<double> w(1000, 1e-3);
    const backend::column_moments moments = this->ops_->moments(matrix::from_view(X.view()), w);
    const double mean_error = sum_error(1000) * 1e8;
    EXPECT_NEAR(moments.mean[0], static_cast<double>(mean), mean_error);
    EXPECT_NEAR(moments.variance[0], static_cast<double>(variance),
                sum_error(1000) * 2 + mean_error * mean_error + 2 * mean_error * 1e-3);
}

} // namespace
} // namespace proxpath::test
