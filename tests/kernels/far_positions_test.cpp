// Lists that begin at position 2³³, with pointers set back by as much so that only the short stretch that is read is
// memory: every kernel that reads lists makes of them, bit for bit, what it makes of the same lists from position 0.

#include "kernels/correlation_pass.hpp"
#include "kernels/descent_launchers.hpp"
#include "tests/kernels/kernel_suite.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

namespace proxpath::test {
namespace {

constexpr std::int64_t far_away = std::int64_t{1} << 33;

template <class N>
N* set_back(N* pointer)
{
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    return reinterpret_cast<N*>(address - static_cast<std::uintptr_t>(far_away) * sizeof(N));
}

std::vector<std::int64_t> moved_far_away(std::vector<std::int64_t> offsets)
{
    for (std::int64_t& offset : offsets) offset += far_away;
    return offsets;
}

/// Lists on the device, and the same far away.
template <class V>
class both_lists {
public:
    both_lists(const backend::host_lists<V>& lists, backend::stream_view stream, backend::device_runtime& runtime)
        : lists_(lists, stream, runtime), offsets_(static_cast<std::int64_t>(lists.offsets.size()), stream, runtime)
    {
        const std::vector<std::int64_t> moved = moved_far_away(lists.offsets);
        offsets_.upload(moved);
        runtime.synchronize(stream);
    }
    kernels::lists_view<V> view(bool far) const
    {
        kernels::lists_view<V> made = lists_.view();
        if (!far) return made;
        made.offsets = offsets_.data();
        made.indices = set_back(made.indices);
        made.values = set_back(made.values);
        return made;
    }

private:
    backend::device_lists<V> lists_;
    device_buffer<std::int64_t> offsets_;
};

/// Columns of which some are full and some empty.
template <class V>
backend::host_lists<V> random_columns(random_numbers& random, std::int64_t n, std::int64_t p, double density)
{
    backend::host_lists<V> made;
    made.offsets.push_back(0);
    for (std::int64_t j = 0; j < p; ++j) {
        for (std::int64_t i = 0; i < n; ++i) {
            if (j % 7 == 5 || !random.chance(j % 7 == 2 ? 1 : density)) continue;
            made.indices.push_back(static_cast<std::uint32_t>(i));
            made.values.push_back(static_cast<V>(random.normal()));
        }
        made.offsets.push_back(static_cast<std::int64_t>(made.indices.size()));
    }
    return made;
}

template <class V>
class KernelFarPositions : public kernel_suite<V> {
protected:
    template <class N>
    device_buffer<N> up_numbers(const std::vector<N>& host)
    {
        device_buffer<N> made(static_cast<std::int64_t>(host.size()), this->stream(), *this->runtime_);
        made.upload(host);
        this->runtime_->synchronize(this->stream());
        return made;
    }
    template <class N>
    std::vector<N> down_numbers(const device_buffer<N>& from)
    {
        std::vector<N> host(static_cast<std::size_t>(from.size()));
        from.download(host);
        this->runtime_->synchronize(this->stream());
        return host;
    }
    /// A buffer full of zeros.
    template <class N>
    device_buffer<N> zeros(std::int64_t n)
    {
        return up_numbers(std::vector<N>(static_cast<std::size_t>(n)));
    }

    panel<double> up_in_double(const host_panel<double>& host)
    {
        panel<double> made = backend::make_device_panel<double>(host.rows, host.cols, this->stream(), *this->runtime_);
        backend::upload_panel<double>(host.values, made, this->stream(), *this->runtime_);
        this->runtime_->synchronize(this->stream());
        return made;
    }

    /// run(X, its columns on the host, whether X is far away), for X with long columns, or with long rows too: what it
    /// returns is the same of near lists and of far ones.
    template <class Run>
    void expect_the_same_of_far_lists(bool of_rows_too, const Run& run)
    {
        for (const auto& [n, p] : {std::pair<std::int64_t, std::int64_t>{2200, 16}, {3, 2600}}) {
            if (p > n && !of_rows_too) continue;
            SCOPED_TRACE(testing::Message() << "n " << n << ", p " << p);
            random_numbers random(static_cast<std::uint64_t>(n));
            const backend::host_lists<V> host = random_columns<V>(random, n, p, p > n ? 0.9 : 0.1);
            const both_lists<V> columns(host, this->stream(), *this->runtime_);
            const both_lists<V> rows(backend::transposed(host, n), this->stream(), *this->runtime_);
            const auto shift = this->up(random_vector(random, p, -1, 1));
            const auto center = this->up(random_vector(random, p, -1, 1));
            const auto inverse = this->up(random_vector(random, p, 0.2, 3));
            const auto made = [&](bool far) {
                const kernels::design_view<V> X{
                    n, p, columns.view(far), rows.view(far), shift.data(), center.data(), inverse.data(), true};
                return run(X, host, far);
            };
            EXPECT_TRUE(made(true) == made(false));
        }
    }
};

TYPED_TEST_SUITE(KernelFarPositions, kernel_numbers);

TYPED_TEST(KernelFarPositions, ProductsAreTheSame)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(true, [&](const kernels::design_view<V>& X, const auto&, bool) {
        random_numbers random(90);
        constexpr std::int64_t k = 3;
        const panel<V> R = this->up(random_panel<V>(random, X.n, k));
        const panel<V> B = this->up(random_panel<V>(random, X.p, k));
        const panel<V> y = this->up(random_panel<V>(random, X.n, 1));
        const panel<V> C = this->up(host_panel<V>(X.p, k));
        const panel<V> product = this->up(host_panel<V>(X.n, k));
        const panel<V> rest = this->up(host_panel<V>(X.n, k));
        const auto scratch = this->numbers(kernels::scratch_numbers(std::max(X.n, X.p), k) + k);
        kernels::transpose_multiply<V, V>(X, readable(R), writable(C), scratch.data(), this->stream());
        kernels::multiply<V, V>(X, readable(B), writable(product), scratch.data(), this->stream());
        kernels::residual<V, V>(X, readable(B), readable(y), writable(rest), scratch.data(), this->stream());
        return std::vector{this->down(C).values, this->down(product).values, this->down(rest).values};
    });
}

TYPED_TEST(KernelFarPositions, CorrelationsOfChosenFeaturesAreTheSame)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(false, [&](const kernels::design_view<V>& X, const auto&, bool) {
        random_numbers random(91);
        const std::int64_t pieces = (X.p + kernels::select_piece - 1) / kernels::select_piece;
        const auto skip = this->template zeros<std::uint8_t>(X.p);
        const auto kind = this->template zeros<std::uint8_t>(X.p);
        kernels::choose_features<V>(X.p, X.columns.offsets, skip.data(), nullptr, {}, nullptr, kind.data(),
                                    this->stream());
        const auto bits = this->template zeros<std::uint32_t>((X.p + 31) / 32);
        const auto before = this->template zeros<std::int64_t>((X.p + 31) / 32);
        const auto starts = this->template zeros<std::int64_t>(2 * (pieces + 1));
        const auto short_ids = this->template zeros<std::int64_t>(X.p);
        const auto long_ids = this->template zeros<std::int64_t>(X.p);
        kernels::select(kind.data(), X.p,
                        {bits.data(), before.data(), starts.data(), short_ids.data(), long_ids.data()}, this->stream());
        const std::vector<std::uint8_t> kinds = this->down_numbers(kind);
        kernels::feature_tile all;
        all.end = X.p;
        all.chosen = {bits.data(), before.data()};
        all.short_ids = short_ids.data();
        all.short_count = std::count(kinds.begin(), kinds.end(), 1);
        all.long_ids = long_ids.data();
        all.long_count = std::count(kinds.begin(), kinds.end(), 2);
        EXPECT_EQ(all.long_count, X.columns.long_count);

        const panel<double> R = this->up_in_double(random_panel<double>(random, X.n, 3));
        const panel<double> r = this->up_in_double(random_panel<double>(random, X.n, 1));
        const auto sums = this->up(random_vector(random, 3, -1, 1));
        const auto U = this->numbers(X.p * 3);
        const auto u = this->numbers(X.p);
        const auto entries = this->numbers(1);
        const auto scratch = this->numbers(kernels::scratch_numbers(X.p, 1));
        kernels::tile_correlations<double, V>(X, readable(R), sums.data(), all, U.data(), this->stream());
        kernels::column_correlations<V>(X, readable(r), sums.data(), all, u.data(), this->stream());
        kernels::chosen_entries(X.p, X.columns.offsets, kind.data(), entries.data(), scratch.data(), this->stream());
        return std::tuple(kinds, this->down(U), this->down(u), this->down(entries));
    });
}

TYPED_TEST(KernelFarPositions, GatheredListsAreTheSameAndMayBeWrittenFarAway)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(true, [&](const kernels::design_view<V>& X, const auto& host, bool far) {
        // Every third column, the last of them twice.
        std::vector<std::int64_t> chosen;
        for (std::int64_t j = 2; j < X.p; j += 3) chosen.push_back(j);
        const auto places_used = static_cast<std::uint32_t>(chosen.size());
        std::vector<std::uint32_t> first(static_cast<std::size_t>(X.p), 0), next(chosen.size() + 1, 0);
        for (std::uint32_t place = 0; place < places_used; ++place) first[chosen[place]] = place + 1;
        next[places_used - 1] = places_used + 1;
        chosen.push_back(chosen.back());
        const auto first_up = this->up_numbers(first);
        const auto next_up = this->up_numbers(next);
        const auto chosen_up = this->up_numbers(chosen);

        std::vector<std::int64_t> offsets{0};
        for (const std::int64_t column : chosen) {
            const auto j = static_cast<std::size_t>(column);
            offsets.push_back(offsets.back() + host.offsets[j + 1] - host.offsets[j]);
        }
        const std::int64_t entries = offsets.back();
        const auto offsets_up = this->up_numbers(offsets);
        const auto indices = this->template zeros<std::uint32_t>(entries);
        const auto values = this->template zeros<V>(entries);
        kernels::copy_lists<V>(X.columns, static_cast<std::int64_t>(chosen.size()), chosen_up.data(), offsets_up.data(),
                               entries, indices.data(), values.data(), this->stream());

        const kernels::column_places places{first_up.data(), next_up.data()};
        const auto counts = this->template zeros<std::int64_t>(X.n);
        kernels::count_chosen<V>(X.rows, places, counts.data(), this->stream());
        std::vector<std::int64_t> of_rows{0};
        for (const std::int64_t count : this->down_numbers(counts)) of_rows.push_back(of_rows.back() + count);
        EXPECT_EQ(of_rows.back(), entries);
        if (far) of_rows = moved_far_away(of_rows);
        const auto of_rows_up = this->up_numbers(of_rows);
        const auto row_indices = this->template zeros<std::uint32_t>(entries);
        const auto row_values = this->template zeros<V>(entries);
        kernels::copy_chosen<V>(X.rows, places, of_rows_up.data(),
                                far ? set_back(row_indices.data()) : row_indices.data(),
                                far ? set_back(row_values.data()) : row_values.data(), this->stream());
        return std::tuple(this->down_numbers(indices), this->down_numbers(values), this->down_numbers(row_indices),
                          this->down_numbers(row_values));
    });
}

TYPED_TEST(KernelFarPositions, MomentsAreTheSame)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(false, [&](const kernels::design_view<V>& X, const auto&, bool) {
        const auto w = this->up(std::vector<double>(static_cast<std::size_t>(X.n), 1.0 / static_cast<double>(X.n)));
        const auto mean = this->numbers(X.p), variance = this->numbers(X.p), square = this->numbers(X.p);
        const auto full = this->template zeros<std::uint8_t>(X.p), constant = this->template zeros<std::uint8_t>(X.p);
        kernels::moments<V>(X.columns, w.data(), {X.n, 1, 0},
                            {mean.data(), variance.data(), square.data(), full.data(), constant.data()},
                            this->stream());
        return std::vector{this->down(mean), this->down(variance), this->down(square)};
    });
}

TYPED_TEST(KernelFarPositions, GramMatricesAreTheSame)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(false, [&](const kernels::design_view<V>& X, const auto& host, bool) {
        // Both ways to make one: sparse columns through the rows that they stand in, dense ones through strips of rows.
        const auto w = this->up(std::vector<double>(static_cast<std::size_t>(X.n), 1.0 / static_cast<double>(X.n)));
        const std::int64_t strip_rows = std::min<std::int64_t>(X.n - 1, 100);
        const auto strip = this->numbers(strip_rows * X.p);
        kernels::spread_rows<V>(X, X.n - strip_rows, {strip.data(), strip_rows, X.p, X.p}, this->stream());
        std::vector<std::vector<double>> made{this->down(strip)};
        std::vector<std::int64_t> parts{0};
        for (std::size_t j = 0; j + 1 < host.offsets.size(); ++j)
            parts.push_back(parts.back() + (host.offsets[j + 1] - host.offsets[j] + kernels::segment_length - 1) /
                                               kernels::segment_length);
        const auto parts_up = this->up_numbers(parts);
        const auto sums = this->template zeros<double>(parts.back() * X.p);
        kernels::gram_rows<V>(X, X.rows, w.data(), {sums.data(), parts_up.data(), parts.back(), X.p, 0, 0, X.p},
                              this->stream());
        made.push_back(this->down(sums));
        return made;
    });
}

TYPED_TEST(KernelFarPositions, SweepsAreTheSame)
{
    using V = TypeParam;
    this->expect_the_same_of_far_lists(false, [&](const kernels::design_view<V>& X, const auto&, bool) {
        random_numbers random(92);
        constexpr std::int64_t k = 2;
        const auto p = static_cast<std::size_t>(X.p);
        const auto l1 = this->up(std::vector<double>(p, 1.0)), l2 = this->up(std::vector<double>(p, 0.1));
        const auto lower = this->up(std::vector<double>(p, -INFINITY)),
                   upper = this->up(std::vector<double>(p, INFINITY));
        const auto small = this->up(std::vector<double>(p, 0.2)); // so that no step overshoots
        const auto curvature = this->up(std::vector<double>(p, 1.0)), lambda = this->up(std::vector<double>{0.1, 0.02});
        const auto weights =
            this->up(std::vector<double>(static_cast<std::size_t>(X.n), 1.0 / static_cast<double>(X.n)));
        const auto stored_sum = this->up(random_vector(random, X.p, -1, 1));
        const kernels::restricted_view problem{
            {l1.data(), l2.data(), lower.data(), upper.data(), nullptr}, curvature.data(), lambda.data()};
        const auto open = this->up_numbers(std::vector<int>(k, 1));
        const panel<double> R = this->up_in_double(random_panel<double>(random, X.n, k));
        const panel<double> U = this->up_in_double(random_panel<double>(random, X.p, k));
        panel<double> B = this->up_in_double(random_panel<double>(random, X.p, k));
        const auto list = this->template zeros<std::uint32_t>(X.p * k);
        const auto work = this->numbers((X.p + X.n) * k);
        kernels::design_view<V> scaled = X;
        scaled.inverse = small.data();
        kernels::residual_sweeps<V>(scaled, problem, 1, open.data(), weights.data(), stored_sum.data(), readable(R),
                                    readable(U), writable(B), {list.data(), work.data()}, this->stream());
        std::vector<double> result(static_cast<std::size_t>(X.p * k));
        backend::download_panel<double>(B, result, this->stream(), *this->runtime_);
        this->runtime_->synchronize(this->stream());
        return result;
    });
}

TYPED_TEST(KernelFarPositions, ColumnsOfMoreThanTwoToThe31EntriesAreCountedAndAreLong)
{
    using T = TypeParam;
    const std::vector<std::int64_t> offsets{0, 3, far_away + 3, 3 * far_away + 4, 3 * far_away + 4};
    const auto p = static_cast<std::int64_t>(offsets.size()) - 1;
    const auto offsets_up = this->up_numbers(offsets);
    const auto skip = this->template zeros<std::uint8_t>(p);
    const auto kind = this->template zeros<std::uint8_t>(p);
    const auto entries = this->numbers(1);
    const auto scratch = this->numbers(kernels::scratch_numbers(p, 1));
    kernels::choose_features<T>(p, offsets_up.data(), skip.data(), nullptr, {}, nullptr, kind.data(), this->stream());
    kernels::chosen_entries(p, offsets_up.data(), kind.data(), entries.data(), scratch.data(), this->stream());
    EXPECT_EQ(this->down_numbers(kind), (std::vector<std::uint8_t>{1, 2, 2, 1}));
    EXPECT_EQ(this->down(entries)[0], static_cast<double>(offsets.back()));
    const backend::list_lengths sorted = backend::sort_by_length(offsets);
    EXPECT_EQ(sorted.short_ids, (std::vector<std::int64_t>{0, 3}));
    EXPECT_EQ(sorted.long_ids, (std::vector<std::int64_t>{1, 2}));
}

} // namespace
} // namespace proxpath::test
