// Working sets gathered on the device, moments and Gram matrices of columns, against the CPU backend.

#include "host/backend/cuda/device_gram.hpp"
#include "tests/kernels/operations_suite.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace proxpath::test {
namespace {

template <class T>
class KernelGathered : public operations_suite<T> {
protected:
    /// X̃'R and X̃B of a design.
    std::vector<std::vector<T>> products(const backend::operations<T>& ops, const backend::design& X,
                                         const host_panel<T>& R, const host_panel<T>& B) const
    {
        panel<T> C = ops.allocate(X.cols(), R.cols);
        panel<T> V = ops.allocate(X.rows(), B.cols);
        ops.transpose_multiply(X, to_backend(ops, R), C);
        ops.multiply(X, to_backend(ops, B), V);
        return {to_host(ops, C).values, to_host(ops, V).values};
    }
};

TYPED_TEST_SUITE(KernelGathered, kernel_numbers);

struct gathered_shape {
    std::int64_t n, p;
    double density;
    std::int64_t chosen;
};

TYPED_TEST(KernelGathered, GatheredColumnsAgreeWithTheCpu)
{
    using T = TypeParam;
    std::uint64_t seed = 1000;
    for (const gathered_shape& of : {gathered_shape{0, 5, 0, 3},
                                     {1, 1, 1, 4},
                                     {31, 33, 0.3, 0},
                                     {33, 31, 0.3, 130},
                                     {1023, 32, 0.05, 40},
                                     {1025, 9, 0.4, 12},
                                     {7, 300, 0.5, 100},
                                     {5000, 4, 0.6, 5},
                                     {3, 2600, 0.9, 2700}}) { // long columns, long rows
        SCOPED_TRACE(testing::Message() << "n " << of.n << ", p " << of.p << ", chosen " << of.chosen);
        random_numbers random(++seed);
        const column_example example(random, of.n, of.p, of.density, true);
        const column_example size = example.absolute();
        std::vector<std::int64_t> columns;
        for (std::int64_t c = 0; c < of.chosen; ++c) columns.push_back(random.integer(0, of.p - 1)); // some twice
        std::vector<std::int64_t> again;
        for (std::int64_t c = of.chosen - 1; c >= 0; c -= 2) again.push_back(c);
        const host_panel<T> R = random_panel<T>(random, of.n, 3);
        const host_panel<T> B = random_panel<T>(random, of.chosen, 3);
        const host_panel<T> B_again = random_panel<T>(random, static_cast<std::int64_t>(again.size()), 3);
        const auto made = [&](const backend::operations<T>& ops, const column_example& from, const host_panel<T>& r,
                              const host_panel<T>& b, const host_panel<T>& b_again) {
            const auto X = ops.make_design(from.stored(), from.scaling);
            const std::span<const std::int64_t> all(columns);
            const auto first = ops.gather_columns(*X, all.first(all.size() / 3), nullptr);
            const auto W = ops.gather_columns(*X, all.subspan(all.size() / 3), first.get());
            const auto of_gathered = ops.gather_columns(*W, again, nullptr);
            auto result = this->products(ops, *W, r, b);
            for (auto& each : this->products(ops, *of_gathered, r, b_again)) result.push_back(std::move(each));
            return result;
        };
        const auto result = this->same_in_every_way([&] { return made(*this->device_, example, R, B, B_again); });
        const auto expected = made(*this->cpu_, example, R, B, B_again);
        const auto bound = made(*this->cpu_, size, absolute(R), absolute(B), absolute(B_again));
        for (std::size_t e = 0; e < result.size(); ++e)
            expect_agree(result[e], expected[e], bound[e], std::max(of.n, of.chosen) + 2);
    }
}

TYPED_TEST(KernelGathered, ScansAreExact)
{
    for (const std::int64_t n : {0, 1, 31, 2047, 2048, 2049, 70000, 2048 * 2048 + 5}) {
        if (n > 100000 && std::is_same_v<TypeParam, float>) continue; // once will do
#if defined(__SANITIZE_THREAD__)
        if (n > 100000) continue; // the same kernels, one level more of them
#endif
        SCOPED_TRACE(n);
        random_numbers random(static_cast<std::uint64_t>(n) + 1);
        std::vector<std::int64_t> numbers(static_cast<std::size_t>(n)), expected;
        std::int64_t sum = 0;
        for (std::int64_t& number : numbers) {
            number = random.integer(0, std::int64_t{1} << 33);
            expected.push_back(sum += number);
        }
        device_buffer<std::int64_t> on_device(n, this->stream(), *this->runtime_);
        device_buffer<std::int64_t> scratch(kernels::scan_numbers(n), this->stream(), *this->runtime_);
        const auto run = [&] {
            on_device.upload(numbers);
            kernels::inclusive_scan(n, on_device.data(), scratch.data(), this->stream());
            std::vector<std::int64_t> result(numbers.size());
            on_device.download(result);
            this->runtime_->synchronize(this->stream());
            return result;
        };
        EXPECT_EQ(n > 100000 ? run() : this->same_in_every_way(run), expected);
    }
}

TYPED_TEST(KernelGathered, MomentsAgreeWithTheCpu)
{
    std::uint64_t seed = 1100;
    for (const auto& [n, p, density] : {std::tuple<std::int64_t, std::int64_t, double>{1, 1, 1},
                                        {1, 40, 0.5},
                                        {31, 33, 0.3},
                                        {33, 31, 0.3},
                                        {1023, 32, 0.05},
                                        {1025, 9, 0.5},
                                        {5000, 7, 0.7},
                                        {40, 1030, 0.1}}) {
        SCOPED_TRACE(testing::Message() << "n " << n << ", p " << p);
        random_numbers random(++seed);
        const column_example example(random, n, p, density, true);
        const std::vector<double> w = weights_of_rows(random, n);
        const matrix X = example.stored();
        const auto made = [&](const auto& ops) {
            const backend::column_moments of = ops->moments(X, w);
            return std::pair(std::vector{of.mean, of.variance, of.mean_square}, std::vector{of.full, of.constant});
        };
        const auto result = this->same_in_every_way([&] { return made(this->device_); });
        const auto expected = made(this->cpu_);
        EXPECT_EQ(result.second, expected.second);
        std::vector<double> size(static_cast<std::size_t>(p), 0.0);
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t i = 0; i < n; ++i)
                size[static_cast<std::size_t>(j)] += w[static_cast<std::size_t>(i)] * std::fabs(example.X.at(i, j));
        expect_agree(result.first[0], expected.first[0], size, n);
        expect_agree(result.first[2], expected.first[2], expected.first[2], n);
        expect_agree(result.first[1], expected.first[1], expected.first[2], 4 * n + 10); // Σ w x² covers it
    }
}

TYPED_TEST(KernelGathered, GramMatricesAgreeWithTheCpu)
{
    using T = TypeParam;
    std::uint64_t seed = 1200;
    for (const gathered_shape& of : {gathered_shape{0, 3, 0, 1},
                                     {1, 1, 1, 1},
                                     {31, 33, 0.5, 10},
                                     {33, 31, 0.01, 30},
                                     {1023, 32, 0.02, 5},
                                     {1025, 65, 0.3, 64},
                                     {1100, 3, 1, 1},
                                     {9000, 9, 0.001, 2},
                                     {40, 130, 0.01, 64},
                                     {6, 140, 0.5, 70}})
        for (const bool centered : {true, false})
            for (const std::int64_t known : {std::int64_t{0}, of.chosen}) {
                if (known > 0 && !centered) continue; // nothing new
                SCOPED_TRACE(testing::Message() << "n " << of.n << ", p " << of.p << ", density " << of.density
                                                << ", known " << known << ", centred " << centered);
                random_numbers random(++seed);
                const column_example example(random, of.n, of.p, of.density, centered);
                const std::vector<double> w = weights_of_rows(random, of.n);
                const std::vector<double> y = random_vector(random, of.n, -3, 5);
                const auto made = [&](const auto& ops, const column_example& from) {
                    const auto X = ops->make_design(from.stored(), from.scaling);
                    panel<T> C = to_backend(*ops, host_panel<T>(of.p, of.p));
                    ops->gram(*X, w, known, C);
                    return to_host(*ops, C).values;
                };
                const auto with_response = [&](const auto& ops, const column_example& from,
                                               const std::vector<double>& response) {
                    const auto X = ops->make_design(from.stored(), from.scaling);
                    panel<T> C = to_backend(*ops, host_panel<T>(of.p, of.p));
                    std::vector<double> sums(static_cast<std::size_t>(of.p));
                    const double square = ops->gram_with_response(*X, w, response, C, sums);
                    sums.push_back(square);
                    return sums;
                };
                const auto result = this->same_in_every_way([&] { return made(this->device_, example); });
                const column_example size = example.absolute();
                // A correction of rank two adds sums of the same sizes.
                expect_agree(result, made(this->cpu_, example), made(this->cpu_, size), 4 * of.n + 40);
                for (std::int64_t j = 0; j < of.p; ++j)
                    for (std::int64_t e = 0; e < j; ++e)
                        ASSERT_EQ(result[static_cast<std::size_t>(j * of.p + e)],
                                  result[static_cast<std::size_t>(e * of.p + j)]);
                if (known > 0) continue;
                const auto sums = this->same_in_every_way([&] { return with_response(this->device_, example, y); });
                if (of.n == 0) {
                    EXPECT_EQ(sums, std::vector<double>(static_cast<std::size_t>(of.p) + 1, 0.0));
                    continue;
                }
                std::vector<double> y_size = y;
                for (double& each : y_size) each = std::fabs(each);
                expect_agree(sums, with_response(this->cpu_, example, y), with_response(this->cpu_, size, y_size),
                             4 * of.n + 40);
            }
}

TYPED_TEST(KernelGathered, GramMatrixHasTheSameBitsHoweverManyColumnsAreMadeTogether)
{
    using T = TypeParam;
    struct grown_shape {
        std::int64_t n;
        double density;
        std::int64_t known;
    };
    constexpr std::int64_t p = 100;
    std::uint64_t seed = 1300;
    for (const auto& [n, density, known] :
         {grown_shape{30, 0.6, 0}, grown_shape{520, 0.6, 37}, grown_shape{2100, 0.002, 0}, grown_shape{60, 0.03, 37}}) {
        SCOPED_TRACE(testing::Message() << "n " << n << ", density " << density << ", known " << known);
        random_numbers random(++seed);
        // Of the sparse ones, one column is nearly full: longer than a segment.
        dense_matrix X(n, p);
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t i = 0; i < n; ++i)
                if (random.chance(j == 70 ? 0.99 : density)) X.at(i, j) = random.normal();
        const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
        column_scaling scaling = no_scaling(p);
        for (double& center : scaling.center) center = random.normal();
        const device_design design(matrix::from_view(columns.view()), scaling, this->stream(), *this->runtime_);
        const std::vector<double> w = weights_of_rows(random, n);
        backend::device_session session(make_runtime_under_test());
        std::vector<T> at_once;
        for (const std::int64_t together : {0, 64, 30}) {
            host_panel<T> untouched(p, p);
            for (T& value : untouched.values) value = T(-77);
            panel<T> C = this->up(untouched);
            backend::grow_gram(session, design, w, known, C, together);
            session.wait();
            const host_panel<T> result = this->down(C);
            if (at_once.empty()) at_once = result.values;
            EXPECT_EQ(result.values, at_once) << together;
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t e = 0; e < p; ++e)
                    ASSERT_EQ(result.at(j, e) == T(-77), j < known && e < known) << j << ", " << e;
        }
    }
}

} // namespace
} // namespace proxpath::test
