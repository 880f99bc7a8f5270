// Fits in the numbers of another program (path_options::convention): each is the fit at the converted penalty, which
// tests/scale_test.cpp checks against the other program's objective. What comes with lambda, the grid, the folds of a
// cross-validation, responses fitted together, has to follow.

#include <proxpath/proxpath.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using proxpath::lambda_convention;
using proxpath::path_options;
using proxpath::path_result;

constexpr std::int64_t row_count = 40;
constexpr std::int64_t feature_count = 7;

struct convention_data {
    std::vector<double> X; // by columns
    std::vector<double> y, weights, offset, factors;

    proxpath::matrix_view view() const
    {
        return proxpath::dense_view<double>(row_count, feature_count, X.data(), row_count);
    }
};

convention_data random_convention_data(std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    convention_data made;
    made.X.resize(row_count * feature_count);
    for (double& value : made.X) value = uniform(random) < 0.3 ? 0 : normal(random);
    for (std::int64_t i = 0; i < row_count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        made.y.push_back(20 + 30 * made.X[at] - 12 * made.X[at + 2 * row_count] + 9 * normal(random));
        made.weights.push_back(i % 9 == 4 ? 0 : 3 * uniform(random));
        made.offset.push_back(normal(random));
    }
    for (std::int64_t j = 0; j < feature_count; ++j) made.factors.push_back(j == 3 ? 0 : 0.5 + uniform(random));
    return made;
}

/// y − offset, of which glmnet takes the deviation.
std::vector<double> response_without_offset(const convention_data& of, bool offset)
{
    std::vector<double> y = of.y;
    for (std::size_t i = 0; offset && i < y.size(); ++i) y[i] -= of.offset[i];
    return y;
}

std::vector<double> convention_column(const path_result& path, std::size_t k)
{
    std::vector<double> b(feature_count, 0.0);
    for (auto e = path.coefficients.offsets[k]; e < path.coefficients.offsets[k + 1]; ++e)
        b[static_cast<std::size_t>(path.coefficients.indices[static_cast<std::size_t>(e)])] =
            path.coefficients.values[static_cast<std::size_t>(e)];
    return b;
}

path_options solved_strictly(path_options options)
{
    options.tol = 1e-13;
    options.threads = 1;
    return options;
}

/// Two fits of one objective under two names.
void expect_one_objective(const path_result& a, std::size_t ka, const path_result& b, std::size_t kb)
{
    const double floor = 1e-12 * a.null_loss;
    EXPECT_NEAR(a.points[ka].primal, b.points[kb].primal, a.points[ka].gap + b.points[kb].gap + floor);
    EXPECT_NEAR(a.points[ka].dual, b.points[kb].dual, a.points[ka].gap + b.points[kb].gap + floor);
    const std::vector<double> one = convention_column(a, ka);
    const std::vector<double> other = convention_column(b, kb);
    for (std::size_t j = 0; j < one.size(); ++j) EXPECT_NEAR(one[j], other[j], 2e-4) << "feature " << j;
}

TEST(Convention, GlmnetsLambdaIsTheConvertedPenalty)
{
    const convention_data of = random_convention_data(1);
    for (const bool intercept : {true, false})
        for (const bool weighted : {true, false})
            for (const double alpha : {0.0, 0.3, 1.0}) {
                SCOPED_TRACE(testing::Message()
                             << "intercept " << intercept << ", weighted " << weighted << ", alpha " << alpha);
                path_options theirs;
                theirs.convention = lambda_convention::glmnet;
                theirs.alpha = alpha;
                theirs.intercept = intercept;
                theirs.lambda = {8, 2, 0.25};
                if (weighted) {
                    theirs.weights = of.weights;
                    theirs.offset = of.offset;
                    theirs.penalty_factors = of.factors;
                }
                const path_result fit = proxpath::fit_path(of.view(), of.y, solved_strictly(theirs));
                const double s = proxpath::glmnet_response_scale(
                    response_without_offset(of, weighted), weighted ? of.weights : std::vector<double>(), intercept);
                EXPECT_NEAR(fit.l2_divisor, s, 1e-13 * s);
                EXPECT_EQ(fit.alpha, alpha);
                for (std::size_t k = 0; k < theirs.lambda.size(); ++k) {
                    EXPECT_EQ(fit.points[k].lambda, theirs.lambda[k]);
                    const auto ours = proxpath::from_glmnet({theirs.lambda[k], alpha}, s);
                    path_options converted = theirs;
                    converted.convention = lambda_convention::proxpath;
                    converted.alpha = ours.alpha;
                    converted.lambda = {ours.lambda};
                    const path_result same = proxpath::fit_path(of.view(), of.y, solved_strictly(converted));
                    EXPECT_EQ(same.l2_divisor, 1);
                    expect_one_objective(fit, k, same, 0);
                }
            }
}

TEST(Convention, ScikitLearnsRidgeHasASumForALoss)
{
    const convention_data of = random_convention_data(2);
    for (const bool weighted : {true, false}) {
        path_options theirs = proxpath::options_as(lambda_convention::scikit_learn);
        theirs.alpha = 0;
        theirs.lambda = {500, 3};
        if (weighted) theirs.weights = of.weights;
        double sum = 0;
        for (const double weight : of.weights) sum += weight;
        if (!weighted) sum = row_count;
        const path_result fit = proxpath::fit_path(of.view(), of.y, solved_strictly(theirs));
        EXPECT_DOUBLE_EQ(fit.l2_divisor, sum);
        path_options converted = theirs;
        converted.convention = lambda_convention::proxpath;
        converted.lambda = {500 / sum, 3 / sum};
        const path_result same = proxpath::fit_path(of.view(), of.y, solved_strictly(converted));
        for (std::size_t k = 0; k < 2; ++k) expect_one_objective(fit, k, same, k);
    }
}

TEST(Convention, WhereScikitLearnMeansTheSameTheBitsAreTheSame)
{
    const convention_data of = random_convention_data(3);
    for (const double alpha : {0.5, 1.0}) {
        path_options options;
        options.alpha = alpha;
        const path_result ours = proxpath::fit_path(of.view(), of.y, options);
        options.convention = lambda_convention::scikit_learn;
        const path_result theirs = proxpath::fit_path(of.view(), of.y, options);
        EXPECT_EQ(theirs.coefficients.values, ours.coefficients.values);
        EXPECT_EQ(theirs.l2_divisor, 1);
    }
}

// glmnet's first lambda does not know the scale of y: the largest |x'y|/n over alpha, or over 0.001 for less. Its Ridge
// is ours at that lambda over s; scikit-learn's at n times it.
TEST(Convention, GridsBeginWhereTheOtherProgramsDo)
{
    const convention_data of = random_convention_data(4);
    const double s = proxpath::glmnet_response_scale(of.y, {}, true);
    for (const double alpha : {0.0, 0.0005, 0.3, 1.0}) {
        path_options options;
        options.alpha = alpha;
        options.n_lambda = 5;
        const path_result ours = proxpath::fit_path(of.view(), of.y, options);
        options.convention = lambda_convention::glmnet;
        const path_result glmnet = proxpath::fit_path(of.view(), of.y, options);
        const double unit = alpha == 0 ? s : 1; // Ridge's own lambda has none
        EXPECT_NEAR(glmnet.lambda_max, unit * ours.lambda_max, 1e-13 * unit * ours.lambda_max) << alpha;
        EXPECT_NEAR(glmnet.l2_divisor, s, 1e-13 * s);
        EXPECT_TRUE(alpha < 1e-3 || glmnet.points.front().df == 0) << alpha;
        options.convention = lambda_convention::scikit_learn;
        const path_result sklearn = proxpath::fit_path(of.view(), of.y, options);
        EXPECT_NEAR(sklearn.lambda_max, (alpha == 0 ? row_count : 1) * ours.lambda_max,
                    1e-13 * row_count * ours.lambda_max);
    }
}

// An L2 penalty has no unit of y, and neither has the grid.
TEST(Convention, RidgesGridDoesNotDependOnTheUnitOfTheResponse)
{
    const convention_data of = random_convention_data(9);
    path_options options;
    options.alpha = 0;
    options.n_lambda = 6;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    std::vector<double> larger;
    for (const double value : of.y) larger.push_back(1024 * value);
    const path_result of_larger = proxpath::fit_path(of.view(), larger, options);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        EXPECT_DOUBLE_EQ(of_larger.points[k].lambda, path.points[k].lambda);
        EXPECT_NEAR(of_larger.points[k].dev_ratio, path.points[k].dev_ratio, 1e-6);
    }
}

TEST(Convention, EachOfSeveralResponsesHasItsOwnScale)
{
    const convention_data of = random_convention_data(5);
    std::vector<double> Y = of.y;
    for (const double value : of.y) Y.push_back(1000 * value + 5);
    for (std::size_t i = 0; i < of.y.size(); ++i) Y.push_back(of.offset[i]);
    for (const double alpha : {0.0, 0.5}) {
        proxpath::responses_options options;
        options.path.convention = lambda_convention::glmnet;
        options.path.alpha = alpha;
        options.path.n_lambda = 10;
        const auto X = proxpath::matrix::from_view(of.view());
        const std::vector<path_result> together = proxpath::fit_responses(X, Y, options);
        ASSERT_EQ(together.size(), 3U);
        for (std::size_t r = 0; r < 3; ++r) {
            const std::vector<double> y(Y.begin() + static_cast<std::ptrdiff_t>(r * row_count),
                                        Y.begin() + static_cast<std::ptrdiff_t>((r + 1) * row_count));
            const path_result alone = proxpath::fit_path(X, y, options.path);
            EXPECT_DOUBLE_EQ(together[r].l2_divisor, alone.l2_divisor);
            ASSERT_EQ(together[r].points.size(), alone.points.size());
            for (std::size_t k = 0; k < alone.points.size(); ++k) {
                EXPECT_NEAR(together[r].points[k].lambda, alone.points[k].lambda, 1e-12 * alone.lambda_max);
                EXPECT_NEAR(together[r].points[k].primal, alone.points[k].primal,
                            together[r].points[k].gap + alone.points[k].gap + 1e-12 * alone.null_loss);
            }
        }
    }
}

// As in cv.glmnet, lambda is of all rows and the standard deviation of y that of the training rows.
TEST(Convention, AFoldHasTheScaleOfItsTrainingRows)
{
    const convention_data of = random_convention_data(6);
    std::vector<std::int64_t> folds(row_count);
    for (std::int64_t i = 0; i < row_count; ++i) folds[static_cast<std::size_t>(i)] = i % 4;
    proxpath::cv_options options;
    options.path.convention = lambda_convention::glmnet;
    options.path.alpha = 0.2;
    options.path.lambda = {3, 0.5};
    options.path = solved_strictly(options.path);
    options.fold_ids = folds;
    const proxpath::cv_result cv = proxpath::fit_cv(of.view(), of.y, options);
    for (std::int64_t fold = 0; fold < 4; ++fold) {
        std::vector<double> training(row_count, 1.0);
        std::vector<double> y, X;
        for (std::size_t i = 0; i < training.size(); ++i)
            if (folds[i] == fold) training[i] = 0;
        const double s = proxpath::glmnet_response_scale(of.y, training, true);
        for (std::size_t k = 0; k < 2; ++k) {
            const auto ours = proxpath::from_glmnet({options.path.lambda[k], 0.2}, s);
            path_options separate;
            separate.alpha = ours.alpha;
            separate.lambda = {ours.lambda};
            separate.weights = training;
            const path_result fit = proxpath::fit_path(of.view(), of.y, solved_strictly(separate));
            const std::vector<double> b = convention_column(fit, 0);
            double loss = 0;
            for (std::size_t i = 0; i < training.size(); ++i) {
                if (training[i] > 0) continue;
                double residual = of.y[i] - fit.points[0].intercept;
                for (std::size_t j = 0; j < b.size(); ++j) residual -= of.X[i + j * row_count] * b[j];
                loss += residual * residual / 10;
            }
            EXPECT_NEAR(cv.curve().fold_losses[static_cast<std::size_t>(fold) * 2 + k], loss, 1e-5 * loss);
        }
    }
}

// Degrees of freedom and what follows from them are those of the penalty, whoever's name it has.
TEST(Convention, DegreesOfFreedomAndLeaveOneOutAreThoseOfTheConvertedPenalty)
{
    const convention_data of = random_convention_data(8);
    const auto X = proxpath::matrix::from_view(of.view());
    const double s = proxpath::glmnet_response_scale(of.y, {}, true);
    for (const double alpha : {0.0, 0.3}) {
        path_options theirs;
        theirs.convention = lambda_convention::glmnet;
        theirs.alpha = alpha;
        theirs.lambda = {2};
        const path_result fit = proxpath::fit_path(X, of.y, solved_strictly(theirs));
        const auto ours = proxpath::from_glmnet({2, alpha}, s);
        path_options converted = theirs;
        converted.convention = lambda_convention::proxpath;
        converted.alpha = ours.alpha;
        converted.lambda = {ours.lambda};
        const path_result same = proxpath::fit_path(X, of.y, solved_strictly(converted));
        EXPECT_NEAR(proxpath::degrees_of_freedom(X, theirs, fit).front(),
                    proxpath::degrees_of_freedom(X, converted, same).front(), 1e-6);
        if (alpha > 0) continue;
        const auto left_out = proxpath::compute_leave_one_out(X, of.y, theirs, fit);
        const auto expected = proxpath::compute_leave_one_out(X, of.y, converted, same);
        EXPECT_NEAR(left_out.points[0].mse, expected.points[0].mse, 1e-5 * expected.points[0].mse);
        EXPECT_NEAR(left_out.points[0].gcv, expected.points[0].gcv, 1e-5 * expected.points[0].gcv);
        path_options sklearn = theirs;
        sklearn.convention = lambda_convention::scikit_learn;
        sklearn.lambda = {ours.lambda * row_count};
        const path_result summed = proxpath::fit_path(X, of.y, solved_strictly(sklearn));
        EXPECT_NEAR(proxpath::compute_leave_one_out(X, of.y, sklearn, summed).points[0].mse, expected.points[0].mse,
                    1e-5 * expected.points[0].mse);
    }
}

TEST(Convention, OptionsAsSetWhatTheOtherProgramDoesUnasked)
{
    const path_options glmnet = proxpath::options_as(lambda_convention::glmnet);
    EXPECT_TRUE(glmnet.rescale_penalty_factors);
    EXPECT_TRUE(glmnet.standardize);
    EXPECT_FALSE(glmnet.lambda_min_ratio);
    const path_options sklearn = proxpath::options_as(lambda_convention::scikit_learn);
    EXPECT_FALSE(sklearn.standardize);
    EXPECT_FALSE(sklearn.rescale_penalty_factors);
    EXPECT_EQ(sklearn.lambda_min_ratio, 1e-3);
    const path_options own = proxpath::options_as(lambda_convention::proxpath);
    EXPECT_EQ(own.convention, lambda_convention::proxpath);
    EXPECT_TRUE(own.standardize);
    EXPECT_FALSE(own.rescale_penalty_factors);
}

// A response without variation has no scale to divide by, and nothing to fit.
TEST(Convention, AConstantResponseIsTheNullModel)
{
    const convention_data of = random_convention_data(7);
    const std::vector<double> constant(row_count, 4.0);
    path_options options;
    options.convention = lambda_convention::glmnet;
    options.alpha = 0.5;
    const path_result fit = proxpath::fit_path(of.view(), constant, options);
    EXPECT_EQ(fit.l2_divisor, 1);
    EXPECT_TRUE(fit.all_converged());
    EXPECT_EQ(fit.points.back().df, 0);
    EXPECT_EQ(fit.points.back().intercept, 4);
}

} // namespace
