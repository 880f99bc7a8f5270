// Values that others have printed: the path of the Lasso on the diabetes data (Efron et al. 2004), the prostate table
// of The Elements of Statistical Learning, the ridge and lasso of glmnet on Hitters (James et al. 2013), and the
// example that glmnet's authors solved with an interior-point method. Sets that may not be kept here are read from the
// folder that the environment variable PROXPATH_DATA names; without it their tests are skipped.

#include "tests/support/checks.hpp"

#include <proxpath/proxpath.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// A regression problem from a file with named columns.
struct table {
    regression problem;
    std::vector<std::string> names;

    std::size_t index(const std::string& name) const
    {
        for (std::size_t j = 0; j < names.size(); ++j)
            if (names[j] == name) return j;
        throw std::out_of_range("no column " + name);
    }
};

dense_matrix dense(const matrix& X)
{
    // Columns of the unit matrix, predicted: the public way to look at a matrix.
    dense_matrix out(X.rows(), X.cols());
    sparse_columns unit;
    unit.rows = unit.cols = X.cols();
    unit.offsets.push_back(0);
    for (std::int64_t j = 0; j < X.cols(); ++j) {
        unit.indices.push_back(j);
        unit.values.push_back(1);
        unit.offsets.push_back(j + 1);
    }
    const std::vector<double> zero(static_cast<std::size_t>(X.cols()), 0.0);
    const std::vector<double> entries = predict(X, unit, zero);
    for (std::int64_t i = 0; i < X.rows(); ++i)
        for (std::int64_t j = 0; j < X.cols(); ++j) out.at(i, j) = entries[static_cast<std::size_t>(i * X.cols() + j)];
    return out;
}

table read_table(const std::string& path, const std::string& y_column)
{
    read_options options;
    options.y_column = y_column;
    data_set data = read_data(path, options);
    table made;
    made.problem.X = dense(data.X);
    made.problem.y = std::move(data.y);
    made.names = std::move(data.feature_names);
    made.problem.settings.threads = 1;
    return made;
}

/// Path of a set that is not kept here, or "" when the folder is not named or lacks it.
std::string outside(const std::string& file)
{
    const char* folder = std::getenv("PROXPATH_DATA");
    if (folder == nullptr) return "";
    const std::string path = std::string(folder) + "/" + file;
    return std::filesystem::exists(path) ? path : "";
}

#define NEEDS_DATA(path)                                                                                               \
    if ((path).empty()) GTEST_SKIP() << "set PROXPATH_DATA to the folder with the published data sets to run this"

double norm(const std::vector<double>& values)
{
    double sum = 0;
    for (const double value : values) sum += value * value;
    return std::sqrt(sum);
}

/// Columns centred and scaled to a length.
void scale_columns(dense_matrix& X, double length)
{
    for (std::int64_t j = 0; j < X.p; ++j) {
        double mean = 0;
        for (std::int64_t i = 0; i < X.n; ++i) mean += X.at(i, j) / static_cast<double>(X.n);
        double square = 0;
        for (std::int64_t i = 0; i < X.n; ++i) square += (X.at(i, j) - mean) * (X.at(i, j) - mean);
        for (std::int64_t i = 0; i < X.n; ++i) X.at(i, j) = (X.at(i, j) - mean) * length / std::sqrt(square);
    }
}

/// @param rounding how far the numbers of this copy of the data, rounded as they are, move a coefficient
void expect_knots(table& diabetes, double rounding)
{
    struct knot {
        double lambda; // largest correlation with the residual: n times our lambda
        std::vector<double> b;
    };
    const std::vector<knot> knots = {
        {949.435260, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
        {889.315991, {0, 0, 60.1193, 0, 0, 0, 0, 0, 0, 0}},
        {452.900969, {0, 0, 361.8946, 0, 0, 0, 0, 0, 301.7753, 0}},
        {316.074053, {0, 0, 434.7580, 79.2364, 0, 0, 0, 0, 374.9158, 0}},
        {130.130851, {0, 0, 505.6596, 191.2699, 0, 0, -114.1010, 0, 439.6649, 0}},
        {88.782430, {0, -74.9165, 511.3481, 234.1546, 0, 0, -169.7114, 0, 450.6674, 0}},
        {68.965221, {0, -111.9786, 512.0441, 252.5270, 0, 0, -196.0454, 0, 452.3927, 12.0782}},
        {19.981255, {0, -197.7565, 522.2648, 297.1597, -103.9462, 0, -223.9260, 0, 514.7495, 54.7677}},
        {5.477473, {0, -226.1337, 526.8855, 314.3893, -195.1058, 0, -152.4773, 106.3428, 529.9160, 64.4874}},
        {5.089179, {0, -227.1758, 526.3906, 314.9505, -237.3410, 33.6283, -134.5994, 111.3841, 545.4826, 64.6067}},
        {2.182250, {-5.7189, -234.3976, 522.6488, 320.3426, -554.2663, 286.7362, 0, 148.9004, 663.0333, 66.3310}},
        {1.310435, {-7.0112, -237.1008, 521.0751, 321.5490, -580.4386, 313.8621, 0, 139.8579, 674.9366, 67.1794}}};
    const std::vector<double> least_squares{-10.0122, -239.8191, 519.8398, 324.3904, -792.1842,
                                            476.7458, 101.0446,  177.0642, 751.2793, 67.6254};

    ASSERT_EQ(diabetes.problem.X.n, 442);
    scale_columns(diabetes.problem.X, 1);
    path_options& settings = diabetes.problem.settings;
    settings.standardize = false;
    settings.tol = 1e-14;
    for (const knot& each : knots) settings.lambda.push_back(each.lambda / 442);
    for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista}) {
        settings.solver = solver;
        if (solver == solver_kind::fista) settings.tol = 1e-12;
        const path_result result = diabetes.problem.fit();
        SCOPED_TRACE(result.solver);
        EXPECT_NEAR(result.lambda_max * 442, knots[0].lambda, 1e-6 + rounding);
        // The smallest eigenvalue of X'X is 0.00856: ½ (0.00856 / n) ‖b − b*‖² ≤ gap.
        for (std::size_t k = 0; k < knots.size(); ++k) {
            const double distance = std::sqrt(2 * result.points[k].gap * 442 / 0.0085);
            EXPECT_LT(distance, 0.05) << "knot " << k << " is not solved well enough to compare";
            const std::vector<double> b = dense_coefficients(result, k);
            // Four decimals of b are printed, and six of lambda, which moves b by up to 260 times as much.
            for (std::size_t j = 0; j < 10; ++j)
                EXPECT_NEAR(b[j], knots[k].b[j], 5e-5 + 3e-4 + distance + rounding)
                    << "knot " << k << ", " << diabetes.names[j];
        }
    }
    // The twelfth step ends at lambda 0: every feature unpenalised.
    diabetes.problem.penalty_factors.assign(10, 0.0);
    settings.lambda = {1};
    settings.solver = solver_kind::automatic;
    const path_result last = diabetes.problem.fit();
    for (std::size_t j = 0; j < 10; ++j)
        EXPECT_NEAR(dense_coefficients(last, 0)[j], least_squares[j], 5.1e-5 + 10 * rounding);
}

TEST(PublishedValues, TheLassoPathOfTheDiabetesDataHasItsTwelveKnots)
{
    // The raw measurements are rounded: scaled, blood pressure differs by 1.2e-5 and ltg by 5e-6 from the columns that
    // the printed knots come from, and a change d of an entry moves coefficients near 500 by some 500 d.
    table diabetes = read_table(std::string(PROXPATH_TEST_DATA) + "/diabetes.csv", "y");
    expect_knots(diabetes, 0.01);
}

TEST(PublishedValues, TheLassoPathOfTheStandardisedDiabetesDataHasItsTwelveKnotsInAllPrintedDigits)
{
    const std::string path = outside("diabetes_std.csv.gz");
    NEEDS_DATA(path);
    table diabetes = read_table(path, "y");
    expect_knots(diabetes, 0);
}

TEST(PublishedValues, FeaturesEnterTheDiabetesPathInTheOrderOfTheFigure)
{
    table diabetes = read_table(std::string(PROXPATH_TEST_DATA) + "/diabetes.csv", "y");
    scale_columns(diabetes.problem.X, 1);
    diabetes.problem.settings.standardize = false;
    diabetes.problem.settings.n_lambda = 400;
    diabetes.problem.settings.lambda_min_ratio = 1e-3;
    diabetes.problem.settings.tol = 1e-9;
    const path_result result = diabetes.problem.fit();
    std::vector<std::int64_t> order;
    for (std::size_t k = 0; k < result.points.size(); ++k) {
        const std::vector<double> b = dense_coefficients(result, k);
        for (std::int64_t j = 0; j < 10; ++j)
            if (b[static_cast<std::size_t>(j)] != 0 && std::find(order.begin(), order.end(), j + 1) == order.end())
                order.push_back(j + 1);
    }
    EXPECT_EQ(order, (std::vector<std::int64_t>{3, 9, 4, 7, 2, 10, 5, 8, 6, 1}));
}

/// The table's scaling of the prostate data, split into training and test rows.
struct prostate {
    regression train;
    regression test;

    explicit prostate(const std::string& path)
    {
        table all = read_table(path, "lpsa");
        const dense_matrix flagged = all.problem.X;
        dense_matrix X(97, 8);
        std::copy_n(flagged.values.begin(), X.values.size(), X.values.begin());
        scale_columns(X, std::sqrt(96.0));
        for (regression* part : {&train, &test}) {
            std::vector<std::int64_t> rows;
            for (std::int64_t i = 0; i < 97; ++i)
                if ((flagged.at(i, 8) != 0) == (part == &train)) rows.push_back(i);
            part->X = dense_matrix(static_cast<std::int64_t>(rows.size()), 8);
            for (std::size_t r = 0; r < rows.size(); ++r) {
                for (std::int64_t j = 0; j < 8; ++j) part->X.at(static_cast<std::int64_t>(r), j) = X.at(rows[r], j);
                part->y.push_back(all.problem.y[static_cast<std::size_t>(rows[r])]);
            }
            part->settings.threads = 1;
        }
    }
    double test_error(const path_result& result) const
    {
        const std::vector<double> b = dense_coefficients(result, 0);
        double sum = 0;
        for (std::int64_t i = 0; i < test.X.n; ++i) {
            double rest = test.y[static_cast<std::size_t>(i)] - result.points[0].intercept;
            for (std::int64_t j = 0; j < 8; ++j) rest -= test.X.at(i, j) * b[static_cast<std::size_t>(j)];
            sum += rest * rest / static_cast<double>(test.X.n);
        }
        return sum;
    }
    void expect(const path_result& result, double intercept, const std::vector<double>& b, double error,
                double tolerance) const
    {
        EXPECT_TRUE(result.all_converged());
        EXPECT_NEAR(result.points[0].intercept, intercept, tolerance);
        for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(dense_coefficients(result, 0)[j], b[j], tolerance) << j;
        EXPECT_NEAR(test_error(result), error, tolerance);
    }
};

constexpr double three_decimals = 5.1e-4;

TEST(PublishedValues, LeastSquaresOnTheProstateData)
{
    const std::string path = outside("prostate.csv");
    NEEDS_DATA(path);
    prostate data(path);
    ASSERT_EQ(data.train.X.n, 67);
    data.train.settings.standardize = false;
    data.train.settings.lambda = {1e-9};
    data.train.settings.tol = 1e-10;
    for (const double alpha : {1.0, 0.0}) {
        data.train.settings.alpha = alpha;
        data.expect(data.train.fit(), 2.465, {0.680, 0.263, -0.141, 0.210, 0.305, -0.288, -0.021, 0.267}, 0.521,
                    three_decimals);
    }
}

TEST(PublishedValues, RidgeWithFiveDegreesOfFreedomOnTheProstateData)
{
    const std::string path = outside("prostate.csv");
    NEEDS_DATA(path);
    prostate data(path);
    data.train.settings.alpha = 0;
    data.train.settings.standardize = false;
    data.train.settings.lambda = {23.9989 / 67}; // of ‖y − Xb‖² + 23.9989 ‖b‖²
    data.train.settings.tol = 1e-10;
    const path_result result = data.train.fit();
    data.expect(result, 2.464, {0.421, 0.239, -0.048, 0.162, 0.227, 0.000, 0.041, 0.132}, 0.490, three_decimals);
    // The printed column, whose lambda came from cross-validation (its intercept is the mean of the response).
    const std::vector<double> printed{0.420, 0.238, -0.046, 0.162, 0.227, 0.000, 0.040, 0.133};
    for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(dense_coefficients(result, 0)[j], printed[j], 0.003);
}

TEST(PublishedValues, TheLassoColumnOfTheProstateTable)
{
    const std::string path = outside("prostate.csv");
    NEEDS_DATA(path);
    prostate data(path);
    data.train.settings.lambda = {0.20873}; // standardised on the training rows
    data.train.settings.tol = 1e-10;
    const path_result result = data.train.fit();
    data.expect(result, 2.468, {0.533, 0.170, 0, 0.003, 0.094, 0, 0, 0}, 0.478, three_decimals);
    for (const std::size_t j : {2, 5, 6, 7}) EXPECT_EQ(dense_coefficients(result, 0)[j], 0.0);
    const std::vector<double> printed{0.533, 0.169, 0, 0.002, 0.094, 0, 0, 0};
    for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(dense_coefficients(result, 0)[j], printed[j], 0.01);

    // In the table's own scaling at ‖b‖₁ / ‖b_LS‖₁ = 0.36.
    data.train.settings.standardize = false;
    data.train.settings.lambda = {0.22817};
    const std::vector<double> exact{0.533, 0.176, 0, 0, 0.074, 0, 0, 0};
    const path_result own = data.train.fit();
    for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(dense_coefficients(own, 0)[j], exact[j], three_decimals);
}

TEST(PublishedValues, RidgeOnHittersAsGlmnetGivesIt)
{
    const std::string path = outside("hitters.csv");
    NEEDS_DATA(path);
    table hitters = read_table(path, "Salary");
    ASSERT_EQ(hitters.problem.X.n, 263);
    ASSERT_EQ(hitters.problem.X.p, 19);
    const double scale = glmnet_response_scale(hitters.problem.y, {}, true);
    path_options& settings = hitters.problem.settings;
    const penalty_scale first = from_glmnet({11497.57, 0}, scale);
    const penalty_scale second = from_glmnet({705.4802, 0}, scale);
    EXPECT_EQ(first.alpha, 0.0);
    settings.alpha = 0;
    settings.lambda = {first.lambda, second.lambda};
    settings.tol = 1e-10;
    const std::map<std::string, double> printed{
        {"AtBat", 0.037},   {"Hits", 0.138},    {"HmRun", 0.525},   {"Runs", 0.231},      {"RBI", 0.240},
        {"Walks", 0.290},   {"Years", 1.108},   {"CAtBat", 0.003},  {"CHits", 0.012},     {"CHmRun", 0.088},
        {"CRuns", 0.023},   {"CRBI", 0.024},    {"CWalks", 0.025},  {"LeagueN", 0.085},   {"DivisionW", -6.215},
        {"PutOuts", 0.016}, {"Assists", 0.003}, {"Errors", -0.021}, {"NewLeagueN", 0.301}};
    for (const solver_kind solver : {solver_kind::automatic, solver_kind::krylov, solver_kind::fista}) {
        settings.solver = solver;
        const path_result result = hitters.problem.fit();
        SCOPED_TRACE(result.solver);
        EXPECT_TRUE(result.all_converged());
        const std::vector<double> b = dense_coefficients(result, 0);
        EXPECT_NEAR(result.points[0].intercept, 407.356, three_decimals);
        for (const auto& [name, value] : printed) EXPECT_NEAR(b[hitters.index(name)], value, three_decimals) << name;
        EXPECT_NEAR(norm(b), 6.36, 0.005);
        EXPECT_NEAR(norm(dense_coefficients(result, 1)), 57.11, 0.005);
    }
}

TEST(PublishedValues, LassoOnHittersAsGlmnetGivesIt)
{
    const std::string path = outside("hitters.csv");
    NEEDS_DATA(path);
    table hitters = read_table(path, "Salary");
    hitters.problem.settings.lambda = {10};
    hitters.problem.settings.tol = 1e-14;
    const path_result result = hitters.problem.fit();
    const std::map<std::string, double> computed{
        {"Hits", 2.00923968},         {"Walks", 2.25894564},   {"CHmRun", 0.02747875},
        {"CRuns", 0.21462600},        {"CRBI", 0.41296899},    {"LeagueN", 18.72891260},
        {"DivisionW", -115.29336633}, {"PutOuts", 0.23574242}, {"Errors", -0.78917194}};
    const std::vector<double> b = dense_coefficients(result, 0);
    for (std::size_t j = 0; j < b.size(); ++j) {
        const auto at = computed.find(hitters.names[j]);
        if (at == computed.end())
            EXPECT_EQ(b[j], 0.0) << hitters.names[j];
        else
            EXPECT_NEAR(b[j], at->second, 1e-5 * std::max(1.0, std::fabs(at->second))) << hitters.names[j];
    }
    EXPECT_NEAR(result.points[0].intercept, -1.32426550, 1e-4);
}

TEST(PublishedValues, GlmnetsOwnComparisonWithAnInteriorPointSolver)
{
    const std::string path = outside("glmnet_quickstart.csv.gz");
    NEEDS_DATA(path);
    table quickstart = read_table(path, "y");
    path_options& settings = quickstart.problem.settings;
    settings.intercept = false;
    settings.standardize = false;
    settings.lambda = {0.04};
    settings.tol = 1e-14;
    const std::vector<double> printed{1.3891182612, 0.0079906719,  0.731233819,   0.0311193456, -0.8667933399,
                                      0.5648670172, 0.0696783689,  0.3583456521,  0.0,          0.0705648942,
                                      0.1734639275, -0.0274720439, -0.0179595368, -1.138053047, -0.0709899634,
                                      0.0,          0.0,           0.0,           0.0,          -1.0975278884};
    for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista}) {
        settings.solver = solver;
        const path_result result = quickstart.problem.fit();
        const std::vector<double> b = dense_coefficients(result, 0);
        ASSERT_EQ(b.size(), printed.size());
        for (std::size_t j = 0; j < b.size(); ++j) {
            EXPECT_NEAR(b[j], printed[j], 1e-8) << j;
            EXPECT_EQ(b[j] == 0, printed[j] == 0) << j;
        }
    }
}

struct collinear_set {
    const char* file;
    const char* y_file; // "" when y is in the file
};

class ExactlyCollinear : public testing::TestWithParam<collinear_set> {};

TEST_P(ExactlyCollinear, EveryColumnIsCertified)
{
    const std::string path = outside(GetParam().file);
    NEEDS_DATA(path);
    data_set data = read_data(path);
    if (*GetParam().y_file != '\0') data.y = read_vector(outside(GetParam().y_file));
    for (const double alpha : {1.0, 0.5, 0.0}) {
        path_options options;
        options.alpha = alpha;
        options.n_lambda = 40;
        const path_result result = fit_path(data.X, data.y, options);
        SCOPED_TRACE(fmt::format("alpha {}", alpha));
        for (const path_point& point : result.points)
            EXPECT_LE(point.rel_gap, 1e-6) << "lambda " << point.lambda << ", df " << point.df;
    }
}

INSTANTIATE_TEST_SUITE_P(PublishedValues, ExactlyCollinear,
                         testing::Values(collinear_set{"ames.mtx.gz", "ames_y.mtx.gz"},
                                         collinear_set{"agaricus.svm.gz", ""}),
                         [](const auto& set) { return set.index == 0 ? "ames" : "agaricus"; });

} // namespace
} // namespace proxpath::test
