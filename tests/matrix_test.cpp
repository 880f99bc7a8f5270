// From a caller's view to the stored matrix: every form keeps the same numbers in its narrowest exact types, and
// nothing that lies about its size, its indices or its values gets in. Counts beyond 2³¹ are checked without storing
// them.

#include "tests/support/problems.hpp"

#include "host/matrix/assembler.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/proxpath.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using storage::index_kind;
using storage::value_kind;
using testing::AllOf;
using testing::HasSubstr;

/// What a matrix holds, as a dense one.
dense_matrix contents(const matrix& X)
{
    dense_matrix out(X.rows(), X.cols());
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i)
                    out.at(static_cast<std::int64_t>(rows[i]), block.first + c) = static_cast<double>(values[i]);
            }
        });
    return out;
}

/// Message of the invalid_input that a view must cause.
std::string refusal(const matrix_view& view, int threads = 1)
{
    try {
        matrix::from_view(view, threads);
    } catch (const invalid_input& error) {
        return error.what();
    }
    return "accepted";
}

TEST(Matrix, EveryFormOfAViewHoldsTheSameNumbers)
{
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        random_numbers random(seed);
        const std::int64_t n = random.integer(0, 40);
        const std::int64_t p = random.integer(0, 40);
        dense_matrix X = random_matrix(random, n, p, seed % 4 == 0 ? 1.0 : random.uniform());
        for (double& value : X.values) value = static_cast<double>(static_cast<float>(value));
        SCOPED_TRACE(testing::Message() << "n " << n << ", p " << p << ", seed " << seed);

        std::vector<float> narrow(X.values.begin(), X.values.end());
        std::vector<double> padded(static_cast<std::size_t>((n + 3) * p), 77);
        std::vector<double> row_major(static_cast<std::size_t>(n * (p + 2)), 77);
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t i = 0; i < n; ++i) {
                padded[static_cast<std::size_t>(j * (n + 3) + i)] = X.at(i, j);
                row_major[static_cast<std::size_t>(i * (p + 2) + j)] = X.at(i, j);
            }
        const compressed_matrix<std::int32_t, double> a(X, storage_order::csc);
        const compressed_matrix<std::int64_t, double> b(X, storage_order::csc);
        const compressed_matrix<std::int32_t, float> c(X, storage_order::csc);
        const compressed_matrix<std::int64_t, float> d(X, storage_order::csc);
        const compressed_matrix<std::int32_t, double> e(X, storage_order::csr);
        const compressed_matrix<std::int64_t, double> f(X, storage_order::csr);
        const compressed_matrix<std::int32_t, float> g(X, storage_order::csr);
        const compressed_matrix<std::int64_t, float> h(X, storage_order::csr);
        const matrix_view views[] = {a.view(),
                                     b.view(),
                                     c.view(),
                                     d.view(),
                                     e.view(),
                                     f.view(),
                                     g.view(),
                                     h.view(),
                                     X.view(),
                                     dense_view(n, p, narrow.data(), n),
                                     dense_view(n, p, padded.data(), n + 3),
                                     dense_view(n, p, row_major.data(), p + 2, storage_order::dense_row_major)};
        const std::uint64_t checksum = matrix::from_view(a.view(), 1).checksum(1);
        for (std::size_t way = 0; way < std::size(views); ++way) {
            SCOPED_TRACE(way);
            for (const int threads : {1, 3}) {
                const matrix stored = matrix::from_view(views[way], threads);
                EXPECT_EQ(stored.rows(), n);
                EXPECT_EQ(stored.cols(), p);
                EXPECT_EQ(contents(stored).values, X.values);
                EXPECT_EQ(stored.checksum(threads), checksum);
            }
        }
    }
}

TEST(Matrix, ChecksumTellsShapesPositionsAndValuesApart)
{
    const auto checksum = [](const dense_matrix& X) { return matrix::from_view(X.view()).checksum(); };
    dense_matrix X(3, 2);
    X.at(1, 0) = 2;
    const std::uint64_t original = checksum(X);
    dense_matrix other = X;
    other.at(1, 0) = 3;
    EXPECT_NE(checksum(other), original);
    other.at(1, 0) = 0;
    other.at(2, 0) = 2;
    EXPECT_NE(checksum(other), original);
    dense_matrix wider(3, 3);
    wider.at(1, 0) = 2;
    EXPECT_NE(checksum(wider), original);
    dense_matrix longer(4, 2);
    longer.at(1, 0) = 2;
    EXPECT_NE(checksum(longer), original);
    EXPECT_EQ(checksum(X), original);
}

TEST(Matrix, AssembledColumnsTakeTheNarrowestExactTypes)
{
    const auto kinds = [](std::int64_t n, const std::function<double(std::int64_t)>& value, std::int64_t missing) {
        dense_matrix X(n, 1);
        for (std::int64_t i = 0; i < n; ++i) X.at(i, 0) = i < missing ? 0 : value(i);
        const compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
        const matrix stored = matrix::from_view(rows.view());
        return std::pair{stored.store().blocks[0].indices_are, stored.store().blocks[0].values_are};
    };
    EXPECT_EQ(kinds(
                  10, [](auto) { return 1.0; }, 1),
              std::pair(index_kind::u16, value_kind::one));
    EXPECT_EQ(kinds(
                  10, [](auto) { return 1.0; }, 0),
              std::pair(index_kind::full, value_kind::one));
    EXPECT_EQ(kinds(
                  10, [](auto i) { return 246.0 + static_cast<double>(i); }, 1),
              std::pair(index_kind::u16, value_kind::u8));
    EXPECT_EQ(kinds(
                  10, [](auto) { return 256.0; }, 1),
              std::pair(index_kind::u16, value_kind::f32));
    EXPECT_EQ(kinds(
                  10, [](auto) { return -1.0; }, 1),
              std::pair(index_kind::u16, value_kind::f32));
    EXPECT_EQ(kinds(
                  10, [](auto) { return 0.5; }, 1),
              std::pair(index_kind::u16, value_kind::f32));
    EXPECT_EQ(kinds(
                  10, [](auto) { return 0.1; }, 1),
              std::pair(index_kind::u16, value_kind::f64));
    EXPECT_EQ(kinds(
                  65536, [](auto) { return 1.0; }, 1)
                  .first,
              index_kind::u16);
    EXPECT_EQ(kinds(
                  65537, [](auto) { return 1.0; }, 1)
                  .first,
              index_kind::u32);
}

TEST(Matrix, KindsOfNumbersAreExact)
{
    using storage::kind_of;
    EXPECT_EQ(kind_of(1), value_kind::one);
    EXPECT_EQ(kind_of(0), value_kind::u8);
    EXPECT_EQ(kind_of(255), value_kind::u8);
    EXPECT_EQ(kind_of(255.5), value_kind::f32);
    EXPECT_EQ(kind_of(-0.0), value_kind::u8); // equal to zero; views and readers drop it
    EXPECT_EQ(kind_of(0x1p-149), value_kind::f32);
    EXPECT_EQ(kind_of(0x1p-150), value_kind::f64);
    EXPECT_EQ(kind_of(0x1p127), value_kind::f32);
    EXPECT_EQ(kind_of(0x1p128), value_kind::f64);
    EXPECT_EQ(kind_of(16777217), value_kind::f64);
}

TEST(Matrix, SortedColumnsAndColumnMajorMemoryAreUsedInPlace)
{
    random_numbers random(2);
    const dense_matrix X = random_matrix(random, 20, 5, 0.5);
    const compressed_matrix<std::int64_t, float> columns(X, storage_order::csc);
    const matrix sparse = matrix::from_view(columns.view());
    EXPECT_EQ(sparse.store().blocks[0].values, static_cast<const void*>(columns.values.data()));
    EXPECT_EQ(sparse.store().blocks[0].indices, static_cast<const void*>(columns.indices.data()));
    const matrix dense = matrix::from_view(X.view());
    EXPECT_EQ(dense.store().blocks[0].values, static_cast<const void*>(X.values.data()));
}

TEST(Matrix, UnsortedColumnsAreSortedOnce)
{
    const std::vector<std::int32_t> offsets{0, 3, 5};
    const std::vector<std::int32_t> indices{2, 0, 1, 2, 0};
    const std::vector<double> values{30, 10, 20, 6, 4};
    const matrix X = matrix::from_view(csc_view(3, 2, std::span(offsets), std::span(indices), std::span(values)));
    EXPECT_THAT(contents(X).values, testing::ElementsAre(10, 20, 30, 4, 0, 6));
}

TEST(Matrix, ManyBlocksHoldEveryColumn)
{
    // Columns of very different lengths across the block size, full ones among them.
    random_numbers random(4);
    dense_matrix X(3000, 120);
    for (std::int64_t j = 0; j < X.p; ++j) {
        const double density = j % 10 == 0 ? 1.0 : j % 7 == 0 ? 0.0 : random.uniform();
        for (std::int64_t i = 0; i < X.n; ++i)
            if (random.chance(density)) X.at(i, j) = j % 3 == 0 ? 1 : random.normal();
    }
    const compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
    const matrix stored = matrix::from_view(rows.view(), 2);
    EXPECT_GT(stored.store().blocks.size(), 3u);
    EXPECT_EQ(contents(stored).values, X.values);
    std::int64_t next = 0;
    for (const storage::column_block& block : stored.store().blocks) {
        EXPECT_EQ(block.first, next);
        EXPECT_TRUE(block.count == 1 || block.nonzeros() <= storage::block_nonzeros);
        next += block.count;
    }
    EXPECT_EQ(next, X.p);
    EXPECT_EQ(stored.nonzeros(), static_cast<std::int64_t>(rows.values.size()));
}

TEST(Matrix, ValuesThatAreNotFiniteAreRefusedWithTheirPlace)
{
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()}) {
        dense_matrix X(4, 3);
        for (double& value : X.values) value = 1;
        X.at(2, 1) = bad;
        const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
        const compressed_matrix<std::int64_t, float> rows(X, storage_order::csr);
        std::vector<double> row_major;
        for (std::int64_t i = 0; i < 4; ++i)
            for (std::int64_t j = 0; j < 3; ++j) row_major.push_back(X.at(i, j));
        for (const matrix_view& view : {columns.view(), rows.view(), X.view(),
                                        dense_view(4, 3, row_major.data(), 3, storage_order::dense_row_major)})
            EXPECT_THAT(refusal(view), AllOf(HasSubstr("row 2, column 1"), HasSubstr("finite")));
    }
}

TEST(Matrix, OfSeveralFaultsTheFirstIsReportedForAnyNumberOfThreads)
{
    dense_matrix X(5000, 3);
    for (double& value : X.values) value = 1;
    for (const std::int64_t row : {4800, 3001, 2999}) X.at(row, 2) = std::numeric_limits<double>::quiet_NaN();
    const compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
    for (const int threads : {1, 2, 5})
        EXPECT_THAT(refusal(rows.view(), threads), HasSubstr("row 2999, column 2")) << threads;
}

TEST(Matrix, IndicesOutOfRangeAreRefusedWithTheirPlace)
{
    const std::vector<std::int32_t> offsets{0, 1, 3};
    const std::vector<double> values{1, 2, 3};
    for (const std::int32_t bad :
         {3, -1, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
        const std::vector<std::int32_t> indices{0, 1, bad};
        EXPECT_THAT(refusal(csc_view(3, 2, std::span(offsets), std::span(indices), std::span(values))),
                    AllOf(HasSubstr("indices[2]"), HasSubstr(std::to_string(bad)), HasSubstr("column 1")));
        EXPECT_THAT(refusal(csr_view(2, 3, std::span(offsets), std::span(indices), std::span(values))),
                    AllOf(HasSubstr("indices[2]"), HasSubstr(std::to_string(bad)), HasSubstr("row 1")));
    }
    const std::vector<std::int64_t> wide_offsets{0, 1};
    const std::vector<std::int64_t> wide_indices{std::int64_t{1} << 32}; // 0 if it were cut to 32 bits
    EXPECT_THAT(refusal(csc_view(3, 1, std::span(wide_offsets), std::span(wide_indices), std::span(values).first(1))),
                HasSubstr("4294967296"));
}

TEST(Matrix, DuplicateEntriesAreRefusedWithTheirPlace)
{
    const std::vector<std::int32_t> offsets{0, 2, 5};
    const std::vector<double> values{1, 2, 3, 4, 5};
    const std::vector<std::int32_t> ascending{0, 1, 1, 3, 3};
    const std::vector<std::int32_t> apart{0, 1, 3, 1, 3};
    for (const auto* indices : {&ascending, &apart}) {
        EXPECT_THAT(refusal(csc_view(4, 2, std::span(offsets), std::span(*indices), std::span(values))),
                    AllOf(HasSubstr("row 3, column 1"), HasSubstr("twice")));
        EXPECT_THAT(refusal(csr_view(2, 4, std::span(offsets), std::span(*indices), std::span(values))),
                    AllOf(HasSubstr("row 1, column 3"), HasSubstr("twice")));
    }
    // A column with as many entries as rows, one of them twice.
    const std::vector<std::int32_t> one_column{0, 3};
    const std::vector<std::int32_t> twice{0, 2, 2};
    EXPECT_THAT(refusal(csc_view(3, 1, std::span(one_column), std::span(twice), std::span(values).first(3))),
                AllOf(HasSubstr("row 2, column 0"), HasSubstr("twice")));
}

TEST(Matrix, OffsetsThatLieAreRefused)
{
    const std::vector<std::int32_t> indices{0, 1, 0};
    const std::vector<double> values{1, 2, 3};
    const auto message = [&](const std::vector<std::int32_t>& offsets, std::int64_t cols = 2) {
        return refusal(csc_view(3, cols, std::span(offsets), std::span(indices), std::span(values)));
    };
    EXPECT_THAT(message({1, 2, 3}), HasSubstr("offsets[0] is 1"));
    EXPECT_THAT(message({0, 2, 1}), AllOf(HasSubstr("offsets[2] = 1"), HasSubstr("offsets[1] = 2")));
    EXPECT_THAT(message({0, -1, 3}), HasSubstr("offsets[1] = -1"));
    EXPECT_THAT(message({0, 2, 4}), AllOf(HasSubstr("last offset is 4"), HasSubstr("3 numbers")));
    EXPECT_THAT(message({0, 2}), HasSubstr("3 numbers"));          // too few
    EXPECT_THAT(message({0, 1, 2, 3}), HasSubstr("offsets must")); // too many
    EXPECT_THAT(message({}, 0), HasSubstr("offsets must"));

    // Offsets beyond 32 bits, indices that are not there.
    const std::vector<std::int64_t> huge{0, std::int64_t{1} << 33};
    const std::vector<std::int64_t> wide{0};
    EXPECT_THAT(refusal(csc_view(3, 1, std::span(huge), std::span(wide), std::span(values).first(1))),
                AllOf(HasSubstr("8589934592"), HasSubstr("hold only 1")));
}

TEST(Matrix, MissingMemoryIsRefused)
{
    matrix_view view;
    view.rows = 2;
    view.cols = 1;
    EXPECT_THAT(refusal(view), HasSubstr("offsets must hold 2"));
    const std::vector<std::int32_t> offsets{0, 2};
    view.offsets = offsets.data();
    view.stored = 2;
    EXPECT_THAT(refusal(view), HasSubstr("must not be null"));
    view.order = storage_order::dense_column_major;
    view.leading_dimension = 2;
    EXPECT_THAT(refusal(view), HasSubstr("must not be null"));
    const std::vector<double> values(2, 1.0);
    view.values = values.data();
    view.leading_dimension = 1;
    EXPECT_THAT(refusal(view), HasSubstr("leading dimension 1 is less than 2"));
}

TEST(Matrix, ShapesThatCannotBeAreRefused)
{
    const std::vector<std::int64_t> offsets{0};
    const std::span<const std::int64_t> none;
    const std::span<const double> no_values;
    const auto message = [&](std::int64_t rows, std::int64_t cols) {
        matrix_view view = csc_view(0, 0, std::span(offsets), none, no_values);
        view.rows = rows;
        view.cols = cols;
        return refusal(view);
    };
    EXPECT_EQ(message(0, 0), "accepted");
    EXPECT_EQ(message((std::int64_t{1} << 32) - 1, 0), "accepted"); // nothing of that length is stored
    EXPECT_THAT(message(std::int64_t{1} << 32, 0), AllOf(HasSubstr("4294967296 rows"), HasSubstr("2^32 - 1")));
    EXPECT_THAT(message(-1, 0), HasSubstr("-1 rows"));
    EXPECT_THAT(message(std::numeric_limits<std::int64_t>::max(), 0), HasSubstr("rows"));
    EXPECT_THAT(message(3, -5), HasSubstr("-5 columns"));
    EXPECT_THAT(message(3, std::numeric_limits<std::int64_t>::max()), HasSubstr("columns"));
    EXPECT_THAT(message(3, std::int64_t{1} << 60), HasSubstr("columns"));
}

TEST(Matrix, RowNumbersBeyond31BitsAreKept)
{
    // One entry in the last row of 2³² − 1: read back from borrowed and from assembled storage.
    const std::int64_t n = (std::int64_t{1} << 32) - 1;
    const std::vector<std::int64_t> offsets{0, 2};
    const std::vector<std::int64_t> sorted{5, n - 1};
    const std::vector<std::int64_t> unsorted{n - 1, 5};
    const std::vector<double> values{1, 2};
    for (const auto* indices : {&sorted, &unsorted}) {
        const matrix X = matrix::from_view(csc_view(n, 1, std::span(offsets), std::span(*indices), std::span(values)));
        EXPECT_EQ(X.rows(), n);
        storage::visit_block(X.store().blocks[0], [&](auto rows, auto) {
            const auto column = rows.column(0);
            EXPECT_EQ(static_cast<std::int64_t>(column[0]), 5);
            EXPECT_EQ(static_cast<std::int64_t>(column[1]), n - 1);
        });
    }
}

TEST(Matrix, PredictedBytesCountBeyond32Bits)
{
    // Four columns of 3 · 2³⁰ numbers each, counted but not stored: doubled thirty times.
    storage::column_profile profile;
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 3; ++i) profile.add(j, 0.1);
    EXPECT_EQ(storage::predict_stored_bytes(100, profile), 12u * (2u + 8u) + 5u * 8u);
    for (int doubling = 0; doubling < 30; ++doubling) {
        const storage::column_profile copy = profile;
        profile.merge(copy);
    }
    const std::uint64_t entries = std::uint64_t{12} << 30;
    EXPECT_EQ(profile.counts()[0], std::int64_t{3} << 30);
    EXPECT_EQ(storage::predict_stored_bytes((std::int64_t{1} << 32) - 1, profile), entries * (4u + 8u) + 5u * 8u);
}

TEST(Matrix, TheAssemblerRefusesWhatItsProfileDidNotCount)
{
    storage::column_profile profile;
    profile.grow(2);
    profile.add(0, 3);
    profile.add(1, 1);
    storage::matrix_assembler assembler(4, profile);
    EXPECT_FALSE(assembler.put(2, 0, 3));   // no such column
    EXPECT_FALSE(assembler.put(0, 4, 3));   // no such row
    EXPECT_FALSE(assembler.put(0, -1, 3));  // no such row
    EXPECT_FALSE(assembler.put(0, 0, 0.1)); // wider than counted
    EXPECT_TRUE(assembler.put(0, 3, 3));
    EXPECT_FALSE(assembler.put(0, 1, 3));       // one more than counted
    EXPECT_FALSE(assembler.finish(1).complete); // column 1 got nothing
}

} // namespace
} // namespace proxpath::test
