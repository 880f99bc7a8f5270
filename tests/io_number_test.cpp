// The quick number readers of the inner loops against the careful ones, which io_text_test.cpp compares with strtod.

#include "host/io/number.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace {

using namespace proxpath;

/// The text, a '\n' and as many bytes as may be looked at, of which none may count.
std::string with_slack(const std::string& text, char filler)
{
    return text + '\n' + std::string(io::text_slack - 1, filler);
}

void expect_same(const std::string& text, char filler)
{
    const std::string padded = with_slack(text, filler);
    const char* careful_at = padded.data();
    const char* quick_at = padded.data();
    double careful = -1;
    double quick = -1;
    ASSERT_EQ(io::take_number(quick_at, quick), io::read_number(careful_at, careful)) << text;
    ASSERT_EQ(quick_at, careful_at) << text;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(quick), std::bit_cast<std::uint64_t>(careful)) << text;

    careful_at = quick_at = padded.data();
    std::int64_t careful_integer = -1;
    std::int64_t quick_integer = -1;
    ASSERT_EQ(io::take_integer(quick_at, quick_integer), io::read_integer(careful_at, careful_integer)) << text;
    ASSERT_EQ(quick_at, careful_at) << text;
    ASSERT_EQ(quick_integer, careful_integer) << text;
}

TEST(IoNumber, TheQuickReadersAgreeWithTheCarefulOnes)
{
    std::mt19937_64 random(20240817);
    constexpr std::string_view often = "0123456789.";
    constexpr std::string_view seldom = "0123456789.+-eE: ,#x\xff";
    for (const std::string_view characters : {often, seldom})
        for (int k = 0; k < 200000; ++k) {
            std::string text = random() % 4 == 0 ? "-" : "";
            for (std::uint64_t left = random() % 22; left > 0; --left) text += characters[random() % characters.size()];
            expect_same(text, "07.\xff"[random() % 4]);
            if (HasFatalFailure()) return;
        }
}

TEST(IoNumber, EveryByteThatIsNoDigitEndsAnInteger)
{
    for (int byte = 0; byte < 256; ++byte)
        for (std::size_t length = 0; length < 10; ++length)
            expect_same(std::string("987654321").substr(0, length) + static_cast<char>(byte) + "99999999", '9');
}

} // namespace
