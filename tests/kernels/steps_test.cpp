// Elementwise operations and sums over rows on the device against the CPU backend.

#include "tests/kernels/kernel_suite.hpp"

#include <utility>
#include <vector>

namespace proxpath::test {
namespace {

template <class T>
class KernelSteps : public kernel_suite<T> {
protected:
    /// Calls f(rows, k, random, factors): a number per row, or none.
    template <class F>
    void for_shapes(const F& f)
    {
        const std::pair<std::int64_t, std::vector<std::int64_t>> shapes[] = {
            {0, {1, 5}},         {1, {1, 2, 33}},           {31, {3, 130}}, {32, {1, 32}}, {33, {4, 9, 31, 64}},
            {1023, {1, 17, 33}}, {1025, {1, 2, 7, 8, 100}}, {70000, {1, 3}}}; // three levels
        std::uint64_t seed = 500;
        for (const auto& [rows, widths] : shapes)
            for (const std::int64_t k : widths) {
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k << ", seed " << seed + 1);
                random_numbers random(++seed);
                std::vector<double> a;
                if (seed % 2 == 0) a = random_vector(random, rows, 0, 2);
                f(rows, k, random, a);
                if (testing::Test::HasFatalFailure()) return;
            }
    }
    static std::vector<double> filled(std::int64_t k, double value)
    {
        return std::vector<double>(static_cast<std::size_t>(k), value);
    }
};

TYPED_TEST_SUITE(KernelSteps, kernel_numbers);

TYPED_TEST(KernelSteps, SumsOverRowsAgreeWithTheCpu)
{
    using T = TypeParam;
    this->for_shapes([&](std::int64_t rows, std::int64_t k, random_numbers& random, const std::vector<double>& a) {
        std::vector<host_panel<T>> P;
        std::vector<panel<T>> up, cpu, size;
        for (int e = 0; e < 6; ++e) {
            P.push_back(random_panel<T>(random, rows, k));
            up.push_back(this->up(P.back()));
            cpu.push_back(to_backend(*this->cpu_, P.back()));
            size.push_back(to_backend(*this->cpu_, absolute(P.back())));
        }
        const host_panel<T> y = random_panel<T>(random, rows, 1);
        const host_panel<T> z = random_panel<T>(random, rows, 1);
        const panel<T> y_up = this->up(y), z_up = this->up(z);
        const panel<T> y_cpu = to_backend(*this->cpu_, y), z_cpu = to_backend(*this->cpu_, z);
        const std::vector<double> theta = random_vector(random, k, 0, 1);
        const auto a_up = this->up(a);
        const auto theta_up = this->up(theta);
        const auto out = this->numbers(2 * k);
        const auto scratch = this->numbers(kernels::scratch_numbers(rows, 2 * k));
        const double* const factors = a_up.data();
        const auto run = [&](std::int64_t numbers, const auto& operation) {
            return this->same_in_every_way([&] {
                operation();
                std::vector<double> sums = this->down(out);
                sums.resize(static_cast<std::size_t>(numbers));
                return sums;
            });
        };
        const auto pair = run(k, [&] {
            kernels::column_dots<T>(readable(up[0]), readable(up[1]), factors, out.data(), scratch.data(),
                                    this->stream());
        });
        const auto single = run(k, [&] {
            kernels::column_dots<T>(readable(up[0]), readable(y_up), factors, out.data(), scratch.data(),
                                    this->stream());
        });
        const auto both = run(2 * k, [&] {
            kernels::residual_dots<T>(readable(y_up), readable(up[1]), factors, out.data(), scratch.data(),
                                      this->stream());
        });
        const auto extrapolated = run(k, [&] {
            kernels::extrapolation_dots<T>({readable(up[0]), readable(up[1]), readable(up[2])},
                                           {readable(up[3]), readable(up[4]), readable(up[5])}, theta_up.data(),
                                           factors, out.data(), scratch.data(), this->stream());
        });
        const auto chord = run(k, [&] {
            kernels::chord_squares<T>(readable(up[0]), readable(y_up), readable(z_up), theta_up.data(), factors,
                                      out.data(), scratch.data(), this->stream());
        });
        const auto sums =
            run(k, [&] { kernels::column_sums<T>(readable(up[0]), out.data(), scratch.data(), this->stream()); });

        // Σ|terms| by the same operations on absolute values, minus signs turned into plus ones.
        const auto vector = [&] { return this->filled(k, 0); };
        auto expected = vector(), bound = vector(), dot = vector(), dot_bound = vector();
        const panel<T> y_size = to_backend(*this->cpu_, absolute(y));
        this->cpu_->column_dots(cpu[0], cpu[1], a, expected);
        this->cpu_->column_dots(size[0], size[1], a, bound);
        expect_agree(pair, expected, bound, rows);
        this->cpu_->column_dots(cpu[0], y_cpu, a, expected);
        this->cpu_->column_dots(size[0], y_size, a, bound);
        expect_agree(single, expected, bound, rows);
        host_panel<T> constant(rows, 1);
        for (T& value : constant.values) value = 1;
        const panel<T> constant_cpu = to_backend(*this->cpu_, constant);
        this->cpu_->column_dots(cpu[0], constant_cpu, {}, expected);
        this->cpu_->column_dots(size[0], constant_cpu, {}, bound);
        expect_agree(sums, expected, bound, rows);

        host_panel<T> opposite = absolute(P[1]);
        for (T& value : opposite.values) value = -value;
        this->cpu_->residual_dots(y_cpu, cpu[1], a, expected, dot);
        this->cpu_->residual_dots(y_size, to_backend(*this->cpu_, opposite), a, bound, dot_bound);
        const auto half = both.begin() + k;
        expect_agree(std::vector<double>(both.begin(), half), expected, bound, rows + 4);
        expect_agree(std::vector<double>(half, both.end()), dot, dot_bound, rows + 4);

        const auto naive = [&](const auto& term) { // Σ of sizes, in plain double: the bound has room for its rounding
            std::vector<double> made = this->filled(k, 0);
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t c = 0; c < k; ++c)
                    made[static_cast<std::size_t>(c)] += (a.empty() ? 1 : a[static_cast<std::size_t>(i)]) * term(i, c);
            return made;
        };
        const auto magnitude = [&](std::size_t e, std::int64_t i, std::int64_t c) {
            return std::fabs(static_cast<double>(P[e].at(i, c)));
        };
        this->cpu_->extrapolation_dots(cpu[0], cpu[1], cpu[2], cpu[3], cpu[4], cpu[5], theta, a, expected);
        expect_agree(extrapolated, expected, naive([&](std::int64_t i, std::int64_t c) {
                         return (magnitude(0, i, c) + 2 * magnitude(1, i, c) + magnitude(2, i, c)) *
                                (magnitude(3, i, c) + 2 * magnitude(4, i, c) + magnitude(5, i, c));
                     }),
                     rows + 8);
        this->cpu_->chord_distances(cpu[0], y_cpu, z_cpu, theta, a, expected);
        for (double& distance : expected) distance *= distance;
        expect_agree(chord, expected, naive([&](std::int64_t i, std::int64_t c) {
                         const double reach = magnitude(0, i, c) + 2 * std::fabs(static_cast<double>(y.at(i, 0))) +
                                              std::fabs(static_cast<double>(z.at(i, 0)));
                         return reach * reach;
                     }),
                     rows + 8);
    });
}

TYPED_TEST(KernelSteps, ProxStepAgreesWithTheCpu)
{
    using T = TypeParam;
    this->for_shapes([&](std::int64_t p, std::int64_t k, random_numbers& random, const std::vector<double>&) {
        penalty_vectors penalty;
        for (std::int64_t j = 0; j < p; ++j) {
            penalty.l1.push_back(random.chance(0.2) ? 0 : random.uniform(0, 2));
            penalty.l2.push_back(random.chance(0.2) ? 0 : random.uniform(0, 2));
            penalty.lower.push_back(random.chance(0.3) ? 0 : random.chance(0.3) ? -0.5 : -INFINITY);
            penalty.upper.push_back(random.chance(0.1) ? 0 : random.chance(0.3) ? 0.5 : INFINITY);
            penalty.kkt_scale.push_back(1);
        }
        const host_panel<T> B = random_panel<T>(random, p, k);
        const host_panel<T> Bp = random_panel<T>(random, p, k);
        const host_panel<T> N = random_panel<T>(random, p, k);
        const std::vector<double> lambda = random_vector(random, k, 0.1, 2);
        const std::vector<double> theta = random_vector(random, k, 0, 1);
        const std::vector<double> step = random_vector(random, k, 0.1, 1.5);
        const auto l1 = this->up(penalty.l1), l2 = this->up(penalty.l2);
        const auto lower = this->up(penalty.lower), upper = this->up(penalty.upper);
        const auto lambda_up = this->up(lambda), theta_up = this->up(theta), step_up = this->up(step);
        const panel<T> B_up = this->up(B), Bp_up = this->up(Bp), N_up = this->up(N);
        const panel<T> out = this->up(random_panel<T>(random, p, k));
        const auto sums = this->numbers(2 * k);
        const auto scratch = this->numbers(kernels::scratch_numbers(p, 2 * k));
        const auto [result, two_sums] = this->same_in_every_way([&] {
            kernels::prox_step<T>(readable(B_up), readable(Bp_up), readable(N_up),
                                  {l1.data(), l2.data(), lower.data(), upper.data()}, lambda_up.data(), theta_up.data(),
                                  step_up.data(), writable(out), sums.data(), scratch.data(), this->stream());
            return std::pair(this->down(out).values, this->down(sums));
        });
        panel<T> cpu_out = this->cpu_->allocate(p, k);
        std::vector<double> square = this->filled(k, 0), restart(square), size(square);
        this->cpu_->prox_step(to_backend(*this->cpu_, B), to_backend(*this->cpu_, Bp), to_backend(*this->cpu_, N),
                              penalty.view(), lambda, theta, step, cpu_out, square, restart);
        const std::vector<T> expected = to_host(*this->cpu_, cpu_out).values;
        std::vector<T> reach;
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t c = 0; c < k; ++c) {
                const auto at = static_cast<std::size_t>(c);
                const double b = std::fabs(static_cast<double>(B.at(j, c)));
                const double v = 2 * b + std::fabs(static_cast<double>(Bp.at(j, c)));
                const double all = v + step[at] * std::fabs(static_cast<double>(N.at(j, c))) +
                                   step[at] * lambda[at] * penalty.l1[static_cast<std::size_t>(j)];
                reach.push_back(static_cast<T>(all));
                // Where roundings of v or z make T round the other way, the sums move by a unit of T.
                size[at] += (1 + 8 * unit_roundoff<T> / unit_roundoff<double> / static_cast<double>(p + 10)) *
                            (all + v) * (all + v);
                const std::size_t cell = reach.size() - 1;
                EXPECT_EQ(result[cell] == 0, expected[cell] == 0) << "exact zeros";
            }
        expect_agree(result, expected, reach, 0);
        const auto half = two_sums.begin() + k;
        expect_agree(std::vector<double>(two_sums.begin(), half), square, size, p + 8);
        expect_agree(std::vector<double>(half, two_sums.end()), restart, size, p + 8);
    });
}

TYPED_TEST(KernelSteps, ElementwiseOperationsAgreeWithTheCpu)
{
    using T = TypeParam;
    this->for_shapes([&](std::int64_t rows, std::int64_t k, random_numbers& random, const std::vector<double>& a) {
        const host_panel<T> base = random_panel<T>(random, rows, rows % 2 == 0 ? 1 : k);
        const host_panel<T> r = random_panel<T>(random, rows, 1);
        const host_panel<T> Z = random_panel<T>(random, rows, k);
        const host_panel<T> Zp = random_panel<T>(random, rows, k);
        const std::vector<double> theta = random_vector(random, k, 0, 1);
        const std::vector<double> factors = random_vector(random, rows, -2, 2);
        const auto a_up = this->up(a), theta_up = this->up(theta), factors_up = this->up(factors);
        const panel<T> base_up = this->up(base), r_up = this->up(r), Z_up = this->up(Z);
        const auto result = this->same_in_every_way([&] {
            const panel<T> rest = this->up(Zp), scaled = this->up(Z), D = this->up(Zp), S = this->up(Z);
            kernels::extrapolated_residual<T>(readable(base_up), readable(Z_up), readable(rest), theta_up.data(),
                                              a_up.data(), writable(rest), this->stream()); // in place of Zprev
            kernels::scale_rows<T>(factors_up.data(), writable(scaled), this->stream());
            kernels::krylov_update<T>(readable(r_up), theta_up.data(), theta_up.data(), theta_up.data(), writable(D),
                                      writable(S), this->stream());
            return std::vector{this->down(rest).values, this->down(scaled).values, this->down(D).values,
                               this->down(S).values};
        });
        panel<T> rest = to_backend(*this->cpu_, Zp), scaled = to_backend(*this->cpu_, Z);
        panel<T> D = to_backend(*this->cpu_, Zp), S = to_backend(*this->cpu_, Z);
        this->cpu_->extrapolated_residual(to_backend(*this->cpu_, base), to_backend(*this->cpu_, Z), rest, theta, a,
                                          rest);
        this->cpu_->scale_rows(factors, scaled);
        this->cpu_->krylov_update(to_backend(*this->cpu_, r), theta, theta, theta, D, S);
        std::vector<T> rest_size, scaled_size, direction_size, solution_size;
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t c = 0; c < k; ++c) {
                const T z = std::fabs(Z.at(i, c)), zp = std::fabs(Zp.at(i, c)), residual = std::fabs(r.at(i, 0));
                const T from = std::fabs(base.at(i, base.cols == 1 ? 0 : c));
                rest_size.push_back(2 * (from + 2 * z + zp));
                scaled_size.push_back(2 * z);
                direction_size.push_back(residual + zp);
                solution_size.push_back(z + zp);
            }
        expect_agree(result[0], to_host(*this->cpu_, rest).values, rest_size, 0);
        expect_agree(result[1], to_host(*this->cpu_, scaled).values, scaled_size, 0);
        expect_agree(result[2], to_host(*this->cpu_, D).values, direction_size, 0);
        expect_agree(result[3], to_host(*this->cpu_, S).values, solution_size, 0);
    });
}

TYPED_TEST(KernelSteps, PaddingStaysZero)
{
    using T = TypeParam;
    random_numbers random(900);
    const host_panel<T> X = random_panel<T>(random, 33, 5);
    const panel<T> X_up = this->up(X);
    const std::vector<double> a = random_vector(random, 33, 1, 2);
    const auto a_up = this->up(a);
    kernels::scale_rows<T>(a_up.data(), writable(X_up), this->stream());
    panel<T> whole = X_up;
    whole.cols = whole.stride;
    const host_panel<T> result = this->down(whole);
    ASSERT_EQ(result.cols, 8);
    for (std::int64_t i = 0; i < 33; ++i)
        for (std::int64_t c = 5; c < 8; ++c) EXPECT_EQ(result.at(i, c), T(0));
}

} // namespace
} // namespace proxpath::test
