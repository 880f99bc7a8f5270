// X̃'R, X̃B and y − X̃B on the device against the CPU backend: odd shapes, empty and very long columns and rows, every
// kind of scaling, and positions beyond 2³¹.

#include "tests/kernels/kernel_suite.hpp"

#include <span>
#include <type_traits>
#include <vector>

#include <sys/mman.h>

namespace proxpath::test {
namespace {

template <class T>
class KernelProducts : public kernel_suite<T> {};

TYPED_TEST_SUITE(KernelProducts, kernel_numbers);

struct sparse_example {
    std::int64_t n, p;
    double density;
    bool wide_values; ///< need double
    std::vector<std::int64_t> widths;
};

std::vector<sparse_example> sparse_examples()
{
    return {{0, 5, 0, false, {1, 3}},
            {7, 0, 0, false, {1, 3}},
            {1, 1, 1, true, {1, 2, 33}},
            {1, 1025, 0.5, false, {1, 4}},
            {1025, 1, 0.5, true, {1, 31, 32, 33}},
            {33, 31, 0.3, false, {1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 32, 33, 64, 65, 100, 130}},
            {31, 33, 0.3, true, {1, 7, 130}},
            {32, 1023, 0.05, true, {1, 2, 6, 33}},
            {1023, 32, 0.05, false, {1, 12, 40}},
            {17500, 3, 0.5, true, {1, 2, 5, 34}}, // a column of nine segments, one more than a block's warps
            {3, 20000, 1, false, {1, 2, 5, 34}}}; // rows of as many
}

/// Columns: full, empty, and as dense as wanted, in turn.
struct sparse_problem {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> rows;
    std::vector<double> values;
    std::vector<float> narrow; ///< the same, where float holds them
    column_scaling scaling;
    std::int64_t n, p;

    sparse_problem(random_numbers& random, const sparse_example& of, bool centered) : n(of.n), p(of.p)
    {
        for (std::int64_t j = 0; j < p; ++j) {
            const double density = j % 7 == 2 ? 1 : j % 7 == 5 ? 0 : of.density;
            for (std::int64_t i = 0; i < n; ++i) {
                if (!random.chance(density)) continue;
                const double x = random.normal();
                rows.push_back(i);
                values.push_back(of.wide_values ? x : static_cast<double>(static_cast<float>(x)));
                if (!of.wide_values) narrow.push_back(static_cast<float>(x));
            }
            offsets.push_back(static_cast<std::int64_t>(rows.size()));
            scaling.shift.push_back(random.chance(0.5) ? random.normal() : 0);
            scaling.center.push_back(centered && random.chance(0.5) ? random.normal() : 0);
            scaling.inverse.push_back(random.chance(0.1) ? 0 : random.uniform(0.2, 3));
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
    /// Everything that is subtracted counts in full.
    sparse_problem absolute() const
    {
        sparse_problem made(*this);
        for (double& value : made.values) value = std::fabs(value);
        for (float& value : made.narrow) value = std::fabs(value);
        for (double& shift : made.scaling.shift) shift = -std::fabs(shift);
        for (double& center : made.scaling.center) center = -std::fabs(center);
        return made;
    }
};

/// Calls f(problem, width, random).
/// @param outputs n or p, whichever counts the sums: thousands of short ones would say nothing new
template <class F>
void for_problems(std::int64_t sparse_example::*outputs, const F& f)
{
    std::uint64_t seed = 0;
    for (const sparse_example& of : sparse_examples()) {
        if (of.*outputs > 2000) continue;
        for (const bool centered : {true, false}) {
            random_numbers random(++seed);
            const sparse_problem problem(random, of, centered);
            for (const std::int64_t k : of.widths) {
                SCOPED_TRACE(testing::Message() << "n " << of.n << ", p " << of.p << ", k " << k << ", centred "
                                                << centered << ", seed " << seed);
                f(problem, k, random);
                if (testing::Test::HasFatalFailure()) return;
                if (!centered) break; // the first width will do
            }
        }
    }
}

TYPED_TEST(KernelProducts, TransposeMultiplyAgreesWithTheCpu)
{
    using T = TypeParam;
    for_problems(&sparse_example::p, [&](const sparse_problem& problem, std::int64_t k, random_numbers& random) {
        const device_design X(problem.stored(), problem.scaling, this->stream(), *this->runtime_);
        const host_panel<T> R = random_panel<T>(random, problem.n, k);
        const panel<T> R_up = this->up(R);
        const panel<T> C = this->up(random_panel<T>(random, problem.p, k)); // to be overwritten
        const auto scratch = this->numbers(kernels::scratch_numbers(problem.n, k) + k);
        const auto result = this->same_in_every_way([&] {
            X.visit([&](const auto& view) {
                kernels::transpose_multiply(view, readable(R_up), writable(C), scratch.data(), this->stream());
            });
            return this->down(C).values;
        });
        const auto on_cpu = [&](const sparse_problem& of, const host_panel<T>& with) {
            panel<T> out = this->cpu_->allocate(of.p, k);
            this->cpu_->transpose_multiply(*this->cpu_->make_design(of.stored(), of.scaling),
                                           to_backend(*this->cpu_, with), out);
            return to_host(*this->cpu_, out).values;
        };
        expect_agree(result, on_cpu(problem, R), on_cpu(problem.absolute(), absolute(R)), problem.n);
    });
}

TYPED_TEST(KernelProducts, MultiplyAndResidualAgreeWithTheCpu)
{
    using T = TypeParam;
    for_problems(&sparse_example::n, [&](const sparse_problem& problem, std::int64_t k, random_numbers& random) {
        const device_design X(problem.stored(), problem.scaling, this->stream(), *this->runtime_);
        host_panel<T> B = random_panel<T>(random, problem.p, k);
        for (std::int64_t j = 0; j < problem.p; j += 3)
            for (std::int64_t c = 0; c < k; ++c) B.at(j, c) = 0; // features that no fit uses
        const host_panel<T> y = random_panel<T>(random, problem.n, 1);
        const panel<T> B_up = this->up(B);
        const panel<T> y_up = this->up(y);
        const panel<T> product = this->up(random_panel<T>(random, problem.n, k));
        const panel<T> rest = this->up(random_panel<T>(random, problem.n, k));
        const auto scratch = this->numbers(kernels::scratch_numbers(problem.p, k) + k);
        const auto result = this->same_in_every_way([&] {
            X.visit([&](const auto& view) {
                kernels::multiply(view, readable(B_up), writable(product), scratch.data(), this->stream());
                kernels::residual(view, readable(B_up), readable(y_up), writable(rest), scratch.data(), this->stream());
            });
            return std::vector{this->down(product).values, this->down(rest).values};
        });
        const auto on_cpu = [&](const sparse_problem& of, const host_panel<T>& with, const host_panel<T>& response) {
            const auto design = this->cpu_->make_design(of.stored(), of.scaling);
            const panel<T> with_up = to_backend(*this->cpu_, with);
            panel<T> out = this->cpu_->allocate(of.n, k);
            this->cpu_->multiply(*design, with_up, out);
            std::vector<std::vector<T>> both{to_host(*this->cpu_, out).values};
            this->cpu_->residual(*design, with_up, to_backend(*this->cpu_, response), out);
            both.push_back(to_host(*this->cpu_, out).values);
            return both;
        };
        host_panel<T> negative_y = absolute(y);
        for (T& value : negative_y.values) value = -value; // −(|y| + |X̃||B|)
        const auto expected = on_cpu(problem, B, y);
        auto size = on_cpu(problem.absolute(), absolute(B), negative_y);
        for (T& value : size[1]) value = -value;
        expect_agree(result[0], expected[0], size[0], problem.p);
        expect_agree(result[1], expected[1], size[1], problem.p + 1);
    });
}

TYPED_TEST(KernelProducts, ColumnOfTheBatchHasTheSameBitsAtEveryWidth)
{
    using T = TypeParam;
    random_numbers random(77);
    const sparse_problem problem(random, {9000, 9, 0.2, true, {}}, true);
    const device_design X(problem.stored(), problem.scaling, this->stream(), *this->runtime_);
    const host_panel<T> R = random_panel<T>(random, problem.n, 37);
    std::vector<T> first;
    for (const std::int64_t k : {1, 2, 3, 5, 8, 9, 16, 17, 32, 37}) {
        SCOPED_TRACE(k);
        host_panel<T> part(problem.n, k);
        for (std::int64_t i = 0; i < problem.n; ++i)
            for (std::int64_t c = 0; c < k; ++c) part.at(i, c) = R.at(i, c);
        const panel<T> part_up = this->up(part);
        const panel<T> C = this->up(host_panel<T>(problem.p, k));
        const auto scratch = this->numbers(kernels::scratch_numbers(problem.n, k) + k);
        X.visit([&](const auto& view) {
            kernels::transpose_multiply(view, readable(part_up), writable(C), scratch.data(), this->stream());
        });
        const host_panel<T> result = this->down(C);
        std::vector<T> column;
        for (std::int64_t j = 0; j < problem.p; ++j) column.push_back(result.at(j, 0));
        if (first.empty()) first = column;
        EXPECT_EQ(column, first);
    }
}

TYPED_TEST(KernelProducts, PositionsAndPanelsBeyondTwoToThe32AreReached)
{
    using T = TypeParam;
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer keeps as much again for every address";
#endif
    if (!device_is_emulated()) GTEST_SKIP() << "pointers before their memory are for the emulated device";
    // Two columns whose entries stand at positions from 2³³ on, and a panel of 2²⁸ rows of 32 numbers of which the
    // system only keeps the few that are touched.
    constexpr std::int64_t far = std::int64_t{1} << 33;
    constexpr std::int64_t n = std::int64_t{1} << 28;
    constexpr std::int64_t k = 32;
    constexpr std::size_t bytes = sizeof(T) * n * k;
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) GTEST_SKIP() << "the system promises no " << bytes << " bytes";
    auto* const R = static_cast<T*>(memory);
    const std::vector<std::uint32_t> rows{3, static_cast<std::uint32_t>(n - 2), static_cast<std::uint32_t>(n - 1)};
    const std::vector<float> values{2, 3, 5};
    const std::vector<std::int64_t> offsets{far, far + 1, far + 3};
    const std::vector<std::int64_t> ids{0, 1};
    for (std::size_t e = 0; e < rows.size(); ++e)
        for (std::int64_t c = 0; c < k; ++c) R[rows[e] * k + c] = static_cast<T>(10 * (e + 1) + c);
    const std::vector<double> zero(2, 0.0), one(2, 1.0);
    kernels::design_view<float> X;
    X.n = n;
    X.p = 2;
    const auto from_far = [](const auto* pointer) {
        using number = std::remove_pointer_t<decltype(pointer)>;
        const auto address =
            reinterpret_cast<std::uintptr_t>(pointer) - static_cast<std::uintptr_t>(far) * sizeof(number);
        return reinterpret_cast<number*>(address);
    };
    X.columns = {2, offsets.data(), from_far(rows.data()), from_far(values.data()), ids.data(), 2, nullptr, 0};
    X.shift = X.center = zero.data();
    X.inverse = one.data();
    host_panel<T> C(2, k);
    kernels::transpose_multiply<T, float>(X, {R, n, k, k}, {C.values.data(), 2, k, k}, nullptr, this->stream());
    this->runtime_->synchronize(this->stream());
    for (std::int64_t c = 0; c < k; ++c) {
        EXPECT_EQ(C.at(0, c), T(2 * (10 + c)));
        EXPECT_EQ(C.at(1, c), T(3 * (20 + c) + 5 * (30 + c)));
    }
    munmap(memory, bytes);
}

} // namespace
} // namespace proxpath::test
