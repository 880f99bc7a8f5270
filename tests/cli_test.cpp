// The program as its users meet it: files, exit codes, messages, interruption. Commands run in this process through
// cli::run, with their output caught.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/help.hpp"
#include "host/cli/run.hpp"
#include "host/cli/staging.hpp"

#include <proxpath/proxpath.hpp>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

namespace proxpath::cli {
namespace {

using cli_test::call;
using cli_test::outcome;
using cli_test::random_svmlight;
using io_test::slurp;
using io_test::spill;
using io_test::temporary_folder;
using testing::HasSubstr;

outcome call_with(std::vector<std::string> words, const std::string& last)
{
    words.push_back(last);
    return call(words);
}

/// A fit by ISTA without screening to twelve digits, with SIGINT on the way.
outcome call_interrupted(std::vector<std::string> words)
{
    words.insert(words.end(), {"--solver", "ista", "--screening", "none", "--tol", "1e-12", "--threads", "1"});
    std::thread sender([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(700));
        ::kill(::getpid(), SIGINT);
    });
    outcome done = call(words);
    sender.join();
    return done;
}

class Cli : public testing::Test {
protected:
    std::string small_data() const
    {
        spill(folder.file("small.svm"), random_svmlight(60, 12, 1));
        return folder.file("small.svm");
    }
    std::string path_of(const std::string& name) const { return folder.file("fit") + "/" + name; }

    temporary_folder folder;
};

TEST_F(Cli, FitWritesAWholeFolderAndSaysSo)
{
    const outcome done = call({"fit", small_data(), "--out", folder.file("fit"), "--n-lambda", "20"});
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("all 20 certified"));
    EXPECT_THAT(done.out, HasSubstr("lambda_max"));
    EXPECT_THAT(done.out, HasSubstr("passes"));
    EXPECT_THAT(done.out, HasSubstr("memory"));
    const auto summary = nlohmann::json::parse(slurp(path_of(fit_files::summary)));
    for (const char* key : {"version", "device", "options", "n", "p", "nnz", "data_checksum", "n_lambda", "converged",
                            "passes", "seconds", "peak_memory_bytes"})
        EXPECT_TRUE(summary.contains(key)) << key;
    for (const char* key : {"load", "solve", "write", "total"}) EXPECT_TRUE(summary["seconds"].contains(key)) << key;
    EXPECT_EQ(summary["n"], 60);
    EXPECT_EQ(summary["p"], 12);
    EXPECT_EQ(summary["n_lambda"], 20);
    EXPECT_EQ(summary["converged"], 20);
    EXPECT_THAT(
        slurp(path_of(fit_files::path)),
        testing::StartsWith("lambda,df,dev_ratio,intercept,primal,dual,gap,rel_gap,kkt,status,iterations,passes\n"));
    EXPECT_THAT(slurp(path_of(fit_files::coefficients)), testing::StartsWith("%%MatrixMarket matrix coordinate real"));
    EXPECT_EQ(folder.entries(), 2U) << "nothing but the data and the folder of the fit is left";
}

TEST_F(Cli, JsonGoesToStandardOutputAloneAndQuietPrintsNothing)
{
    const outcome json = call({"fit", small_data(), "--out", folder.file("fit"), "--json"});
    EXPECT_EQ(json.code, exit_certified);
    EXPECT_EQ(nlohmann::json::parse(json.out)["p"], 12);
    const outcome quiet = call({"fit", small_data(), "--out", folder.file("fit"), "--force", "--quiet"});
    EXPECT_EQ(quiet.code, exit_certified);
    EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST_F(Cli, DryRunPrintsThePlanAndWritesNothing)
{
    const outcome done = call({"fit", small_data(), "--dry-run"});
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("predicted"));
    EXPECT_EQ(folder.entries(), 1U);
}

TEST_F(Cli, ColumnsThatStayOpenAreMarkedAndGiveCodeTwo)
{
    const outcome done = call({"fit", small_data(), "--out", folder.file("fit"), "--solver", "ista", "--tol", "1e-13",
                               "--max-iterations", "1"});
    EXPECT_EQ(done.code, exit_not_converged) << done.err;
    EXPECT_THAT(done.err, HasSubstr("did not reach the tolerance"));
    EXPECT_THAT(slurp(path_of(fit_files::path)), HasSubstr("not_converged"));
}

TEST_F(Cli, AnExistingFolderIsKeptUnlessForcedAndAForeignOneAlways)
{
    const std::string data = small_data();
    ASSERT_EQ(call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const std::string before = slurp(path_of(fit_files::path));
    const outcome again = call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "4"});
    EXPECT_EQ(again.code, exit_wrong_input);
    EXPECT_THAT(again.err, HasSubstr("--force"));
    EXPECT_EQ(slurp(path_of(fit_files::path)), before);
    EXPECT_EQ(call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "4", "--force"}).code, exit_certified);
    EXPECT_NE(slurp(path_of(fit_files::path)), before);

    spill(path_of("notes.txt"), "mine");
    const outcome foreign = call({"fit", data, "--out", folder.file("fit"), "--force"});
    EXPECT_EQ(foreign.code, exit_wrong_input);
    EXPECT_THAT(foreign.err, HasSubstr("notes.txt"));
    EXPECT_EQ(slurp(path_of("notes.txt")), "mine");
}

TEST_F(Cli, AFailedWriteLeavesNothingBehindAndTheOlderFitAsItWas)
{
    const std::string data = small_data();
    ASSERT_EQ(call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const std::string before = slurp(path_of(fit_files::path));

    // A limit on the size of files stands for a full disk: the write itself fails.
    struct rlimit usual = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit tight = usual;
    tight.rlim_cur = 6000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    const outcome failed = call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "100", "--force"});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
    std::signal(SIGXFSZ, handler);

    EXPECT_EQ(failed.code, exit_system) << failed.err;
    EXPECT_THAT(failed.err, HasSubstr("cannot write"));
    EXPECT_EQ(slurp(path_of(fit_files::path)), before);
    EXPECT_EQ(folder.entries(), 2U);
}

TEST_F(Cli, AMissingParentFolderIsSaidBeforeAnythingIsRead)
{
    const outcome done = call({"fit", folder.file("no-data.svm"), "--out", folder.file("no/such/fit")});
    EXPECT_EQ(done.code, exit_wrong_input);
    EXPECT_THAT(done.err, HasSubstr("does not exist; make it first"));
}

TEST_F(Cli, TheFirstSignalWritesWhatIsFinishedAndEndsWithCodeThree)
{
    spill(folder.file("slow.svm"), random_svmlight(400, 300, 2));
    const outcome done = call_interrupted(
        {"fit", folder.file("slow.svm"), "--out", folder.file("fit")}); // minutes, if it is not stopped
    EXPECT_EQ(done.code, exit_interrupted) << done.err;
    EXPECT_THAT(done.err, HasSubstr("interrupted"));
    const auto summary = nlohmann::json::parse(slurp(path_of(fit_files::summary)));
    EXPECT_GT(summary["interrupted"], 0);
    EXPECT_THAT(slurp(path_of(fit_files::path)), HasSubstr(",interrupted,"));

    // What was not reached is not predicted with, and the program works on.
    if (summary["converged"] > 0) {
        const outcome predicted =
            call({"predict", folder.file("fit"), folder.file("slow.svm"), "--out", folder.file("p.csv")});
        EXPECT_EQ(predicted.code, exit_certified) << predicted.err;
    }
}

TEST_F(Cli, AnInterruptedFitTakesTheOlderOnesPlaceNever)
{
    spill(folder.file("slow.svm"), random_svmlight(400, 300, 2));
    ASSERT_EQ(call({"fit", folder.file("slow.svm"), "--out", folder.file("fit"), "--n-lambda", "3"}).code,
              exit_certified);
    const std::string before = slurp(path_of(fit_files::path));
    // Nor the place of another that was interrupted, nor of what merely has such a name.
    spill(folder.file("fit.interrupted-2"), "mine");
    for (const char* const name : {"fit.interrupted", "fit.interrupted-3"}) {
        const outcome done = call_interrupted({"fit", folder.file("slow.svm"), "--out", folder.file("fit"), "--force"});
        EXPECT_EQ(done.code, exit_interrupted) << done.err;
        EXPECT_THAT(done.err, HasSubstr(name));
        EXPECT_EQ(slurp(path_of(fit_files::path)), before);
        EXPECT_THAT(slurp(folder.file(name) + "/path.csv"), HasSubstr(",interrupted,"));
    }
    EXPECT_EQ(slurp(folder.file("fit.interrupted-2")), "mine");
}

TEST_F(Cli, ForceLeavesAFolderAloneThatOnlyHasTheNamesOfAFit)
{
    std::filesystem::create_directory(folder.file("fit"));
    spill(path_of(fit_files::path), "city,km\nBern,7\n");
    const outcome done = call({"fit", small_data(), "--out", folder.file("fit"), "--force"});
    EXPECT_EQ(done.code, exit_wrong_input);
    EXPECT_THAT(done.err, HasSubstr("is no fit of proxpath"));
    EXPECT_EQ(slurp(path_of(fit_files::path)), "city,km\nBern,7\n");
}

TEST_F(Cli, PredictionsDoNotReplaceWhatTheyAreMadeFrom)
{
    const std::string data = small_data();
    ASSERT_EQ(call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const std::string before = slurp(data);
    for (const std::string& out : {data, path_of(fit_files::path), path_of("p.csv")}) {
        const outcome done = call({"predict", folder.file("fit"), data, "--out", out});
        EXPECT_EQ(done.code, exit_wrong_input) << out;
        EXPECT_THAT(done.err, HasSubstr("--out '" + out + "'"));
    }
    EXPECT_EQ(slurp(data), before);
    EXPECT_EQ(call({"predict", folder.file("fit"), data, "--out", folder.file("p.csv")}).code, exit_certified);
}

TEST_F(Cli, WhatSomebodyPutIntoTheOlderFolderMeanwhileIsNotDeleted)
{
    ASSERT_EQ(call({"fit", small_data(), "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const destination where = check_folder_destination(folder.file("fit"), true, fit_marks(), is_fit_file);
    staging_folder newer(where);
    write_text_file(newer.file(fit_files::path), "new");
    spill(path_of("notes.txt"), "mine");
    const std::string left = newer.commit_folder();
    EXPECT_EQ(slurp(path_of(fit_files::path)), "new");
    EXPECT_EQ(slurp(left + "/notes.txt"), "mine");
    EXPECT_FALSE(std::filesystem::exists(left + "/" + fit_files::path));
}

TEST_F(Cli, AResultWhosePlaceIsTakenMeanwhileGoesBesideIt)
{
    staging_folder late(check_folder_destination(folder.file("fit"), false, fit_marks(), is_fit_file));
    write_text_file(late.file(fit_files::path), "late");
    std::filesystem::create_directory(folder.file("fit"));
    spill(path_of(fit_files::path), "first");
    try {
        late.commit_folder();
        ADD_FAILURE() << "took a folder that somebody else made";
    } catch (const system_error& problem) {
        EXPECT_THAT(problem.what(), HasSubstr(folder.file("fit.late")));
    }
    EXPECT_EQ(slurp(path_of(fit_files::path)), "first");
    EXPECT_EQ(slurp(folder.file("fit.late/path.csv")), "late");
}

TEST_F(Cli, PredictionsBeyondTheMemoryLimitAreRefused)
{
    const std::string data = small_data();
    ASSERT_EQ(call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "100"}).code, exit_certified);
    spill(folder.file("long.svm"), random_svmlight(3000, 5, 4));
    const std::vector<std::string> words{"predict", folder.file("fit"),   folder.file("long.svm"),
                                         "--out",   folder.file("p.csv"), "--memory"};
    const outcome refused = call_with(words, "2M"); // 3000 x 100 doubles alone are 2.4 MB
    EXPECT_EQ(refused.code, exit_system);
    EXPECT_THAT(refused.err, HasSubstr("--lambda"));
    EXPECT_FALSE(std::filesystem::exists(folder.file("p.csv")));
    EXPECT_EQ(call_with(words, "64M").code, exit_certified);
}

TEST_F(Cli, ATooSmallMemoryLimitNamesTheOneThatIsEnough)
{
    spill(folder.file("wide.svm"), random_svmlight(60, 3000, 5));
    const std::vector<std::string> words{"fit", folder.file("wide.svm"), "--dry-run", "--memory"};
    const outcome refused = call_with(words, "1200k");
    ASSERT_EQ(refused.code, exit_system) << refused.out;
    EXPECT_THAT(refused.err, HasSubstr("raise the limit to "));
}

TEST_F(Cli, EveryMalformedFileGivesCodeOneAMessageWithItsPlaceAndNoFolder)
{
    const std::string malformed = std::string(PROXPATH_TEST_DATA) + "/../malformed/";
    spill(folder.file("design.svm"), random_svmlight(5, 3, 3));
    std::istringstream rows(slurp(malformed + "expectations.tsv"));
    std::string row;
    int files = 0;
    while (std::getline(rows, row)) {
        if (row.starts_with("#")) continue;
        std::istringstream cells(row);
        std::string name;
        std::string kind;
        std::string line;
        std::getline(cells, name, '\t');
        std::getline(cells, kind, '\t');
        std::getline(cells, line, '\t');
        SCOPED_TRACE(name);
        std::vector<std::string> words{"fit"};
        if (kind == "y")
            // What is no vector of numbers may still be a table of responses.
            words.insert(words.end(),
                         {folder.file("design.svm"), name.ends_with(".mtx") ? "--offset" : "--y", malformed + name});
        else
            words.push_back(malformed + name);
        words.insert(words.end(), {"--out", folder.file("fit")});
        const outcome refused = call(words);
        EXPECT_EQ(refused.code, exit_wrong_input) << refused.err;
        EXPECT_THAT(refused.err, HasSubstr(name));
        if (line != "0") {
            EXPECT_THAT(refused.err, HasSubstr(name + ", line " + line + ":"));
        }
        EXPECT_EQ(refused.out, "");
        EXPECT_FALSE(std::filesystem::exists(folder.file("fit")));
        ++files;
    }
    EXPECT_GE(files, 60);
}

TEST_F(Cli, WrongUseNamesTheOptionAndWhatItHasToBe)
{
    const std::string data = small_data();
    spill(folder.file("m.mtx"), "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n");
    spill(folder.file("zero.txt"), "0\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n");
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{}, "no command"},
        {{"fti"}, "did you mean fit?"},
        {{"fit"}, "X is missing"},
        {{"fit", data}, "--out is missing"},
        {{"fit", data, "--out"}, "--out needs a value"},
        {{"fit", data, "--out", "--json"}, "--out needs a value"},
        {{"fit", data, "--out", "x", "--alhpa", "1"}, "did you mean --alpha?"},
        {{"fit", data, "--out", "x", "--alpha", "2"}, "--alpha is '2'; it must be a number from 0 to 1"},
        {{"fit", data, "--out", "x", "--alpha", "nan"}, "--alpha is 'nan'"},
        {{"fit", data, "--out", "x", "--alpha", "1", "--alpha", "1"}, "more than once"},
        {{"fit", data, "--out", "x", "--n-lambda", "0"}, "--n-lambda is '0'"},
        {{"fit", data, "--out", "x", "--n-lambda", "1.5"}, "--n-lambda is '1.5'"},
        {{"fit", data, "--out", "x", "--lambda", "1,2"}, "lambdas must decrease"},
        {{"fit", data, "--out", "x", "--lambda", "1,0"}, "'0' is not acceptable"},
        {{"fit", data, "--out", "x", "--lambda", "1", "--n-lambda", "5"}, "do not go together"},
        {{"fit", data, "--out", "x", "--solver", "newton"}, "one of auto, ista, fista, cd, krylov"},
        {{"fit", data, "--out", "x", "--as", "R"}, "--as is 'R'; it must be one of proxpath, glmnet, scikit-learn"},
        {{"fit", data, "--out", "x", "--standardize", "--no-standardize"}, "do not go together"},
        {{"fit", data, "--out", "x", "--relax", "--positive"}, "--relax and --positive do not go together"},
        {{"fit", data, "--out", "x", "--relax", "--alpha", "0"}, "--relax is not for --alpha 0"},
        {{"fit", data, "--out", folder.file("fit"), "--criteria", "--alpha", "0.5", "--penalty-factors",
          folder.file("zero.txt"), "--lower", "-1", "--upper", "1"},
         "feature 1 has bounds and penalty factor 0"},
        {{"fit", data, "--out", "x", "--gamma", "0"}, "--gamma is an option of proxpath cv, not of fit"},
        {{"cv", data, "--out", "x", "--gamma", "0"}, "--gamma says which blends --relax compares"},
        {{"cv", data, "--out", "x", "--relax", "--gamma", "0,2"}, "--gamma is '2'"},
        {{"cv", data, "--out", "x", "--relax", "--patience", "5"}, "--relax and --patience do not go together"},
        {{"fit", data, "--out", "x", "--memory", "much"}, "a size such as 512M"},
        {{"fit", data, "--out", "x", "--at", "min"}, "unknown option --at"},
        {{"fit", data, "extra", "--out", "x"}, "one argument too many"},
        {{"fit", data, "--out", folder.file("fit"), "--y-column", "3"}, "y_column"},
        {{"fit", folder.file("m.mtx"), "--out", folder.file("fit"), "--index-base", "0"}, "index_base"},
        {{"fit", folder.file("none.svm"), "--out", folder.file("fit")}, "none.svm"},
        {{"fit", folder.file("data.xyz"), "--out", folder.file("fit")}, "data.xyz"},
        {{"predict", folder.file("none"), data, "--out", folder.file("p")}, "there is no folder '"},
        {{"predict", data, data, "--out", folder.file("p")}, "is no folder; give one that fit wrote"}};
    for (const auto& [words, fragment] : cases) {
        SCOPED_TRACE(fmt::format("{}", fragment));
        const outcome refused = call(words);
        EXPECT_NE(refused.code, exit_certified);
        EXPECT_THAT(refused.err, HasSubstr(fragment));
        EXPECT_THAT(refused.err, testing::StartsWith("proxpath: error: "));
        EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << "one line";
    }
    EXPECT_EQ(folder.entries(), 3U);
}

TEST_F(Cli, AsAnotherProgramTakesItsLambdaAndWhatItDoesUnasked)
{
    const std::string data = small_data();
    const auto fit = [&](const std::vector<std::string>& options) {
        std::vector<std::string> words{"fit", data, "--out", folder.file("fit"), "--force", "--n-lambda", "5"};
        words.insert(words.end(), options.begin(), options.end());
        const outcome done = call(words);
        EXPECT_EQ(done.code, exit_certified) << done.err;
        return std::pair(done, nlohmann::json::parse(slurp(path_of("summary.json"))));
    };
    const data_set set = read_data(data);
    const auto [glmnet_done, glmnet] = fit({"--as", "glmnet", "--alpha", "0.5"});
    EXPECT_DOUBLE_EQ(glmnet["l2_divisor"].get<double>(), glmnet_response_scale(set.y, {}, true));
    EXPECT_EQ(glmnet["options"]["as"], "glmnet");
    EXPECT_EQ(glmnet["options"]["rescale_penalty_factors"], true);
    EXPECT_EQ(glmnet["options"]["no_standardize"], false);
    EXPECT_THAT(glmnet_done.out, HasSubstr("as in glmnet: the L2 part is over"));
    const auto [sklearn_done, sklearn] = fit({"--as", "scikit-learn", "--alpha", "0"});
    EXPECT_EQ(sklearn["l2_divisor"], 60);
    EXPECT_EQ(sklearn["options"]["no_standardize"], true);
    EXPECT_EQ(sklearn["options"]["lambda_min_ratio"], 0.001);
    const auto [own_done, own] = fit({});
    EXPECT_EQ(own["l2_divisor"], 1);
    EXPECT_EQ(own["options"]["as"], "proxpath");
    EXPECT_THAT(own_done.out, testing::Not(HasSubstr("L2 part")));
    const auto [scaled_done, scaled] = fit({"--as", "scikit-learn", "--standardize", "--lambda-min-ratio", "0.1"});
    EXPECT_EQ(scaled["options"]["no_standardize"], false);
    EXPECT_EQ(scaled["options"]["lambda_min_ratio"], 0.1);
}

TEST_F(Cli, RelaxedFitsAreWrittenBesideThePathAndPredicted)
{
    const std::string data = small_data();
    const outcome done = call({"fit", data, "--out", folder.file("fit"), "--n-lambda", "12", "--relax"});
    ASSERT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("relaxed.csv"));
    const data_set set = read_data(data);
    path_options options;
    options.n_lambda = 12;
    const path_result path = fit_path(set.X, set.y, options);
    const relaxed_path relaxed = relax_path(set.X, set.y, options, path);
    std::istringstream table(slurp(path_of("relaxed.csv")));
    std::string line;
    std::getline(table, line);
    EXPECT_EQ(line, fit_files::relaxed_header);
    for (const relaxed_point& point : relaxed.points) {
        std::getline(table, line);
        EXPECT_EQ(line, fmt::format("{},{},{},{},{},{},{}", point.lambda, point.df, point.dev_ratio, point.intercept,
                                    point.loss, point.gap, point.rel_gap));
    }
    const auto predicted = [&](const std::string& gamma) {
        const outcome written =
            call({"predict", folder.file("fit"), data, "--out", folder.file("p.csv"), "--gamma", gamma});
        EXPECT_EQ(written.code, exit_certified) << written.err;
        return slurp(folder.file("p.csv"));
    };
    EXPECT_NE(predicted("0"), predicted("1"));
    const std::string path_itself = predicted("1");
    ASSERT_EQ(call({"predict", folder.file("fit"), data, "--out", folder.file("p.csv")}).code, exit_certified);
    EXPECT_EQ(slurp(folder.file("p.csv")), path_itself);
    // A table that belongs to another path is refused.
    spill(path_of("relaxed.csv"), fit_files::relaxed_header + "\n3,1,0,0,0,0,0\n");
    const outcome refused = call({"predict", folder.file("fit"), data, "--out", folder.file("p.csv"), "--gamma", "0"});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("relaxed.csv, line 2: "));
}

// What relaxing a path takes is known only once the path is there.
TEST_F(Cli, APathIsKeptWhereItsRelaxedFitsFindNoRoom)
{
    // 700 columns of 900 rows that are all in the model at the end: 11 MiB for their products, beside a limit of 6.
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    std::string text;
    for (int i = 0; i < 900; ++i) {
        double y = normal(random);
        std::string row;
        for (int j = 0; j < 700; ++j) {
            const double x = std::round(10 * normal(random)) / 10;
            y += x;
            row += fmt::format(",{}", x);
        }
        text += fmt::format("{}{}\n", y, row);
    }
    spill(folder.file("wide.csv"), text);
    const outcome done = call({"fit", folder.file("wide.csv"), "--y-column", "1", "--out", folder.file("fit"),
                               "--relax", "--n-lambda", "5", "--form", "residual", "--memory", "14M"});
    EXPECT_EQ(done.code, exit_system) << done.err;
    EXPECT_THAT(done.err, HasSubstr("relaxed fits are left out: relaxed fits of 7"));
    EXPECT_TRUE(std::filesystem::exists(path_of("coefficients.mtx")));
    EXPECT_FALSE(std::filesystem::exists(path_of("relaxed.csv")));
}

TEST_F(Cli, ResponsesMustFitTheRows)
{
    const std::string data = small_data();
    spill(folder.file("y.txt"), "1\n2\n");
    const outcome refused = call({"fit", data, "--y", folder.file("y.txt"), "--out", folder.file("fit")});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("2 responses, but"));
}

TEST_F(Cli, ADeviceThatIsNotThereAndTooLittleMemoryAreSystemErrors)
{
    const std::string data = small_data();
    const outcome device = call({"fit", data, "--out", folder.file("fit"), "--device", "cuda:1000"});
    EXPECT_EQ(device.code, exit_system);
    EXPECT_THAT(device.err, HasSubstr("device cuda:1000: "));
    spill(folder.file("wide.svm"), "1 1:1 400000:2\n2 3:1\n3 5:1\n");
    const outcome memory = call({"fit", folder.file("wide.svm"), "--out", folder.file("fit"), "--memory", "40M"});
    EXPECT_EQ(memory.code, exit_system);
    EXPECT_THAT(memory.err, HasSubstr("memory"));
}

std::vector<std::vector<double>> numbers_of(const std::string& csv)
{
    std::istringstream text(csv);
    std::string row;
    std::getline(text, row); // header
    std::vector<std::vector<double>> rows;
    while (std::getline(text, row)) {
        rows.emplace_back();
        std::istringstream cells(row);
        std::string cell;
        while (std::getline(cells, cell, ',')) rows.back().push_back(std::stod(cell));
    }
    return rows;
}

TEST_F(Cli, PredictionsAreInterceptPlusProductAndInterpolateBetweenLambdas)
{
    spill(folder.file("x.csv"), "b,a,y\n1,0,1\n2,1,3\n3,-1,2\n4,2,6\n5,0,5\n");
    ASSERT_EQ(call({"fit", folder.file("x.csv"), "--y-column", "y", "--out", folder.file("fit"), "--lambda",
                    "0.5,0.25,0.125"})
                  .code,
              exit_certified);
    spill(folder.file("new.csv"), "b,a\n0,0\n1,0\n0,1\n");
    const auto predict_into = [&](const std::string& name, const std::vector<std::string>& more) {
        std::vector<std::string> words{"predict", folder.file("fit"), folder.file("new.csv"), "--out",
                                       folder.file(name)};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    };
    ASSERT_EQ(predict_into("all.csv", {}).code, exit_certified);
    const std::string all = slurp(folder.file("all.csv"));
    EXPECT_THAT(all, testing::StartsWith("lambda=0.5,lambda=0.25,lambda=0.125\n"));
    const auto values = numbers_of(all);
    ASSERT_EQ(values.size(), 3U);
    ASSERT_EQ(predict_into("between.csv", {"--lambda", "0.3"}).code, exit_certified);
    const auto between = numbers_of(slurp(folder.file("between.csv")));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(between[i][0], 0.2 * values[i][0] + 0.8 * values[i][1], 1e-12);
    EXPECT_THAT(predict_into("no.csv", {"--lambda", "0.01"}).err, HasSubstr("outside the path"));
    EXPECT_EQ(slurp(folder.file("fit") + "/features.txt"), "b\na\n");

    spill(folder.file("new.csv"), "a,b\n0,0\n");
    const outcome swapped = predict_into("no.csv", {});
    EXPECT_EQ(swapped.code, exit_wrong_input);
    EXPECT_THAT(swapped.err, HasSubstr("same columns in the same order"));
    EXPECT_THAT(swapped.err, Not(HasSubstr("--y-column")));
    for (const char* const with_response : {"y,b,a\n0,0,0\n", "b,a,y\n0,0,0\n"}) {
        spill(folder.file("new.csv"), with_response);
        EXPECT_THAT(predict_into("no.csv", {}).err, HasSubstr("a response among them is named with --y-column"));
    }
    spill(folder.file("new.csv"), "b\n0\n");
    EXPECT_EQ(predict_into("no.csv", {}).code, exit_wrong_input);
    EXPECT_FALSE(std::filesystem::exists(folder.file("no.csv")));
}

TEST_F(Cli, AboveLambdaMaxPredictionsAreThoseOfTheNullModel)
{
    ASSERT_EQ(call({"fit", small_data(), "--out", folder.file("fit"), "--n-lambda", "3"}).code, exit_certified);
    const auto predicted = [&](const std::string& lambda) {
        const outcome done =
            call({"predict", folder.file("fit"), small_data(), "--out", folder.file("p.csv"), "--lambda", lambda});
        EXPECT_EQ(done.code, exit_certified) << done.err;
        return slurp(folder.file("p.csv"));
    };
    const std::string above = predicted("1000");
    EXPECT_THAT(above, testing::StartsWith("lambda=1000\n"));
    const auto values = numbers_of(above);
    for (const auto& row : values) EXPECT_EQ(row, values.front());
}

TEST_F(Cli, AFitTakesThePlaceOfAnEmptyFolder)
{
    std::filesystem::create_directory(folder.file("fit"));
    const outcome done = call({"fit", small_data(), "--out", folder.file("fit"), "--n-lambda", "3"});
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_TRUE(std::filesystem::exists(folder.file("fit/summary.json")));
}

TEST_F(Cli, PredictReadsSvmlightRowsAsTheFitDid)
{
    // Indices from 0 and a last feature that the new rows do not have.
    spill(folder.file("train.svm"), "1 0:1 2:1\n2 0:2\n3 1:1 2:2\n0 1:2\n");
    spill(folder.file("new.svm"), "0 1:1\n");
    spill(folder.file("new.mtx"), "%%MatrixMarket matrix coordinate real general\n1 3 1\n1 2 1\n");
    ASSERT_EQ(call({"fit", folder.file("train.svm"), "--out", folder.file("fit"), "--n-lambda", "5"}).code,
              exit_certified);
    const outcome svm = call({"predict", folder.file("fit"), folder.file("new.svm"), "--out", folder.file("a.csv")});
    EXPECT_EQ(svm.code, exit_certified) << svm.err;
    const outcome mtx = call({"predict", folder.file("fit"), folder.file("new.mtx"), "--out", folder.file("b.csv")});
    EXPECT_EQ(mtx.code, exit_certified) << mtx.err;
    EXPECT_EQ(slurp(folder.file("a.csv")), slurp(folder.file("b.csv")));
}

TEST(CliHelp, ShowsEveryOptionOnceAndIsTheOptionsPage)
{
    for (const command_record& command : command_table()) {
        const outcome shown = call({std::string(command.name), "--help"});
        EXPECT_EQ(shown.code, exit_certified);
        for (const option_record& each : option_table())
            if (each.of(command.which) && !each.positional()) {
                EXPECT_THAT(shown.out, HasSubstr("  " + each.name));
            }
    }
    EXPECT_EQ(slurp(std::string(PROXPATH_TEST_DATA) + "/../../docs/options.md"), help_markdown())
        << "docs/options.md is made by `proxpath --help-markdown`";
    EXPECT_THAT(call({"--version"}).out, testing::StartsWith("proxpath 0."));
    EXPECT_THAT(call({"--help"}).out, HasSubstr("Exit codes"));
}

} // namespace
} // namespace proxpath::cli
