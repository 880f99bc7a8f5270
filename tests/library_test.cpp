// How the library behaves towards its caller: refusals name argument, position and value; a fit that is stopped returns
// what is finished and leaves everything usable; progress only moves forward; notes say what was decided.

#include "tests/support/checks.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

const double nan = std::numeric_limits<double>::quiet_NaN();

/// Five rows, three columns.
regression small_problem()
{
    regression problem;
    random_numbers random(1);
    problem.X = random_matrix(random, 5, 3, 1.0);
    problem.y = {1, 2, 4, 3, 1};
    problem.settings.threads = 1;
    return problem;
}

std::string refusal(const regression& problem)
{
    try {
        problem.fit();
    } catch (const invalid_input& error) {
        return error.what();
    }
    return "accepted";
}

/// What is said after one change of the small problem.
std::string refusal_of(const std::function<void(regression&)>& change)
{
    regression problem = small_problem();
    change(problem);
    return refusal(problem);
}

TEST(Library, EveryNumberOutOfRangeIsRefusedWithNameAndValue)
{
    struct wrong {
        std::function<void(path_options&)> change;
        const char* name;
        const char* value;
    };
    const wrong cases[] = {
        {[](path_options& o) { o.alpha = -0.5; }, "alpha", "-0.5"},
        {[](path_options& o) { o.alpha = 1.5; }, "alpha", "1.5"},
        {[](path_options& o) { o.alpha = nan; }, "alpha", "nan"},
        {[](path_options& o) { o.n_lambda = 0; }, "n_lambda", "0"},
        {[](path_options& o) { o.n_lambda = -3; }, "n_lambda", "-3"},
        {[](path_options& o) { o.n_lambda = 2000000000; }, "n_lambda", "2000000000"},
        {[](path_options& o) { o.lambda_min_ratio = 0; }, "lambda_min_ratio", "0"},
        {[](path_options& o) { o.lambda_min_ratio = 1; }, "lambda_min_ratio", "1"},
        {[](path_options& o) { o.lambda_min_ratio = nan; }, "lambda_min_ratio", "nan"},
        {[](path_options& o) { o.tol = 0; }, "tol", "0"},
        {[](path_options& o) { o.tol = -1e-6; }, "tol", "-1e-06"},
        {[](path_options& o) { o.tol = nan; }, "tol", "nan"},
        {[](path_options& o) { o.tol = infinity; }, "tol", "inf"},
        {[](path_options& o) { o.max_iterations = 0; }, "max_iterations", "0"},
        {[](path_options& o) { o.threads = -1; }, "threads", "-1"},
        {[](path_options& o) { o.threads = 5000; }, "threads", "5000"},
        {[](path_options& o) {
             o.lambda = {1, 0.5, 0};
         },
         "lambda[2]", "0"},
        {[](path_options& o) {
             o.lambda = {1, -2};
         },
         "lambda[1]", "-2"},
        {[](path_options& o) { o.lambda = {nan}; }, "lambda[0]", "nan"},
        {[](path_options& o) {
             o.lambda = {infinity, 1};
         },
         "lambda[0]", "inf"},
        {[](path_options& o) {
             o.lambda = {1, 0.5, 0.5};
         },
         "lambda[2]", "0.5"},
        {[](path_options& o) {
             o.lambda = {1, 0.5, 0.75};
         },
         "lambda[2]", "0.75"},
        {[](path_options& o) { o.solver = solver_kind::krylov; }, "krylov", "alpha is 1"},
    };
    for (const wrong& one : cases)
        EXPECT_THAT(refusal_of([&](regression& problem) { one.change(problem.settings); }),
                    AllOf(HasSubstr(one.name), HasSubstr(one.value)));
}

TEST(Library, EveryVectorIsRefusedWithThePositionOfItsFirstFault)
{
    struct wrong {
        std::function<void(regression&)> change;
        const char* place;
        const char* value;
    };
    const wrong cases[] = {
        {[](regression& r) { r.y[3] = nan; }, "y[3]", "nan"},
        {[](regression& r) { r.y[0] = -infinity; }, "y[0]", "-inf"},
        {[](regression& r) { r.y.pop_back(); }, "y has 4 numbers", "5 rows"},
        {[](regression& r) { r.y.clear(); }, "y has 0 numbers", "5 rows"},
        {[](regression& r) {
             r.weights = {1, 1, -2, 1, 1};
         },
         "weights[2]", "-2"},
        {[](regression& r) {
             r.weights = {1, 1, 1, 1, nan};
         },
         "weights[4]", "nan"},
        {[](regression& r) {
             r.weights = {1, 1, 1, infinity, 1};
         },
         "weights[3]", "inf"},
        {[](regression& r) {
             r.weights = {0, 0, 0, 0, 0};
         },
         "weights sum to 0", "above 0"},
        {[](regression& r) {
             r.weights = {1, 1};
         },
         "weights has 2 numbers", "5 rows"},
        {[](regression& r) {
             r.offset = {0, nan, 0, 0, 0};
         },
         "offset[1]", "nan"},
        {[](regression& r) { r.offset = {0}; }, "offset has 1 numbers", "5 rows"},
        {[](regression& r) {
             r.penalty_factors = {1, -1, 1};
         },
         "penalty_factors[1]", "-1"},
        {[](regression& r) {
             r.penalty_factors = {1, 1, nan};
         },
         "penalty_factors[2]", "nan"},
        {[](regression& r) { r.penalty_factors = {1}; }, "penalty_factors has 1 numbers", "3 columns"},
        {[](regression& r) {
             r.lower = {0, 0.5, 0};
         },
         "lower[1]", "0.5"},
        {[](regression& r) {
             r.lower = {0, 0, nan};
         },
         "lower[2]", "nan"},
        {[](regression& r) {
             r.lower = {0, 0, 0, 0};
         },
         "lower has 4 numbers", "3 columns"},
        {[](regression& r) {
             r.upper = {-1, 0, 0};
         },
         "upper[0]", "-1"},
        {[](regression& r) {
             r.upper = {0, 0};
         },
         "upper has 2 numbers", "3 columns"},
        {[](regression& r) {
             r.penalty_factors = {1, 0, 1};
             r.lower = {0, 0, 0};
         },
         "penalty_factors[1]", "bound on one side"},
        {[](regression& r) {
             r.settings.alpha = 0;
             r.settings.solver = solver_kind::krylov;
             r.penalty_factors = {1, 1, 0};
         },
         "penalty_factors[2]", "krylov"},
        {[](regression& r) {
             r.settings.alpha = 0;
             r.settings.solver = solver_kind::krylov;
             r.upper = {1, 1, 1};
         },
         "krylov", "bounds"},
        {[](regression& r) {
             r.X = dense_matrix(0, 3);
             r.y.clear();
         },
         "X", "no rows"},
        {[](regression& r) { r.X.at(2, 1) = nan; }, "row 2, column 1", "nan"},
    };
    for (const wrong& one : cases)
        EXPECT_THAT(refusal_of(one.change), AllOf(HasSubstr(one.place), HasSubstr(one.value)));
}

TEST(Library, NumbersWhoseSquaresLeaveTheRangeAreRefusedNotFitted)
{
    EXPECT_THAT(refusal_of([](regression& problem) { problem.X.at(0, 2) = 1e200; }),
                AllOf(HasSubstr("column 2"), HasSubstr("overflow")));
    EXPECT_THAT(refusal_of([](regression& problem) { problem.y[1] = 1e200; }), HasSubstr("overflow"));
    for (const double scale : {1e-150, 1e-160, 1e-170, 1e-300})
        EXPECT_THAT(refusal_of([&](regression& problem) {
                        for (double& value : problem.y) value *= scale;
                    }),
                    AllOf(HasSubstr("y:"), HasSubstr("underflow")))
            << scale;
    EXPECT_THAT(refusal_of([](regression& problem) {
                    for (std::int64_t i = 0; i < 5; ++i) problem.X.at(i, 1) *= 1e-160;
                }),
                AllOf(HasSubstr("column 1"), HasSubstr("underflow")));
    EXPECT_THAT(refusal_of([](regression& problem) {
                    for (double& weight : problem.weights = {1, 1, 1, 1, 1}) weight = 1e308;
                }),
                HasSubstr("weights sum to inf"));
}

TEST(Library, AGridTooFineForDoublesIsRefused)
{
    EXPECT_THAT(refusal_of([](regression& problem) {
                    problem.settings.n_lambda = 5000;
                    problem.settings.lambda_min_ratio = 0.9999999999999;
                }),
                HasSubstr("not all different"));
}

TEST(Library, APathThatDoesNotDependOnLambdaSaysWhy)
{
    regression problem = small_problem();
    problem.penalty_factors.assign(static_cast<std::size_t>(problem.X.p), 0.0);
    problem.lower.assign(problem.penalty_factors.size(), -10.0);
    problem.upper.assign(problem.penalty_factors.size(), 10.0);
    EXPECT_THAT(problem.fit().notes, testing::Contains(HasSubstr("no feature is penalised")));
    problem.penalty_factors.assign(problem.penalty_factors.size(), infinity);
    EXPECT_THAT(problem.fit().notes, testing::Contains(HasSubstr("no feature takes part")));
}

TEST(Library, NothingThatIsReturnedIsNaN)
{
    // Magnitudes near the ends of what double holds: refused in words, or fitted with finite numbers.
    for (const double scale : {1e-300, 1e-160, 1e-100, 1e100, 1e150, 1e160, 1e300})
        for (const double response_scale : {1e-300, 1e-150, 1.0, 1e150})
            for (const double alpha : {1.0, 0.0})
                for (const bool standardize : {false, true}) {
                    regression problem = small_problem();
                    for (std::int64_t i = 0; i < 5; ++i) problem.X.at(i, 1) *= scale;
                    for (double& value : problem.y) value *= response_scale;
                    problem.settings.alpha = alpha;
                    problem.settings.standardize = standardize;
                    problem.settings.n_lambda = 5;
                    SCOPED_TRACE(testing::Message() << "scale " << scale << ", response " << response_scale
                                                    << ", alpha " << alpha << ", standardize " << standardize);
                    try {
                        const path_result result = problem.fit();
                        EXPECT_FALSE(std::isnan(result.lambda_max));
                        for (const double value : result.coefficients.values) EXPECT_TRUE(std::isfinite(value));
                        for (const path_point& point : result.points)
                            for (const double value : {point.lambda, point.dev_ratio, point.intercept, point.primal,
                                                       point.dual, point.gap, point.rel_gap, point.kkt})
                                EXPECT_TRUE(std::isfinite(value)) << value;
                    } catch (const invalid_input& error) {
                        EXPECT_THAT(error.what(), AnyOf(HasSubstr("overflow"), HasSubstr("underflow")));
                    }
                }
}

regression long_problem()
{
    random_numbers random(12);
    regression problem;
    problem.X = random_matrix(random, 60, 200, 0.5);
    for (std::int64_t i = 0; i < 60; ++i)
        problem.y.push_back(problem.X.at(i, 3) - problem.X.at(i, 9) + random.normal());
    problem.settings.n_lambda = 40;
    problem.settings.threads = 1;
    return problem;
}

TEST(Library, AStoppedFitReturnsWhatIsFinishedAndTheNextOneIsWhole)
{
#if defined(__SANITIZE_THREAD__)
    const std::vector<solver_kind> solvers{solver_kind::automatic};
#else
    const std::vector<solver_kind> solvers{solver_kind::automatic, solver_kind::ista, solver_kind::fista,
                                           solver_kind::cd};
#endif
    for (const solver_kind solver : solvers) {
        regression problem = long_problem();
        problem.settings.solver = solver;
        problem.settings.n_lambda = 20;
        problem.settings.lambda_min_ratio = 0.1;
        const path_result whole = problem.fit();
        int reports = 0;
        problem.settings.on_progress = [&](const progress&) {
            ++reports;
            return true;
        };
        problem.fit();
        ASSERT_GT(reports, 4);
        const dense_reference reference(problem.X, problem.y, problem.options());
        for (const int stop_at : {1, 2, reports / 2, reports - 1}) {
            SCOPED_TRACE(testing::Message() << "stopped at report " << stop_at << " of " << reports);
            int calls = 0;
            problem.settings.on_progress = [&](const progress&) { return ++calls < stop_at; };
            const path_result stopped = problem.fit();
            EXPECT_EQ(calls, stop_at) << "asked again after the answer was stop";
            ASSERT_EQ(stopped.points.size(), whole.points.size());
            bool interrupted = false;
            for (std::size_t k = 0; k < stopped.points.size(); ++k) {
                const path_point& point = stopped.points[k];
                EXPECT_EQ(point.lambda, whole.points[k].lambda);
                if (point.status == column_status::interrupted) {
                    // The null model, with a gap that still holds.
                    interrupted = true;
                    EXPECT_EQ(point.df, 0);
                    EXPECT_EQ(point.rel_gap, 1);
                    EXPECT_NEAR(point.primal, stopped.null_loss, 1e-12);
                } else {
                    EXPECT_EQ(dense_coefficients(stopped, k), dense_coefficients(whole, k));
                    EXPECT_EQ(point.gap, whole.points[k].gap);
                }
                const reference_certificate truth =
                    reference.certify(point.lambda, point.intercept, dense_coefficients(stopped, k));
                EXPECT_NEAR(point.primal, truth.primal, 1e-9 * stopped.null_loss);
                EXPECT_NEAR(point.kkt, truth.kkt, 1e-9);
            }
            EXPECT_TRUE(interrupted);
            EXPECT_FALSE(stopped.all_converged());
            problem.settings.on_progress = nullptr;
            expect_same_bits(whole, problem.fit());
        }
    }
}

TEST(Library, AStoppedRidgeReturnsToo)
{
    regression problem = long_problem();
    problem.settings.alpha = 0;
    problem.settings.solver = solver_kind::krylov;
    const path_result whole = problem.fit();
    for (const int stop_at : {1, 3, 6}) {
        int calls = 0;
        problem.settings.on_progress = [&](const progress&) { return ++calls < stop_at; };
        const path_result stopped = problem.fit();
        EXPECT_EQ(stopped.points.size(), whole.points.size());
        EXPECT_EQ(stopped.points.back().status, column_status::interrupted);
    }
    problem.settings.on_progress = nullptr;
    expect_same_bits(whole, problem.fit());
}

TEST(Library, AnExceptionOfTheCallbackReachesTheCallerAndNothingIsBroken)
{
    regression problem = long_problem();
    const path_result whole = problem.fit();
    int calls = 0;
    problem.settings.on_progress = [&](const progress&) -> bool {
        if (++calls == 3) throw std::runtime_error("enough");
        return true;
    };
    problem.settings.threads = 2;
    EXPECT_THROW(problem.fit(), std::runtime_error);
    problem.settings.on_progress = nullptr;
    problem.settings.threads = 1;
    expect_same_bits(whole, problem.fit());
}

TEST(Library, ProgressOnlyMovesForward)
{
    for (const double alpha : {1.0, 0.0}) {
        regression problem = long_problem();
        problem.settings.alpha = alpha;
        std::vector<progress> reports;
        problem.settings.on_progress = [&](const progress& now) {
            reports.push_back(now);
            return true;
        };
        const path_result result = problem.fit();
        ASSERT_FALSE(reports.empty());
        for (std::size_t i = 0; i < reports.size(); ++i) {
            const progress& now = reports[i];
            EXPECT_GE(now.fraction, 0);
            EXPECT_LE(now.fraction, 1);
            EXPECT_LE(now.lambdas_done, now.lambdas_total);
            EXPECT_LE(now.largest_rel_gap, problem.settings.tol);
            EXPECT_LE(now.working_set, problem.X.p);
            if (i == 0) continue;
            EXPECT_GE(now.elapsed_s, reports[i - 1].elapsed_s);
            EXPECT_GE(now.lambdas_done, reports[i - 1].lambdas_done);
            EXPECT_GE(now.passes, reports[i - 1].passes);
        }
        EXPECT_EQ(reports.back().lambdas_total, static_cast<std::int64_t>(result.points.size()));
    }
}

TEST(Library, TheCallbackIsCalledFromTheCallingThread)
{
    regression problem = long_problem();
    problem.settings.threads = 4;
    const auto here = std::this_thread::get_id();
    problem.settings.on_progress = [&](const progress&) {
        EXPECT_EQ(std::this_thread::get_id(), here);
        return true;
    };
    problem.fit();
}

TEST(Library, SeveralFitsAtOnceDoNotDisturbEachOther)
{
    const regression problem = long_problem();
    const path_result alone = problem.fit();
    std::vector<path_result> results(3);
    {
        std::vector<std::jthread> threads;
        for (path_result& result : results) threads.emplace_back([&] { result = problem.fit(); });
    }
    for (const path_result& result : results) expect_same_bits(alone, result);
}

TEST(Library, AFailedCallLeavesTheLibraryUsable)
{
    const regression good = long_problem();
    const path_result before = good.fit();
    regression bad = good;
    bad.y[7] = nan;
    EXPECT_THROW(bad.fit(), invalid_input);
    bad = good;
    bad.settings.memory_limit = 100;
    EXPECT_THROW(bad.fit(), out_of_memory);
    bad = good;
    bad.X.at(59, 199) = infinity;
    EXPECT_THROW(bad.fit(), invalid_input);
    expect_same_bits(before, good.fit());
}

TEST(Library, TheResultSaysWhatWasFitted)
{
    regression problem = long_problem();
    const compressed_matrix<std::int32_t, double> columns(problem.X, storage_order::csc);
    const path_result result = fit_path(columns.view(), problem.y, problem.options());
    EXPECT_EQ(result.n, 60);
    EXPECT_EQ(result.p, 200);
    EXPECT_EQ(result.nonzeros, static_cast<std::int64_t>(columns.values.size()));
    EXPECT_EQ(result.alpha, 1.0);
    EXPECT_EQ(result.points.size(), 40u);
    EXPECT_EQ(result.points[0].lambda, result.lambda_max);
    EXPECT_NEAR(result.points[39].lambda, 0.01 * result.lambda_max, 1e-12); // n < p
    EXPECT_GT(result.passes, 0);
    EXPECT_GT(result.rounds, 0);
    EXPECT_GT(result.seconds.total, 0);
    EXPECT_LE(result.seconds.prepare + result.seconds.gather + result.seconds.gram + result.seconds.inner +
                  result.seconds.certify,
              result.seconds.total * 1.01 + 1e-4);
    for (std::size_t k = 1; k < result.points.size(); ++k)
        EXPECT_LT(result.points[k].lambda, result.points[k - 1].lambda);
}

TEST(Library, TheGridHasTheLengthAndTheEndsThatWereAskedFor)
{
    regression problem = small_problem(); // n ≥ p
    problem.settings.n_lambda = 7;
    path_result result = problem.fit();
    ASSERT_EQ(result.points.size(), 7u);
    EXPECT_NEAR(result.points[6].lambda, 1e-4 * result.lambda_max, 1e-16);
    const double step = result.points[1].lambda / result.points[0].lambda;
    for (std::size_t k = 1; k < 7; ++k) EXPECT_NEAR(result.points[k].lambda / result.points[k - 1].lambda, step, 1e-12);
    problem.settings.lambda_min_ratio = 0.5;
    problem.settings.n_lambda = 1;
    result = problem.fit();
    ASSERT_EQ(result.points.size(), 1u);
    EXPECT_EQ(result.points[0].lambda, result.lambda_max);
    problem.settings.lambda = {3, 2, 0.125};
    result = problem.fit();
    ASSERT_EQ(result.points.size(), 3u);
    EXPECT_EQ(result.points[1].lambda, 2.0);
}

TEST(Library, PredictionsAreWhatTheCoefficientsSay)
{
    const regression problem = long_problem();
    const path_result result = problem.fit();
    std::vector<double> intercepts;
    for (const path_point& point : result.points) intercepts.push_back(point.intercept);
    const matrix X = matrix::from_view(problem.X.view());
    const std::vector<double> fitted = predict(X, result.coefficients, intercepts, 1);
    ASSERT_EQ(fitted.size(), 60u * 40u);
    for (std::size_t k = 0; k < 40; ++k) {
        const std::vector<double> b = dense_coefficients(result, k);
        for (std::int64_t i = 0; i < 60; ++i) {
            double expected = intercepts[k];
            for (std::int64_t j = 0; j < 200; ++j) expected += problem.X.at(i, j) * b[static_cast<std::size_t>(j)];
            EXPECT_NEAR(fitted[static_cast<std::size_t>(i) * 40 + k], expected, 1e-12);
        }
    }
    EXPECT_THROW(predict(matrix(), result.coefficients, intercepts), invalid_input);
    intercepts.pop_back();
    EXPECT_THROW(predict(X, result.coefficients, intercepts), invalid_input);
}

TEST(Library, ExceptionsSayWhatTheyKnow)
{
    const file_error in_line("data.svm", 12, "no number");
    EXPECT_STREQ(in_line.what(), "data.svm, line 12: no number");
    EXPECT_EQ(in_line.file(), "data.svm");
    EXPECT_EQ(in_line.line(), 12);
    EXPECT_STREQ(file_error("data.npz", 0, "cut off").what(), "data.npz: cut off");
    const out_of_memory memory("too small", 100, 10);
    EXPECT_EQ(memory.needed_bytes(), 100u);
    EXPECT_EQ(memory.limit_bytes(), 10u);
    EXPECT_STREQ(version(), "0.1.0");
}

TEST(Predict, RefusesCoefficientsThatDoNotHangTogether)
{
    const regression problem = small_problem();
    const matrix X = matrix::from_view(problem.X.view());
    sparse_columns good;
    good.rows = 3;
    good.cols = 2;
    good.offsets = {0, 1, 2};
    good.indices = {0, 2};
    good.values = {1.0, 2.0};
    const std::vector<double> intercepts{0.0, 1.0};
    EXPECT_EQ(predict(X, good, intercepts).size(), 10U);

    const auto refused = [&](const std::function<void(sparse_columns&)>& spoil) {
        sparse_columns bad = good;
        spoil(bad);
        EXPECT_THROW((void)predict(X, bad, intercepts), invalid_input);
    };
    refused([](sparse_columns& B) { B.indices[1] = 3; });
    refused([](sparse_columns& B) { B.indices[0] = -1; });
    refused([](sparse_columns& B) { B.offsets = {0, 2}; });
    refused([](sparse_columns& B) { B.offsets = {0, 3, 2}; });
    refused([](sparse_columns& B) { B.offsets = {0, 1, 1}; });
    refused([](sparse_columns& B) { B.values.pop_back(); });
}

} // namespace
} // namespace proxpath::test
