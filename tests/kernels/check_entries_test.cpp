// Lists of somebody else's, looked through on the device: the first entry that is out of place is found, and the
// checksum is of the entries, not of their order.

#include "tests/kernels/kernel_suite.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace proxpath::test {
namespace {

/// Entries that float holds exactly.
dense_matrix example(std::uint64_t seed, std::int64_t n, std::int64_t p)
{
    random_numbers random(seed);
    dense_matrix X(n, p);
    for (double& value : X.values) value = random.chance(0.6) ? static_cast<float>(random.normal()) : 0.0f;
    return X;
}

template <class V>
class KernelCheckEntries : public kernel_suite<V> {
protected:
    struct outcome {
        std::int64_t first_bad;
        std::int64_t checksum;
        bool operator==(const outcome&) const = default;
    };

    outcome check(const compressed_matrix<std::int32_t, V>& of)
    {
        const bool by_column = of.order == storage_order::csc;
        const std::vector<std::int64_t> host_offsets(of.offsets.begin(), of.offsets.end());
        const std::vector<std::uint32_t> host_indices(of.indices.begin(), of.indices.end());
        const auto entries = static_cast<std::int64_t>(of.values.size());
        const auto offsets = this->numbers_of(host_offsets);
        const auto indices = this->numbers_of(host_indices);
        const auto values = this->numbers_of(of.values);
        kernels::lists_view<V> lists;
        lists.count = by_column ? of.p : of.n;
        lists.offsets = offsets.data();
        lists.indices = indices.data();
        lists.values = values.data();
        return this->same_in_every_way([&] {
            const std::int64_t results = kernels::check_results(entries);
            device_buffer<std::int64_t> bad(results, this->stream(), *this->runtime_);
            device_buffer<std::int64_t> sums(results, this->stream(), *this->runtime_);
            kernels::check_entries(lists, entries, by_column ? of.n : of.p, by_column, bad.data(), sums.data(),
                                   this->stream());
            std::vector<std::int64_t> host_bad(static_cast<std::size_t>(results), entries);
            std::vector<std::int64_t> host_sums(static_cast<std::size_t>(results), 0);
            bad.download(host_bad);
            sums.download(host_sums);
            this->runtime_->synchronize(this->stream());
            std::uint64_t sum = 0;
            for (const std::int64_t each : host_sums) sum += static_cast<std::uint64_t>(each);
            return outcome{results == 0 ? entries : *std::min_element(host_bad.begin(), host_bad.end()),
                           static_cast<std::int64_t>(sum)};
        });
    }

    template <class N>
    device_buffer<N> numbers_of(const std::vector<N>& host)
    {
        device_buffer<N> made(static_cast<std::int64_t>(host.size()), this->stream(), *this->runtime_);
        made.upload(host);
        this->runtime_->synchronize(this->stream());
        return made;
    }
};

TYPED_TEST_SUITE(KernelCheckEntries, kernel_numbers);

TYPED_TEST(KernelCheckEntries, TheTwoOrdersOfAMatrixHaveOneChecksumAndNothingBad)
{
    for (const auto& [n, p] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {31, 33}, {3, 1025}, {4500, 2}}) {
        SCOPED_TRACE(testing::Message() << n << " x " << p);
        const dense_matrix X = example(9, n, p);
        const compressed_matrix<std::int32_t, TypeParam> columns(X, storage_order::csc);
        const compressed_matrix<std::int32_t, TypeParam> rows(X, storage_order::csr);
        const auto by_columns = this->check(columns);
        const auto by_rows = this->check(rows);
        EXPECT_EQ(by_columns.first_bad, static_cast<std::int64_t>(columns.values.size()));
        EXPECT_EQ(by_rows.first_bad, by_columns.first_bad);
        EXPECT_EQ(by_rows.checksum, by_columns.checksum);
    }
}

TYPED_TEST(KernelCheckEntries, AnyOtherValueOrPlaceIsAnotherChecksum)
{
    const dense_matrix X = example(10, 40, 30);
    const compressed_matrix<std::int32_t, TypeParam> columns(X, storage_order::csc);
    const auto checksum = this->check(columns).checksum;
    auto other = columns;
    other.values[100] = -other.values[100];
    EXPECT_NE(this->check(other).checksum, checksum);
    other = columns;
    const auto j = std::find_if(other.offsets.begin(), other.offsets.end(), [](auto at) { return at > 0; });
    ASSERT_LT(other.indices[static_cast<std::size_t>(*j) - 1], 39) << "the column's last entry can move down";
    ++other.indices[static_cast<std::size_t>(*j) - 1];
    EXPECT_NE(this->check(other).checksum, checksum);
    other = columns;
    std::swap(other.values[3], other.values[4]);
    other.values[3] += TypeParam{1} / 8;
    EXPECT_NE(this->check(other).checksum, checksum);
}

TYPED_TEST(KernelCheckEntries, TheFirstEntryOutOfPlaceIsFound)
{
    const dense_matrix X = example(11, 70, 90);
    const compressed_matrix<std::int32_t, TypeParam> good(X, storage_order::csc);
    const std::size_t begin = static_cast<std::size_t>(good.offsets[60]);
    ASSERT_GT(good.offsets[61] - good.offsets[60], 3);
    const auto first_bad = [&](const auto& spoil) {
        auto of = good;
        spoil(of);
        return this->check(of).first_bad;
    };
    const auto at = static_cast<std::int64_t>(begin) + 2;
    EXPECT_EQ(first_bad([&](auto& of) { of.indices[begin + 2] = 70; }), at);
    EXPECT_EQ(first_bad([&](auto& of) { of.indices[begin + 2] = -1; }), at) << "as an unsigned number it is too large";
    EXPECT_EQ(first_bad([&](auto& of) { of.indices[begin + 2] = of.indices[begin + 1]; }), at);
    EXPECT_EQ(first_bad([&](auto& of) { std::swap(of.indices[begin + 1], of.indices[begin + 2]); }), at);
    for (const TypeParam value :
         {std::numeric_limits<TypeParam>::quiet_NaN(), std::numeric_limits<TypeParam>::infinity(),
          -std::numeric_limits<TypeParam>::infinity()})
        EXPECT_EQ(first_bad([&](auto& of) {
                      of.values[begin + 2] = value;
                      of.values.back() = value;
                  }),
                  at);
    EXPECT_EQ(first_bad([&](auto& of) { of.values[begin + 2] = std::numeric_limits<TypeParam>::max(); }),
              static_cast<std::int64_t>(good.values.size()));
}

} // namespace
} // namespace proxpath::test
