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

TYPED_TEST_SUITE(BackendCorrelationPass, readers_times_types);

/// Which features the fit skips, and which are in the working set: some of each, or none.
struct features_in_play {
    std::vector<std::int64_t> position;
    std::vector<std::uint8_t> skip;
    std::int64_t in_set = 0;

    explicit features_in_play(std::int64_t p)
        : position(static_cast<std::size_t>(p), -1), skip(static_cast<std::size_t>(p), 0)
    {}
    features_in_play(random_numbers& random, std::int64_t p) : features_in_play(p)
    {
        for (std::size_t j = 0; j < position.size(); ++j) {
            skip[j] = random.chance(0.1) ? 1 : 0;
            if (skip[j] == 0 && random.chance(0.4)) position[j] = in_set++;
        }
    }
};

/// Views of what is given, which must outlive it.
template <class T>
backend::correlation_request<T> request_for(const design& X, const panel<T>& residual, const panel<T>& coefficients,
                                            const features_in_play& features, const penalty_view& penalty,
                                            const std::vector<double>& lambda)
{
    backend::correlation_request<T> request;
    request.X = &X;
    request.weighted_residual = &residual;
    request.coefficients = &coefficients;
    request.position = features.position;
    request.skip = features.skip;
    request.penalty = penalty;
    request.lambda = lambda;
    return request;
}

TYPED_TEST(BackendCorrelationPass, CorrelationPassFindsSumsViolatorsAndCorrelations)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 5000);
        const std::int64_t p = one.X.X.p;
        const auto X = this->make(one);
        const penalties penalty(random, p, seed % 2 == 0);
        const features_in_play features(random, p);
        const std::vector<std::int64_t>& position = features.position;
        const std::vector<std::uint8_t>& skip = features.skip;
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            host_panel<T> R = random_panel<T>(random, one.X.X.n, k);
            for (T& value : R.values) value /= static_cast<T>(std::max<std::int64_t>(1, one.X.X.n));
            host_panel<T> B = random_panel<T>(random, features.in_set, k);
            for (std::size_t j = 0; j < position.size(); ++j)
                for (std::int64_t c = 0; c < k && position[j] >= 0; ++c) {
                    T& b = B.at(position[j], c);
                    b = static_cast<T>(std::clamp<double>(b, penalty.lower[j], penalty.upper[j]));
                }
            const std::vector<double> lambda = random_vector(random, k, 0.01, 0.6);
            const panel<T> residual = this->up(R);
            const panel<T> coefficients = this->up(B);
            backend::correlation_request<T> request =
                request_for<T>(*X, residual, coefficients, features, penalty.view(), lambda);
            request.save_column = k - 1;
            std::vector<double> saved(static_cast<std::size_t>(p), 0.0);
            const backend::correlation_result result = this->ops_->correlation_pass(request, saved);
            ASSERT_EQ(result.sums.size(), static_cast<std::size_t>(k));

            for (std::int64_t c = 0; c < k; ++c) {
                SCOPED_TRACE(c);
                const double at_lambda = lambda[static_cast<std::size_t>(c)];
                naive_gap expected;
                std::vector<std::int64_t> violators;
                for (std::size_t j = 0; j < position.size(); ++j) {
                    if (skip[j] != 0) {
                        EXPECT_EQ(saved[j], 0.0);
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
                        EXPECT_NEAR(saved[j], static_cast<double>(u), static_cast<double>(error + 1e-15L));
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

/// Residuals near the line through two whose correlations are known, and a bound that holds for all features.
template <class T>
struct near_a_chord {
    host_panel<T> R;
    std::vector<double> from, to, theta, radius;

    near_a_chord(random_numbers& random, const example& one, std::int64_t k) : R(one.X.X.n, k)
    {
        const auto n = static_cast<std::size_t>(one.X.X.n);
        const auto p = static_cast<std::size_t>(one.X.X.p);
        const double share = 1.0 / static_cast<double>(std::max<std::size_t>(1, n));
        std::vector<double> start(n), end(n);
        for (std::size_t i = 0; i < n; ++i) {
            start[i] = share * random.normal();
            end[i] = start[i] + 0.3 * share * random.normal();
        }
        theta = random_vector(random, k, -0.2, 1.2);
        theta.back() = 1;
        for (std::size_t i = 0; i < n; ++i)
            for (std::int64_t c = 0; c < k; ++c) {
                const double between = start[i] + theta[static_cast<std::size_t>(c)] * (end[i] - start[i]);
                R.at(static_cast<std::int64_t>(i), c) = static_cast<T>(between + 1e-3 * share * random.normal());
            }
        radius.assign(static_cast<std::size_t>(k), 0.0);
        for (std::size_t i = 0; i < n; ++i) end[i] = R.at(static_cast<std::int64_t>(i), k - 1); // as it is stored
        for (std::size_t j = 0; j < p; ++j) {
            real at_start = 0, at_end = 0;
            for (std::size_t i = 0; i < n; ++i) {
                at_start += one.naive.value[j][i] * start[i];
                at_end += one.naive.value[j][i] * end[i];
            }
            from.push_back(static_cast<double>(at_start));
            to.push_back(static_cast<double>(at_end));
            for (std::size_t c = 0; c < radius.size(); ++c) {
                real size = 0;
                for (std::size_t i = 0; i < n; ++i)
                    size += one.naive.size[j][i] * std::fabs(R.at(static_cast<std::int64_t>(i), static_cast<int>(c)) -
                                                             (start[i] + theta[c] * (end[i] - start[i])));
                radius[c] = std::max(radius[c], static_cast<double>(1.001L * size));
            }
        }
    }
};

TYPED_TEST(BackendCorrelationPass, ABoundSparesWorkAndChangesNoResult)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 5500);
        const std::int64_t p = one.X.X.p;
        const auto X = this->make(one);
        const penalties penalty(random, p, seed % 2 == 0);
        const features_in_play features(random, p);
        const std::vector<std::int64_t>& position = features.position;
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const near_a_chord<T> known(random, one, k);
            host_panel<T> B(features.in_set, k);
            for (std::size_t j = 0; j < position.size(); ++j)
                for (std::int64_t c = 0; c < k && position[j] >= 0 && j % 2 == 0; ++c)
                    B.at(position[j], c) =
                        static_cast<T>(std::clamp<double>(random.normal(), penalty.lower[j], penalty.upper[j]));
            const std::vector<double> lambda = random_vector(random, k, 0.01, 0.3);
            const std::vector<double> scale = random_vector(random, k, 0.5, 3);
            const panel<T> residual = this->up(known.R);
            const panel<T> coefficients = this->up(B);
            backend::correlation_request<T> request =
                request_for<T>(*X, residual, coefficients, features, penalty.view(), lambda);
            request.save_column = k - 1;
            std::vector<double> all(static_cast<std::size_t>(p), 0.0);
            const backend::correlation_result expected = this->ops_->correlation_pass(request, all);
            for (const bool saves : {true, false}) {
                SCOPED_TRACE(saves);
                request.save_column = saves ? k - 1 : -1;
                request.bound = {known.from, saves ? std::span<const double>() : known.to, known.theta, known.radius,
                                 scale};
                std::vector<double> saved(static_cast<std::size_t>(p), 0.0);
                const backend::correlation_result result = this->ops_->correlation_pass(request, saved);
                for (std::size_t j = 0; j < saved.size() && saves; ++j)
                    EXPECT_NEAR(saved[j], all[j], 1e-12 * (1 + std::fabs(all[j])));
                EXPECT_EQ(result.violators, expected.violators);
                for (std::size_t c = 0; c < static_cast<std::size_t>(k); ++c) {
                    const gap_sums& a = result.sums[c];
                    const gap_sums& b = expected.sums[c];
                    const auto near = [](double x, double y) {
                        return x == y || std::fabs(x - y) <= 1e-9 * (1 + std::fabs(y));
                    };
                    EXPECT_TRUE(near(a.l1, b.l1)) << a.l1 << " " << b.l1;
                    EXPECT_TRUE(near(a.l2, b.l2)) << a.l2 << " " << b.l2;
                    EXPECT_TRUE(near(a.support, b.support)) << a.support << " " << b.support;
                    EXPECT_TRUE(near(a.conjugate, b.conjugate)) << a.conjugate << " " << b.conjugate;
                    EXPECT_TRUE(near(a.kkt, b.kkt)) << a.kkt << " " << b.kkt;
                    const double of_interest = std::max(1.0, scale[c]);
                    EXPECT_TRUE(near(std::min(a.s_max, of_interest), std::min(b.s_max, of_interest)))
                        << a.s_max << " " << b.s_max;
                }
            }
        }
    });
}

TYPED_TEST(BackendCorrelationPass, FeaturesThatTheBoundKeepsWithinAreNotLookedAt)
{
    using T = typename TypeParam::value_type;
    const example one(3, {50, 20, 0.5}, number_kind::doubles, keeping::assembled);
    random_numbers random(5600);
    const std::vector<double> ones(20, 1.0), zeros(20, 0.0), open(20, infinity), open_below(20, -infinity);
    const std::vector<double> lambda(3, 1e-9);
    const std::vector<double> nothing(3, 0.0);
    const features_in_play features(20);
    const panel<T> residual = this->up(random_panel<T>(random, 50, 3));
    const panel<T> coefficients = this->ops_->allocate(0, 3);
    const auto X = this->make(one);
    backend::correlation_request<T> request =
        request_for<T>(*X, residual, coefficients, features, {ones, zeros, open_below, open, ones}, lambda);
    const auto count = [&] { return this->ops_->correlation_pass(request, {}).violators[0].size(); };
    const auto entries = [&] { return this->ops_->correlation_pass(request, {}).entries_read; };
    EXPECT_GT(count(), 10U);
    EXPECT_EQ(entries(), one.X.stored.nonzeros());
    request.bound = {zeros, zeros, nothing, nothing, nothing}; // which is not so, and shows that it is believed
    EXPECT_EQ(count(), 0U);
    EXPECT_EQ(entries(), 0);
    const std::vector<double> at_the_end(3, 1.0);
    request.save_column = 1; // whose correlations are computed, and are not 0
    request.bound = {zeros, {}, at_the_end, nothing, nothing};
    EXPECT_GT(count(), 10U);
    EXPECT_EQ(entries(), one.X.stored.nonzeros());
    request.save_column = -1;
    const std::vector<double> unknown(3, std::numeric_limits<double>::quiet_NaN());
    request.bound = {zeros, zeros, nothing, unknown, nothing};
    EXPECT_GT(count(), 10U);
}

/// What is left where no dual point is known but 0.
void expect_nothing_certified(const gap_sums& sums)
{
    EXPECT_EQ(sums.kkt, infinity);
    EXPECT_EQ(sums.s_max, 0);
    const backend::gap_value value = backend::duality_gap(sums, 2, 1, 1);
    EXPECT_EQ(value.dual, 0);
    EXPECT_GE(value.gap, 1);
}

TYPED_TEST(BackendCorrelationPass, ACorrelationThatIsNotANumberCertifiesNothing)
{
    using T = typename TypeParam::value_type;
    const example one(3, {50, 20, 0.5}, number_kind::doubles, keeping::assembled);
    random_numbers random(5700);
    const penalties penalty(random, 20, true);
    const features_in_play features(20);
    const std::vector<double> lambda(3, 0.1), zeros(20, 0.0), nothing(3, 0.0), far(3, infinity);
    const auto X = this->make(one);
    host_panel<T> R = random_panel<T>(random, 50, 3);
    const panel<T> coefficients = this->ops_->allocate(0, 3);
    const panel<T> whole = this->up(R);
    for (std::int64_t i = 0; i < 50; ++i) R.at(i, 1) = std::numeric_limits<T>::quiet_NaN();
    const panel<T> broken = this->up(R);
    const backend::correlation_result expected =
        this->ops_->correlation_pass(request_for<T>(*X, whole, coefficients, features, penalty.view(), lambda), {});
    backend::correlation_request<T> request =
        request_for<T>(*X, broken, coefficients, features, penalty.view(), lambda);
    for (const bool bounded : {false, true}) {
        SCOPED_TRACE(bounded);
        request.save_column = 1; // from which the bound follows: NaN must not pass
        if (bounded) request.bound = {zeros, {}, nothing, nothing, far};
        const backend::correlation_result result = this->ops_->correlation_pass(request, {});
        expect_nothing_certified(result.sums[1]);
        if (bounded) continue;
        EXPECT_EQ(result.sums[0].kkt, expected.sums[0].kkt);
        EXPECT_EQ(result.sums[2].conjugate, expected.sums[2].conjugate);
        EXPECT_EQ(result.violators[0], expected.violators[0]);
        EXPECT_TRUE(result.violators[1].empty());
    }
    host_panel<T> U(20, 3);
    U.at(7, 1) = std::numeric_limits<T>::quiet_NaN();
    std::vector<gap_sums> sums(3);
    this->ops_->penalty_sums(this->up(U), this->ops_->allocate(20, 3), penalty.view(), lambda, sums);
    expect_nothing_certified(sums[1]);
    EXPECT_EQ(sums[0].kkt, 0);
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
