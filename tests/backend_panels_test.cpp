// Panels of the backend contract: memory, transfers, and copies between them.

#include "tests/support/backend_examples.hpp"

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

template <class Backend>
class BackendPanels : public backend_suite<Backend> {};

TYPED_TEST_SUITE(BackendPanels, backends_times_types);

TYPED_TEST(BackendPanels, PanelsStartAtZeroAndReturnWhatWasUploaded)
{
    using T = typename TypeParam::value_type;
    random_numbers random(1);
    for (const std::int64_t rows : {0, 1, 31, 2049})
        for (const std::int64_t k : batch_widths) {
            const panel<T> fresh = this->ops_->allocate(rows, k);
            EXPECT_EQ(fresh.stride, backend::padded_cols(k));
            EXPECT_THAT(this->down(fresh).values, testing::Each(T(0)));
            const host_panel<T> host = random_panel<T>(random, rows, k);
            EXPECT_EQ(this->down(this->up(host)).values, host.values);
        }
}

TYPED_TEST(BackendPanels, CopiesTakeWhatTheySayAndLeaveTheRest)
{
    using T = typename TypeParam::value_type;
    random_numbers random(16);
    for (const std::int64_t rows : {0, 1, 33})
        for (const std::int64_t k : batch_widths) {
            const host_panel<T> from = random_panel<T>(random, rows, k);
            std::vector<std::int64_t> columns;
            for (std::int64_t c = k - 1; c >= 0; c -= 2) columns.push_back(c);
            const host_panel<T> kept = this->down(this->ops_->compact(this->up(from), columns));
            ASSERT_EQ(kept.cols, static_cast<std::int64_t>(columns.size()));
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t c = 0; c < kept.cols; ++c)
                    EXPECT_EQ(kept.at(i, c), from.at(i, columns[static_cast<std::size_t>(c)]));

            const host_panel<T> before = random_panel<T>(random, rows + 2, k + 3);
            panel<T> larger = this->up(before);
            this->ops_->copy_block(this->up(from), larger);
            const host_panel<T> after = this->down(larger);
            for (std::int64_t i = 0; i < rows + 2; ++i)
                for (std::int64_t c = 0; c < k + 3; ++c)
                    EXPECT_EQ(after.at(i, c), i < rows && c < k ? from.at(i, c) : before.at(i, c));

            const host_panel<T> other = random_panel<T>(random, rows, k + 1);
            panel<T> to = this->up(other);
            this->ops_->copy_column(this->up(from), k / 2, to, k);
            const host_panel<T> copied = this->down(to);
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t c = 0; c <= k; ++c)
                    EXPECT_EQ(copied.at(i, c), c == k ? from.at(i, k / 2) : other.at(i, c));
        }
}

} // namespace
} // namespace proxpath::test
