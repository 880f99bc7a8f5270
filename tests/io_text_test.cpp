// The pieces of the text readers by themselves: numbers, long lines, vectors and names.

#include "tests/io_support.hpp"

#include "host/io/number.hpp"
#include "host/io/settings.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <fmt/format.h>

namespace proxpath {
namespace {

using namespace io_test;

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST(IoNumber, TextBecomesTheNearestDouble)
{
    std::mt19937_64 random(7);
    std::vector<std::string> texts{"0",
                                   "-0",
                                   "+3",
                                   "1.",
                                   ".5",
                                   "-.5e1",
                                   "1e22",
                                   "1e23",
                                   "1e-400",
                                   "0.1",
                                   "0.3",
                                   "1E5",
                                   "00012",
                                   "1.7976931348623157e308",
                                   "5e-324",
                                   "2.2250738585072011e-308",
                                   "9007199254740993",
                                   "123456789012345678901234567890",
                                   "0.000000000000000000000000000001234567",
                                   "999999999999999",
                                   "9999999999999999"};
    for (int k = 0; k < 20000; ++k) {
        const std::uint64_t bits = random();
        double value = 0;
        std::memcpy(&value, &bits, sizeof value);
        if (std::isfinite(value)) texts.push_back(fmt::format("{}", value));
        texts.push_back(fmt::format("{}.{:06d}", random() % 100000, random() % 1000000));
        texts.push_back(fmt::format("{:.12f}", static_cast<double>(random() % 1000000) / 999983.0));
    }
    for (const std::string& text : texts) {
        const std::string line = text + "\n";
        const char* at = line.c_str();
        double value = 0;
        ASSERT_TRUE(io::read_number(at, value)) << text;
        EXPECT_EQ(*at, '\n') << text;
        EXPECT_TRUE(same_bits(value, std::strtod(text.c_str(), nullptr))) << text << " became " << value;
    }
}

TEST(IoNumber, WhatIsNoNumberIsNotRead)
{
    for (const std::string text : {"", "-", "+", ".", "e5", "--1", "+-1", "-+1", "x", " 1", "#"}) {
        const std::string line = text + "\n";
        const char* at = line.c_str();
        double value = 0;
        EXPECT_FALSE(io::read_number(at, value)) << text;
        EXPECT_EQ(at, line.c_str()) << text;
    }
}

TEST(IoNumber, IntegersStopAtTwoToTheFiftyThree)
{
    const auto status = [](const std::string& text, std::int64_t& value) {
        const std::string line = text + "\n";
        const char* at = line.c_str();
        return io::read_integer(at, value);
    };
    std::int64_t value = 0;
    EXPECT_EQ(status("9007199254740992", value), io::integer_status::fine);
    EXPECT_EQ(value, std::int64_t{1} << 53);
    EXPECT_EQ(status("9007199254740993", value), io::integer_status::too_large);
    EXPECT_EQ(status("18446744073709551617", value), io::integer_status::too_large);
    EXPECT_EQ(status(std::string(500, '9'), value), io::integer_status::too_large);
    EXPECT_EQ(status("-1", value), io::integer_status::none);
    EXPECT_EQ(status("0000000000000000000000000000012", value), io::integer_status::fine);
    EXPECT_EQ(value, 12);
}

TEST(IoText, LinesLongerThanAWindowAreRead)
{
    std::string text = "1";
    for (int j = 1; j <= 50000; ++j) text += fmt::format(" {}:{}", j, j % 7 + 1);
    text += "\n2 3:1\n";
    io::read_sizes sizes;
    sizes.window_bytes = 100;
    sizes.chunk_bytes = 10;
    const data_set read = io::read_design(io::input::from_memory("long.svm", text), {}, sizes);
    EXPECT_EQ(read.X.nonzeros(), 50001);
    sizes.longest_line = 1000;
    EXPECT_THROW(io::read_design(io::input::from_memory("long.svm", text), {}, sizes), file_error);
    const std::string zeros(5000, '\0');
    try {
        io::read_design(io::input::from_memory("zeros.svm", zeros), {}, sizes);
        ADD_FAILURE() << "zeros are no text";
    } catch (const file_error& error) {
        EXPECT_EQ(error.line(), 1);
        EXPECT_NE(std::string(error.what()).find("binary"), std::string::npos);
    }
}

TEST(IoText, TheLowestLineIsReportedWhereverChunksEnd)
{
    for (int bad = 1; bad <= 60; ++bad) {
        std::string text;
        for (int line = 1; line <= 60; ++line) text += line >= bad ? "1 1:wrong\n" : "1 1:5 2:3\n";
        for (const std::int64_t bytes : {1, 25, 333}) {
            io::read_sizes sizes;
            sizes.chunk_bytes = bytes;
            sizes.window_bytes = 5 * bytes;
            read_options options;
            options.threads = 3;
            try {
                io::read_design(io::input::from_memory("x.svm", text), options, sizes);
                ADD_FAILURE();
            } catch (const file_error& error) {
                EXPECT_EQ(error.line(), bad);
            }
        }
    }
}

TEST(IoText, VectorsAreReadAsLinesAndAsArrays)
{
    const temporary_folder folder;
    spill(folder.file("a.txt"), "1\n-2.5\r\n+3e2\n\n \n");
    EXPECT_EQ(read_vector(folder.file("a.txt")), (std::vector<double>{1, -2.5, 300}));
    spill(folder.file("b.mtx"), "%MatrixMarket MATRIX Array Real General\n% c\n3 1\n0\n1e-3\n7");
    EXPECT_EQ(read_vector(folder.file("b.mtx")), (std::vector<double>{0, 1e-3, 7}));
    compress(folder.file("c.txt.zst"), "\xef\xbb\xbf"
                                       "4\n5\n");
    EXPECT_EQ(read_vector(folder.file("c.txt.zst")), (std::vector<double>{4, 5}));
}

TEST(IoText, NamesAreReadALineEach)
{
    const temporary_folder folder;
    compress(folder.file("names.txt.gz"), "first name\r\n\nthird\n\n");
    EXPECT_EQ(read_lines(folder.file("names.txt.gz")), (std::vector<std::string>{"first name", "", "third"}));
    spill(folder.file("none.txt"), "\n\n");
    EXPECT_THROW(read_lines(folder.file("none.txt")), file_error);
}

} // namespace
} // namespace proxpath
