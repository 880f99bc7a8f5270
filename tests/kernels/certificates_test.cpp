// What certificates are made of on the device: selections, gap sums, projections and the pass over all features. All
// numbers are multiples of small powers of two, so that every sum is exact and the CPU's has the same bits, whatever
// the order; s_max, a quotient, may differ in its last bits.

#include "tests/kernels/kernel_suite.hpp"

#include "host/backend/cuda/cuda_operations.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace proxpath::test {
namespace {

using backend::correlation_request;
using backend::correlation_result;
using backend::gap_sums;

template <class T>
class KernelCertificates : public kernel_suite<T> {
protected:
    /// The backend on a device of its own.
    std::unique_ptr<backend::operations<T>> on_device() const
    {
        return backend::make_cuda_operations<T>(std::make_shared<backend::device_session>(make_runtime_under_test()));
    }
};

TYPED_TEST_SUITE(KernelCertificates, kernel_numbers);

/// One of −reach … reach in steps of a quarter.
double quarters(random_numbers& random, std::int64_t reach)
{
    return 0.25 * static_cast<double>(random.integer(-4 * reach, 4 * reach));
}

template <class T>
host_panel<T> exact_panel(random_numbers& random, std::int64_t rows, std::int64_t cols)
{
    host_panel<T> made(rows, cols);
    for (T& value : made.values) value = random.chance(0.1) ? T(0) : static_cast<T>(quarters(random, 4));
    return made;
}

/// With and without each part and each side's bound.
struct exact_penalty : penalty_vectors {
    exact_penalty(random_numbers& random, std::int64_t p)
    {
        for (std::int64_t j = 0; j < p; ++j) {
            l1.push_back(random.chance(0.1) ? 0 : 0.5 * static_cast<double>(random.integer(1, 4)));
            l2.push_back(random.chance(0.2) ? 0 : random.chance(0.5) ? 0.5 : 2);
            lower.push_back(random.chance(0.1) ? 0 : random.chance(0.2) ? -1.5 : -INFINITY);
            upper.push_back(random.chance(0.1) ? 0 : random.chance(0.2) ? 2.5 : INFINITY);
            kkt_scale.push_back(random.chance(0.5) ? 1 : 4);
        }
    }
    double within(std::size_t j, double b) const { return std::clamp(b, lower[j], upper[j]); }
};

std::vector<double> exact_lambdas(random_numbers& random, std::int64_t k)
{
    std::vector<double> made;
    for (std::int64_t c = 0; c < k; ++c) made.push_back(random.chance(0.5) ? 0.5 : 4);
    return made;
}

std::vector<double> numbers_of(const std::vector<gap_sums>& sums)
{
    std::vector<double> all;
    for (const gap_sums& of : sums)
        all.insert(all.end(), {of.l1, of.l2, of.support, of.conjugate, of.s_max, of.kkt, of.unpenalised});
    return all;
}

void expect_exact(const std::vector<double>& device, const std::vector<gap_sums>& expected)
{
    const std::vector<double> cpu = numbers_of(expected);
    ASSERT_EQ(device.size(), cpu.size());
    for (std::size_t i = 0; i < cpu.size(); ++i) {
        if (i % 7 == 4)
            EXPECT_DOUBLE_EQ(device[i], cpu[i]) << "s_max of column " << i / 7;
        else
            EXPECT_EQ(device[i], cpu[i]) << "sum " << i % 7 << " of column " << i / 7;
    }
}

template <class N>
device_buffer<N> bring(const std::vector<N>& host, backend::stream_view stream, backend::device_runtime& runtime)
{
    device_buffer<N> made(static_cast<std::int64_t>(host.size()), stream, runtime);
    made.upload(host);
    runtime.synchronize(stream);
    return made;
}

TYPED_TEST(KernelCertificates, SelectionListsChosenItemsInOrderAndRanksThem)
{
    if (std::is_same_v<TypeParam, float>) return; // no panels: once will do
    std::uint64_t seed = 1500;
    // The last has more pieces than one round of the running sums takes.
    for (const std::int64_t n : {0, 1, 31, 32, 33, 1023, 1025, 2047, 2048, 2049, 70000, 257 * 2048 + 5})
        for (const double share : {0.0, 0.02, 0.7, 1.0}) {
            if (n > 10000 && share != 0.02) continue;
            SCOPED_TRACE(testing::Message() << "n " << n << ", share " << share);
            random_numbers random(++seed);
            std::vector<std::uint8_t> kind(static_cast<std::size_t>(n));
            std::vector<std::int64_t> ids[2], starts{0, 0};
            std::vector<std::uint32_t> bits((kind.size() + 31) / 32);
            std::vector<std::int64_t> before(bits.size());
            for (std::size_t i = 0; i < kind.size(); ++i) {
                if (i % 32 == 0) before[i / 32] = static_cast<std::int64_t>(ids[0].size() + ids[1].size());
                if (random.chance(share)) {
                    kind[i] = random.chance(0.3) ? 2 : 1;
                    ids[kind[i] - 1].push_back(static_cast<std::int64_t>(i));
                    bits[i / 32] |= std::uint32_t{1} << (i % 32);
                }
                if ((i + 1) % kernels::select_piece == 0 || i + 1 == kind.size())
                    for (const auto& list : ids) starts.push_back(static_cast<std::int64_t>(list.size()));
            }
            const auto kind_up = bring(kind, this->stream(), *this->runtime_);
            const auto result = this->same_in_every_way([&] {
                const auto make = [&]<class N>(const std::vector<N>& like) {
                    return device_buffer<N>(static_cast<std::int64_t>(like.size()), this->stream(), *this->runtime_);
                };
                const auto d_bits = make(bits);
                const auto d_before = make(before);
                const auto d_starts = make(starts);
                const auto first = make(ids[0]);
                const auto second = make(ids[1]);
                kernels::select(kind_up.data(), n,
                                {d_bits.data(), d_before.data(), d_starts.data(), first.data(), second.data()},
                                this->stream());
                std::vector<std::vector<std::int64_t>> all{before, starts, ids[0], ids[1]};
                std::vector<std::uint32_t> words(bits.size());
                for (std::vector<std::int64_t>& each : all) std::fill(each.begin(), each.end(), -1);
                d_bits.download(words);
                d_before.download(all[0]);
                d_starts.download(all[1]);
                first.download(all[2]);
                second.download(all[3]);
                this->runtime_->synchronize(this->stream());
                all.emplace_back(words.begin(), words.end());
                return all;
            });
            EXPECT_EQ(result[0], before);
            EXPECT_EQ(result[1], starts);
            EXPECT_EQ(result[2], ids[0]);
            EXPECT_EQ(result[3], ids[1]);
            EXPECT_EQ(result[4], std::vector<std::int64_t>(bits.begin(), bits.end()));
        }
}

TYPED_TEST(KernelCertificates, GapSumsAndProjectionsAreTheCpusOnes)
{
    using T = TypeParam;
    const std::pair<std::int64_t, std::vector<std::int64_t>> shapes[] = {
        {0, {1, 5}},         {1, {1, 2, 33}},           {31, {3, 130}}, {32, {1, 32}}, {33, {4, 9, 31, 64}},
        {1023, {1, 17, 33}}, {1025, {1, 2, 7, 8, 100}}, {70000, {1, 3}}}; // three levels
    std::uint64_t seed = 1600;
    for (const auto& [p, widths] : shapes)
        for (const std::int64_t k : widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k << ", seed " << seed + 1);
            random_numbers random(++seed);
            const exact_penalty penalty(random, p);
            const host_panel<T> U = exact_panel<T>(random, p, k);
            host_panel<T> B = exact_panel<T>(random, p, k);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c)
                    B.at(j, c) = static_cast<T>(penalty.within(static_cast<std::size_t>(j), B.at(j, c)));
            const std::vector<double> lambda = exact_lambdas(random, k);
            std::vector<double> a(static_cast<std::size_t>(p));
            for (double& each : a) each = std::fabs(quarters(random, 2));
            const std::int64_t vectors = std::min<std::int64_t>(k, 11); // more than one reading takes
            const host_panel<T> Y = exact_panel<T>(random, p, vectors);
            const auto all_of = [&](const backend::operations<T>& ops) {
                std::vector<gap_sums> sums(static_cast<std::size_t>(k));
                ops.penalty_sums(to_backend(ops, U), to_backend(ops, B), penalty.view(), lambda, sums);
                std::vector<double> square(static_cast<std::size_t>(k), -1);
                std::vector<double> product(static_cast<std::size_t>(k * vectors), -1);
                ops.projections(to_backend(ops, U), to_backend(ops, Y), a, square, product);
                return std::tuple(sums, square, product);
            };
            const auto result = this->same_in_every_way([&] {
                const auto [sums, square, product] = all_of(*this->on_device());
                return std::vector{numbers_of(sums), square, product};
            });
            const auto [sums, square, product] = all_of(*this->cpu_);
            expect_exact(result[0], sums);
            EXPECT_EQ(result[1], square);
            EXPECT_EQ(result[2], product);
        }
}

/// X with short, empty, full and skipped columns, coefficients of some, and a batch of residuals.
template <class T>
struct exact_pass {
    std::int64_t n, p, k;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> rows;
    std::vector<double> values;
    std::vector<float> narrow; ///< the same, where they are to be stored as float
    column_scaling scaling;
    exact_penalty penalty;
    std::vector<std::int64_t> position;
    std::vector<std::uint8_t> skip;
    std::int64_t in_set = 0;
    host_panel<T> R, B;
    std::vector<double> lambda, from, to, theta, radius, scale;

    exact_pass(random_numbers& random, std::int64_t n_rows, std::int64_t features, std::int64_t fits, double density,
               bool wide)
        : n(n_rows), p(features), k(fits), penalty(random, p), R(exact_panel<T>(random, n, k)),
          lambda(exact_lambdas(random, k))
    {
        for (std::int64_t j = 0; j < p; ++j) {
            const double share = j % 7 == 2 ? 1 : j % 7 == 5 ? 0 : density;
            for (std::int64_t i = 0; i < n; ++i) {
                if (!random.chance(share)) continue;
                rows.push_back(i);
                values.push_back(quarters(random, 2));
                if (!wide) narrow.push_back(static_cast<float>(values.back()));
            }
            offsets.push_back(static_cast<std::int64_t>(rows.size()));
            scaling.shift.push_back(random.chance(0.5) ? quarters(random, 1) : 0);
            scaling.center.push_back(random.chance(0.5) ? quarters(random, 1) : 0);
            scaling.inverse.push_back(random.chance(0.1) ? 0 : random.chance(0.5) ? 0.5 : 0.125);
            skip.push_back(random.chance(0.1) ? 1 : 0);
            position.push_back(skip.back() == 0 && random.chance(0.2) ? in_set++ : -1);
            from.push_back(quarters(random, 3));
            to.push_back(from.back() + quarters(random, 1));
        }
        B = host_panel<T>(in_set, k);
        for (std::size_t j = 0; j < position.size(); ++j)
            for (std::int64_t c = 0; c < k && position[j] >= 0 && j % 2 == 0; ++c) // half of them in no use
                B.at(position[j], c) = static_cast<T>(penalty.within(j, quarters(random, 2)));
        for (std::int64_t c = 0; c < k; ++c) {
            theta.push_back(quarters(random, 1));
            radius.push_back(random.chance(0.5) ? 0 : 0.25);
            scale.push_back(random.chance(0.3) ? INFINITY : 1.28125);
        }
    }

    matrix stored() const
    {
        const std::span<const std::int64_t> starts(offsets);
        const std::span<const std::int64_t> indices(rows);
        if (narrow.size() == values.size())
            return matrix::from_view(csc_view(n, p, starts, indices, std::span<const float>(narrow)));
        return matrix::from_view(csc_view(n, p, starts, indices, std::span<const double>(values)));
    }

    /// @param bounded 0: not, 1: by the saved column, 2: by a known one
    correlation_result run(const backend::operations<T>& ops, int bounded, std::int64_t save_column,
                           std::span<double> saved) const
    {
        const auto X = ops.make_design(stored(), scaling);
        const panel<T> residual = to_backend(ops, R);
        const panel<T> coefficients = to_backend(ops, B);
        correlation_request<T> request;
        request.X = X.get();
        request.weighted_residual = &residual;
        request.coefficients = &coefficients;
        request.position = position;
        request.skip = skip;
        request.penalty = penalty.view();
        request.lambda = lambda;
        request.save_column = save_column;
        if (bounded != 0)
            request.bound = {from, bounded == 1 ? std::span<const double>() : std::span<const double>(to), theta,
                             radius, scale};
        return ops.correlation_pass(request, saved);
    }
};

TYPED_TEST(KernelCertificates, CorrelationPassAnswersAsTheCpu)
{
    using T = TypeParam;
    struct pass_shape {
        std::int64_t n, p;
        double density;
        bool wide;
        std::vector<std::int64_t> widths;
    };
    const pass_shape shapes[] = {{0, 5, 0, false, {1, 3}},
                                 {7, 0, 0, false, {1, 33}},
                                 {1, 1, 1, true, {1, 2, 33}},
                                 {33, 31, 0.3, false, {1, 2, 3, 5, 8, 16, 17, 31, 32, 33, 64, 65, 130}},
                                 {31, 33, 0.3, true, {1, 7, 130}},
                                 {40, 1023, 0.1, true, {1, 6, 33}},
                                 {12, 1025, 0.3, false, {1, 32, 40}},
                                 {3000, 9, 0.8, false, {1, 5, 34}}, // columns of two segments
                                 {2, 40000, 0.5, false, {2, 33}}};  // more than one tile
    std::uint64_t seed = 1700;
    for (const pass_shape& of : shapes) {
        if (of.p > 10000 && std::is_same_v<T, float>) continue; // once will do
        for (const std::int64_t k : of.widths) {
            random_numbers random(++seed);
            const exact_pass<T> pass(random, of.n, of.p, k, of.density, of.wide);
            for (const int bounded : {0, 1, 2}) {
                if (bounded != 0 && of.p > 10000) continue; // the same tiles
                const std::int64_t save_column = bounded == 2 ? -1 : (k - 1) / 2;
                SCOPED_TRACE(testing::Message() << "n " << of.n << ", p " << of.p << ", k " << k << ", bounded "
                                                << bounded << ", seed " << seed);
                std::vector<double> saved(static_cast<std::size_t>(of.p), 77);
                const auto result = this->same_in_every_way([&] {
                    std::fill(saved.begin(), saved.end(), 77.0);
                    const correlation_result got = pass.run(*this->on_device(), bounded, save_column, saved);
                    return std::tuple(numbers_of(got.sums), got.violators, got.entries_read, saved);
                });
                std::vector<double> expected_saved(saved.size(), 77);
                const correlation_result expected = pass.run(*this->cpu_, bounded, save_column, expected_saved);
                expect_exact(std::get<0>(result), expected.sums);
                EXPECT_EQ(std::get<1>(result), expected.violators);
                EXPECT_EQ(std::get<2>(result), expected.entries_read);
                EXPECT_EQ(std::get<3>(result), expected_saved);
                if (testing::Test::HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(KernelCertificates, ResidualCorrelationsAreTheCpusOnes)
{
    using T = TypeParam;
    std::uint64_t seed = 1800;
    for (const auto& [n, p] : {std::pair{0, 5}, {7, 0}, {1, 1}, {33, 31}, {1025, 5}, {3000, 3}})
        for (const std::int64_t k : {1, 5, 32, 33, 130}) {
            if (k > 100 && n > 100) continue;
            SCOPED_TRACE(testing::Message() << "n " << n << ", p " << p << ", k " << k << ", seed " << seed + 1);
            random_numbers random(++seed);
            const exact_pass<T> like(random, n, p, k, 0.3, false);
            const host_panel<T> B = exact_panel<T>(random, p, k);
            const host_panel<T> y = exact_panel<T>(random, n, 1), z = exact_panel<T>(random, n, 1);
            std::vector<double> w(static_cast<std::size_t>(n));
            for (double& each : w) each = std::fabs(quarters(random, 1));
            const auto all_of = [&](const backend::operations<T>& ops) {
                panel<T> U = to_backend(ops, exact_panel<T>(random, p, k)); // to be overwritten
                std::vector<double> square(static_cast<std::size_t>(k), -1), product(square);
                ops.residual_correlations(*ops.make_design(like.stored(), like.scaling), to_backend(ops, B),
                                          to_backend(ops, y), to_backend(ops, z), w, U, square, product);
                return std::tuple(to_host(ops, U).values, square, product);
            };
            const auto result = this->same_in_every_way([&] { return all_of(*this->on_device()); });
            EXPECT_TRUE(result == all_of(*this->cpu_));
        }
}

TYPED_TEST(KernelCertificates, PassOfOneFitHasTheSameBitsInEveryBatch)
{
    using T = TypeParam;
    random_numbers random(1900);
    constexpr std::int64_t widest = 37;
    exact_pass<T> whole(random, 500, 700, widest, 0.1, true);
    for (T& value : whole.R.values) value = static_cast<T>(random.normal()); // where the order of sums shows
    for (double& each : whole.lambda) each = random.uniform(1, 20);
    std::vector<double> first;
    for (const std::int64_t k : {1, 2, 3, 5, 8, 9, 16, 17, 32, 37}) {
        SCOPED_TRACE(k);
        exact_pass<T> part = whole;
        part.k = k;
        part.R = host_panel<T>(whole.n, k);
        part.B = host_panel<T>(whole.in_set, k);
        part.lambda.resize(static_cast<std::size_t>(k));
        for (std::int64_t c = 0; c < k; ++c) {
            for (std::int64_t i = 0; i < whole.n; ++i) part.R.at(i, c) = whole.R.at(i, c);
            for (std::int64_t i = 0; i < whole.in_set; ++i) part.B.at(i, c) = whole.B.at(i, c);
        }
        std::vector<double> saved(700, 0.0);
        const correlation_result result = part.run(*this->on_device(), 0, 0, saved);
        std::vector<double> column = numbers_of({result.sums[0]});
        column.insert(column.end(), saved.begin(), saved.end());
        column.insert(column.end(), result.violators[0].begin(), result.violators[0].end());
        if (first.empty()) first = column;
        EXPECT_EQ(column, first);
    }
}

} // namespace
} // namespace proxpath::test
