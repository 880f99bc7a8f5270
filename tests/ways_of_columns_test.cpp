// The choice between columns in turn and side by side: by what both have cost, tried again as the working set grows.

#include "host/backend/cpu/cpu_descent_memory.hpp"

#include <gtest/gtest.h>

namespace proxpath::backend {
namespace {

TEST(WaysOfColumns, BothAreTriedFirst)
{
    ways_of_columns ways;
    EXPECT_EQ(ways.cheaper(100), ways_of_columns::in_turn);
    ways.measured(ways_of_columns::in_turn, 1, 100);
    EXPECT_EQ(ways.cheaper(100), ways_of_columns::side_by_side);
}

TEST(WaysOfColumns, ATrialSideBySideEndsAtALimitThatGrowsWithTheWorkingSet)
{
    ways_of_columns ways;
    ways.measured(ways_of_columns::in_turn, 1e6, 100);
    EXPECT_GT(ways.limit(100), 1e6);
    EXPECT_EQ(ways.limit(200), 2 * ways.limit(100));
}

TEST(WaysOfColumns, TheCheaperOneIsTaken)
{
    ways_of_columns ways;
    ways.measured(ways_of_columns::side_by_side, 1e6, 100);
    ways.measured(ways_of_columns::in_turn, 3e6, 100);
    EXPECT_EQ(ways.cheaper(150), ways_of_columns::side_by_side);
    ways.measured(ways_of_columns::side_by_side, 9e6, 100);
    EXPECT_EQ(ways.cheaper(150), ways_of_columns::in_turn);
}

TEST(WaysOfColumns, CostsOfASmallerWorkingSetAreRaisedWithIt)
{
    ways_of_columns ways;
    ways.measured(ways_of_columns::in_turn, 1e6, 100);
    ways.measured(ways_of_columns::side_by_side, 1.6e6, 190); // of 100 features it had been 0.84e6
    EXPECT_EQ(ways.cheaper(190), ways_of_columns::side_by_side);
}

TEST(WaysOfColumns, TheOtherIsTriedAgainWhenItWasCloseAndTheWorkingSetHasDoubled)
{
    ways_of_columns ways;
    ways.measured(ways_of_columns::in_turn, 1.2e6, 100);
    ways.measured(ways_of_columns::side_by_side, 2e6, 200);
    EXPECT_EQ(ways.cheaper(200), ways_of_columns::side_by_side);
    EXPECT_EQ(ways.cheaper(201), ways_of_columns::in_turn);
}

TEST(WaysOfColumns, AWayThatWasFarOffIsNotTriedAgain)
{
    ways_of_columns ways;
    ways.measured(ways_of_columns::in_turn, 9e6, 100);
    ways.measured(ways_of_columns::side_by_side, 2e6, 5000);
    EXPECT_EQ(ways.cheaper(10000), ways_of_columns::side_by_side);
}

} // namespace
} // namespace proxpath::backend
