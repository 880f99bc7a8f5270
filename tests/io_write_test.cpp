// Writers: what is written reads back to the same bits, and a file that cannot be written leaves nothing behind.

#include "tests/io_support.hpp"

#include "host/cli/interruption.hpp"
#include "host/cli/staging.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace proxpath {
namespace {

using namespace io_test;

TEST(IoWrite, MatrixMarketReadsBackToTheSameBits)
{
    const temporary_folder folder;
    for (const std::string name : {"real.mtx", "pattern.mtx", "csc_int8.npz", "csr_float32.npz", "array.mtx"}) {
        SCOPED_TRACE(name);
        const data_set read = read_data(fixtures + name);
        write_matrix_market(folder.file("copy.mtx"), read.X);
        const data_set again = read_data(folder.file("copy.mtx"));
        EXPECT_EQ(entries_of(again.X), entries_of(read.X));
        EXPECT_EQ(again.X.checksum(), read.X.checksum());
    }
    EXPECT_EQ(folder.entries(), 1U); // nothing but the file itself
}

TEST(IoWrite, SvmlightReadsBackToTheSameBits)
{
    const temporary_folder folder;
    const data_set read = read_data(fixtures + "untidy.svm");
    write_svmlight(folder.file("copy.svm"), read.X, read.y);
    const data_set again = read_data(folder.file("copy.svm"));
    EXPECT_EQ(entries_of(again.X), entries_of(read.X));
    EXPECT_EQ(again.y, read.y);
    EXPECT_EQ(folder.entries(), 1U);
    EXPECT_THROW(write_svmlight(folder.file("bad.svm"), read.X, {1.0, 2.0}), invalid_input);
    EXPECT_EQ(folder.entries(), 1U);
}

TEST(IoWrite, ExplicitZerosOfBorrowedMemoryAreNotWritten)
{
    const temporary_folder folder;
    const std::array<std::int64_t, 3> offsets{0, 2, 3};
    const std::array<std::int64_t, 3> indices{0, 1, 1};
    const std::array<double, 3> values{0.0, 2.0, -0.0};
    const matrix X =
        matrix::from_view(csc_view(2, 2, std::span<const std::int64_t>(offsets), std::span<const std::int64_t>(indices),
                                   std::span<const double>(values)));
    write_matrix_market(folder.file("zeros.mtx"), X);
    EXPECT_EQ(slurp(folder.file("zeros.mtx")), "%%MatrixMarket matrix coordinate real general\n2 2 1\n2 1 2\n");
    write_svmlight(folder.file("zeros.svm"), X, {0.5, -1.0});
    EXPECT_EQ(slurp(folder.file("zeros.svm")), "0.5\n-1 1:2\n");
}

TEST(IoWrite, AnOlderFileStaysWhenWritingFails)
{
    const temporary_folder folder;
    const matrix X = read_data(fixtures + "real.mtx").X;
    EXPECT_THROW(write_matrix_market(folder.file("no_such_folder/x.mtx"), X), system_error);
    std::filesystem::create_directory(folder.file("taken.mtx")); // a folder cannot be replaced by a file
    EXPECT_THROW(write_matrix_market(folder.file("taken.mtx"), X), system_error);
    EXPECT_EQ(folder.entries(), 1U);
    spill(folder.file("old.mtx"), "old");
    write_matrix_market(folder.file("old.mtx"), X);
    EXPECT_EQ(read_data(folder.file("old.mtx")).X.checksum(), X.checksum());
}

/// What is left when two signals come right after the folder has its name, while the caller still reports.
void commit_then_interrupt_twice(const std::string& path)
{
    const cli::signal_scope signals;
    cli::staging_folder folder(cli::check_folder_destination(path, true, {{"mark", "old"}},
                                                             [](const std::string& name) { return name == "mark"; }));
    cli::write_text_file(folder.file("mark"), "new");
    folder.commit_folder();
    (void)std::raise(SIGINT);
    (void)std::raise(SIGINT);
}

// It forks, which wants a process without threads: Google Test runs suites of such a name first.
TEST(IoWriteDeathTest, ASecondSignalLeavesTheFinishedFolder)
{
    for (const bool replaces : {false, true}) {
        SCOPED_TRACE(replaces);
        const temporary_folder folder;
        const std::string path = folder.file("fit");
        if (replaces) {
            std::filesystem::create_directory(path);
            std::ofstream(path + "/mark") << "old";
        }
        EXPECT_EXIT(commit_then_interrupt_twice(path), testing::ExitedWithCode(3), "");
        std::string text;
        std::ifstream(path + "/mark") >> text;
        EXPECT_EQ(text, "new");
        EXPECT_EQ(folder.entries(), 1U); // and no older folder beside it
    }
}

} // namespace
} // namespace proxpath
