// Many responses in one call: each fit has the certificates and the optimum of a fit of its own, whatever the problem;
// fits come in order, with the same bits for any number of threads; and what cannot be fitted is said.

#include "tests/support/checks.hpp"

#include "host/backend/device_choice.hpp"
#include "tests/emulation/emulated_provider.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using testing::HasSubstr;

/// Responses to the rows of a problem: its own, noise, that once more but shifted and scaled, and a constant.
std::vector<std::vector<double>> several_responses(const regression& problem, std::uint64_t seed)
{
    random_numbers random(seed);
    std::vector<std::vector<double>> all{problem.y, problem.y, problem.y, problem.y};
    for (std::size_t i = 0; i < problem.y.size(); ++i) {
        all[1][i] = random.normal();
        all[2][i] = 1e3 * (all[1][i] + 0.1 * random.normal()) + 7;
        all[3][i] = 2.5;
    }
    return all;
}

std::vector<double> one_after_the_other(const std::vector<std::vector<double>>& responses)
{
    std::vector<double> Y;
    for (const auto& y : responses) Y.insert(Y.end(), y.begin(), y.end());
    return Y;
}

/// A problem and responses to its rows.
struct many_regressions {
    regression problem;
    std::vector<std::vector<double>> responses;
    responses_options options;

    explicit many_regressions(regression of, std::uint64_t seed)
        : problem(std::move(of)), responses(several_responses(problem, seed))
    {
        options.path = problem.options();
    }
    many_regressions(const many_regressions&) = delete; // options lend from problem
    many_regressions& operator=(const many_regressions&) = delete;

    std::vector<path_result> fit() const
    {
        return fit_responses(matrix::from_view(problem.X.view()), one_after_the_other(responses), options);
    }
    /// The problem with response r as its own.
    regression alone(std::size_t r) const
    {
        regression one = problem;
        one.y = responses[r];
        return one;
    }
};

void expect_fits_of_their_own(const many_regressions& many, const std::vector<path_result>& fits)
{
    ASSERT_EQ(fits.size(), many.responses.size());
    for (std::size_t r = 0; r < fits.size(); ++r) {
        SCOPED_TRACE(testing::Message() << "response " << r);
        const regression one = many.alone(r);
        const dense_reference reference(one.X, one.y, one.options());
        expect_true_certificates(one, reference, fits[r]);
        const path_result alone = one.fit();
        ASSERT_EQ(fits[r].points.size(), alone.points.size());
        EXPECT_NEAR(fits[r].lambda_max, alone.lambda_max, 1e-12 * alone.lambda_max);
        EXPECT_EQ(fits[r].notes, alone.notes);
        EXPECT_EQ(fits[r].device, "cpu");
    }
}

TEST(Responses, AreFittedAsEachWouldBeAlone)
{
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const many_regressions many(random_regression(seed), seed + 500);
        SCOPED_TRACE(describe(many.problem, seed));
        expect_fits_of_their_own(many, many.fit());
        if (HasFailure()) return;
    }
}

/// Where the fits share products: few features and many rows, Ridge by a Gram matrix, all features by request.
TEST(Responses, AreFittedAsEachWouldBeAloneOnSharedProducts)
{
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        random_numbers random(seed + 900);
        regression problem;
        problem.X = random_matrix(random, random.integer(60, 90), random.integer(1, 12), 0.6);
        problem.y.resize(static_cast<std::size_t>(problem.X.n));
        for (double& y : problem.y) y = random.normal();
        for (std::int64_t i = 0; i < problem.X.n; ++i) problem.y[static_cast<std::size_t>(i)] += 2 * problem.X.at(i, 0);
        problem.settings.n_lambda = 9;
        problem.settings.alpha = seed % 3 == 0 ? 0.0 : seed % 3 == 1 ? 1.0 : 0.4;
        problem.settings.intercept = seed % 2 == 0;
        problem.settings.screening = seed % 4 == 1 ? screening_kind::none : screening_kind::automatic;
        problem.settings.form = seed % 4 == 1 ? form_kind::gram : form_kind::automatic;
        problem.settings.tol = seed % 5 == 0 ? 1e-11 : 1e-6; // sums without a look at X are not exact enough for that
        const many_regressions many(std::move(problem), seed);
        SCOPED_TRACE(describe(many.problem, seed));
        expect_fits_of_their_own(many, many.fit());
        if (HasFailure()) return;
    }
}

/// More than share a pass.
regression forty_rows()
{
    random_numbers random(3);
    regression problem;
    problem.X = random_matrix(random, 40, 60, 0.4);
    problem.y.resize(40);
    problem.settings.n_lambda = 8;
    problem.settings.lambda_min_ratio = 0.1;
    return problem;
}

std::vector<double> noise(std::size_t count)
{
    random_numbers random(4);
    std::vector<double> Y(count);
    for (double& y : Y) y = random.normal();
    return Y;
}

TEST(Responses, HaveTheSameBitsForAnyNumberOfThreads)
{
    const regression problem = forty_rows();
    const matrix X = matrix::from_view(problem.X.view());
    const std::vector<double> Y = noise(40 * 37);
    responses_options options;
    options.path = problem.options();
    options.path.threads = 1;
    const std::vector<path_result> first = fit_responses(X, Y, options);
    ASSERT_EQ(first.size(), 37U);
    for (const int threads : {2, 5}) {
        options.path.threads = threads;
        const std::vector<path_result> again = fit_responses(X, Y, options);
        ASSERT_EQ(again.size(), first.size());
        for (std::size_t r = 0; r < first.size(); ++r) expect_same_bits(first[r], again[r]);
    }
}

TEST(Responses, ComeInTheirOrderFromTheCallersThread)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    options.path.threads = 3;
    std::vector<std::int64_t> order;
    fit_responses(matrix::from_view(problem.X.view()), noise(40 * 35), options,
                  [&, caller = std::this_thread::get_id()](std::int64_t response, path_result&& fit) {
                      EXPECT_EQ(std::this_thread::get_id(), caller);
                      EXPECT_TRUE(fit.all_converged());
                      order.push_back(response);
                  });
    ASSERT_EQ(order.size(), 35U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Responses, MayHaveOneGridForAll)
{
    const regression problem = forty_rows();
    const matrix X = matrix::from_view(problem.X.view());
    std::vector<double> Y = noise(40 * 20);
    for (std::size_t i = 0; i < 40; ++i) Y[40 * 18 + i] *= 10; // the largest lambda_max is in the second group
    responses_options options;
    options.path = problem.options();
    const std::vector<path_result> own = fit_responses(X, Y, options);
    options.grid = response_grid::common;
    const std::vector<path_result> common = fit_responses(X, Y, options);
    ASSERT_EQ(common.size(), 20U);
    for (std::size_t r = 0; r < common.size(); ++r) {
        EXPECT_TRUE(common[r].all_converged());
        ASSERT_EQ(common[r].points.size(), 8U);
        EXPECT_EQ(common[r].lambda_max, own[r].lambda_max);
        for (std::size_t k = 0; k < 8; ++k) EXPECT_EQ(common[r].points[k].lambda, own[18].points[k].lambda);
    }
    // Lambdas of the caller's are those of all in any case.
    options.path.lambda = {0.3, 0.1};
    for (const path_result& fit : fit_responses(X, Y, options)) {
        ASSERT_EQ(fit.points.size(), 2U);
        EXPECT_EQ(fit.points[1].lambda, 0.1);
    }
}

TEST(Responses, WithoutAnyVariationHaveNoGridInCommon)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    options.grid = response_grid::common;
    const std::vector<path_result> fits =
        fit_responses(matrix::from_view(problem.X.view()), std::vector<double>(80, 3.0), options);
    ASSERT_EQ(fits.size(), 2U);
    for (const path_result& fit : fits) {
        ASSERT_EQ(fit.points.size(), 1U);
        EXPECT_EQ(fit.points[0].intercept, 3.0);
    }
}

TEST(Responses, ThatAreStoppedLeaveWhatIsFinished)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    options.path.threads = 2;
    std::int64_t most = 0;
    options.path.on_progress = [&](const progress& now) {
        EXPECT_EQ(now.fits_total, 50);
        EXPECT_GE(now.fits_done, most);
        EXPECT_LE(now.fraction, 1.0);
        most = now.fits_done;
        return now.fits_done < 20;
    };
    std::vector<path_result> done;
    std::int64_t latest = -1;
    EXPECT_THROW(fit_responses(matrix::from_view(problem.X.view()), noise(40 * 50), options,
                               [&](std::int64_t response, path_result&& fit) {
                                   EXPECT_GT(response, latest); // without those that were stopped in between
                                   latest = response;
                                   done.push_back(std::move(fit));
                               }),
                 cancelled);
    EXPECT_GE(done.size(), 19U); // all that were finished, but perhaps one that was finished as the answer was stop
    EXPECT_LT(done.size(), 50U);
    for (const path_result& fit : done) EXPECT_TRUE(fit.all_converged());
}

TEST(Responses, WhoseFitsNobodyWantsEndTheCall)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    int taken = 0;
    EXPECT_THROW(fit_responses(matrix::from_view(problem.X.view()), noise(40 * 5), options,
                               [&](std::int64_t, path_result&&) {
                                   if (++taken == 3) throw std::runtime_error("the disk is full");
                               }),
                 std::runtime_error);
    EXPECT_EQ(taken, 3);
}

TEST(Responses, HandOverWhatTheSinkThrewAsItIs)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    const matrix X = matrix::from_view(problem.X.view());
    EXPECT_THROW(fit_responses(X, noise(80), options, [](std::int64_t, path_result&&) { throw std::bad_alloc(); }),
                 std::bad_alloc);
    EXPECT_THROW(fit_responses(X, noise(80), options, response_sink()), invalid_input);
}

TEST(Responses, ThatAreAllDoneAreNotStoppedAnyMore)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    options.path.threads = 1;
    options.path.on_progress = [](const progress& now) { return now.fits_done < 5; };
    EXPECT_EQ(fit_responses(matrix::from_view(problem.X.view()), noise(40 * 5), options).size(), 5U);
}

/// Results must not pile up behind each other where one thread makes them.
TEST(Responses, AreHandedOutAsSoonAsThoseBeforeThemAreDone)
{
    const regression problem = forty_rows();
    responses_options options;
    options.path = problem.options();
    options.path.threads = 1;
    std::int64_t done = 0;
    options.path.on_progress = [&](const progress& now) {
        done = now.fits_done;
        return true;
    };
    fit_responses(matrix::from_view(problem.X.view()), noise(40 * 20), options,
                  [&](std::int64_t response, path_result&&) { EXPECT_EQ(done, response); });
}

std::string refusal_of_responses(std::span<const double> Y, const responses_options& options = {})
{
    const regression problem = forty_rows();
    try {
        (void)fit_responses(matrix::from_view(problem.X.view()), Y, options);
    } catch (const invalid_input& problem_found) {
        return problem_found.what();
    }
    return "accepted";
}

TEST(Responses, ThatCannotBeFittedAreNamed)
{
    std::vector<double> Y = noise(120);
    EXPECT_THAT(refusal_of_responses(std::span(Y).subspan(1)),
                HasSubstr("Y has 119 values; it must have 40 for each response"));
    EXPECT_THAT(refusal_of_responses({}), HasSubstr("Y has 0 values"));
    Y[85] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT(refusal_of_responses(Y), HasSubstr("Y: response 2, row 5 is nan; must be finite"));
    Y[85] = 1e200;
    EXPECT_THAT(refusal_of_responses(Y), HasSubstr("Y: response 2: y: its squares overflow"));
    Y[85] = 0;
    responses_options options;
    options.path.alpha = 2;
    EXPECT_THAT(refusal_of_responses(Y, options), HasSubstr("alpha"));
}

#ifndef __SANITIZE_THREAD__ // fits on the emulated device, see tests/support/backends.hpp
TEST(Responses, AreFittedOnADeviceToo)
{
    static const bool known = [] {
        backend::register_device_provider(emulation::emulated_devices());
        return true;
    }();
    ASSERT_TRUE(known);
    const regression problem = forty_rows();
    const matrix X = matrix::from_view(problem.X.view());
    const std::vector<double> Y = noise(40 * 3);
    responses_options options;
    options.path = problem.options();
    for (const double alpha : {1.0, 0.0}) {
        options.path.alpha = alpha;
        options.path.device = "cpu";
        const std::vector<path_result> cpu = fit_responses(X, Y, options);
        options.path.device = "emulated";
        const std::vector<path_result> device = fit_responses(X, Y, options);
        ASSERT_EQ(device.size(), cpu.size());
        for (std::size_t r = 0; r < cpu.size(); ++r) {
            EXPECT_EQ(device[r].device, "emulated:0");
            EXPECT_TRUE(device[r].all_converged());
            for (std::size_t k = 0; k < cpu[r].points.size(); ++k)
                EXPECT_EQ(device[r].points[k].df, cpu[r].points[k].df) << "response " << r << ", lambda " << k;
        }
    }
}
#endif

} // namespace
} // namespace proxpath::test
