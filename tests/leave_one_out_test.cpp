// Leave-one-out, GCV and degrees of freedom against their definitions: dense fits without each row, the trace of a
// dense hat matrix, the covariance of responses and fitted values in a simulation, separate fits of the library itself;
// and the program around them.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/checks.hpp"
#include "tests/support/dense_algebra.hpp"

#include "host/cli/exit_code.hpp"

#include <proxpath/degrees_of_freedom.hpp>
#include <proxpath/leave_one_out.hpp>

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace proxpath::test {
namespace {

using testing::HasSubstr;

std::size_t index_of(std::int64_t i) { return static_cast<std::size_t>(i); }

/// The penalised least squares of some features as a dense system, columns at unit norm so that it is well conditioned.
class dense_ridge {
public:
    /// @param features those that may be other than 0; the penalty has no L1 part
    dense_ridge(const regression& problem, const dense_reference& reference, std::vector<std::int64_t> features)
        : problem_(problem), weights_(problem.y.size(), 1.0)
    {
        if (!problem.weights.empty()) weights_ = problem.weights;
        const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
        for (double& weight : weights_) weight /= sum;
        const std::int64_t first = problem.settings.intercept ? 1 : 0;
        const std::int64_t n = problem.X.n;
        A_ = Eigen::MatrixXd::Ones(n, first + static_cast<std::int64_t>(features.size()));
        penalty_ = Eigen::VectorXd::Zero(A_.cols());
        for (std::size_t at = 0; at < features.size(); ++at) {
            const std::int64_t j = features[at];
            const std::int64_t column = first + static_cast<std::int64_t>(at);
            double norm = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                A_(i, column) = problem.X.at(i, j);
                norm += weights_[index_of(i)] * problem.X.at(i, j) * problem.X.at(i, j);
            }
            norm = std::sqrt(norm);
            A_.col(column) /= norm;
            const double scale = problem.settings.standardize ? reference.deviation(j) : 1;
            const double factor = problem.penalty_factors.empty() ? 1 : problem.penalty_factors[index_of(j)];
            penalty_[column] = (1 - problem.settings.alpha) * factor * scale * scale / (norm * norm);
        }
    }

    double weight(std::int64_t i) const { return weights_[index_of(i)]; }
    std::int64_t rows() const
    {
        return std::count_if(weights_.begin(), weights_.end(), [](double weight) { return weight > 0; });
    }

    /// What the minimiser without row i predicts for it, the others' weights as they are.
    double left_out(std::int64_t i, double lambda) const
    {
        std::vector<double> weights(weights_);
        weights[index_of(i)] = 0;
        Eigen::VectorXd right = Eigen::VectorXd::Zero(A_.cols());
        for (std::int64_t r = 0; r < A_.rows(); ++r)
            right += weights[index_of(r)] * (problem_.y[index_of(r)] - offset(r)) * A_.row(r).transpose();
        return offset(i) + A_.row(i).dot(solve(system(weights, lambda), right));
    }

    /// 1 − h_ii
    double slack(std::int64_t i, double lambda) const
    {
        return 1 - weight(i) * A_.row(i).dot(solve(system(weights_, lambda), A_.row(i).transpose()));
    }

    /// Trace of the hat matrix, the intercept's 1 among it.
    double trace(double lambda) const
    {
        double sum = 0;
        for (std::int64_t i = 0; i < A_.rows(); ++i)
            if (weight(i) > 0) sum += 1 - slack(i, lambda);
        return sum;
    }

private:
    double offset(std::int64_t i) const { return problem_.offset.empty() ? 0 : problem_.offset[index_of(i)]; }
    Eigen::MatrixXd system(const std::vector<double>& weights, double lambda) const
    {
        const Eigen::Map<const Eigen::VectorXd> w(weights.data(), A_.rows());
        Eigen::MatrixXd M = A_.transpose() * w.asDiagonal() * A_;
        M.diagonal() += lambda * penalty_;
        return M;
    }

    const regression& problem_;
    std::vector<double> weights_;
    Eigen::MatrixXd A_;
    Eigen::VectorXd penalty_;
};

std::vector<std::int64_t> features_that_take_part(const regression& problem, const dense_reference& reference)
{
    std::vector<std::int64_t> features;
    for (std::int64_t j = 0; j < problem.X.p; ++j)
        if (reference.takes_part(j)) features.push_back(j);
    return features;
}

/// Odd columns, or features without a penalty, but not both: of equal ones without a penalty no dense system is
/// regular.
regression random_ridge(std::uint64_t seed)
{
    ingredients allowed;
    allowed.largest_n = 25;
    allowed.bounds = false;
    allowed.awkward_columns = seed % 2 == 0;
    regression problem = random_regression(seed, allowed);
    problem.settings.alpha = 0;
    problem.settings.tol = 1e-13;
    std::int64_t unpenalised = 0;
    for (double& factor : problem.penalty_factors)
        if (factor == 0 && (allowed.awkward_columns || ++unpenalised > problem.X.n / 4)) factor = 1;
    return problem;
}

double spread_of(const std::vector<double>& y)
{
    double square = 0;
    for (const double value : y) square += value * value;
    return std::sqrt(square / static_cast<double>(y.size()));
}

TEST(LeaveOneOut, IsThatOfFitsWithoutEachRow)
{
    std::int64_t compared = 0, closely = 0;
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        const regression problem = random_ridge(seed);
        SCOPED_TRACE(describe(problem, seed));
        const path_options options = problem.options();
        const path_result path = problem.fit();
        if (path.points.front().lambda == 0) continue; // nothing to explain
        const leave_one_out_result result = compute_leave_one_out(problem.X.view(), problem.y, options, path, true);
        const dense_reference reference(problem.X, problem.y, options);
        const dense_ridge dense(problem, reference, features_that_take_part(problem, reference));
        const std::size_t K = path.points.size();
        ASSERT_EQ(result.points.size(), K);
        const double unit = spread_of(problem.y);
        for (std::size_t k = 0; k < K; ++k) {
            const leave_one_out_point& point = result.points[k];
            EXPECT_EQ(point.lambda, path.points[k].lambda);
            std::int64_t rows = 0;
            double weight = 0, square = 0, fourth = 0;
            for (std::int64_t i = 0; i < problem.X.n; ++i) {
                const double w = dense.weight(i);
                if (w == 0) continue;
                if (dense.slack(i, point.lambda) < 1e-10) { // without it something without a penalty is not determined
                    EXPECT_TRUE(std::isnan(result.predictions[index_of(i) * K + k]));
                    continue;
                }
                ++rows;
                const double predicted = dense.left_out(i, point.lambda);
                const double e = problem.y[index_of(i)] - predicted;
                weight += w;
                square += w * e * e;
                // Fitted values are off by √(2 gap/w) at most, and 1 − h divides them; solving takes digits, too.
                EXPECT_NEAR(result.predictions[index_of(i) * K + k], predicted,
                            point.rms_bound / std::sqrt(w) + 1e-8 * (unit + std::fabs(e)));
                ++compared;
                closely += point.rms_bound < 1e-5 * unit ? 1 : 0;
            }
            ASSERT_EQ(point.rows, rows);
            if (rows == 0) continue;
            const double mse = square / weight;
            EXPECT_NEAR(std::sqrt(point.mse), std::sqrt(mse), point.rms_bound + 1e-8 * (unit + std::sqrt(mse)));
            for (std::int64_t i = 0; i < problem.X.n; ++i) {
                const double e = problem.y[index_of(i)] - result.predictions[index_of(i) * K + k];
                if (dense.weight(i) > 0 && !std::isnan(e))
                    fourth += dense.weight(i) * (e * e - point.mse) * (e * e - point.mse);
            }
            if (point.rows > 1) {
                EXPECT_NEAR(point.standard_error, std::sqrt(fourth / weight / static_cast<double>(point.rows - 1)),
                            1e-9 * point.mse);
            }
            ASSERT_TRUE(result.at_loo);
            EXPECT_GE(point.mse, result.points[*result.at_loo].mse);
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(compared, 5000);
    EXPECT_GT(closely, compared / 2); // the bound is no excuse
}

TEST(LeaveOneOut, DegreesOfFreedomAndGcvAreThoseOfTheHatMatrix)
{
    for (std::uint64_t seed = 201; seed <= 300; ++seed) {
        const regression problem = random_ridge(seed);
        SCOPED_TRACE(describe(problem, seed));
        const path_options options = problem.options();
        const path_result path = problem.fit();
        if (path.points.front().lambda == 0) continue;
        const leave_one_out_result result = compute_leave_one_out(problem.X.view(), problem.y, options, path);
        EXPECT_TRUE(result.predictions.empty());
        const std::vector<double> df = degrees_of_freedom(matrix::from_view(problem.X.view()), options, path);
        const dense_reference reference(problem.X, problem.y, options);
        const dense_ridge dense(problem, reference, features_that_take_part(problem, reference));
        const auto n = static_cast<double>(dense.rows());
        for (std::size_t k = 0; k < path.points.size(); ++k) {
            const leave_one_out_point& point = result.points[k];
            const double trace = dense.trace(point.lambda);
            EXPECT_NEAR(point.df, trace - (problem.settings.intercept ? 1 : 0), 1e-8);
            EXPECT_NEAR(df[k], point.df, 1e-12 * n);
            const double left = 1 - trace / n;
            if (left < 1e-6) continue;
            const double square = 2 * (1 - path.points[k].dev_ratio) * path.null_loss;
            EXPECT_NEAR(point.gcv, square / (left * left), 1e-7 * point.gcv / left);
            ASSERT_TRUE(result.at_gcv);
            EXPECT_GE(point.gcv, result.points[*result.at_gcv].gcv);
        }
        if (testing::Test::HasFailure()) return;
    }
}

/// The same by the library's own fits, one without each row: with weights normalised, at λ/(1 − w_i).
void expect_as_separate_fits(const regression& problem, const std::string& what)
{
    SCOPED_TRACE(what);
    const path_options options = problem.options();
    const path_result path = problem.fit();
    const leave_one_out_result result = compute_leave_one_out(problem.X.view(), problem.y, options, path, true);
    const std::size_t K = path.points.size();
    const auto n = index_of(problem.X.n);
    std::vector<double> weights = problem.weights.empty() ? std::vector<double>(n, 1.0) : problem.weights;
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        if (weights[i] == 0) continue;
        regression without = problem;
        without.weights = weights;
        without.weights[i] = 0;
        without.settings.lambda.clear();
        for (const path_point& point : path.points)
            without.settings.lambda.push_back(point.lambda / (1 - weights[i] / sum));
        const path_result fit = without.fit();
        if (fit.points.size() != K) continue; // nothing is left to explain
        for (std::size_t k = 0; k < K; ++k) {
            const std::vector<double> b = dense_coefficients(fit, k);
            double predicted = fit.points[k].intercept + (problem.offset.empty() ? 0 : problem.offset[i]);
            for (std::int64_t j = 0; j < problem.X.p; ++j)
                predicted += problem.X.at(static_cast<std::int64_t>(i), j) * b[index_of(j)];
            EXPECT_NEAR(result.predictions[i * K + k], predicted, 1e-4 * spread_of(problem.y))
                << "row " << i << ", " << k;
        }
    }
}

TEST(LeaveOneOut, IsThatOfSeparateFitsOfTheLibrary)
{
    random_numbers random(5);
    for (const auto& [n, p] : {std::pair{12, 5}, std::pair{8, 15}, std::pair{3, 1}, std::pair{5, 5}})
        for (const bool intercept : {true, false}) {
            regression problem;
            problem.X = random_matrix(random, n, p, 0.7);
            for (std::int64_t j = 0; j < p; ++j) problem.X.at(n - 1, j) = 0;      // an empty row
            for (std::int64_t i = 0; p > 4 && i < n; ++i) problem.X.at(i, 3) = 0; // an empty column
            for (int i = 0; i < n; ++i) problem.y.push_back(random.normal() + problem.X.at(i, 0));
            problem.settings.alpha = 0;
            problem.settings.standardize = false;
            problem.settings.intercept = intercept;
            problem.settings.lambda = {1.5, 0.2, 0.03};
            problem.settings.tol = 1e-13;
            const std::string text = fmt::format("{} x {}{}", n, p, intercept ? ", intercept" : "");
            expect_as_separate_fits(problem, text);
            for (int i = 0; i < n; ++i) problem.weights.push_back(i == 1 ? 0 : random.uniform(0.2, 2));
            for (int i = 0; i < n; ++i) problem.offset.push_back(random.normal());
            expect_as_separate_fits(problem, text + ", weights and offset");
            for (int j = 0; j < p; ++j) problem.penalty_factors.push_back(random.uniform(0.3, 2));
            if (p > 2) problem.penalty_factors[1] = 0;
            if (p > 4) problem.penalty_factors[4] = infinity;
            expect_as_separate_fits(problem, text + ", penalty factors");
        }
}

TEST(LeaveOneOut, OfTwoRowsAndOneFeatureIsWrittenDown)
{
    // Without an intercept: without row i, b = x y / (x² + 2λ) of the other one.
    const std::vector<double> x{2, -1}, y{3, 5};
    path_options options;
    options.alpha = 0;
    options.intercept = options.standardize = false;
    options.lambda = {0.5};
    options.tol = 1e-14;
    const matrix_view X = dense_view(2, 1, x.data(), 2);
    const leave_one_out_result result = compute_leave_one_out(X, y, options, fit_path(X, y, options), true);
    EXPECT_NEAR(result.predictions[0], 2 * -5.0 / (1 + 1), 1e-7);
    EXPECT_NEAR(result.predictions[1], -1 * 6.0 / (4 + 1), 1e-7);
    EXPECT_NEAR(result.points[0].mse, (64 + 38.44) / 2, 1e-5);
    EXPECT_NEAR(result.points[0].df, 5.0 / 6, 1e-12);
}

TEST(LeaveOneOut, LeavesOutRowsThatAnUnpenalisedFeatureFitsExactly)
{
    regression problem = random_regression(3, {.weights = false, .penalty_factors = false, .bounds = false});
    problem.settings.alpha = 0;
    const std::int64_t n = problem.X.n;
    for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, 0) = i == 1 ? 1 : 0;
    problem.penalty_factors.assign(index_of(problem.X.p), 1.0);
    problem.penalty_factors[0] = 0;
    const path_result path = problem.fit();
    const leave_one_out_result result =
        compute_leave_one_out(problem.X.view(), problem.y, problem.options(), path, true);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        EXPECT_EQ(result.points[k].rows, n - 1);
        EXPECT_TRUE(std::isnan(result.predictions[path.points.size() + k]));
        EXPECT_TRUE(std::isfinite(result.points[k].mse));
    }
    EXPECT_THAT(result.notes, testing::Contains(HasSubstr("are fitted exactly whatever their response is")));
}

TEST(LeaveOneOut, OfANullModelIsThatOfItsMean)
{
    // No feature varies: one point, lambda 0.
    const std::vector<double> x{1, 1, 1, 1}, y{1, 2, 4, 9};
    path_options options;
    options.alpha = 0;
    const matrix_view X = dense_view(4, 1, x.data(), 4);
    const path_result path = fit_path(X, y, options);
    ASSERT_EQ(path.points.size(), 1U);
    const leave_one_out_result result = compute_leave_one_out(X, y, options, path, true);
    EXPECT_EQ(result.points[0].df, 0);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(result.predictions[i], (16 - y[i]) / 3, 1e-12);
    EXPECT_NEAR(result.points[0].gcv, 38.0 / 4 / (0.75 * 0.75), 1e-12);
}

TEST(LeaveOneOut, HasTheSameBitsForAnyNumberOfThreads)
{
    for (const auto& [n, p, density] :
         {std::tuple{300, 40, 0.9}, std::tuple{300, 40, 0.05}, std::tuple{40, 700, 0.3}}) {
        random_numbers random(9);
        regression problem;
        problem.X = random_matrix(random, n, p, density);
        for (int i = 0; i < n; ++i) problem.y.push_back(random.normal());
        problem.settings.alpha = 0;
        problem.settings.n_lambda = 5;
        problem.penalty_factors.assign(index_of(p), 1.0);
        problem.penalty_factors[2] = 0;
        const path_result path = problem.fit();
        problem.settings.threads = 1;
        const leave_one_out_result one =
            compute_leave_one_out(problem.X.view(), problem.y, problem.options(), path, true);
        for (const int threads : {2, 5}) {
            problem.settings.threads = threads;
            const leave_one_out_result other =
                compute_leave_one_out(problem.X.view(), problem.y, problem.options(), path, true);
            EXPECT_EQ(one.predictions, other.predictions);
            for (std::size_t k = 0; k < one.points.size(); ++k) {
                EXPECT_EQ(one.points[k].df, other.points[k].df);
                EXPECT_EQ(one.points[k].mse, other.points[k].mse);
                EXPECT_EQ(one.points[k].gcv, other.points[k].gcv);
            }
        }
    }
}

template <class Call>
std::string message_of_refusal(const Call& call)
{
    try {
        call();
    } catch (const error& problem) {
        return problem.what();
    }
    return "accepted";
}

TEST(LeaveOneOut, RefusesWhatItsFormulaDoesNotHoldFor)
{
    regression problem = random_regression(4, {.weights = false, .penalty_factors = false, .bounds = false});
    problem.settings.alpha = 0;
    const path_result path = problem.fit();
    const auto refused = [&](const regression& other, const path_result& of) {
        return message_of_refusal([&] { compute_leave_one_out(other.X.view(), other.y, other.options(), of); });
    };
    EXPECT_EQ(refused(problem, path), "accepted");
    regression net = problem;
    net.settings.alpha = 0.5;
    EXPECT_THAT(refused(net, path), HasSubstr("alpha is 0.5"));
    EXPECT_THAT(refused(problem, net.fit()), HasSubstr("it was fitted with alpha 0.5, but alpha is 0"));
    regression bounded = problem;
    bounded.lower.assign(index_of(problem.X.p), -infinity);
    EXPECT_EQ(refused(bounded, path), "accepted");
    bounded.lower[0] = 0;
    EXPECT_THAT(refused(bounded, path), HasSubstr("feature 0 has the bound 0"));
    const regression other = random_regression(5);
    path_result elsewhere = path;
    elsewhere.n += 1;
    EXPECT_THAT(refused(problem, elsewhere), HasSubstr("path: it was fitted to"));
    regression small = problem;
    small.settings.memory_limit = 1000;
    EXPECT_THAT(refused(small, path), HasSubstr("the limit is"));
    problem.y.pop_back();
    EXPECT_THAT(refused(problem, path), HasSubstr("y has"));
}

TEST(LeaveOneOut, IsRefusedBeforeTheFitWhereItsMatrixWouldBeTooLarge)
{
    std::vector<std::int32_t> offsets(10002), rows(10001);
    std::iota(offsets.begin(), offsets.end(), 0);
    std::iota(rows.begin(), rows.end(), 0);
    const std::vector<double> values(10001, 1.0);
    const matrix X = matrix::from_view(csc_view(10001, 10001, offsets, rows, values));
    path_options options;
    options.alpha = 0;
    EXPECT_THAT(message_of_refusal([&] { plan_leave_one_out(X, options); }),
                HasSubstr("10000 at most; take cross-validation"));
    std::vector<double> factors(10001, 1.0);
    factors[5] = factors[9] = infinity;
    options.penalty_factors = factors;
    options.memory_limit = std::uint64_t{1} << 34;
    EXPECT_GT(plan_leave_one_out(X, options), 16 * 9999ULL * 9999);
}

/// tr(H) of the active features by a dense system, the intercept not counted.
double dense_degrees(const regression& problem, const dense_reference& reference, const path_result& path,
                     std::size_t k)
{
    std::vector<std::int64_t> active;
    const std::vector<double> b = dense_coefficients(path, k);
    for (std::int64_t j = 0; j < problem.X.p; ++j) {
        const std::size_t at = index_of(j);
        const bool held = !problem.lower.empty() && (b[at] == problem.lower[at] || b[at] == problem.upper[at]);
        const bool unpenalised = !problem.penalty_factors.empty() && problem.penalty_factors[at] == 0;
        if (reference.takes_part(j) && !held && (b[at] != 0 || unpenalised)) active.push_back(j);
    }
    const dense_ridge dense(problem, reference, active);
    return dense.trace(path.points[k].lambda) - (problem.settings.intercept ? 1 : 0);
}

TEST(DegreesOfFreedom, OfAnElasticNetAreTheTraceOfItsActiveFeatures)
{
    std::int64_t compared = 0, fractional = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        ingredients allowed;
        allowed.ridge = false;
        allowed.awkward_columns = seed % 2 == 0;
        regression problem = random_regression(seed, allowed);
        if (problem.settings.alpha == 1) problem.settings.alpha = 0.5;
        problem.settings.tol = 1e-10;
        for (double& factor : problem.penalty_factors)
            if (factor == 0 && (allowed.awkward_columns || !problem.lower.empty())) factor = 1;
        if (seed % 5 == 0) problem.settings.alpha = 0; // with bounds, where there are any
        SCOPED_TRACE(describe(problem, seed));
        const path_options options = problem.options();
        const path_result path = problem.fit();
        const dense_reference reference(problem.X, problem.y, options);
        if (path.points.front().lambda == 0) continue;
        const std::vector<double> df = degrees_of_freedom(matrix::from_view(problem.X.view()), options, path);
        for (std::size_t k = 0; k < path.points.size(); ++k) {
            EXPECT_NEAR(df[k], dense_degrees(problem, reference, path, k), 1e-7) << k;
            EXPECT_LE(df[k], static_cast<double>(path.points[k].df) + 1e-9);
            ++compared;
            fractional += df[k] < static_cast<double>(path.points[k].df) - 0.01 ? 1 : 0;
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(compared, 400);
    EXPECT_GT(fractional, 200);
}

TEST(DegreesOfFreedom, OfALassoAreItsNonZerosAwayFromTheirBounds)
{
    const regression problem = random_regression(11, {.weights = false, .penalty_factors = false, .bounds = false});
    regression lasso = problem;
    lasso.settings.alpha = 1;
    const path_result path = lasso.fit();
    const matrix X = matrix::from_view(lasso.X.view());
    const std::vector<double> df = degrees_of_freedom(X, lasso.options(), path);
    for (std::size_t k = 0; k < df.size(); ++k) EXPECT_EQ(df[k], static_cast<double>(path.points[k].df));
    const std::vector<double> last = dense_coefficients(path, df.size() - 1);
    lasso.lower.assign(last.size(), -infinity);
    lasso.upper.assign(last.size(), infinity);
    const auto largest =
        std::max_element(last.begin(), last.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
    const auto at = static_cast<std::size_t>(largest - last.begin());
    ASSERT_NE(*largest, 0);
    (*largest > 0 ? lasso.upper : lasso.lower)[at] = *largest / 2;
    const path_result held = lasso.fit();
    EXPECT_EQ(degrees_of_freedom(X, lasso.options(), held).back(), static_cast<double>(held.points.back().df - 1));
}

// E Σ (ŷ_i − μ_i)(y_i − μ_i)/σ² = E df + 1: the definition, by a simulation whose error is estimated with it.
TEST(DegreesOfFreedom, AreTheCovarianceOfResponsesAndFittedValues)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr int replicates = 100;
#else
    constexpr int replicates = 3000;
#endif
    constexpr int n = 25, p = 40;
    constexpr double sigma = 0.8;
    random_numbers random(17);
    regression problem;
    problem.X = random_matrix(random, n, p, 1.0);
    for (int j = 0; j < p; ++j)
        for (int i = 0; i < n; ++i) problem.X.at(i, j) = random.normal() + (j > 0 ? 0.5 * problem.X.at(i, j - 1) : 0);
    std::vector<double> mean(n, 1.0);
    for (int i = 0; i < n; ++i) mean[index_of(i)] += problem.X.at(i, 0) - 0.7 * problem.X.at(i, 5);
    problem.settings.lambda = {0.5, 0.15, 0.04};
    problem.settings.tol = 1e-8;
    problem.settings.threads = 1;
    const matrix X = matrix::from_view(problem.X.view());
    for (const double alpha : {0.3, 0.8, 0.0}) {
        problem.settings.alpha = alpha;
        std::vector<double> sum(3, 0.0), square(3, 0.0), df_sum(3, 0.0);
        for (int r = 0; r < replicates; ++r) {
            problem.y = mean;
            for (double& value : problem.y) value += sigma * random.normal();
            const path_result path = fit_path(X, problem.y, problem.options());
            const std::vector<double> df = degrees_of_freedom(X, problem.options(), path);
            std::vector<double> intercepts;
            for (const path_point& point : path.points) intercepts.push_back(point.intercept);
            const std::vector<double> fitted = predict(X, path.coefficients, intercepts, 1);
            for (std::size_t k = 0; k < 3; ++k) {
                double covariance = 0;
                for (std::size_t i = 0; i < n; ++i)
                    covariance += (fitted[i * 3 + k] - mean[i]) * (problem.y[i] - mean[i]) / (sigma * sigma);
                const double apart = covariance - 1 - df[k];
                sum[k] += apart;
                square[k] += apart * apart;
                df_sum[k] += df[k];
            }
        }
        for (std::size_t k = 0; k < 3; ++k) {
            const double error = std::sqrt(square[k]) / replicates;
            EXPECT_LT(std::fabs(sum[k] / replicates), 4 * error) << alpha << ", " << k;
            EXPECT_LT(error, 1.6 / std::sqrt(replicates) * df_sum[k] / replicates) << "it tells nothing";
        }
    }
}

TEST(DegreesOfFreedom, AreNotKnownWhereTheirMatrixDoesNotFit)
{
    regression problem = random_regression(6, {.weights = false, .penalty_factors = false, .bounds = false});
    const matrix X = matrix::from_view(problem.X.view());
    for (const double alpha : {0.0, 0.4}) {
        problem.settings.alpha = alpha;
        const path_result path = problem.fit();
        path_options options = problem.options();
        options.memory_limit = 1;
        EXPECT_TRUE(std::isnan(degrees_of_freedom(X, options, path).back()));
        const information_criteria criteria = compute_criteria(X, options, path);
        EXPECT_FALSE(criteria.points.back().defined);
        EXPECT_THAT(criteria.notes, testing::ElementsAre(HasSubstr("have no criteria")));
        EXPECT_TRUE(compute_criteria(X, problem.options(), path).points.back().defined);
    }
}

TEST(LeaveOneOutCommand, WritesThemAndPredictsByThem)
{
    using cli_test::call;
    io_test::temporary_folder folder;
    io_test::spill(folder.file("X.svm"), cli_test::random_svmlight(60, 12, 1));
    const std::vector<std::string> fit{"fit", folder.file("X.svm"), "--out",     folder.file("ridge"), "--alpha",
                                       "0",   "--leave-one-out",    "--criteria"};
    const auto done = call(fit);
    ASSERT_EQ(done.code, cli::exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("lambda.loo"));
    EXPECT_THAT(done.out, HasSubstr("lambda.gcv"));
    EXPECT_THAT(io_test::slurp(folder.file("ridge/loo.csv")),
                testing::StartsWith("lambda,df,mse,se,rms_bound,rows,gcv\n"));
    const auto summary = nlohmann::json::parse(io_test::slurp(folder.file("ridge/summary.json")));
    EXPECT_TRUE(summary["options"]["leave_one_out"].get<bool>());
    const auto predict = [&](const std::string& from, const std::string& lambda) {
        return call(
            {"predict", folder.file(from), folder.file("X.svm"), "--out", folder.file("p.csv"), "--lambda", lambda});
    };
    for (const std::string rule : {"loo", "gcv", "aicc"}) {
        const std::string part = rule == "aicc" ? "criteria" : "leave_one_out";
        ASSERT_EQ(predict("ridge", rule).code, cli::exit_certified) << rule;
        const std::string by_rule = io_test::slurp(folder.file("p.csv"));
        predict("ridge", fmt::format("{}", summary[part]["lambda_" + rule].get<double>()));
        EXPECT_EQ(io_test::slurp(folder.file("p.csv")), by_rule);
    }

    EXPECT_THAT(call({"fit", folder.file("X.svm"), "--out", folder.file("lasso"), "--leave-one-out"}).err,
                HasSubstr("--leave-one-out is for Ridge"));
    EXPECT_THAT(call({"fit", folder.file("X.svm"), "--out", folder.file("none"), "--leave-one-out", "--alpha", "0",
                      "--positive"})
                    .err,
                HasSubstr("has the bound 0"));
    ASSERT_EQ(call({"fit", folder.file("X.svm"), "--out", folder.file("plain")}).code, cli::exit_certified);
    EXPECT_THAT(predict("plain", "loo").err, HasSubstr("proxpath fit --leave-one-out wrote"));
}

} // namespace
} // namespace proxpath::test
