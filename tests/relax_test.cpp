// Relaxed fits: least squares on the support of every lambda, against the normal equations solved in the tests' own
// algebra and against fits with penalty factors of 0; blends; and their place in a cross-validation.

#include "tests/support/dense_algebra.hpp"

#include "host/selection/least_squares_factor.hpp"

#include <proxpath/proxpath.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <Eigen/Dense>

namespace {

using proxpath::path_options;
using proxpath::path_result;
using proxpath::relaxed_path;
using testing::HasSubstr;

struct relax_data {
    std::int64_t n = 0, p = 0;
    std::vector<double> X; // by columns
    std::vector<double> y, weights, offset;

    proxpath::matrix_view view() const { return proxpath::dense_view<double>(n, p, X.data(), n); }
    double at(std::int64_t i, std::int64_t j) const { return X[static_cast<std::size_t>(i + j * n)]; }
};

relax_data relax_random(std::int64_t n, std::int64_t p, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    relax_data made;
    made.n = n;
    made.p = p;
    made.X.resize(static_cast<std::size_t>(n * p));
    for (double& value : made.X) value = uniform(random) < 0.4 ? 0 : normal(random);
    for (std::int64_t i = 0; i < n; ++i) {
        double y = 3 + normal(random);
        for (std::int64_t j = 0; j < std::min<std::int64_t>(p, 4); ++j) y += (j % 2 == 0 ? 2.0 : -1.5) * made.at(i, j);
        made.y.push_back(y);
        made.weights.push_back(i % 7 == 3 ? 0 : 0.5 + uniform(random));
        made.offset.push_back(normal(random));
    }
    return made;
}

/// Least squares of y − offset on these columns, and an intercept: the weighted loss at its minimum, by an orthogonal
/// decomposition, which has no normal equations.
struct least_squares {
    double loss = 0;
    Eigen::VectorXd coefficients; // the intercept first, where there is one
};

least_squares least_squares_by_qr(const relax_data& of, const std::vector<std::int64_t>& support, bool intercept,
                                  bool weighted)
{
    const auto extra = static_cast<Eigen::Index>(intercept ? 1 : 0);
    Eigen::MatrixXd A(of.n, extra + static_cast<Eigen::Index>(support.size()));
    Eigen::VectorXd b(of.n);
    double sum = 0;
    for (const double weight : of.weights) sum += weighted ? weight : 1;
    for (std::int64_t i = 0; i < of.n; ++i) {
        const auto row = static_cast<std::size_t>(i);
        const double square_root = std::sqrt((weighted ? of.weights[row] : 1) / sum);
        if (intercept) A(i, 0) = square_root;
        for (std::size_t s = 0; s < support.size(); ++s)
            A(i, extra + static_cast<Eigen::Index>(s)) = square_root * of.at(i, support[s]);
        b[i] = square_root * (of.y[row] - (weighted ? of.offset[row] : 0));
    }
    least_squares found;
    found.coefficients = A.cols() > 0 ? Eigen::VectorXd(A.completeOrthogonalDecomposition().solve(b))
                                      : Eigen::VectorXd(Eigen::VectorXd::Zero(0));
    found.loss = 0.5 * (A.cols() > 0 ? Eigen::VectorXd(b - A * found.coefficients) : b).squaredNorm();
    return found;
}

std::vector<std::int64_t> relaxed_support_of(const proxpath::sparse_columns& B, std::size_t k)
{
    return {B.indices.begin() + B.offsets[k], B.indices.begin() + B.offsets[k + 1]};
}

TEST(Relax, EveryLambdaIsTheLeastSquaresOfItsSupport)
{
    for (const auto& [n, p] : {std::pair{60, 8}, std::pair{40, 25}, std::pair{30, 90}})
        for (const bool intercept : {true, false})
            for (const bool weighted : {true, false})
                for (const double alpha : {1.0, 0.6}) {
                    SCOPED_TRACE(testing::Message() << n << " x " << p << ", intercept " << intercept << ", weighted "
                                                    << weighted << ", alpha " << alpha);
                    const relax_data of = relax_random(n, p, static_cast<std::uint64_t>(n + p));
                    path_options options;
                    options.alpha = alpha;
                    options.intercept = intercept;
                    options.n_lambda = 20;
                    options.lambda_min_ratio = 0.02;
                    if (weighted) {
                        options.weights = of.weights;
                        options.offset = of.offset;
                    }
                    const path_result path = proxpath::fit_path(of.view(), of.y, options);
                    const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
                    ASSERT_EQ(relaxed.points.size(), path.points.size());
                    for (std::size_t k = 0; k < path.points.size(); ++k) {
                        const auto support = relaxed_support_of(path.coefficients, k);
                        const least_squares expected = least_squares_by_qr(of, support, intercept, weighted);
                        const proxpath::relaxed_point& point = relaxed.points[k];
                        EXPECT_EQ(point.lambda, path.points[k].lambda);
                        EXPECT_NEAR(point.loss, expected.loss, 1e-9 * path.null_loss) << k;
                        EXPECT_LE(point.rel_gap, 1e-3 * options.tol);
                        EXPECT_NEAR(point.dev_ratio, 1 - expected.loss / path.null_loss, 1e-9);
                        EXPECT_LE(point.loss, path.points[k].primal + 1e-12 * path.null_loss);
                        // As many rows as columns and more leave nothing to compare digit by digit.
                        if (static_cast<std::int64_t>(support.size()) > n / 2) continue;
                        const std::ptrdiff_t extra = intercept ? 1 : 0;
                        EXPECT_NEAR(point.intercept, intercept ? expected.coefficients[0] : 0, 1e-6);
                        ASSERT_EQ(relaxed_support_of(relaxed.coefficients, k), support);
                        for (std::size_t s = 0; s < support.size(); ++s)
                            EXPECT_NEAR(relaxed.coefficients.values[static_cast<std::size_t>(
                                            relaxed.coefficients.offsets[k] + static_cast<std::int64_t>(s))],
                                        expected.coefficients[extra + static_cast<std::ptrdiff_t>(s)], 1e-6);
                    }
                }
}

TEST(Relax, AFitWithFactorsOfZeroIsTheSame)
{
    const relax_data of = relax_random(50, 12, 3);
    path_options options;
    options.n_lambda = 8;
    options.lambda_min_ratio = 0.1;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        std::vector<double> factors(12, std::numeric_limits<double>::infinity());
        for (const std::int64_t feature : relaxed_support_of(path.coefficients, k))
            factors[static_cast<std::size_t>(feature)] = 0;
        path_options free;
        free.penalty_factors = factors;
        free.lambda = {1.0};
        const path_result fit = proxpath::fit_path(of.view(), of.y, free);
        EXPECT_NEAR(relaxed.points[k].loss, fit.points[0].primal, 1e-10 * path.null_loss);
        EXPECT_NEAR(relaxed.points[k].intercept, fit.points[0].intercept, 1e-8);
    }
}

TEST(Relax, UnpenalisedFeaturesAreInEverySupport)
{
    const relax_data of = relax_random(50, 6, 4);
    const std::vector<double> factors{1, 1, 1, 1, 1, 0};
    path_options options;
    options.penalty_factors = factors;
    options.n_lambda = 6;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const auto support = relaxed_support_of(relaxed.coefficients, k);
        EXPECT_EQ(std::count(support.begin(), support.end(), 5), 1);
        EXPECT_NEAR(relaxed.points[k].loss, least_squares_by_qr(of, support, true, false).loss, 1e-10 * path.null_loss);
    }
}

// Of columns that are the same, one carries the coefficient; the loss is that of both.
TEST(Relax, ColumnsThatOthersExplainGetZero)
{
    relax_data of = relax_random(40, 6, 5);
    for (std::int64_t i = 0; i < of.n; ++i) {
        of.X[static_cast<std::size_t>(i + 4 * of.n)] = of.at(i, 0);
        of.X[static_cast<std::size_t>(i + 5 * of.n)] = 2 * of.at(i, 1) - 3 * of.at(i, 2);
    }
    path_options options;
    options.alpha = 0.5; // shares a coefficient among duplicates
    options.n_lambda = 15;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
    EXPECT_EQ(relaxed.points.back().df, 4);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const double expected = least_squares_by_qr(of, relaxed_support_of(path.coefficients, k), true, false).loss;
        EXPECT_NEAR(relaxed.points[k].loss, expected, 1e-9 * path.null_loss) << k;
    }
}

// Two columns that are nearly one, y along their difference: the whole signal is where a coarse rule sees none. What is
// left out, if anything is, stands in the gap.
TEST(Relax, NearlyDependentColumnsAreFittedOrTheirLossIsInTheGap)
{
    for (const double apart : {1e-3, 1e-5, 3e-6, 1e-7, 1e-9}) {
        SCOPED_TRACE(apart);
        relax_data of = relax_random(60, 3, 12);
        std::mt19937_64 random(13);
        std::normal_distribution<double> normal;
        for (std::int64_t i = 0; i < of.n; ++i) {
            const double z = normal(random);
            of.X[static_cast<std::size_t>(i + of.n)] = of.at(i, 0) + apart * z;
            of.y[static_cast<std::size_t>(i)] = z + 0.3 * normal(random);
        }
        const std::vector<double> factors{0, 0, 1};
        path_options options;
        options.penalty_factors = factors;
        options.n_lambda = 3;
        options.tol = 0.01; // of the path only the support is of interest, which collinear columns make slow
        const path_result path = proxpath::fit_path(of.view(), of.y, options);
        options.tol = 1e-6;
        const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
        const std::size_t last = path.points.size() - 1;
        std::vector<std::int64_t> support = relaxed_support_of(path.coefficients, last);
        for (const std::int64_t feature : {0, 1})
            if (std::count(support.begin(), support.end(), feature) == 0) support.push_back(feature);
        const double least = least_squares_by_qr(of, support, true, false).loss;
        const proxpath::relaxed_point& point = relaxed.points[last];
        double y_square = 0;
        for (const double value : of.y) y_square += value * value / static_cast<double>(of.n);
        EXPECT_LE(point.loss - least, point.gap + 1e-9 * y_square);
        if (apart < 3e-6) continue;
        EXPECT_EQ(point.df, static_cast<std::int64_t>(support.size()));
        EXPECT_LE(point.loss - least, 1e-8 * y_square);
    }
}

TEST(Relax, TheSameBitsForAnyNumberOfThreads)
{
    const relax_data of = relax_random(80, 120, 6);
    path_options options;
    options.n_lambda = 30;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    options.threads = 1;
    const relaxed_path one = proxpath::relax_path(of.view(), of.y, options, path);
    options.threads = 4;
    const relaxed_path four = proxpath::relax_path(of.view(), of.y, options, path);
    EXPECT_EQ(one.coefficients.values, four.coefficients.values);
}

TEST(Relax, RefusesWhatDoesNotGoTogether)
{
    const relax_data of = relax_random(20, 5, 7);
    path_options options;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    const auto refusal = [&](const path_options& with, const relax_data& on) {
        try {
            proxpath::relax_path(on.view(), on.y, with, path);
        } catch (const proxpath::invalid_input& refused) {
            return std::string(refused.what());
        }
        return std::string("accepted");
    };
    path_options ridge;
    ridge.alpha = 0;
    const path_result ridge_path = proxpath::fit_path(of.view(), of.y, ridge);
    EXPECT_THROW(proxpath::relax_path(of.view(), of.y, ridge, ridge_path), proxpath::invalid_input);
    const std::vector<double> zeros(5, 0.0);
    path_options bounded;
    bounded.lower = zeros;
    EXPECT_THAT(refusal(bounded, of), HasSubstr("bounds"));
    const std::vector<double> open(5, -std::numeric_limits<double>::infinity());
    path_options unbounded;
    unbounded.lower = open;
    EXPECT_EQ(refusal(unbounded, of), "accepted");
    path_options mixed;
    mixed.alpha = 0.5;
    EXPECT_THAT(refusal(mixed, of), HasSubstr("fitted with alpha 1"));
    EXPECT_THAT(refusal(options, relax_random(20, 4, 7)), HasSubstr("20 x 5"));
    EXPECT_THROW(proxpath::blend(path.coefficients, path.coefficients, 1.5), proxpath::invalid_input);
    path_options tight;
    tight.memory_limit = std::uint64_t{1} << 40;
    EXPECT_EQ(refusal(tight, of), "accepted");
    path_options stopped;
    stopped.on_progress = [](const proxpath::progress&) { return false; };
    EXPECT_THROW(proxpath::relax_path(of.view(), of.y, stopped, path), proxpath::cancelled);
}

TEST(Relax, ABlendIsLinear)
{
    const relax_data of = relax_random(40, 10, 8);
    path_options options;
    options.n_lambda = 10;
    const path_result path = proxpath::fit_path(of.view(), of.y, options);
    const relaxed_path relaxed = proxpath::relax_path(of.view(), of.y, options, path);
    const auto X = proxpath::matrix::from_view(of.view());
    const std::vector<double> none(path.points.size(), 0.0);
    const auto predicted = [&](const proxpath::sparse_columns& B) { return proxpath::predict(X, B, none, 1); };
    const std::vector<double> penalised = predicted(path.coefficients);
    const std::vector<double> free = predicted(relaxed.coefficients);
    const std::vector<double> mixed = predicted(proxpath::blend(path.coefficients, relaxed.coefficients, 0.3));
    for (std::size_t i = 0; i < mixed.size(); ++i)
        EXPECT_NEAR(mixed[i], 0.3 * penalised[i] + 0.7 * free[i], 1e-12 * (1 + std::fabs(mixed[i])));
    EXPECT_EQ(proxpath::blend(path.coefficients, relaxed.coefficients, 1).values, path.coefficients.values);
    EXPECT_EQ(proxpath::blend(path.coefficients, relaxed.coefficients, 0).values, relaxed.coefficients.values);
}

// The curve of a gamma is what separate fits of the training rows, relaxed and blended, lose on the rows held out.
TEST(Relax, CrossValidationComparesBlendsOfEachFold)
{
    const relax_data of = relax_random(45, 10, 9);
    std::vector<std::int64_t> folds(45);
    for (std::size_t i = 0; i < folds.size(); ++i) folds[i] = static_cast<std::int64_t>(i % 5);
    proxpath::cv_options options;
    options.path.n_lambda = 12;
    options.path.weights = of.weights;
    options.path.offset = of.offset;
    options.path.threads = 2;
    options.fold_ids = folds;
    options.gammas = {0, 0.4, 1};
    const proxpath::cv_result cv = proxpath::fit_cv(of.view(), of.y, options);
    ASSERT_EQ(cv.curves.size(), 3U);
    ASSERT_TRUE(cv.relaxed);
    const std::size_t K = cv.fit.points.size();
    std::vector<double> lambdas;
    for (const auto& point : cv.fit.points) lambdas.push_back(point.lambda);
    const auto X = proxpath::matrix::from_view(of.view());
    for (std::int64_t f = 0; f < 5; ++f) {
        std::vector<double> training = of.weights;
        for (std::size_t i = 0; i < training.size(); ++i)
            if (folds[i] == f) training[i] = 0;
        path_options separate = options.path;
        separate.weights = training;
        separate.lambda = lambdas;
        const path_result fit = proxpath::fit_path(X, of.y, separate);
        const relaxed_path relaxed = proxpath::relax_path(X, of.y, separate, fit);
        for (std::size_t g = 0; g < 3; ++g) {
            const double gamma = options.gammas[g];
            std::vector<double> intercepts;
            for (std::size_t k = 0; k < K; ++k)
                intercepts.push_back(gamma * fit.points[k].intercept + (1 - gamma) * relaxed.points[k].intercept);
            const std::vector<double> predicted =
                proxpath::predict(X, proxpath::blend(fit.coefficients, relaxed.coefficients, gamma), intercepts, 1);
            for (std::size_t k = 0; k < K; ++k) {
                double loss = 0;
                double weight = 0;
                for (std::size_t i = 0; i < folds.size(); ++i) {
                    if (folds[i] != f) continue;
                    const double residual = of.y[i] - of.offset[i] - predicted[i * K + k];
                    loss += of.weights[i] * residual * residual;
                    weight += of.weights[i];
                }
                EXPECT_EQ(cv.curves[g].gamma, gamma);
                EXPECT_NEAR(cv.curves[g].fold_losses[static_cast<std::size_t>(f) * K + k], loss / weight,
                            1e-9 * loss / weight);
            }
        }
    }
    // The chosen one is the best of all, and its predictions are blends, too.
    for (const auto& curve : cv.curves)
        EXPECT_LE(cv.curve().points[cv.curve().at_min].mean, curve.points[curve.at_min].mean);
    double total = 0;
    double weight = 0;
    for (std::size_t i = 0; i < folds.size(); ++i) {
        const double residual = of.y[i] - cv.predictions[i * K + cv.curve().at_min];
        total += of.weights[i] * residual * residual;
        weight += of.weights[i];
    }
    EXPECT_NEAR(total / weight, cv.curve().points[cv.curve().at_min].mean, 1e-9 * total / weight);
}

TEST(Relax, CrossValidationRefusesWhatDoesNotGoTogether)
{
    const relax_data of = relax_random(20, 5, 10);
    const auto refusal = [&](const proxpath::cv_options& options) {
        try {
            proxpath::fit_cv(of.view(), of.y, options);
        } catch (const proxpath::invalid_input& refused) {
            return std::string(refused.what());
        }
        return std::string("accepted");
    };
    proxpath::cv_options options;
    options.gammas = {0.5, 1.2};
    EXPECT_THAT(refusal(options), HasSubstr("gamma is 1.2"));
    options.gammas = {0.5};
    options.patience = 5;
    EXPECT_THAT(refusal(options), HasSubstr("patience"));
    options.patience = 0;
    options.alphas = {1, 0};
    EXPECT_THAT(refusal(options), HasSubstr("alpha 0"));
}

// The factor walks through random supports; wherever it is, it solves like a dense decomposition made anew.
TEST(LeastSquaresFactor, FollowsASupport)
{
    std::mt19937_64 random(11);
    std::normal_distribution<double> normal;
    const Eigen::Index size = 150;
    Eigen::MatrixXd A = Eigen::MatrixXd::NullaryExpr(300, size, [&](double) { return normal(random); });
    A.col(20) = A.col(3);
    A.col(70) = 0.5 * A.col(4) - 2 * A.col(5);
    for (Eigen::Index j = 0; j < size; ++j) A.col(j).normalize();
    const Eigen::MatrixXd C = A.transpose() * A;
    const Eigen::VectorXd r = A.transpose() * Eigen::VectorXd::NullaryExpr(300, [&](double) { return normal(random); });
    proxpath::selection::least_squares_factor factor(C);
    std::vector<std::int64_t> support;
    for (int step = 0; step < 60; ++step) {
        const int moves = step % 20 == 19 ? 80 : 6;
        for (int move = 0; move < moves; ++move) {
            const auto feature = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(size));
            const auto found = std::find(support.begin(), support.end(), feature);
            if (found == support.end())
                support.push_back(feature);
            else
                support.erase(found);
        }
        factor.move_to(support);
        Eigen::MatrixXd sub(300, static_cast<Eigen::Index>(support.size()));
        for (std::size_t s = 0; s < support.size(); ++s) sub.col(static_cast<Eigen::Index>(s)) = A.col(support[s]);
        const auto rank = support.empty() ? 0 : sub.colPivHouseholderQr().rank();
        ASSERT_EQ(factor.size(), rank) << step;
        Eigen::VectorXd x(size);
        const double half = factor.solve(r, x);
        EXPECT_NEAR(half, 0.5 * r.dot(x), 1e-9 * (1 + half));
        EXPECT_EQ(factor.left_out(r, x, 1e-9), 0) << "columns that are there twice add nothing";
        const Eigen::VectorXd rest = r - C * x;
        for (const std::int64_t feature : support) EXPECT_NEAR(rest[feature], 0, 1e-8) << step;
    }
    factor.move_to({});
    EXPECT_EQ(factor.size(), 0);
}

} // namespace
