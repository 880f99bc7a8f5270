// What README.md and the pages of docs/ say of code, options and files has to be so: code blocks are taken from a
// program that is built, every option of a command line exists, and every link leads somewhere.

#include "tests/cli_support.hpp"
#include "tests/io_support.hpp"

#include "host/cli/option_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace cli_test = proxpath::cli_test;
namespace io_test = proxpath::io_test;

const fs::path root = fs::path(PROXPATH_TEST_DATA).parent_path().parent_path();

std::string trimmed(const std::string& line)
{
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> lines_of(const fs::path& file)
{
    std::ifstream stream(file);
    EXPECT_TRUE(stream) << file;
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::vector<fs::path> pages()
{
    std::vector<fs::path> found{root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md"};
    for (const auto& entry : fs::directory_iterator(root / "docs"))
        if (entry.path().extension() == ".md") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

/// The fenced blocks of a page that are marked with `language`, indentation removed.
std::vector<std::vector<std::string>> blocks_of(const fs::path& page, const std::string& language)
{
    std::vector<std::vector<std::string>> blocks;
    bool inside = false;
    for (const std::string& line : lines_of(page)) {
        if (!inside && trimmed(line) == "```" + language) {
            inside = true;
            blocks.emplace_back();
        } else if (inside && trimmed(line) == "```") {
            inside = false;
        } else if (inside && !trimmed(line).empty()) {
            blocks.back().push_back(trimmed(line));
        }
    }
    return blocks;
}

std::vector<std::string> code_of(const fs::path& file)
{
    std::vector<std::string> code;
    for (const std::string& line : lines_of(file))
        if (!trimmed(line).empty()) code.push_back(trimmed(line));
    return code;
}

void expect_code_of(const fs::path& page, const std::string& example)
{
    const auto blocks = blocks_of(page, "cpp");
    ASSERT_FALSE(blocks.empty());
    const auto code = code_of(root / "examples" / example);
    for (const auto& block : blocks) {
        EXPECT_NE(std::search(code.begin(), code.end(), block.begin(), block.end()), code.end())
            << "not in examples/" << example << ": " << block.front();
    }
}

TEST(Readme, LibraryLinesAreThoseOfTheBuiltProgram) { expect_code_of(root / "README.md", "readme_snippet.cpp"); }

TEST(CrossValidationPage, LibraryLinesAreThoseOfTheBuiltProgram)
{
    expect_code_of(root / "docs" / "cross-validation.md", "cross_validation.cpp");
}

TEST(ResponsesPage, LibraryLinesAreThoseOfTheBuiltProgram)
{
    expect_code_of(root / "docs" / "responses.md", "many_responses.cpp");
}

TEST(StabilityPage, LibraryLinesAreThoseOfTheBuiltProgram)
{
    expect_code_of(root / "docs" / "stability.md", "stability.cpp");
}

TEST(BootstrapPage, LibraryLinesAreThoseOfTheBuiltProgram)
{
    expect_code_of(root / "docs" / "bootstrap.md", "bootstrap.cpp");
}

TEST(LeaveOneOutPage, LibraryLinesAreThoseOfTheBuiltProgram)
{
    expect_code_of(root / "docs" / "leave-one-out.md", "leave_one_out.cpp");
}

TEST(Readme, CMakeLinesAreThoseOfTheConsumerThatIsBuilt)
{
    const auto code = code_of(root / "tests" / "consumer" / "CMakeLists.txt");
    for (const auto& block : blocks_of(root / "README.md", "cmake"))
        for (const std::string& line : block) {
            if (line.starts_with("target_link_libraries(")) continue; // the target has another name in every project
            EXPECT_NE(std::find(code.begin(), code.end(), line), code.end()) << line;
        }
}

/// Command lines of the program on a page: from "proxpath fit" and the like to the end of the
/// line or of the quotation; a backslash at the end continues it.
std::vector<std::string> command_lines(const fs::path& page)
{
    std::vector<std::string> found;
    const auto lines = lines_of(page);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string text = lines[i];
        while (text.ends_with('\\') && i + 1 < lines.size()) {
            text.pop_back();
            text += lines[++i];
        }
        const std::regex command("proxpath (fit|cv|predict|stability|bootstrap)\\b[^`#]*");
        for (std::sregex_iterator at(text.begin(), text.end(), command); at != std::sregex_iterator(); ++at)
            found.push_back(at->str());
    }
    return found;
}

TEST(Readme, EveryOptionOfACommandLineExists)
{
    using namespace proxpath::cli;
    int seen = 0;
    for (const fs::path& page : pages())
        for (const std::string& line : command_lines(page)) {
            const command which = line.starts_with("proxpath fit")         ? command::fit
                                  : line.starts_with("proxpath cv")        ? command::cv
                                  : line.starts_with("proxpath stability") ? command::stability
                                  : line.starts_with("proxpath bootstrap") ? command::bootstrap
                                                                           : command::predict;
            const std::regex option("--[a-z][a-z-]*");
            for (std::sregex_iterator at(line.begin(), line.end(), option); at != std::sregex_iterator(); ++at) {
                const std::string name = at->str();
                const bool known = std::any_of(option_table().begin(), option_table().end(),
                                               [&](const auto& each) { return each.name == name && each.of(which); });
                EXPECT_TRUE(known) << page << ": " << line;
                ++seen;
            }
        }
    EXPECT_GT(seen, 5);
}

/// Those that stand by themselves, indented. @return how many
int run_commands_of(const fs::path& page)
{
    io_test::temporary_folder folder;
    int run = 0;
    for (const std::string& line : lines_of(page)) {
        if (!line.starts_with("    proxpath ")) continue;
        std::istringstream typed(trimmed(line));
        std::string word;
        typed >> word; // the program's name
        std::vector<std::string> words;
        while (typed >> word) {
            const bool output = !words.empty() && words.back() == "--out";
            if (word == "diabetes.csv") word = (fs::path(PROXPATH_TEST_DATA) / word).string();
            if (output || word == "chosen" || word == "criteria" || word == "ridge") word = folder.file(word);
            words.push_back(word);
        }
        const cli_test::outcome done = cli_test::call(words);
        EXPECT_EQ(done.code, 0) << line << '\n' << done.err;
        ++run;
    }
    return run;
}

TEST(CrossValidationPage, ItsCommandsRunOneAfterTheOther)
{
    EXPECT_EQ(run_commands_of(root / "docs" / "cross-validation.md"), 4);
}

TEST(LeaveOneOutPage, ItsCommandsRunOneAfterTheOther)
{
    EXPECT_EQ(run_commands_of(root / "docs" / "leave-one-out.md"), 2);
}

TEST(BootstrapPage, ItsCommandsRunOneAfterTheOther) { EXPECT_EQ(run_commands_of(root / "docs" / "bootstrap.md"), 2); }

/// Options named alone, `--tol` or `--tol 1e-4`: of the program, or of the tools that the pages speak of.
TEST(Readme, EveryQuotedOptionIsKnown)
{
    const std::vector<std::string> of_tools{"--preset",        "--build",        "--install",
                                            "--prefix",        "--test-dir",     "--version",
                                            "--help-markdown", "--gtest_filter", "--output-on-failure"};
    for (const fs::path& page : pages())
        for (const std::string& line : lines_of(page)) {
            const std::regex quoted("`(--[a-z][a-z_-]*)");
            for (std::sregex_iterator at(line.begin(), line.end(), quoted); at != std::sregex_iterator(); ++at) {
                const std::string name = (*at)[1].str();
                const auto& table = proxpath::cli::option_table();
                const bool ours =
                    std::any_of(table.begin(), table.end(), [&](const auto& each) { return each.name == name; });
                EXPECT_TRUE(ours || std::find(of_tools.begin(), of_tools.end(), name) != of_tools.end())
                    << page << ": " << name;
            }
        }
}

TEST(Readme, EveryLinkLeadsSomewhere)
{
    for (const fs::path& page : pages()) {
        bool code = false; // a lambda looks like a link
        for (const std::string& line : lines_of(page)) {
            if (trimmed(line).starts_with("```")) code = !code;
            if (code) continue;
            const std::regex link("\\]\\(([^)#]+)(#[^)]*)?\\)");
            for (std::sregex_iterator at(line.begin(), line.end(), link); at != std::sregex_iterator(); ++at) {
                const std::string target = (*at)[1].str();
                if (target.find("://") != std::string::npos) continue;
                if (target.ends_with("options.md")) continue; // made by the program; a test of its own compares it
                EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page << ": " << target;
            }
        }
    }
}

} // namespace
