// `proxpath cv` as its users meet it, and predictions at lambda.min and lambda.1se.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"

#include <proxpath/proxpath.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace proxpath::cli {
namespace {

using cli_test::call;
using cli_test::outcome;
using cli_test::random_svmlight;
using io_test::slurp;
using io_test::spill;
using testing::HasSubstr;

std::vector<std::vector<std::string>> table_of(const std::string& file)
{
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(slurp(file));
    for (std::string line; std::getline(lines, line);) {
        rows.emplace_back();
        std::istringstream cells(line);
        for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
        if (line.ends_with(',')) rows.back().emplace_back();
    }
    return rows;
}

std::vector<double> predict_rows_of(const matrix& X, const sparse_columns& B, const std::vector<double>& intercepts)
{
    return predict(X, B, intercepts, 1);
}

class CvCommand : public testing::Test {
protected:
    CvCommand() { spill(folder.file("X.svm"), random_svmlight(60, 12, 1)); }

    outcome validate(const std::vector<std::string>& options)
    {
        std::vector<std::string> words{"cv", folder.file("X.svm"), "--out", folder.file("cv"), "--force"};
        words.insert(words.end(), options.begin(), options.end());
        return call(words);
    }
    nlohmann::json summary() const { return nlohmann::json::parse(slurp(folder.file("cv/summary.json"))); }
    cv_result by_library(cv_options options) const
    {
        const data_set data = read_data(folder.file("X.svm"));
        return fit_cv(data.X, data.y, options);
    }

    io_test::temporary_folder folder;
};

TEST_F(CvCommand, WritesTheFilesOfAFitAndItsOwnAndPrintsBothLambdas)
{
    const outcome done = validate({"--n-lambda", "20", "--folds", "5", "--seed", "3"});
    ASSERT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("lambda.min"));
    EXPECT_THAT(done.out, HasSubstr("lambda.1se"));
    ASSERT_EQ(call({"fit", folder.file("X.svm"), "--out", folder.file("fit"), "--n-lambda", "20"}).code,
              exit_certified);
    for (const std::string& name : {fit_files::path, fit_files::coefficients})
        EXPECT_EQ(slurp(folder.file("cv/" + name)), slurp(folder.file("fit/" + name))) << name;

    cv_options options;
    options.path.n_lambda = 20;
    options.folds = 5;
    options.seed = 3;
    const cv_result result = by_library(options);
    const auto curve = table_of(folder.file("cv/cv.csv"));
    ASSERT_EQ(curve.size(), 21U);
    EXPECT_EQ(curve[0], (std::vector<std::string>{"alpha", "lambda", "loss", "se", "df", "folds", "gamma"}));
    for (std::size_t k = 0; k < 20; ++k) {
        const cv_point& point = result.curve().points[k];
        EXPECT_EQ(std::stod(curve[k + 1][1]), point.lambda);
        EXPECT_EQ(std::stod(curve[k + 1][2]), point.mean);
        EXPECT_EQ(std::stod(curve[k + 1][3]), point.standard_error);
        EXPECT_EQ(curve[k + 1][5], "5");
    }
    const auto folds = table_of(folder.file("cv/folds.csv"));
    ASSERT_EQ(folds.size(), 101U);
    EXPECT_EQ(std::stod(folds[1 + 7 * 5 + 2][6]), result.curve().fold_losses[2 * 20 + 7]);
    EXPECT_EQ(folds[1 + 7 * 5 + 2][3], "3") << "folds count from 1";
    const auto predictions = table_of(folder.file("cv/predictions.csv"));
    ASSERT_EQ(predictions.size(), 61U);
    for (std::size_t i = 0; i < 60; ++i) {
        EXPECT_EQ(std::stoll(predictions[i + 1][0]), result.fold_of[i] + 1);
        EXPECT_EQ(std::stod(predictions[i + 1][1]), result.predictions[i * 20 + result.curve().at_min]);
        EXPECT_EQ(std::stod(predictions[i + 1][2]), result.predictions[i * 20 + result.curve().at_1se]);
    }
    const auto told = summary()["cv"];
    EXPECT_EQ(told["lambda_min"], result.lambda_min());
    EXPECT_EQ(told["lambda_1se"], result.lambda_1se());
    EXPECT_EQ(told["folds"], 5);
    EXPECT_EQ(summary()["options"]["seed"], 3);
}

TEST_F(CvCommand, PredictTakesMinAnd1seForTheirLambdas)
{
    ASSERT_EQ(validate({"--n-lambda", "20"}).code, exit_certified);
    const auto predict = [&](const std::string& lambda) {
        const outcome done = call(
            {"predict", folder.file("cv"), folder.file("X.svm"), "--out", folder.file("p.csv"), "--lambda", lambda});
        EXPECT_EQ(done.code, exit_certified) << done.err;
        return slurp(folder.file("p.csv"));
    };
    const auto told = summary()["cv"];
    EXPECT_EQ(predict("min"), predict(fmt::format("{}", told["lambda_min"].get<double>())));
    EXPECT_EQ(predict("1se"), predict(fmt::format("{}", told["lambda_1se"].get<double>())));

    ASSERT_EQ(call({"fit", folder.file("X.svm"), "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const auto refused = [&](const std::string& lambda) {
        return call({"predict", folder.file("fit"), folder.file("X.svm"), "--out", folder.file("p.csv"), "--lambda",
                     lambda})
            .err;
    };
    EXPECT_THAT(refused("min"), HasSubstr("has none; give a number, or a folder that proxpath cv wrote"));
    EXPECT_THAT(
        refused("max"),
        HasSubstr("--lambda is 'max'; it must be min, 1se, loo, gcv, aic, aicc, bic, ebic, or a number above 0"));
}

TEST_F(CvCommand, RelaxedFitsAreComparedAndThePredictionsAreOfTheChosenBlend)
{
    ASSERT_EQ(validate({"--n-lambda", "15", "--relax", "--gamma", "0,0.5"}).code, exit_certified);
    cv_options options;
    options.path.n_lambda = 15;
    options.gammas = {0, 0.5};
    const cv_result result = by_library(options);
    const auto curve = table_of(folder.file("cv/cv.csv"));
    ASSERT_EQ(curve.size(), 31U);
    for (std::size_t g = 0; g < 2; ++g)
        for (std::size_t k = 0; k < 15; ++k) {
            EXPECT_EQ(std::stod(curve[1 + 15 * g + k][2]), result.curves[g].points[k].mean);
            EXPECT_EQ(std::stod(curve[1 + 15 * g + k][6]), options.gammas[g]);
        }
    EXPECT_EQ(summary()["cv"]["gamma"], result.curve().gamma);
    EXPECT_EQ(summary()["cv"]["lambda_min"], result.lambda_min());
    const auto predict = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"predict", folder.file("cv"), folder.file("X.svm"), "--out",
                                       folder.file("p.csv")};
        words.insert(words.end(), more.begin(), more.end());
        const outcome done = call(words);
        EXPECT_EQ(done.code, exit_certified) << done.err;
        return table_of(folder.file("p.csv"));
    };
    const data_set data = read_data(folder.file("X.svm"));
    for (const auto& [words, gamma] :
         {std::pair{std::vector<std::string>{}, 1.0}, std::pair{std::vector<std::string>{"--gamma", "0.25"}, 0.25},
          std::pair{std::vector<std::string>{"--gamma", "0"}, 0.0}}) {
        std::vector<double> intercepts;
        for (std::size_t k = 0; k < 15; ++k)
            intercepts.push_back(gamma * result.fit.points[k].intercept +
                                 (1 - gamma) * result.relaxed->points[k].intercept);
        const std::vector<double> expected =
            predict_rows_of(data.X, blend(result.fit.coefficients, result.relaxed->coefficients, gamma), intercepts);
        const auto written = predict(words);
        for (std::size_t i = 0; i < 60; ++i)
            for (std::size_t k = 0; k < 15; ++k)
                EXPECT_DOUBLE_EQ(std::stod(written[i + 1][k]), expected[i * 15 + k]) << gamma;
    }
    const std::string chosen = fmt::format("{}", result.curve().gamma);
    EXPECT_EQ(predict({"--lambda", "min"}), predict({"--lambda", "min", "--gamma", chosen}));
    ASSERT_EQ(validate({"--n-lambda", "15"}).code, exit_certified);
    EXPECT_FALSE(std::filesystem::exists(folder.file("cv/relaxed.csv")));
    const outcome refused =
        call({"predict", folder.file("cv"), folder.file("X.svm"), "--out", folder.file("p.csv"), "--gamma", "0.5"});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("no relaxed coefficients"));
}

TEST_F(CvCommand, SeveralAlphasShareTheFoldsAndTheBestIsFitted)
{
    ASSERT_EQ(validate({"--alpha", "1,0.5,0.1", "--n-lambda", "10"}).code, exit_certified);
    const auto told = summary()["cv"];
    EXPECT_EQ(told["curves"].size(), 3U);
    double best = 1e300;
    double alpha = -1;
    for (const auto& curve : told["curves"])
        if (curve["min"]["loss"] < best) {
            best = curve["min"]["loss"];
            alpha = curve["alpha"];
        }
    EXPECT_EQ(told["alpha"], alpha);
    ASSERT_EQ(call({"fit", folder.file("X.svm"), "--out", folder.file("fit"), "--n-lambda", "10", "--alpha",
                    fmt::format("{}", alpha)})
                  .code,
              exit_certified);
    EXPECT_EQ(slurp(folder.file("cv/coefficients.mtx")), slurp(folder.file("fit/coefficients.mtx")));
    EXPECT_EQ(table_of(folder.file("cv/cv.csv")).size(), 31U);
    EXPECT_THAT(validate({"--alpha", "1,2"}).err, HasSubstr("--alpha is '2'; it must be a number from 0 to 1"));
    EXPECT_THAT(validate({"--alpha", "1,1"}).err, HasSubstr("--alpha: 1 is given twice"));
}

TEST_F(CvCommand, FoldsComeFromFilesGroupsBlocksOrSeeds)
{
    std::string ids;
    for (int i = 0; i < 60; ++i) ids += fmt::format("{}\n", i % 3 * 10);
    spill(folder.file("ids.txt"), ids);
    ASSERT_EQ(validate({"--fold-ids", folder.file("ids.txt"), "--n-lambda", "5"}).code, exit_certified);
    EXPECT_EQ(summary()["cv"]["folds"], 3);
    EXPECT_EQ(summary()["cv"]["split"], "given");
    const std::string by_ids = slurp(folder.file("cv/cv.csv"));
    ASSERT_EQ(validate({"--groups", folder.file("ids.txt"), "--folds", "3", "--n-lambda", "5"}).code, exit_certified);
    EXPECT_EQ(summary()["cv"]["split"], "grouped");
    const auto means = [&](const std::string& text) { return text.substr(0, 40); };
    EXPECT_EQ(means(slurp(folder.file("cv/cv.csv"))), means(by_ids)) << "three groups are three folds, in some order";
    for (const char* const split : {"stratified", "blocked"}) {
        ASSERT_EQ(validate({"--split", split, "--n-lambda", "5"}).code, exit_certified);
        EXPECT_EQ(summary()["cv"]["split"], split);
    }
    ASSERT_EQ(validate({"--repeats", "3", "--folds", "4", "--n-lambda", "5", "--loss", "r2"}).code, exit_certified);
    EXPECT_EQ(table_of(folder.file("cv/predictions.csv"))[0],
              (std::vector<std::string>{"fold1", "fold2", "fold3", "min", "1se"}));
    EXPECT_EQ(table_of(folder.file("cv/folds.csv")).size(), 1 + 5 * 12U);

    spill(folder.file("half.txt"), "1\n1.5\n");
    EXPECT_THAT(validate({"--fold-ids", folder.file("half.txt")}).err,
                HasSubstr("half.txt, line 2: the value '1.5' must be a whole number"));
    spill(folder.file("short.txt"), "1\n2\n");
    EXPECT_THAT(validate({"--groups", folder.file("short.txt")}).err, HasSubstr("2 groups, but"));
    EXPECT_THAT(validate({"--fold-ids", folder.file("ids.txt"), "--folds", "3"}).err, HasSubstr("do not go together"));
    EXPECT_THAT(validate({"--split", "blocked", "--repeats", "2"}).err, HasSubstr("the same folds every time"));
    EXPECT_THAT(validate({"--folds", "61"}).err, HasSubstr("folds is 61; must be from 2 to 60"));
    EXPECT_THAT(call({"fit", folder.file("X.svm"), "--out", folder.file("f"), "--folds", "3"}).err,
                HasSubstr("--folds is an option of proxpath cv, not of fit"));
}

TEST_F(CvCommand, FoldsThatDoNotConvergeGiveCodeTwoAndEmptyCells)
{
    const outcome done = validate({"--n-lambda", "5", "--solver", "ista", "--max-iterations", "1", "--tol", "1e-13"});
    EXPECT_EQ(done.code, exit_not_converged);
    EXPECT_THAT(done.err, HasSubstr("did not reach the tolerance"));
    EXPECT_GT(summary()["cv"]["not_converged"], 0);
    EXPECT_THAT(slurp(folder.file("cv/folds.csv")), HasSubstr(",,1\n"));
}

TEST_F(CvCommand, ASignalEndsItWithCodeThreeAndNothingIsWritten)
{
    spill(folder.file("X.svm"), random_svmlight(400, 300, 2));
    std::thread sender([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ::kill(::getpid(), SIGINT);
    });
    const outcome done =
        validate({"--solver", "ista", "--screening", "none", "--tol", "1e-13", "--threads", "2", "--n-lambda", "100"});
    sender.join();
    EXPECT_EQ(done.code, exit_interrupted) << done.err;
    EXPECT_FALSE(std::filesystem::exists(folder.file("cv")));
    EXPECT_EQ(folder.entries(), 1U);
}

TEST_F(CvCommand, AFitReplacesACrossValidationAndTheOtherWayRound)
{
    ASSERT_EQ(validate({"--n-lambda", "5"}).code, exit_certified);
    const outcome fit = call({"fit", folder.file("X.svm"), "--out", folder.file("cv"), "--force", "--n-lambda", "5"});
    EXPECT_EQ(fit.code, exit_certified) << fit.err;
    EXPECT_FALSE(std::filesystem::exists(folder.file("cv/cv.csv")));
    EXPECT_EQ(validate({"--n-lambda", "5"}).code, exit_certified);
    EXPECT_TRUE(std::filesystem::exists(folder.file("cv/cv.csv")));
}

TEST_F(CvCommand, WeightsOffsetsAndBoundsHoldInFoldsToo)
{
    std::string weights;
    std::string offset;
    std::vector<double> w;
    std::vector<double> o;
    for (int i = 0; i < 60; ++i) {
        w.push_back(i % 4);
        o.push_back(0.1 * i);
        weights += fmt::format("{}\n", w.back());
        offset += fmt::format("{}\n", o.back());
    }
    spill(folder.file("w.txt"), weights);
    spill(folder.file("o.txt"), offset);
    ASSERT_EQ(validate({"--weights", folder.file("w.txt"), "--offset", folder.file("o.txt"), "--positive", "--n-lambda",
                        "8", "--loss", "mae"})
                  .code,
              exit_certified);
    const std::vector<double> lower(12, 0.0);
    cv_options options;
    options.path.n_lambda = 8;
    options.path.weights = w;
    options.path.offset = o;
    options.path.lower = lower;
    options.loss = cv_loss::mae;
    const cv_result result = by_library(options);
    const auto curve = table_of(folder.file("cv/cv.csv"));
    for (std::size_t k = 0; k < 8; ++k) EXPECT_EQ(std::stod(curve[k + 1][2]), result.curve().points[k].mean);
    for (const double value : result.fit.coefficients.values) EXPECT_GT(value, 0);
}

} // namespace
} // namespace proxpath::cli
