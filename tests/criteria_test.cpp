// Information criteria against their formulas, by the library and by the program.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/checks.hpp"

#include "host/cli/exit_code.hpp"

#include <proxpath/criteria.hpp>
#include <proxpath/degrees_of_freedom.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace proxpath::test {
namespace {

TEST(Criteria, AreTheirFormulasOnResidualsAndNonZeros)
{
    ingredients allowed;
    allowed.bounds = false;
    int defined = 0;
    for (std::uint64_t seed = 1; seed <= 80; ++seed) {
        regression problem = random_regression(seed, allowed);
        problem.settings.alpha = 1;
        SCOPED_TRACE(describe(problem, seed));
        const path_result path = problem.fit();
        double weight = 0;
        std::int64_t rows = 0;
        for (std::size_t i = 0; i < problem.y.size(); ++i) {
            const double w = problem.weights.empty() ? 1 : problem.weights[i];
            weight += w;
            rows += w > 0 ? 1 : 0;
        }
        const information_criteria criteria = compute_criteria(path, rows, 0.5);
        const information_criteria with_X =
            compute_criteria(matrix::from_view(problem.X.view()), problem.options(), path, 0.5);
        ASSERT_EQ(criteria.points.size(), path.points.size());
        for (std::size_t k = 0; k < path.points.size(); ++k) {
            const criteria_point& point = criteria.points[k];
            if (!point.defined) {
                EXPECT_EQ(point.aic, 0);
                continue;
            }
            ++defined;
            const std::vector<double> b = dense_coefficients(path, k);
            double square = 0;
            for (std::int64_t i = 0; i < problem.X.n; ++i) {
                const auto at = static_cast<std::size_t>(i);
                double residual = problem.y[at] - path.points[k].intercept;
                if (!problem.offset.empty()) residual -= problem.offset[at];
                for (std::int64_t j = 0; j < problem.X.p; ++j)
                    residual -= problem.X.at(i, j) * b[static_cast<std::size_t>(j)];
                square += (problem.weights.empty() ? 1 : problem.weights[at]) * residual * residual;
            }
            const auto n = static_cast<double>(rows);
            const auto d = static_cast<double>(path.points[k].df);
            double choices = 1;
            for (int i = 0; i < static_cast<int>(d); ++i)
                choices *= static_cast<double>(problem.X.p - i) / static_cast<double>(i + 1);
            const double fit = n * std::log(square / weight);
            // A share of 1e-9 of the null loss in RSS is 1e-9 / (share left) in its logarithm, times n.
            const double accuracy = n * 1e-8 / (1 - path.points[k].dev_ratio) + 1e-9;
            EXPECT_NEAR(point.aic, fit + 2 * d, accuracy);
            EXPECT_EQ(point.df, d);
            const auto expect_corrected = [&](double aicc, double parameters) {
                const double left = n - parameters - 1;
                EXPECT_EQ(std::isfinite(aicc), left > 0);
                if (left > 0) {
                    EXPECT_NEAR(aicc, fit + 2 * d + 2 * parameters * (parameters + 1) / left, accuracy);
                }
            };
            expect_corrected(point.aicc, d + 2);
            expect_corrected(with_X.points[k].aicc, problem.settings.intercept ? d + 2 : d + 1);
            EXPECT_EQ(with_X.points[k].ebic, point.ebic);
            EXPECT_GE(point.aicc, criteria.points[criteria.at_aicc].aicc);
            EXPECT_NEAR(point.bic, fit + std::log(n) * d, accuracy);
            EXPECT_NEAR(point.ebic, fit + std::log(n) * d + std::log(choices), accuracy);
            EXPECT_GE(point.aic, criteria.points[criteria.at_aic].aic);
            EXPECT_GE(point.bic, criteria.points[criteria.at_bic].bic);
            EXPECT_GE(point.ebic, criteria.points[criteria.at_ebic].ebic);
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(defined, 200);
}

TEST(Criteria, TakeTheDegreesOfFreedomOfPathsWithAnL2Part)
{
    for (const double alpha : {0.6, 0.0}) {
        regression problem = random_regression(2, {.bounds = false});
        problem.settings.alpha = alpha;
        SCOPED_TRACE(describe(problem, 2));
        const matrix X = matrix::from_view(problem.X.view());
        const path_result path = problem.fit();
        const std::vector<double> df = degrees_of_freedom(X, problem.options(), path);
        const information_criteria criteria = compute_criteria(X, problem.options(), path);
        const auto n = static_cast<double>(path.n - std::count(problem.weights.begin(), problem.weights.end(), 0.0));
        ASSERT_TRUE(criteria.any);
        for (std::size_t k = 0; k < df.size(); ++k) {
            const criteria_point& point = criteria.points[k];
            if (!point.defined) continue;
            const double fit = n * std::log(2 * (1 - path.points[k].dev_ratio) * path.null_loss);
            EXPECT_EQ(point.df, df[k]);
            EXPECT_NEAR(point.aic, fit + 2 * df[k], 1e-9 * std::fabs(fit));
            EXPECT_NEAR(point.bic, fit + std::log(n) * df[k], 1e-9 * std::fabs(fit));
            // Of Ridge every model has all features: there is nothing to choose.
            if (path.points[k].df == path.p) {
                EXPECT_NEAR(point.ebic, point.bic, 1e-9 * std::fabs(fit));
            }
        }
    }
}

TEST(Criteria, AreRefusedWhereDegreesOfFreedomAreNotKnown)
{
    regression problem = random_regression(1);
    problem.settings.alpha = 0.5;
    EXPECT_THROW(compute_criteria(problem.fit()), invalid_input);
    problem.settings.alpha = 1;
    const path_result path = problem.fit();
    EXPECT_THROW(compute_criteria(path, path.n + 1), invalid_input);
    EXPECT_THROW(compute_criteria(path, 0, 2), invalid_input);
}

TEST(Criteria, StricterOnesTakeNoMoreFeatures)
{
    read_options reading;
    reading.y_column = "y";
    const data_set data = read_data(std::string(PROXPATH_TEST_DATA) + "/diabetes.csv", reading);
    const path_result path = fit_path(data.X, data.y);
    const information_criteria criteria = compute_criteria(path);
    ASSERT_TRUE(criteria.any);
    const auto df_at = [&](std::size_t k) { return path.points[k].df; };
    EXPECT_GT(df_at(criteria.at_ebic), 0);
    EXPECT_LE(df_at(criteria.at_ebic), df_at(criteria.at_bic));
    EXPECT_LE(df_at(criteria.at_bic), df_at(criteria.at_aic));
    EXPECT_LT(df_at(criteria.at_aic), 10);
}

TEST(Criteria, TheProgramWritesThemAndPredictsByThem)
{
    using cli_test::call;
    io_test::temporary_folder folder;
    io_test::spill(folder.file("X.svm"), cli_test::random_svmlight(60, 12, 1));
    ASSERT_EQ(call({"fit", folder.file("X.svm"), "--out", folder.file("fit"), "--criteria"}).code, cli::exit_certified);
    EXPECT_THAT(io_test::slurp(folder.file("fit/criteria.csv")), testing::StartsWith("lambda,df,aic,aicc,bic,ebic\n"));
    const auto summary = nlohmann::json::parse(io_test::slurp(folder.file("fit/summary.json")));
    const auto predict = [&](const std::string& lambda) {
        const auto done = call(
            {"predict", folder.file("fit"), folder.file("X.svm"), "--out", folder.file("p.csv"), "--lambda", lambda});
        EXPECT_EQ(done.code, cli::exit_certified) << done.err;
        return io_test::slurp(folder.file("p.csv"));
    };
    for (const std::string rule : {"aic", "aicc", "bic", "ebic"})
        EXPECT_EQ(predict(rule), predict(fmt::format("{}", summary["criteria"]["lambda_" + rule].get<double>())));
    const auto net = call({"fit", folder.file("X.svm"), "--out", folder.file("net"), "--criteria", "--alpha", "0.5"});
    EXPECT_EQ(net.code, cli::exit_certified);
    EXPECT_THAT(net.out, testing::ContainsRegex("lambda.bic .* non-zeros, df "));
}

} // namespace
} // namespace proxpath::test
