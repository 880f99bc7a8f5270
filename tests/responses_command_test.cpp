// `proxpath fit` with a table of responses: what is read, what is written, how predict finds it, and what is refused.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"
#include "tests/support/problems.hpp"

#include "host/cli/exit_code.hpp"
#include "host/cli/fit_files.hpp"
#include "host/cli/responses_table.hpp"
#include "host/cli/values.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace proxpath::test {
namespace {

using namespace proxpath::cli;
using cli_test::call;
using cli_test::outcome;
using io_test::slurp;
using io_test::spill;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t rows = 20;

/// Three responses to 20 rows of 6 features, the second of them constant.
class ResponsesCommand : public testing::Test {
protected:
    ResponsesCommand()
    {
        random_numbers random(5);
        const dense_matrix X = random_matrix(random, rows, 6, 0.8);
        std::string design = "a,b,c,d,e,f\n";
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = 0; j < X.p; ++j) design += fmt::format("{}{}", X.at(i, j), j + 1 < X.p ? "," : "\n");
        spill(folder.file("X.csv"), design);
        std::string table = "mass,none,\"length, cm\"\n";
        for (std::int64_t i = 0; i < rows; ++i) {
            first.push_back(X.at(i, 1) + 0.1 * random.normal());
            third.push_back(100 * random.normal());
            table += fmt::format("{},4.5,{}\n", first.back(), third.back());
        }
        spill(folder.file("Y.csv"), table);
    }

    outcome fit(std::vector<std::string> options = {}, const std::string& y = "Y.csv")
    {
        std::vector<std::string> words{"fit",   folder.file("X.csv"), "--y",        folder.file(y),
                                       "--out", folder.file("fit"),   "--n-lambda", "7"};
        words.insert(words.end(), options.begin(), options.end());
        return call(words);
    }
    /// The same of one response alone, in a folder of its own.
    void fit_alone(const std::vector<double>& y, const std::string& to)
    {
        std::string text;
        for (const double number : y) text += fmt::format("{}\n", number);
        spill(folder.file("y.txt"), text);
        ASSERT_EQ(call({"fit", folder.file("X.csv"), "--y", folder.file("y.txt"), "--out", folder.file(to),
                        "--n-lambda", "7"})
                      .code,
                  exit_certified);
    }
    outcome predict(std::vector<std::string> options)
    {
        std::vector<std::string> words{"predict", folder.file("fit"), folder.file("X.csv"), "--out",
                                       folder.file("predictions.csv")};
        words.insert(words.end(), options.begin(), options.end());
        return call(words);
    }
    std::string file(const std::string& name) const { return folder.file("fit/" + name); }
    nlohmann::json json_of(const std::string& name) const { return nlohmann::json::parse(slurp(file(name))); }

    io_test::temporary_folder folder;
    std::vector<double> first, third;
};

TEST_F(ResponsesCommand, CriteriaOfAnElasticNetCountItsOwnDegreesOfFreedom)
{
    ASSERT_EQ(fit({"--criteria", "--alpha", "0.3"}).code, exit_certified);
    // The second response is constant: its null model leaves nothing to explain.
    for (const std::string number : {"1", "3"}) {
        const std::vector<std::string> path = read_lines(file("response-" + number + ".path.csv"));
        const std::vector<std::string> criteria = read_lines(file("response-" + number + ".criteria.csv"));
        ASSERT_EQ(criteria.size(), path.size());
        const double non_zeros = *parse_number(split(path.back(), ',')[1]);
        const double df = *parse_number(split(criteria.back(), ',')[1]);
        EXPECT_GT(df, 0.1 * non_zeros);
        EXPECT_LT(df, non_zeros);
    }
    EXPECT_THAT(fit({"--alpha", "0", "--leave-one-out", "--force"}).err,
                HasSubstr("--leave-one-out takes one response, and there are 3"));
}

TEST_F(ResponsesCommand, WritesAFitOfEachAndATableOfAll)
{
    const outcome done = fit({"--criteria"});
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.out, HasSubstr("Lasso paths of 3 responses"));
    EXPECT_THAT(done.out, HasSubstr("15 of 15 certified")); // a constant response has the null model alone
    for (const std::string number : {"1", "2", "3"})
        for (const std::string name : {"path.csv", "coefficients.mtx", "summary.json", "criteria.csv"})
            EXPECT_TRUE(std::filesystem::exists(file("response-" + number + "." + name))) << number << name;
    const std::vector<std::string> table = read_lines(file("responses.csv"));
    ASSERT_EQ(table.size(), 4U);
    EXPECT_EQ(table[0], fit_files::responses_header);
    EXPECT_TRUE(table[1].starts_with("1,response-1.,"));
    EXPECT_TRUE(table[1].ends_with(",mass"));
    EXPECT_TRUE(table[3].ends_with(",\"length, cm\""));
    const nlohmann::json summary = json_of("summary.json");
    EXPECT_EQ(summary["responses"], 3);
    EXPECT_EQ(summary["responses_fitted"], 3);
    EXPECT_EQ(summary["converged"], 15);
    EXPECT_EQ(json_of("response-3.summary.json")["response_name"], "length, cm");
    EXPECT_THAT(slurp(file("features.txt")), HasSubstr("a\nb\n"));
}

TEST_F(ResponsesCommand, FitsEachAsItWouldBeAlone)
{
    ASSERT_EQ(fit().code, exit_certified);
    fit_alone(third, "alone");
    const fitted_path many = read_fit(folder.file("fit"), "3", 1);
    const fitted_path alone = read_fit(folder.file("alone"), "", 1);
    ASSERT_EQ(many.points.size(), alone.points.size());
    for (std::size_t k = 0; k < many.points.size(); ++k)
        EXPECT_NEAR(many.points[k].lambda, alone.points[k].lambda, 1e-12 * alone.points[k].lambda);
    ASSERT_EQ(many.coefficients.offsets, alone.coefficients.offsets);
    for (std::size_t e = 0; e < many.coefficients.values.size(); ++e)
        EXPECT_NEAR(many.coefficients.values[e], alone.coefficients.values[e], 1e-2);
    EXPECT_THAT(many.features, ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(ResponsesCommand, PredictsOneByNumberOrName)
{
    ASSERT_EQ(fit().code, exit_certified);
    EXPECT_EQ(predict({"--response", "3"}).code, exit_certified);
    const std::string by_number = slurp(folder.file("predictions.csv"));
    EXPECT_EQ(predict({"--response", "length, cm"}).code, exit_certified);
    EXPECT_EQ(slurp(folder.file("predictions.csv")), by_number);
    EXPECT_EQ(predict({"--response", "mass"}).code, exit_certified);
    EXPECT_NE(slurp(folder.file("predictions.csv")), by_number);
}

TEST_F(ResponsesCommand, PredictSaysWhichResponsesThereAre)
{
    ASSERT_EQ(fit().code, exit_certified);
    outcome refused = predict({});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("holds fits of several responses; say of which by --response"));
    refused = predict({"--response", "weight"});
    EXPECT_THAT(refused.err, HasSubstr("--response 'weight'"));
    EXPECT_THAT(refused.err, HasSubstr("numbers and names are in responses.csv"));
    fit_alone(first, "alone");
    refused = call({"predict", folder.file("alone"), folder.file("X.csv"), "--response", "1", "--out",
                    folder.file("predictions.csv")});
    EXPECT_EQ(refused.code, exit_certified) << refused.err; // it is the first, and only, one
    refused = call({"predict", folder.file("alone"), folder.file("X.csv"), "--response", "2", "--out",
                    folder.file("predictions.csv")});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("is the fit of one response"));
}

TEST_F(ResponsesCommand, ADamagedTableIsNamed)
{
    ASSERT_EQ(fit().code, exit_certified);
    spill(file("responses.csv"), fit_files::responses_header + "\n1,response-1.\n");
    outcome refused = predict({"--response", "1"});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("responses.csv, line 2: 2 cells, but the header names 12"));
    spill(file("responses.csv"), "something else\n");
    EXPECT_THAT(predict({"--response", "1"}).err, HasSubstr("not the header of a table of responses"));
}

TEST_F(ResponsesCommand, TakesAGridInCommon)
{
    ASSERT_EQ(fit({"--response-grid", "common"}).code, exit_certified);
    const fitted_path large = read_fit(folder.file("fit"), "3", 1);
    const fitted_path small = read_fit(folder.file("fit"), "mass", 1);
    ASSERT_EQ(large.points.size(), 7U);
    ASSERT_EQ(small.points.size(), 7U);
    for (std::size_t k = 0; k < 7; ++k) EXPECT_EQ(large.points[k].lambda, small.points[k].lambda);
}

TEST_F(ResponsesCommand, ReplacesAnOlderFolderOfEitherKindByForce)
{
    fit_alone(first, "fit");
    EXPECT_EQ(fit().code, exit_wrong_input);
    EXPECT_EQ(fit({"--force"}).code, exit_certified);
    EXPECT_FALSE(std::filesystem::exists(file("path.csv")));
    EXPECT_EQ(fit({"--force"}).code, exit_certified);
    spill(file("response-1.notes.txt"), "mine");
    const outcome refused = fit({"--force"});
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("holds 'response-1.notes.txt', which no fit writes"));
    EXPECT_EQ(slurp(file("response-1.notes.txt")), "mine");
}

TEST_F(ResponsesCommand, ReadsTablesOfEveryKind)
{
    std::string array = "%%MatrixMarket matrix array real general\n20 2\n";
    for (const auto& column : {first, third})
        for (const double number : column) array += fmt::format("{}\n", number);
    spill(folder.file("Y.mtx"), array);
    EXPECT_THAT(fit({}, "Y.mtx").out, HasSubstr("paths of 2 responses"));
    // One column is one response, with or without a name.
    std::string named = "height\n";
    for (const double number : first) named += fmt::format("{}\n", number);
    spill(folder.file("one.csv"), named);
    const outcome one = fit({"--force"}, "one.csv");
    EXPECT_EQ(one.code, exit_certified) << one.err;
    EXPECT_THAT(one.out, HasSubstr("Lasso path, alpha 1"));
    EXPECT_TRUE(std::filesystem::exists(file("path.csv")));
    EXPECT_EQ(predict({"--response", "height"}).code, exit_certified);
    EXPECT_THAT(predict({"--response", "weight"}).err, HasSubstr("is the fit of one response, 'height'"));
}

TEST_F(ResponsesCommand, SaysWhatIsWrongWithATable)
{
    spill(folder.file("twice.csv"), "p,p\n" + std::string("1,2\n3,4\n"));
    EXPECT_THAT(fit({}, "twice.csv").err, HasSubstr("2 rows of responses"));
    std::string twice = "p,p\n";
    std::string huge = "small,huge\n";
    for (std::int64_t i = 0; i < rows; ++i) {
        twice += fmt::format("{},1\n", i);
        huge += fmt::format("{},{}\n", i, i % 2 == 0 ? "1e200" : "-1e200");
    }
    spill(folder.file("twice.csv"), twice);
    EXPECT_THAT(fit({}, "twice.csv").err, HasSubstr("two responses are named 'p'"));
    spill(folder.file("index.csv"), "," + twice.substr(2)); // as pandas writes it
    EXPECT_THAT(fit({}, "index.csv").err, HasSubstr("index.csv, line 1: column 1 has no name"));
    spill(folder.file("huge.csv"), huge);
    EXPECT_THAT(fit({}, "huge.csv").err, HasSubstr("Y: response 1: y: its squares overflow"));
    // A table of 80 MB of zeros in 60 bytes.
    spill(folder.file("wide.mtx"), "%%MatrixMarket matrix coordinate real general\n20 500000 1\n1 1 1\n");
    EXPECT_THAT(fit({"--memory", "50M"}, "wide.mtx").err, HasSubstr("the 500000 responses of"));
    spill(folder.file("long.mtx"), "%%MatrixMarket matrix coordinate real general\n2000 50000 1\n1 1 1\n");
    EXPECT_THAT(fit({}, "long.mtx").err, HasSubstr("2000 rows of responses, but"));
    spill(folder.file("short.csv"), "p,q\n1,2\n3,4\n");
    outcome refused = fit({}, "short.csv");
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("short.csv"));
    EXPECT_THAT(refused.err, HasSubstr("2 rows of responses, but"));
    EXPECT_THAT(refused.err, HasSubstr("has 20 rows"));
    spill(folder.file("nan.csv"), "p,q\n1,2\n3,nan\n");
    refused = fit({}, "nan.csv");
    EXPECT_EQ(refused.code, exit_wrong_input);
    EXPECT_THAT(refused.err, HasSubstr("nan.csv, line 3"));
    EXPECT_FALSE(std::filesystem::exists(folder.file("fit")));
    const outcome validated =
        call({"cv", folder.file("X.csv"), "--y", folder.file("Y.csv"), "--out", folder.file("cv")});
    EXPECT_EQ(validated.code, exit_wrong_input);
    EXPECT_THAT(validated.err, HasSubstr("holds 3 responses; proxpath cv takes one"));
}

TEST_F(ResponsesCommand, CountsThemIntoTheMemoryAndTheDryRun)
{
    const outcome planned = call({"fit", folder.file("X.csv"), "--y", folder.file("Y.csv"), "--dry-run"});
    EXPECT_EQ(planned.code, exit_certified);
    EXPECT_THAT(planned.out, HasSubstr("3 responses; the memory is that of one fit"));
    EXPECT_EQ(fit({"--memory", "10M"}).code, exit_certified);
    std::string table; // 1.1 MB in memory
    for (std::int64_t i = 0; i < rows; ++i)
        for (int response = 0; response < 7000; ++response) table += response < 6999 ? "1," : "2\n";
    spill(folder.file("wide.csv"), table);
    const outcome refused = fit({"--force", "--memory", "1M"}, "wide.csv");
    EXPECT_EQ(refused.code, exit_system);
    EXPECT_THAT(refused.err, HasSubstr("the 7000 responses of"));
}

TEST_F(ResponsesCommand, MarksWhatDidNotConverge)
{
    const outcome done = fit({"--solver", "ista", "--max-iterations", "1", "--lambda-min-ratio", "1e-3"});
    EXPECT_EQ(done.code, exit_not_converged);
    EXPECT_THAT(done.err, HasSubstr("did not reach the tolerance"));
    EXPECT_THAT(done.err, HasSubstr("responses.csv says of which responses"));
    EXPECT_GT(json_of("summary.json")["not_converged"], 0);
}

TEST_F(ResponsesCommand, SaysOnceWhatIsSaidOfAll)
{
    std::string design = "a,b\n";
    for (std::int64_t i = 0; i < rows; ++i) design += fmt::format("{},7\n", i * i % 11); // b is constant
    spill(folder.file("X.csv"), design);
    const outcome done = fit();
    EXPECT_EQ(done.code, exit_certified) << done.err;
    const std::string note = "note          1 of 2 features have no variation";
    ASSERT_THAT(done.out, HasSubstr(note));
    EXPECT_EQ(done.out.find(note), done.out.rfind(note));
    EXPECT_THAT(done.out, HasSubstr("response 2: the null model fits y exactly"));
}

TEST_F(ResponsesCommand, GoOnOnlyWithTheSameFit)
{
    EXPECT_EQ(fit({"--resume"}).code, exit_certified) << "nothing there: from the beginning";
    const std::string summary = slurp(file("summary.json"));
    const outcome again = fit({"--resume"});
    EXPECT_EQ(again.code, exit_certified);
    EXPECT_THAT(again.err, HasSubstr("is complete: there is nothing left to do"));
    EXPECT_EQ(slurp(file("summary.json")), summary); // as the fit left it
    EXPECT_THAT(fit({"--resume", "--lambda-min-ratio", "0.5"}).err,
                HasSubstr("another --lambda-min-ratio (the default, not 0.5)"));
    EXPECT_THAT(fit({"--resume", "--alpha", "0.5"}).err, HasSubstr("was made with another --alpha (1.0, not 0.5)"));
    EXPECT_THAT(fit({"--resume", "--force"}).err, HasSubstr("--resume"));
    std::string weights;
    for (std::int64_t i = 0; i < rows; ++i) weights += fmt::format("{}\n", 1 + i % 2);
    spill(folder.file("w.txt"), weights);
    EXPECT_THAT(fit({"--resume", "--weights", folder.file("w.txt")}).err, HasSubstr("other weights"));
    const std::string named = slurp(folder.file("Y.csv"));
    spill(folder.file("Y.csv"), "MASS" + named.substr(4));
    EXPECT_THAT(fit({"--resume"}).err, HasSubstr("response 1 named mass, where"));
    std::string table = "mass,none,\"length, cm\"\n";
    for (std::size_t i = 0; i < first.size(); ++i) table += fmt::format("{},4.5,{}\n", first[i], third[i] + 1);
    spill(folder.file("Y.csv"), table);
    const outcome other = fit({"--resume"});
    EXPECT_EQ(other.code, exit_wrong_input);
    EXPECT_THAT(other.err, HasSubstr("another response 3 than"));
    EXPECT_EQ(read_lines(file("responses.csv")).size(), 4U); // as it was
}

TEST_F(ResponsesCommand, APathOfOneResponseIsNotTakenUp)
{
    fit_alone(first, "fit");
    EXPECT_THAT(fit({"--resume"}).err, HasSubstr("holds no fits of several responses"));
    const outcome one = call({"fit", folder.file("X.csv"), "--y", folder.file("y.txt"), "--out", folder.file("fit"),
                              "--n-lambda", "7", "--resume"});
    EXPECT_EQ(one.code, exit_wrong_input);
    EXPECT_THAT(one.err, HasSubstr("a path of one response cannot be taken up"));
}

/// Many responses of a design that takes a while, and a signal in between.
class InterruptedResponses : public ResponsesCommand {
protected:
    static constexpr int count = 80;

    InterruptedResponses()
    {
        std::string table;
        random_numbers random(9);
        std::string design;
        for (int i = 0; i < 100; ++i) {
            for (int j = 0; j < 200; ++j) design += fmt::format("{:.3f}{}", random.normal(), j < 199 ? "," : "\n");
            for (int r = 0; r < count; ++r)
                table += fmt::format("{:.3f}{}", random.normal(), r + 1 < count ? "," : "\n");
        }
        spill(folder.file("slow.csv"), design);
        spill(folder.file("many.csv"), table);
    }
    outcome fit_interrupted(std::vector<std::string> options)
    {
        std::vector<std::string> words{"fit",        folder.file("slow.csv"),
                                       "--y",        folder.file("many.csv"),
                                       "--out",      folder.file("fit"),
                                       "--threads",  "2",
                                       "--n-lambda", "40"};
        words.insert(words.end(), options.begin(), options.end());
        // Once the first files are there, a fit is finished.
        std::jthread signal([this](const std::stop_token& over) {
            while (!over.stop_requested()) {
                for (const auto& entry : std::filesystem::directory_iterator(folder.file(""))) {
                    if (!std::filesystem::exists(entry.path() / "response-02.path.csv")) continue;
                    if (entry.path().filename().string().find(".partial-") == std::string::npos) continue;
                    (void)std::raise(SIGINT);
                    return;
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        });
        return call(words);
    }
    /// With a checkpoint after every response.
    std::vector<std::string> resumable() const
    {
        return {"fit",          folder.file("slow.csv"),
                "--y",          folder.file("many.csv"),
                "--out",        folder.file("fit"),
                "--threads",    "1",
                "--n-lambda",   "10",
                "--checkpoint", "0",
                "--resume"};
    }
    /// A process of its own that has come so far that this file is there.
    pid_t start_in_child(const std::vector<std::string>& words, const std::string& until) const
    {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(call(words).code);
        while (child > 0 && !std::filesystem::exists(file(until)) && ::waitpid(child, nullptr, WNOHANG) == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return child;
    }
    void expect_some(const std::string& in) const
    {
        const nlohmann::json summary = nlohmann::json::parse(slurp(folder.file(in + "/summary.json")));
        EXPECT_EQ(summary["interrupted"], true);
        EXPECT_EQ(summary["responses"], count);
        const auto fitted = summary["responses_fitted"].get<std::size_t>();
        EXPECT_GE(fitted, 2U);
        EXPECT_LT(fitted, static_cast<std::size_t>(count));
        EXPECT_EQ(read_lines(folder.file(in + "/responses.csv")).size(), fitted + 1);
        EXPECT_EQ(read_fit(folder.file(in), "2", 1).points.size(), 40U);
    }
};

TEST_F(InterruptedResponses, KeepWhatIsFinished)
{
    const outcome done = fit_interrupted({});
    EXPECT_EQ(done.code, exit_interrupted) << done.err;
    EXPECT_THAT(done.err, HasSubstr("what is finished so far will be written"));
    EXPECT_THAT(done.out, HasSubstr("of 80 responses were fitted"));
    expect_some("fit");
}

TEST_F(InterruptedResponses, GoOnWhereTheyStopped)
{
    ASSERT_EQ(fit_interrupted({"--criteria"}).code, exit_interrupted);
    const std::string second = slurp(file("response-02.path.csv"));
    std::vector<std::string> words{"fit",        folder.file("slow.csv"),
                                   "--y",        folder.file("many.csv"),
                                   "--out",      folder.file("fit"),
                                   "--criteria", "--resume",
                                   "--n-lambda", "40"};
    outcome done = call(words);
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.err, HasSubstr("of 80 responses were fitted before"));
    EXPECT_EQ(slurp(file("response-02.path.csv")), second);
    nlohmann::json summary = json_of("summary.json");
    EXPECT_EQ(summary["interrupted"], false);
    EXPECT_EQ(summary["responses_fitted"], count);
    EXPECT_EQ(summary["converged"], 40 * count);
    const std::vector<response_line> lines = read_responses_csv(file("responses.csv"));
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(count));
    for (std::size_t r = 0; r < lines.size(); ++r) {
        EXPECT_EQ(lines[r].number, static_cast<std::int64_t>(r) + 1);
        for (const std::string name : {"path.csv", "coefficients.mtx", "summary.json", "criteria.csv"})
            EXPECT_TRUE(std::filesystem::exists(file(lines[r].files + name))) << lines[r].files << name;
    }
    // Where all is done nothing is left to do.
    done = call(words);
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_EQ(json_of("summary.json")["responses_fitted"], count);
}

// A process that is killed has no time for anything: what it kept before is there, and the same line goes on with it.
TEST_F(InterruptedResponses, GoOnFromTheCheckpointOfAKilledProcess)
{
    const std::vector<std::string> words = resumable();
    const pid_t child = start_in_child(words, "response-03.path.csv");
    ASSERT_GE(child, 0);
    ::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, 0);
    EXPECT_EQ(json_of("summary.json")["interrupted"], true);
    EXPECT_GE(read_responses_csv(file("responses.csv")).size(), 2U);
    const std::string second = slurp(file("response-02.path.csv"));
    const outcome done = call(words);
    EXPECT_EQ(done.code, exit_certified) << done.err;
    EXPECT_THAT(done.err, HasSubstr("of 80 responses were fitted before"));
    EXPECT_EQ(slurp(file("response-02.path.csv")), second);
    EXPECT_EQ(json_of("summary.json")["responses_fitted"], count);
    EXPECT_EQ(read_responses_csv(file("responses.csv")).size(), static_cast<std::size_t>(count));

    // A process killed after its last response, while it wrote: what is left to do is the summary.
    nlohmann::json summary = json_of("summary.json");
    summary["interrupted"] = true;
    spill(file("summary.json"), summary.dump());
    spill(file("response-80.path.csv.4711-0.part"), "lambda");
    const outcome again = call(words);
    EXPECT_EQ(again.code, exit_certified) << again.err;
    EXPECT_THAT(again.err, HasSubstr("nothing left to do"));
    EXPECT_EQ(json_of("summary.json")["interrupted"], false);
    EXPECT_FALSE(std::filesystem::exists(file("response-80.path.csv.4711-0.part")));
}

TEST_F(InterruptedResponses, TwoRunsDoNotWorkOnOneFolder)
{
    const std::vector<std::string> words = resumable();
    const pid_t child = start_in_child(words, "response-02.path.csv");
    ASSERT_GE(child, 0);
    const outcome second = call(words);
    EXPECT_EQ(second.code, exit_system);
    EXPECT_THAT(second.err, HasSubstr("another run works on"));
    ::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, 0);
    EXPECT_EQ(call(words).code, exit_certified) << "a lock does not outlive its process";
    EXPECT_FALSE(std::filesystem::exists(folder.file(".fit.lock")));
}

TEST_F(InterruptedResponses, GoBesideAnOlderFolder)
{
    fit_alone(first, "fit");
    const outcome done = fit_interrupted({"--force", "--checkpoint", "0"});
    EXPECT_EQ(done.code, exit_interrupted) << done.err;
    EXPECT_TRUE(std::filesystem::exists(file("path.csv"))) << "not even a checkpoint takes its place";
    expect_some("fit.interrupted");
    for (const auto& entry : std::filesystem::directory_iterator(folder.file("")))
        EXPECT_EQ(entry.path().filename().string().find(".partial-"), std::string::npos) << entry.path();
}

} // namespace
} // namespace proxpath::test
