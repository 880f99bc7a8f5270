// Lambda on other people's scales: closed forms, round trips and refusals of the converter, the table of
// docs/scales.md, and the conversions themselves: what a fit at the converted penalty gives has to minimise the other
// program's objective, found here by a few lines that share nothing with the library.

#include "tests/support/dense_algebra.hpp"

#include <proxpath/proxpath.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <Eigen/Core>

namespace {

using proxpath::from_glmnet;
using proxpath::glmnet_response_scale;
using proxpath::penalty_scale;
using proxpath::to_glmnet;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

TEST(Scale, LassoKeepsItsLambdaExactly)
{
    for (const double lambda : {1e-300, 0.1, 3.0, 1e300}) {
        for (const double scale : {1e-3, 1.0, 451.0}) {
            const penalty_scale ours = from_glmnet({lambda, 1.0}, scale);
            EXPECT_EQ(ours.lambda, lambda);
            EXPECT_EQ(ours.alpha, 1.0);
            const penalty_scale theirs = to_glmnet({lambda, 1.0}, scale);
            EXPECT_EQ(theirs.lambda, lambda);
            EXPECT_EQ(theirs.alpha, 1.0);
        }
    }
}

TEST(Scale, RidgeIsDividedByTheResponseScale)
{
    const penalty_scale ours = from_glmnet({12.0, 0.0}, 4.0);
    EXPECT_EQ(ours.lambda, 3.0);
    EXPECT_EQ(ours.alpha, 0.0);
    const penalty_scale theirs = to_glmnet({3.0, 0.0}, 4.0);
    EXPECT_EQ(theirs.lambda, 12.0);
    EXPECT_EQ(theirs.alpha, 0.0);
}

TEST(Scale, ElasticNetChangesLambdaAndAlpha)
{
    // l1 = 0.5 · 0.5 = 0.25, l2 = 0.5 · 0.5 / 2 = 0.125: all exact in double.
    const penalty_scale ours = from_glmnet({0.5, 0.5}, 2.0);
    EXPECT_EQ(ours.lambda, 0.375);
    EXPECT_EQ(ours.alpha, 0.25 / 0.375);
}

// Both directions compute the parts l1 = λα and l2 = λ(1 − α) in a handful of roundings. α itself is rounded to ε,
// which l2 meets as ελ: the parts come back within a few ε of λ, l2 not within a few ε of itself when α is near 1.
TEST(Scale, RoundTripGivesThePartsBack)
{
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> uniform;
    for (int i = 0; i < 1000; ++i) {
        const penalty_scale start{std::pow(10.0, 12 * uniform(random) - 6), uniform(random)};
        const double scale = std::pow(10.0, 8 * uniform(random) - 4);
        for (const bool theirs_first : {false, true}) {
            const penalty_scale between = theirs_first ? from_glmnet(start, scale) : to_glmnet(start, scale);
            const penalty_scale back = theirs_first ? to_glmnet(between, scale) : from_glmnet(between, scale);
            const double factor = theirs_first ? scale : 1 / scale;
            const double l1 = start.lambda * start.alpha;
            const double l2 = start.lambda * (1 - start.alpha);
            EXPECT_NEAR(back.lambda * back.alpha, l1, 8 * epsilon * start.lambda);
            EXPECT_NEAR(back.lambda * (1 - back.alpha), l2, 8 * epsilon * (start.lambda + between.lambda * factor));
        }
    }
}

TEST(Scale, ResponseScaleIsTheDeviationAboutTheMeanOrAboutZero)
{
    const std::vector<double> y{1, 2, 3, 6};
    EXPECT_DOUBLE_EQ(glmnet_response_scale(y, {}, true), std::sqrt(3.5)); // deviations −2, −1, 0, 3
    EXPECT_DOUBLE_EQ(glmnet_response_scale(y, {}, false), std::sqrt(12.5));
    // Weights count as repetitions, whatever their sum.
    const std::vector<double> repeated{1, 2, 2, 2, 6};
    const std::vector<double> weights{10, 30, 0, 10};
    for (const bool intercept : {true, false})
        EXPECT_DOUBLE_EQ(glmnet_response_scale(y, weights, intercept), glmnet_response_scale(repeated, {}, intercept));
}

TEST(Scale, ScikitLearnsNamesAreTranslated)
{
    const penalty_scale net = proxpath::from_sklearn_elastic_net(0.3, 0.7);
    EXPECT_EQ(net.lambda, 0.3);
    EXPECT_EQ(net.alpha, 0.7);
    const penalty_scale ridge = proxpath::from_sklearn_ridge(10.0, 40);
    EXPECT_EQ(ridge.lambda, 0.25);
    EXPECT_EQ(ridge.alpha, 0.0);
}

template <class F>
std::string refusal(const F& f)
{
    try {
        f();
    } catch (const proxpath::invalid_input& refused) {
        return refused.what();
    }
    return "accepted";
}

TEST(Scale, RefusesWhatIsNoPenaltyAndNamesIt)
{
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double lambda : {0.0, -1.0, nan, infinity}) {
        EXPECT_NE(refusal([&] { from_glmnet({lambda, 0.5}, 1.0); }).find("lambda is"), std::string::npos) << lambda;
        EXPECT_NE(refusal([&] { to_glmnet({lambda, 0.5}, 1.0); }).find("lambda is"), std::string::npos) << lambda;
        EXPECT_NE(refusal([&] { proxpath::from_sklearn_elastic_net(lambda, 0.5); }).find("alpha is"),
                  std::string::npos);
        EXPECT_NE(refusal([&] { proxpath::from_sklearn_ridge(lambda, 3); }).find("alpha is"), std::string::npos);
    }
    for (const double alpha : {-0.1, 1.1, nan}) {
        EXPECT_NE(refusal([&] { from_glmnet({1.0, alpha}, 1.0); }).find("alpha is"), std::string::npos) << alpha;
        EXPECT_NE(refusal([&] { proxpath::from_sklearn_elastic_net(1.0, alpha); }).find("l1_ratio is"),
                  std::string::npos);
    }
    for (const double scale : {0.0, -2.0, nan, infinity})
        EXPECT_NE(refusal([&] { to_glmnet({1.0, 0.5}, scale); }).find("response_scale is"), std::string::npos) << scale;
    EXPECT_NE(refusal([] { proxpath::from_sklearn_ridge(1.0, 0); }).find("n is 0"), std::string::npos);
    // A penalty that would leave the range of double altogether.
    EXPECT_NE(refusal([] { from_glmnet({1e300, 0.0}, 1e-300); }).find("out of range"), std::string::npos);
    EXPECT_NE(refusal([] { from_glmnet({1e-300, 0.0}, 1e300); }).find("out of range"), std::string::npos);
}

TEST(Scale, RefusesResponsesWithoutAScaleToSpeakOf)
{
    const std::vector<double> y{1, 2, 3};
    EXPECT_EQ(refusal([] { glmnet_response_scale({}, {}, true); }), "y is empty");
    const std::vector<double> two{1, 1};
    EXPECT_NE(refusal([&] { glmnet_response_scale(y, two, true); }).find("weights has 2"), std::string::npos);
    const std::vector<double> negative{1, -1, 1};
    EXPECT_NE(refusal([&] { glmnet_response_scale(y, negative, true); }).find("weights[1]"), std::string::npos);
    const std::vector<double> zeros{0, 0, 0};
    EXPECT_NE(refusal([&] { glmnet_response_scale(y, zeros, true); }).find("sum to 0"), std::string::npos);
    const std::vector<double> missing{1, std::numeric_limits<double>::quiet_NaN(), 3};
    EXPECT_NE(refusal([&] { glmnet_response_scale(missing, {}, true); }).find("y[1]"), std::string::npos);
    const std::vector<double> constant{5, 5, 5};
    EXPECT_EQ(glmnet_response_scale(constant, {}, true), 0.0); // and the converter refuses 0, see above
}

// The rows of the table in docs/scales.md are what the functions give, to the digits shown there.
TEST(Scale, TableOfTheDocumentationHolds)
{
    std::ifstream page(PROXPATH_TEST_DATA "/../../docs/scales.md");
    ASSERT_TRUE(page) << "docs/scales.md is missing";
    int rows = 0;
    std::string line;
    bool inside = false;
    while (std::getline(page, line)) {
        if (line.starts_with("| glmnet λ |")) inside = true;
        if (!line.starts_with('|')) inside = false;
        if (!inside || line.find_first_of("0123456789") == std::string::npos) continue;
        std::replace(line.begin(), line.end(), '|', ' ');
        std::istringstream cells(line);
        double lambda = 0;
        double alpha = 0;
        double scale = 0;
        double our_lambda = 0;
        double our_alpha = 0;
        ASSERT_TRUE(cells >> lambda >> alpha >> scale >> our_lambda >> our_alpha) << line;
        const penalty_scale ours = from_glmnet({lambda, alpha}, scale);
        EXPECT_NEAR(ours.lambda, our_lambda, 0.5e-6) << line; // six decimals
        EXPECT_NEAR(ours.alpha, our_alpha, 0.5e-6) << line;
        ++rows;
    }
    EXPECT_GE(rows, 4);
}

struct dense_problem {
    Eigen::MatrixXd X;
    Eigen::VectorXd y;
    Eigen::VectorXd w; // sum 1

    std::vector<double> weights() const { return {w.data(), w.data() + w.size()}; }
    std::vector<double> response() const { return {y.data(), y.data() + y.size()}; }
    proxpath::matrix_view view() const { return proxpath::dense_view<double>(X.rows(), X.cols(), X.data(), X.rows()); }
};

dense_problem random_problem(std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    const auto draw = [&](double) { return normal(random); };
    dense_problem problem;
    problem.X = Eigen::MatrixXd::NullaryExpr(25, 5, draw);
    for (Eigen::Index j = 0; j < problem.X.cols(); ++j) problem.X.col(j) *= static_cast<double>(j + 1);
    problem.y = 7 * problem.X * Eigen::VectorXd::NullaryExpr(5, draw) + 5 * Eigen::VectorXd::NullaryExpr(25, draw);
    problem.y.array() += 11;
    problem.w = Eigen::VectorXd::NullaryExpr(25, [&](double) { return 0.2 + uniform(random); });
    problem.w /= problem.w.sum();
    return problem;
}

struct glmnet_fit {
    Eigen::VectorXd b;
    double weakest = 0; ///< smallest curvature of the objective, per squared standardised coefficient
    Eigen::VectorXd deviation;
};

// glmnet divides y by s, its standard deviation (about 0 without an intercept), and lambda with it, and minimises over
// the coefficients β of the standardised columns
//
//     ½ Σ w (y/s − x·β)² + λ_g/s [ α_g |β| + (1 − α_g)/2 β² ].
//
// With b = sβ and times s² this is
//
//     ½ Σ w (y − x·b)² + λ_g α_g |b| + (λ_g/s) (1 − α_g)/2 b²:
//
// the L1 part as it is, the L2 part divided by s. Here the first line is minimised as it stands, by coordinate descent.
glmnet_fit minimise_as_glmnet(const dense_problem& problem, penalty_scale glmnet, bool intercept, bool standardize)
{
    const Eigen::Index p = problem.X.cols();
    const Eigen::VectorXd means = problem.X.transpose() * problem.w;
    glmnet_fit fit;
    fit.deviation = Eigen::VectorXd::Ones(p);
    Eigen::MatrixXd X = problem.X;
    for (Eigen::Index j = 0; j < p; ++j) {
        const Eigen::ArrayXd centred = problem.X.col(j).array() - means[j];
        if (standardize) fit.deviation[j] = std::sqrt((problem.w.array() * centred * centred).sum());
        if (intercept) X.col(j) = centred;
        X.col(j) /= fit.deviation[j];
    }
    Eigen::VectorXd y = problem.y;
    if (intercept) y.array() -= problem.w.dot(problem.y);
    const double s = std::sqrt((problem.w.array() * y.array() * y.array()).sum());
    y /= s;

    const double lambda = glmnet.lambda / s;
    Eigen::VectorXd beta = Eigen::VectorXd::Zero(p);
    Eigen::VectorXd r = y;
    for (int sweep = 0; sweep < 20000; ++sweep) {
        double largest = 0;
        for (Eigen::Index j = 0; j < p; ++j) {
            const Eigen::VectorXd wx = problem.w.cwiseProduct(X.col(j));
            const double q = wx.dot(X.col(j));
            const double z = wx.dot(r) + q * beta[j];
            const double shrunk = std::max(std::fabs(z) - lambda * glmnet.alpha, 0.0);
            const double next = std::copysign(shrunk, z) / (q + lambda * (1 - glmnet.alpha));
            r -= (next - beta[j]) * X.col(j);
            largest = std::max(largest, std::fabs(next - beta[j]));
            beta[j] = next;
        }
        if (largest < 1e-15) break;
    }
    fit.b = s * beta.cwiseQuotient(fit.deviation);
    const Eigen::MatrixXd gram = X.transpose() * problem.w.asDiagonal() * X;
    fit.weakest = proxpath::test::eigenvalues(gram)[0];
    return fit;
}

Eigen::VectorXd coefficients_of(const proxpath::path_result& path, Eigen::Index p)
{
    Eigen::VectorXd b = Eigen::VectorXd::Zero(p);
    for (std::size_t e = 0; e < path.coefficients.values.size(); ++e)
        b[static_cast<Eigen::Index>(path.coefficients.indices[e])] = path.coefficients.values[e];
    return b;
}

TEST(Scale, FitAtTheConvertedPenaltyMinimisesGlmnetsObjective)
{
    for (const std::uint64_t seed : {1U, 2U, 3U})
        for (const bool intercept : {true, false})
            for (const bool standardize : {true, false})
                for (const double alpha : {0.0, 0.4, 1.0}) {
                    SCOPED_TRACE(testing::Message() << "seed " << seed << ", intercept " << intercept
                                                    << ", standardize " << standardize << ", alpha " << alpha);
                    const dense_problem problem = random_problem(seed);
                    const std::vector<double> y = problem.response();
                    const std::vector<double> weights = problem.weights();
                    const penalty_scale glmnet{1.5, alpha};
                    const glmnet_fit expected = minimise_as_glmnet(problem, glmnet, intercept, standardize);

                    const double scale = glmnet_response_scale(y, weights, intercept);
                    const penalty_scale ours = from_glmnet(glmnet, scale);
                    proxpath::path_options options;
                    options.alpha = ours.alpha;
                    options.lambda = {ours.lambda};
                    options.weights = weights;
                    options.intercept = intercept;
                    options.standardize = standardize;
                    options.tol = 1e-13;
                    options.threads = 1;
                    const auto path = proxpath::fit_path(problem.view(), y, options);
                    ASSERT_TRUE(path.all_converged());

                    // The objective grows from its minimum by at least weakest/2 times the squared distance in
                    // standardised coefficients, and the gap bounds how far above the minimum we are. The descent
                    // above stopped at steps below 1e-15 s; 1e-9 s leaves room for its slowest direction.
                    const double ours_off = std::sqrt(2 * options.tol * path.null_loss / expected.weakest);
                    const double bound = ours_off + 1e-9 * scale;
                    const Eigen::VectorXd b = coefficients_of(path, problem.X.cols());
                    EXPECT_LE((b - expected.b).cwiseProduct(expected.deviation).norm(), bound);
                    // The conversion is needed: at glmnet's own lambda the fit is another one.
                    if (alpha < 1) {
                        options.alpha = glmnet.alpha;
                        options.lambda = {glmnet.lambda};
                        const auto other = proxpath::fit_path(problem.view(), y, options);
                        const Eigen::VectorXd c = coefficients_of(other, problem.X.cols());
                        EXPECT_GT((c - expected.b).cwiseProduct(expected.deviation).norm(), 1e-3 * scale);
                    }
                }
}

TEST(Scale, RidgeOfScikitLearnHasItsClosedForm)
{
    const dense_problem problem = random_problem(4);
    const double alpha = 9.0;
    const auto n = static_cast<std::int64_t>(problem.X.rows());
    // Ridge(alpha, fit_intercept=False): ‖y − Xb‖² + alpha ‖b‖².
    const Eigen::Index p = problem.X.cols();
    const Eigen::MatrixXd normal = problem.X.transpose() * problem.X + alpha * Eigen::MatrixXd::Identity(p, p);
    const Eigen::VectorXd expected = proxpath::test::solve(normal, problem.X.transpose() * problem.y);

    const penalty_scale ours = proxpath::from_sklearn_ridge(alpha, n);
    proxpath::path_options options;
    options.alpha = ours.alpha;
    options.lambda = {ours.lambda};
    options.intercept = false;
    options.standardize = false;
    options.tol = 1e-13;
    const std::vector<double> y = problem.response();
    const auto path = proxpath::fit_path(problem.view(), y, options);
    // As above: curvature is at least lambda, so the gap bounds the distance; the solve is exact beside that.
    const double bound = std::sqrt(2 * options.tol * path.null_loss / ours.lambda);
    EXPECT_LE((coefficients_of(path, p) - expected).norm(), bound + 1e-12 * expected.norm());
}

/// hitters.csv of the collection of data sets that PROXPATH_DATA names; empty when it is not set.
std::string hitters()
{
    const char* const folder = std::getenv("PROXPATH_DATA");
    return folder == nullptr ? std::string() : std::string(folder) + "/hitters.csv";
}

struct named_value {
    const char* name;
    double value;
};

proxpath::path_result fit_hitters(const proxpath::data_set& data, penalty_scale glmnet)
{
    const penalty_scale ours = from_glmnet(glmnet, glmnet_response_scale(data.y, {}, true));
    proxpath::path_options options;
    options.alpha = ours.alpha;
    options.lambda = {ours.lambda};
    options.tol = 1e-13;
    return proxpath::fit_path(data.X, data.y, options);
}

double coefficient(const proxpath::data_set& data, const proxpath::path_result& path, const std::string& name)
{
    const auto feature =
        std::find(data.feature_names.begin(), data.feature_names.end(), name) - data.feature_names.begin();
    return coefficients_of(path, static_cast<Eigen::Index>(data.X.cols()))[feature];
}

// James, Witten, Hastie & Tibshirani, An Introduction to Statistical Learning, section 6.6.1: ridge with glmnet. Three
// decimals are printed, and glmnet stopped at its default precision.
TEST(Scale, HittersRidgeAgreesWithThePublishedGlmnetFit)
{
    if (hitters().empty()) GTEST_SKIP() << "PROXPATH_DATA is not set";
    proxpath::read_options settings;
    settings.y_column = "Salary";
    const proxpath::data_set data = proxpath::read_data(hitters(), settings);
    const auto path = fit_hitters(data, {std::pow(10.0, 10 - 12 * 49.0 / 99), 0.0}); // 10^seq(10, −2, length = 100)[50]
    EXPECT_NEAR(path.points[0].intercept, 407.356, 1e-3);
    const named_value published[] = {{"AtBat", 0.037},   {"Hits", 0.138},    {"HmRun", 0.525},      {"Runs", 0.231},
                                     {"RBI", 0.240},     {"Walks", 0.290},   {"Years", 1.108},      {"CAtBat", 0.003},
                                     {"CHits", 0.012},   {"CHmRun", 0.088},  {"CRuns", 0.023},      {"CRBI", 0.024},
                                     {"CWalks", 0.025},  {"LeagueN", 0.085}, {"DivisionW", -6.215}, {"PutOuts", 0.016},
                                     {"Assists", 0.003}, {"Errors", -0.021}, {"NewLeagueN", 0.301}};
    for (const auto& [name, value] : published) EXPECT_NEAR(coefficient(data, path, name), value, 1e-3) << name;

    const auto smaller = fit_hitters(data, {std::pow(10.0, 10 - 12 * 59.0 / 99), 0.0}); // [60]: lambda 705.48
    EXPECT_NEAR(coefficients_of(path, 19).norm(), 6.36, 0.005 + 1e-3);
    EXPECT_NEAR(coefficients_of(smaller, 19).norm(), 57.11, 0.005 + 1e-3);
}

/// All numbers of a CSV with a header, read without the library.
Eigen::MatrixXd read_table(const std::string& file)
{
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    const auto columns = static_cast<Eigen::Index>(std::count(line.begin(), line.end(), ',')) + 1;
    std::vector<double> values;
    while (std::getline(stream, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream cells(line);
        for (double value = 0; cells >> value;) values.push_back(value);
    }
    const auto rows = static_cast<Eigen::Index>(values.size()) / columns;
    return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(values.data(), rows,
                                                                                                    columns);
}

// glmnet 4.1-6 at lambda 10, alpha 1, thresh 1e-14: the Lasso's lambda is the same on both scales. On glmnet's support
// and signs the optimum solves a linear system; the fit has to meet that solution, and glmnet's numbers have to meet it
// as closely as glmnet's stopping rule promises: it stops when no standardised coefficient moved by more than
// sqrt(1e-14) s, and what is left then is that step times at most the condition number of the system.
TEST(Scale, HittersLassoAgreesWithGlmnet)
{
    if (hitters().empty()) GTEST_SKIP() << "PROXPATH_DATA is not set";
    proxpath::read_options settings;
    settings.y_column = "Salary";
    const proxpath::data_set data = proxpath::read_data(hitters(), settings);
    const auto path = fit_hitters(data, {10.0, 1.0});
    const named_value glmnet[] = {{"Hits", 2.00923968},         {"Walks", 2.25894564},   {"CHmRun", 0.02747875},
                                  {"CRuns", 0.21462600},        {"CRBI", 0.41296899},    {"LeagueN", 18.72891260},
                                  {"DivisionW", -115.29336633}, {"PutOuts", 0.23574242}, {"Errors", -0.78917194}};
    constexpr Eigen::Index support = 9;
    ASSERT_EQ(path.points[0].df, support);

    const Eigen::MatrixXd table = read_table(hitters());
    const auto n = static_cast<double>(table.rows());
    Eigen::VectorXd y = table.rightCols<1>();
    const double mean = y.mean();
    y.array() -= mean;
    Eigen::MatrixXd Z(table.rows(), support);
    Eigen::VectorXd deviation(support);
    Eigen::VectorXd means(support);
    Eigen::VectorXd signs(support);
    for (Eigen::Index k = 0; k < support; ++k) {
        const auto column = std::find(data.feature_names.begin(), data.feature_names.end(), glmnet[k].name) -
                            data.feature_names.begin();
        Z.col(k) = table.col(column);
        means[k] = Z.col(k).mean();
        Z.col(k).array() -= means[k];
        deviation[k] = std::sqrt(Z.col(k).squaredNorm() / n);
        Z.col(k) /= deviation[k];
        signs[k] = glmnet[k].value > 0 ? 1 : -1;
    }
    const Eigen::MatrixXd gram = Z.transpose() * Z / n;
    const Eigen::VectorXd exact = proxpath::test::solve(gram, Z.transpose() * y / n - 10.0 * signs);
    const Eigen::VectorXd spectrum = proxpath::test::eigenvalues(gram);
    const double glmnet_off = 1e-7 * std::sqrt(y.squaredNorm() / n) * spectrum[support - 1] / spectrum[0];
    const double ours_off = std::sqrt(2 * 1e-13 * path.null_loss / spectrum[0]);
    double intercept = mean;
    for (Eigen::Index k = 0; k < support; ++k) {
        const double expected = exact[k] / deviation[k];
        intercept -= means[k] * expected;
        EXPECT_NEAR(coefficient(data, path, glmnet[k].name), expected, ours_off / deviation[k]) << glmnet[k].name;
        EXPECT_NEAR(glmnet[k].value, expected, glmnet_off / deviation[k]) << glmnet[k].name;
    }
    EXPECT_NEAR(path.points[0].intercept, intercept, ours_off * means.cwiseQuotient(deviation).norm());
}

} // namespace
