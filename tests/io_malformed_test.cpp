// Files that must be refused: every file of tests/malformed with the line and message of expectations.tsv, for any
// number of threads and any chunks; and what cannot be laid down as a file: cancelled reads, missing files, too little
// memory.

#include "tests/io_support.hpp"

#include "host/io/settings.hpp"

#include <fstream>
#include <optional>

namespace proxpath {
namespace {

using namespace io_test;

const std::string malformed = std::string(PROXPATH_TEST_DATA) + "/../malformed/";

struct refused_file {
    std::string name;
    std::string kind;
    std::int64_t line = 0;
    std::string fragment;
};

std::vector<refused_file> corpus()
{
    std::vector<refused_file> files;
    std::istringstream text(slurp(malformed + "expectations.tsv"));
    std::string row;
    while (std::getline(text, row)) {
        if (row.starts_with("#")) continue;
        std::istringstream cells(row);
        refused_file file;
        std::string line;
        std::getline(cells, file.name, '\t');
        std::getline(cells, file.kind, '\t');
        std::getline(cells, line, '\t');
        std::getline(cells, file.fragment, '\t');
        file.line = std::stoll(line);
        files.push_back(file);
    }
    return files;
}

/// The message with which the file is refused, checked for its line.
std::string refusal(const refused_file& file, const read_options& options, const io::read_sizes& sizes)
{
    const io::input source = io::input::from_file(malformed + file.name);
    try {
        if (file.kind == "y")
            io::read_numbers(source, sizes);
        else
            io::read_design(source, options, sizes);
    } catch (const file_error& error) {
        EXPECT_EQ(error.line(), file.line) << error.what();
        EXPECT_EQ(error.file(), malformed + file.name);
        return error.what();
    }
    ADD_FAILURE() << "was read without an error";
    return {};
}

TEST(IoMalformed, EveryFileIsRefusedWithLineAndReason)
{
    const std::vector<refused_file> files = corpus();
    ASSERT_GE(files.size(), 60U);
    for (const refused_file& file : files) {
        if (file.kind == "y_length") continue; // well-formed by itself
        SCOPED_TRACE(file.name);
        const std::string message = refusal(file, {}, {});
        EXPECT_NE(message.find(file.fragment), std::string::npos) << message << "\nexpected: " << file.fragment;
        for (const char c : message) EXPECT_TRUE(static_cast<unsigned char>(c) >= 32) << message;
    }
}

TEST(IoMalformed, MessagesAreTheSameForAnyThreadsAndChunks)
{
    for (const refused_file& file : corpus()) {
        if (file.kind == "y_length") continue;
        SCOPED_TRACE(file.name);
        std::optional<std::string> first;
        for (const std::int64_t bytes : {11, 100, 100000})
            for (const int threads : {1, 2, 5}) {
                if (threads > 1 && bytes < 100) continue; // thousands of windows: one thread crosses the same borders
                read_options options;
                options.threads = threads;
                options.memory_limit = std::uint64_t{4} << 30; // else the message holds what is free at the moment
                io::read_sizes sizes;
                sizes.chunk_bytes = bytes;
                sizes.window_bytes = 4 * bytes;
                const std::string message = refusal(file, options, sizes);
                EXPECT_EQ(message, first.value_or(message));
                first = message;
            }
    }
}

TEST(IoMalformed, ResponseOfAnotherLengthIsItselfFine)
{
    for (const refused_file& file : corpus()) {
        if (file.kind == "y_length") {
            EXPECT_EQ(read_vector(malformed + file.name).size(), 7U);
        }
    }
}

TEST(IoMalformed, WhatIsNoFileIsASystemError)
{
    const temporary_folder folder;
    EXPECT_THROW(read_data(folder.file("missing.svm")), system_error);
    EXPECT_THROW(read_vector(folder.file("missing.txt")), system_error);
    EXPECT_THROW(read_lines(folder.file("missing.txt")), system_error);
    EXPECT_THROW(read_data(folder.file(".")), system_error);
    EXPECT_THROW(read_data("/dev/null"), system_error);
    spill(folder.file("data.parquet"), "1 1:1\n");
    EXPECT_THROW(read_data(folder.file("data.parquet")), invalid_input);
}

TEST(IoMalformed, WhatDoesNotFitIsRefusedBeforeItIsAllocated)
{
    read_options options;
    options.memory_limit = 1000;
    EXPECT_THROW(read_data(fixtures + "csr.npz", options), error);
    options.memory_limit = 3000;
    EXPECT_THROW(read_data(fixtures + "real.mtx", options), out_of_memory);
    EXPECT_THROW(read_data(fixtures + "one_based.svm", options), out_of_memory);
    EXPECT_THROW(read_data(fixtures + "names.csv", options), out_of_memory);
    options.memory_limit = 1 << 20;
    EXPECT_EQ(read_data(fixtures + "real.mtx", options).X.rows(), 37);
}

TEST(IoMalformed, EveryTruncationOfAFileIsReadOrRefusedButNeverCrashes)
{
    for (const std::string name : {"real.mtx", "symmetric.mtx", "untidy.svm", "csr.npz", "csc_int8.npz", "names.csv"}) {
        const std::string whole = slurp(fixtures + name);
        for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 200) {
            const io::input source = io::input::from_memory(name, std::span(whole).first(length));
            try {
                io::read_design(source, {});
            } catch (const error& failure) {
                EXPECT_NE(std::string(failure.what()), "");
            }
        }
    }
}

} // namespace
} // namespace proxpath
