// The fused pass of the backend contract: correlations with every feature, their part in the certificate, violators.

#include "tests/support/backend_examples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendCorrelationPass : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendCorrelationPass, backends_times_types);

TYPED_TEST(BackendCorrelationPass, CorrelationPassFindsSumsViolatorsAndMagnitudes)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 5000);
        const std::int64_t p = one.X.X.p;
        const auto X = this->make(one);
        const penalties penalty(random, p, seed % 2 == 0);
        std::vector<std::int64_t> position(static_cast<std::size_t>(p), -1);
        std::vector<std::uint8_t> skip(static_cast<std::size_t>(p), 0);
        std::int64_t in_set = 0;
        for (std::size_t j = 0; j < position.size(); ++j) {
            skip[j] = random.chance(0.1) ? 1 : 0;
            if (skip[j] == 0 && random.chance(0.4)) position[j] = in_set++;
        }
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            host_panel<T> R = random_panel<T>(random, one.X.X.n, k);
            for (T& value : R.values) value /= static_cast<T>(std::max<std::int64_t>(1, one.X.X.n));
            host_panel<T> B = random_panel<T>(random, in_set, k);
            for (std::size_t j = 0; j < position.size(); ++j)
                for (std::int64_t c = 0; c < k && position[j] >= 0; ++c) {
                    T& b = B.at(position[j], c);
                    b = static_cast<T>(std::clamp<double>(b, penalty.lower[j], penalty.upper[j]));
                }
            const std::vector<double> lambda = random_vector(random, k, 0.01, 0.6);
            const panel<T> residual = this->up(R);
            const panel<T> coefficients = this->up(B);
            backend::correlation_request<T> request;
            request.X = X.get();
            request.weighted_residual = &residual;
            request.coefficients = &coefficients;
            request.position = position;
            request.skip = skip;
            request.penalty = penalty.view();
            request.lambda = lambda;
            request.save_column = k - 1;
            std::vector<double> magnitude(static_cast<std::size_t>(p), 0.0);
            const backend::correlation_result result = this->ops_->correlation_pass(request, magnitude);
            ASSERT_EQ(result.sums.size(), static_cast<std::size_t>(k));

            for (std::int64_t c = 0; c < k; ++c) {
                SCOPED_TRACE(c);
                const double at_lambda = lambda[static_cast<std::size_t>(c)];
                naive_gap expected;
                std::vector<std::int64_t> violators;
                for (std::size_t j = 0; j < position.size(); ++j) {
                    if (skip[j] != 0) {
                        EXPECT_EQ(magnitude[j], 0.0);
                        continue;
                    }
                    real u = 0;
                    real size = 0;
                    for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                        u += one.naive.value[j][static_cast<std::size_t>(i)] * R.at(i, c);
                        size += one.naive.size[j][static_cast<std::size_t>(i)] * std::fabs(R.at(i, c));
                    }
                    const real error = sum_error(one.X.X.n) * size;
                    const real b = position[j] >= 0 ? B.at(position[j], c) : T(0);
                    expected.add(penalty, j, at_lambda, u, error, b);
                    const double threshold = at_lambda * penalty.l1[j];
                    if (position[j] < 0 &&
                        ((u > threshold && penalty.upper[j] > 0) || (-u > threshold && penalty.lower[j] < 0))) {
                        if (std::fabs(u) - threshold > error) violators.push_back(static_cast<std::int64_t>(j));
                    }
                    if (c == k - 1) {
                        EXPECT_NEAR(magnitude[j], static_cast<double>(std::fabs(u - at_lambda * penalty.l2[j] * b)),
                                    static_cast<double>(error + 1e-15L * std::fabs(b)));
                    }
                }
                expected.expect_matches(result.sums[static_cast<std::size_t>(c)], p);
                std::vector<std::int64_t> found = result.violators[static_cast<std::size_t>(c)];
                EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
                EXPECT_EQ(found, violators);
            }
            // Nothing is saved when nothing is asked for.
            request.save_column = -1;
            std::vector<double> untouched(static_cast<std::size_t>(p), 7.0);
            this->ops_->correlation_pass(request, untouched);
            EXPECT_THAT(untouched, testing::Each(7.0));
        }
    });
}

TYPED_TEST(BackendCorrelationPass, PenaltySumsMatchTheirFormulas)
{
    using T = typename TypeParam::value_type;
    random_numbers random(15);
    for (const bool bounds : {false, true})
        for (const std::int64_t p : {0, 1, 33, 2100})
            for (const std::int64_t k : batch_widths) {
                SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k << ", bounds " << bounds);
                const penalties penalty(random, p, bounds);
                const host_panel<T> U = random_panel<T>(random, p, k);
                host_panel<T> B = random_panel<T>(random, p, k);
                for (std::int64_t j = 0; j < p; ++j)
                    for (std::int64_t c = 0; c < k; ++c)
                        B.at(j, c) =
                            static_cast<T>(std::clamp<double>(B.at(j, c), penalty.lower[static_cast<std::size_t>(j)],
                                                              penalty.upper[static_cast<std::size_t>(j)]));
                const std::vector<double> lambda = random_vector(random, k, 0.1, 3);
                std::vector<gap_sums> sums(static_cast<std::size_t>(k));
                this->ops_->penalty_sums(this->up(U), this->up(B), penalty.view(), lambda, sums);
                for (std::int64_t c = 0; c < k; ++c) {
                    naive_gap expected;
                    for (std::int64_t j = 0; j < p; ++j)
                        expected.add(penalty, static_cast<std::size_t>(j), lambda[static_cast<std::size_t>(c)],
                                     U.at(j, c), 0, B.at(j, c));
                    expected.expect_matches(sums[static_cast<std::size_t>(c)], p);
                }
            }
}

} // namespace
} // namespace proxpath::test
