// The backend contract (host/backend/operations.hpp), operation by operation, for every backend and number type against
// naive loops in long double. Errors are bounded as derived in Higham, Accuracy and Stability (2002), chapter 3: a sum
// of m products in double, in any order, is off by at most m u Σ|products|, and storing it in T adds one rounding of T.

#include "tests/support/backends.hpp"
#include "tests/support/dense_reference.hpp"

#include "host/matrix/column_store.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using backend::column_scaling;
using backend::design;
using backend::gap_sums;
using backend::operations;
using backend::panel;
using backend::penalty_view;
using real = long double;

constexpr std::int64_t batch_widths[] = {1, 2, 3, 4, 5, 8, 17, 32, 33};

enum class number_kind { ones, bytes, floats, doubles, mixed };
enum class keeping { assembled, narrow_columns, wide_columns, dense_floats, dense_doubles };

struct shape {
    std::int64_t n = 0;
    std::int64_t p = 0;
    double density = 0.3;
};

double draw(random_numbers& random, number_kind kind)
{
    switch (kind) {
    case number_kind::ones:
        return 1;
    case number_kind::bytes:
        return static_cast<double>(random.integer(1, 255));
    case number_kind::floats:
        return static_cast<double>(static_cast<float>(random.normal()));
    case number_kind::doubles:
        return random.normal();
    default:
        return draw(random, static_cast<number_kind>(random.integer(0, 3)));
    }
}

/// A matrix with empty, full and duplicate columns planted, stored in one of the possible ways, beside its dense form.
struct stored_matrix {
    dense_matrix X;
    std::vector<float> narrow;
    std::optional<compressed_matrix<std::int32_t, double>> columns;
    std::optional<compressed_matrix<std::int64_t, float>> wide_columns;
    matrix stored;

    stored_matrix(random_numbers& random, const shape& of, number_kind kind, keeping how) : X(of.n, of.p)
    {
        for (std::int64_t j = 0; j < of.p; ++j) {
            const number_kind column_kind =
                kind == number_kind::mixed ? static_cast<number_kind>(random.integer(0, 3)) : kind;
            for (std::int64_t i = 0; i < of.n; ++i) {
                const bool filled = j % 7 == 2 || (j % 11 != 5 && random.chance(of.density)); // full; empty
                if (filled) X.at(i, j) = draw(random, column_kind);
                if (j % 9 == 8) X.at(i, j) = X.at(i, j - 3); // a twin
            }
        }
        if (how == keeping::wide_columns || how == keeping::dense_floats)
            for (double& value : X.values) value = static_cast<double>(static_cast<float>(value));
        switch (how) {
        case keeping::assembled:
            columns.emplace(X, storage_order::csr);
            stored = matrix::from_view(columns->view());
            break;
        case keeping::narrow_columns:
            columns.emplace(X, storage_order::csc);
            stored = matrix::from_view(columns->view());
            break;
        case keeping::wide_columns:
            wide_columns.emplace(X, storage_order::csc);
            stored = matrix::from_view(wide_columns->view());
            break;
        case keeping::dense_floats:
            narrow.assign(X.values.begin(), X.values.end());
            stored = matrix::from_view(dense_view(of.n, of.p, narrow.data(), of.n));
            break;
        case keeping::dense_doubles:
            stored = matrix::from_view(X.view());
            break;
        }
    }
};

/// Arbitrary scaling: shifts on all stored entries, centres, inverses, some of them 0.
column_scaling random_scaling(random_numbers& random, std::int64_t p)
{
    column_scaling scaling;
    for (std::int64_t j = 0; j < p; ++j) {
        scaling.shift.push_back(random.chance(0.5) ? random.normal() : 0);
        scaling.center.push_back(random.chance(0.5) ? random.normal() : 0);
        scaling.inverse.push_back(random.chance(0.1) ? 0 : random.uniform(0.2, 3));
    }
    return scaling;
}

/// X̃ as the contract defines it, and |X̃| as errors see it: what is subtracted counts in full.
struct naive_design {
    std::vector<std::vector<real>> value, size;

    naive_design(const stored_matrix& matrix, const column_scaling& scaling)
    {
        const dense_matrix& X = matrix.X;
        const auto full = dense_pattern(matrix);
        value.resize(static_cast<std::size_t>(X.p));
        size.resize(static_cast<std::size_t>(X.p));
        for (std::size_t j = 0; j < value.size(); ++j)
            for (std::int64_t i = 0; i < X.n; ++i) {
                const real x = X.at(i, static_cast<std::int64_t>(j));
                const bool stored = x != 0 || full;
                const real shift = stored ? scaling.shift[j] : 0;
                value[j].push_back((x - shift - scaling.center[j]) * scaling.inverse[j]);
                size[j].push_back((std::fabs(x) + std::fabs(shift) + std::fabs(scaling.center[j])) *
                                  scaling.inverse[j]);
            }
    }
    /// Dense memory stores its zeros.
    static bool dense_pattern(const stored_matrix& matrix)
    {
        return matrix.X.p > 0 && matrix.stored.nonzeros() == matrix.X.n * matrix.X.p;
    }
};

struct example {
    stored_matrix X;
    column_scaling scaling;
    naive_design naive;
    std::string text;
    bool every_width = false;

    example(std::uint64_t seed, const shape& of, number_kind kind, keeping how)
        : example(random_numbers(seed), seed, of, kind, how)
    {}

private:
    example(random_numbers random, std::uint64_t seed, const shape& of, number_kind kind, keeping how)
        : X(random, of, kind, how), scaling(random_scaling(random, of.p)), naive(X, scaling),
          text(fmt::format("n {}, p {}, numbers {}, kept {}, seed {}", of.n, of.p, static_cast<int>(kind),
                           static_cast<int>(how), seed)),
          every_width(kind == number_kind::mixed)
    {}
};

/// Odd shapes and every way of keeping a matrix; made once, because every test of the suite takes them all.
const std::vector<std::unique_ptr<example>>& examples()
{
    static const auto made = [] {
        std::vector<std::unique_ptr<example>> list;
        const auto add = [&](const shape& of, number_kind kind, keeping how) {
            list.push_back(std::make_unique<example>(list.size() + 1, of, kind, how));
        };
        for (const keeping how : {keeping::assembled, keeping::narrow_columns, keeping::wide_columns,
                                  keeping::dense_floats, keeping::dense_doubles})
            for (const number_kind kind :
                 {number_kind::ones, number_kind::bytes, number_kind::floats, number_kind::doubles, number_kind::mixed})
                add({33, 31, 0.3}, kind, how);
        for (const shape& of : {shape{0, 0}, shape{0, 5}, shape{7, 0}, shape{1, 1}, shape{1, 31}, shape{31, 1},
                                shape{31, 33}, shape{597, 43}, shape{43, 597, 0.05}, shape{2100, 20, 0.04}})
            add(of, number_kind::mixed, keeping::assembled);
        add({597, 43, 1.0}, number_kind::doubles, keeping::dense_doubles);
        add({66000, 4, 0.02}, number_kind::bytes, keeping::assembled); // 32-bit row numbers
        add({3000, 60, 0.7}, number_kind::mixed, keeping::assembled);  // several blocks
        return list;
    }();
    return made;
}

/// Calls f(example, seed) for each.
template <class F>
void for_examples(const F& f)
{
    std::uint64_t seed = 0;
    for (const auto& one : examples()) {
        SCOPED_TRACE(one->text);
        f(*one, ++seed);
    }
}

/// Widths of the batch to try: all for one matrix of each kind, a few for the others.
std::vector<std::int64_t> widths(const example& one)
{
    const std::int64_t cells = one.X.X.n * one.X.X.p;
    if (cells > 100000) return {17};
    if (cells > 2000 || (cells > 1000 && !one.every_width)) return {3, 33};
    return {std::begin(batch_widths), std::end(batch_widths)};
}

std::vector<double> random_vector(random_numbers& random, std::int64_t length, double low, double high)
{
    std::vector<double> made;
    for (std::int64_t i = 0; i < length; ++i) made.push_back(random.uniform(low, high));
    return made;
}

/// Row weights that sum to 1, some of them 0.
std::vector<double> random_weights(random_numbers& random, std::int64_t n)
{
    std::vector<double> made;
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        made.push_back(random.chance(0.1) && i > 0 ? 0 : random.uniform(0.1, 2));
        sum += made.back();
    }
    for (double& weight : made) weight /= sum;
    return made;
}

template <class T>
void expect_near(T actual, real exact, real error, std::int64_t row, std::int64_t column)
{
    // One rounding of T, and the smallest numbers of T lose more than that.
    const real rounding = unit_roundoff<T> * std::fabs(exact) * 1.01L + std::numeric_limits<T>::denorm_min();
    EXPECT_LE(std::fabs(static_cast<real>(actual) - exact), error + rounding)
        << "at " << row << ", " << column << ": " << actual << " and not " << static_cast<double>(exact);
}

/// Random penalties with all their special cases: no l1, no l2, closed, finite and open sides.
struct penalties {
    std::vector<double> l1, l2, lower, upper, kkt_scale;

    penalties(random_numbers& random, std::int64_t p, bool bounds)
    {
        for (std::int64_t j = 0; j < p; ++j) {
            l1.push_back(random.chance(0.15) ? 0 : random.uniform(0.05, 1));
            l2.push_back(random.chance(0.3) ? 0 : random.uniform(0.05, 1));
            const bool bounded = bounds && random.chance(0.4);
            lower.push_back(!bounded || random.chance(0.3) ? -infinity : random.chance(0.3) ? 0 : -random.uniform());
            upper.push_back(!bounded || random.chance(0.3) ? infinity : random.chance(0.3) ? 0 : random.uniform());
            kkt_scale.push_back(random.uniform(0.5, 2));
        }
    }
    penalty_view view() const { return {l1, l2, lower, upper, kkt_scale}; }
};

/// gap_sums of one column of the batch by the formulas of docs/certificate.md, and how far rounding may move them.
struct naive_gap {
    real l1 = 0, l2 = 0, support = 0, conjugate = 0, s_max = infinity, kkt = 0;
    real l1_error = 0, l2_error = 0, support_error = 0, conjugate_error = 0, s_max_error = 0, kkt_error = 0;

    void add(const penalties& penalty, std::size_t j, real lambda, real u, real u_error, real b)
    {
        const real a1 = lambda * penalty.l1[j];
        const real a2 = lambda * penalty.l2[j];
        const real c = u - a2 * b;
        const real c_error = u_error + 4e-16L * (a1 + std::fabs(a2 * b) + std::fabs(u));
        const bool open_above = std::isinf(penalty.upper[j]);
        const bool open_below = std::isinf(penalty.lower[j]);

        real distance = 0;
        if (b < penalty.upper[j]) distance = std::max(distance, b >= 0 ? c - a1 : c + a1);
        if (b > penalty.lower[j]) distance = std::max(distance, b <= 0 ? -c - a1 : -c + a1);
        if (distance * penalty.kkt_scale[j] > kkt) kkt = distance * penalty.kkt_scale[j];
        kkt_error = std::max(kkt_error, c_error * penalty.kkt_scale[j] + 4e-16L * kkt);
        if (a1 == 0 && a2 == 0 && open_above && open_below) return;

        l1 += penalty.l1[j] * std::fabs(b);
        l2 += penalty.l2[j] * b * b;
        const real room = c > 0 ? penalty.upper[j] : -penalty.lower[j];
        real limit = infinity;
        if (room > 0 && std::isfinite(room) && std::fabs(c) > a1) {
            support += room * (std::fabs(c) - a1);
            support_error += room * c_error;
            limit = 1;
        } else if (room > 0 && c != 0) {
            limit = a1 / std::fabs(c);
            s_max_error = std::max(s_max_error, limit * (c_error / std::fabs(c) + 4e-16L));
        }
        s_max = std::min(s_max, limit);
        if (std::fabs(u) > a1) {
            const real edge = u > 0 ? penalty.upper[j] : -penalty.lower[j];
            const real inside = a2 > 0 ? (std::fabs(u) - a1) / a2 : static_cast<real>(infinity);
            const real z = std::min(edge, inside);
            conjugate += std::isinf(z) ? z : (std::fabs(u) - a1) * z - a2 / 2 * z * z;
            if (std::isfinite(z)) conjugate_error += 2 * z * c_error + 1e-15L * (std::fabs(u) * z + a2 * z * z);
        }
    }

    void expect_matches(const gap_sums& sums, std::int64_t terms) const
    {
        const real error = sum_error(terms);
        EXPECT_LE(std::fabs(sums.l1 - l1), error * l1);
        EXPECT_LE(std::fabs(sums.l2 - l2), error * l2);
        EXPECT_LE(std::fabs(sums.support - support), support_error + error * support);
        if (std::isinf(conjugate))
            EXPECT_TRUE(std::isinf(sums.conjugate));
        else
            EXPECT_LE(std::fabs(sums.conjugate - conjugate), conjugate_error + error * std::fabs(conjugate));
        if (std::isinf(s_max))
            EXPECT_TRUE(std::isinf(sums.s_max));
        else
            EXPECT_LE(std::fabs(sums.s_max - s_max), s_max_error + 1e-15L * s_max);
        EXPECT_LE(std::fabs(sums.kkt - kkt), kkt_error);
    }
};

template <class Backend>
class BackendOperations : public testing::Test {
protected:
    using number = typename Backend::value_type;
    std::unique_ptr<operations<number>> ops_ = Backend::make();

    std::shared_ptr<const design> make(const example& one) const
    {
        return ops_->make_design(one.X.stored, one.scaling);
    }
    panel<number> up(const host_panel<number>& host) const { return to_backend(*ops_, host); }
    host_panel<number> down(const panel<number>& from) const { return to_host(*ops_, from); }
};

TYPED_TEST_SUITE(BackendOperations, backends_times_types);

TYPED_TEST(BackendOperations, PanelsStartAtZeroAndReturnWhatWasUploaded)
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

TYPED_TEST(BackendOperations, DesignsKeepShapeAndScaling)
{
    for_examples([&](const example& one, std::uint64_t) {
        const auto X = this->make(one);
        EXPECT_EQ(X->rows(), one.X.X.n);
        EXPECT_EQ(X->cols(), one.X.X.p);
        EXPECT_EQ(X->nonzeros(), one.X.stored.nonzeros());
        EXPECT_EQ(X->scaling().inverse, one.scaling.inverse);
        EXPECT_EQ(X->scaling().shift, one.scaling.shift);
        EXPECT_EQ(X->scaling().center, one.scaling.center);
    });
}

TYPED_TEST(BackendOperations, TransposeMultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 1000);
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const host_panel<T> R = random_panel<T>(random, one.X.X.n, k);
            panel<T> C = this->up(random_panel<T>(random, one.X.X.p, k)); // to be overwritten
            this->ops_->transpose_multiply(*X, this->up(R), C);
            const host_panel<T> result = this->down(C);
            for (std::int64_t j = 0; j < one.X.X.p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                        const auto at = static_cast<std::size_t>(i);
                        sum += one.naive.value[static_cast<std::size_t>(j)][at] * R.at(i, c);
                        size += one.naive.size[static_cast<std::size_t>(j)][at] * std::fabs(R.at(i, c));
                    }
                    expect_near(result.at(j, c), sum, sum_error(one.X.X.n) * size, j, c);
                }
        }
    });
}

TYPED_TEST(BackendOperations, MultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 2000);
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            host_panel<T> B = random_panel<T>(random, one.X.X.p, k);
            for (std::int64_t j = 0; j < one.X.X.p; j += 3)
                for (std::int64_t c = 0; c < k; ++c) B.at(j, c) = 0; // features that no fit uses
            panel<T> V = this->up(random_panel<T>(random, one.X.X.n, k));
            this->ops_->multiply(*X, this->up(B), V);
            const host_panel<T> result = this->down(V);
            for (std::int64_t i = 0; i < one.X.X.n; ++i)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::size_t j = 0; j < one.naive.value.size(); ++j) {
                        const real b = B.at(static_cast<std::int64_t>(j), c);
                        sum += one.naive.value[j][static_cast<std::size_t>(i)] * b;
                        size += one.naive.size[j][static_cast<std::size_t>(i)] * std::fabs(b);
                    }
                    expect_near(result.at(i, c), sum, sum_error(one.X.X.p) * size, i, c);
                }
        }
    });
}

TYPED_TEST(BackendOperations, GatheredColumnsActAsTheyDidInTheirDesign)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.p == 0) return;
        random_numbers random(seed + 3000);
        std::vector<std::int64_t> columns;
        for (int c = 0; c < 40; ++c) columns.push_back(random.integer(0, one.X.X.p - 1)); // any order, some twice
        const auto X = this->make(one);
        const auto W = this->ops_->gather_columns(*X, columns);
        EXPECT_EQ(W->rows(), one.X.X.n);
        EXPECT_EQ(W->cols(), 40);
        const panel<T> R = this->up(random_panel<T>(random, one.X.X.n, 5));
        panel<T> all = this->ops_->allocate(one.X.X.p, 5);
        panel<T> some = this->ops_->allocate(40, 5);
        this->ops_->transpose_multiply(*X, R, all);
        this->ops_->transpose_multiply(*W, R, some);
        const host_panel<T> from_all = this->down(all);
        const host_panel<T> from_some = this->down(some);
        for (std::int64_t c = 0; c < 40; ++c)
            for (std::int64_t e = 0; e < 5; ++e)
                EXPECT_EQ(from_some.at(c, e), from_all.at(columns[static_cast<std::size_t>(c)], e));
        const auto none = this->ops_->gather_columns(*X, {});
        EXPECT_EQ(none->cols(), 0);
        EXPECT_EQ(none->nonzeros(), 0);
    });
}

TYPED_TEST(BackendOperations, MomentsMatchNaiveLoops)
{
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.n == 0) return;
        random_numbers random(seed + 4000);
        const std::vector<double> w = random_weights(random, one.X.X.n);
        const backend::column_moments moments = this->ops_->moments(one.X.stored, w);
        const double error = sum_error(one.X.X.n);
        for (std::int64_t j = 0; j < one.X.X.p; ++j) {
            SCOPED_TRACE(j);
            const auto at = static_cast<std::size_t>(j);
            real mean = 0;
            real size = 0;
            real square = 0;
            double lowest = infinity;
            double highest = -infinity;
            for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                const real weight = w[static_cast<std::size_t>(i)];
                const double x = one.X.X.at(i, j);
                mean += weight * x;
                size += weight * std::fabs(x);
                square += weight * x * x;
                if (weight == 0) continue;
                lowest = std::min(lowest, x);
                highest = std::max(highest, x);
            }
            real variance = 0;
            for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                const real deviation = one.X.X.at(i, j) - mean;
                variance += w[static_cast<std::size_t>(i)] * deviation * deviation;
            }
            EXPECT_LE(std::fabs(moments.mean[at] - mean), error * size);
            EXPECT_LE(std::fabs(moments.mean_square[at] - square), error * square);
            EXPECT_EQ(moments.constant[at] != 0, lowest == highest);
            EXPECT_GE(moments.variance[at], 0.0);
            if (lowest == highest) {
                EXPECT_EQ(moments.variance[at], 0.0);
                EXPECT_EQ(moments.mean[at], lowest);
            } else {
                // A wrong mean m + e adds e²; weights of rows not stored are 1 less a sum.
                EXPECT_LE(std::fabs(moments.variance[at] - variance),
                          error * (variance + mean * mean) + error * error * size * size);
            }
        }
    });
}

TYPED_TEST(BackendOperations, MomentsOfAFarAwayColumnKeepTheirDigits)
{
    // 10⁸ and a deviation of 1: a difference of squares would keep no digit, two passes keep all but a few.
    random_numbers random(3);
    dense_matrix X(1000, 1);
    real mean = 0;
    for (double& value : X.values) mean += (value = 1e8 + random.normal());
    mean /= 1000;
    real variance = 0;
    for (const double value : X.values) variance += (value - mean) * (value - mean) / 1000;
    const std::vector<double> w(1000, 1e-3);
    const backend::column_moments moments = this->ops_->moments(matrix::from_view(X.view()), w);
    const double mean_error = sum_error(1000) * 1e8;
    EXPECT_NEAR(moments.mean[0], static_cast<double>(mean), mean_error);
    EXPECT_NEAR(moments.variance[0], static_cast<double>(variance),
                sum_error(1000) * 2 + mean_error * mean_error + 2 * mean_error * 1e-3);
}

TYPED_TEST(BackendOperations, CorrelationPassFindsSumsViolatorsAndMagnitudes)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        random_numbers random(seed + 5000);
        const std::int64_t p = one.X.X.p;
        const auto X = this->make(one);
        const penalties penalty(random, p, seed % 2 == 0);
        std::vector<std::int64_t> position(static_cast<std::size_t>(p), -1);
        std::vector<std::uint8_t> skip(static_cast<std::size_t>(p), 0);
        std::int64_t in_set = 0;
        for (std::size_t j = 0; j < position.size(); ++j) {
            skip[j] = random.chance(0.1) ? 1 : 0;
            if (skip[j] == 0 && random.chance(0.4)) position[j] = in_set++;
        }
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            host_panel<T> R = random_panel<T>(random, one.X.X.n, k);
            for (T& value : R.values) value /= static_cast<T>(std::max<std::int64_t>(1, one.X.X.n));
            host_panel<T> B = random_panel<T>(random, in_set, k);
            for (std::size_t j = 0; j < position.size(); ++j)
                for (std::int64_t c = 0; c < k && position[j] >= 0; ++c) {
                    T& b = B.at(position[j], c);
                    b = static_cast<T>(std::clamp<double>(b, penalty.lower[j], penalty.upper[j]));
                }
            const std::vector<double> lambda = random_vector(random, k, 0.01, 0.6);
            const panel<T> residual = this->up(R);
            const panel<T> coefficients = this->up(B);
            backend::correlation_request<T> request;
            request.X = X.get();
            request.weighted_residual = &residual;
            request.coefficients = &coefficients;
            request.position = position;
            request.skip = skip;
            request.penalty = penalty.view();
            request.lambda = lambda;
            request.save_column = k - 1;
            std::vector<double> magnitude(static_cast<std::size_t>(p), 0.0);
            const backend::correlation_result result = this->ops_->correlation_pass(request, magnitude);
            ASSERT_EQ(result.sums.size(), static_cast<std::size_t>(k));

            for (std::int64_t c = 0; c < k; ++c) {
                SCOPED_TRACE(c);
                const double at_lambda = lambda[static_cast<std::size_t>(c)];
                naive_gap expected;
                std::vector<std::int64_t> violators;
                for (std::size_t j = 0; j < position.size(); ++j) {
                    if (skip[j] != 0) {
                        EXPECT_EQ(magnitude[j], 0.0);
                        continue;
                    }
                    real u = 0;
                    real size = 0;
                    for (std::int64_t i = 0; i < one.X.X.n; ++i) {
                        u += one.naive.value[j][static_cast<std::size_t>(i)] * R.at(i, c);
                        size += one.naive.size[j][static_cast<std::size_t>(i)] * std::fabs(R.at(i, c));
                    }
                    const real error = sum_error(one.X.X.n) * size;
                    const real b = position[j] >= 0 ? B.at(position[j], c) : T(0);
                    expected.add(penalty, j, at_lambda, u, error, b);
                    const double threshold = at_lambda * penalty.l1[j];
                    if (position[j] < 0 &&
                        ((u > threshold && penalty.upper[j] > 0) || (-u > threshold && penalty.lower[j] < 0))) {
                        if (std::fabs(u) - threshold > error) violators.push_back(static_cast<std::int64_t>(j));
                    }
                    if (c == k - 1) {
                        EXPECT_NEAR(magnitude[j], static_cast<double>(std::fabs(u - at_lambda * penalty.l2[j] * b)),
                                    static_cast<double>(error + 1e-15L * std::fabs(b)));
                    }
                }
                expected.expect_matches(result.sums[static_cast<std::size_t>(c)], p);
                std::vector<std::int64_t> found = result.violators[static_cast<std::size_t>(c)];
                EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
                EXPECT_EQ(found, violators);
            }
            // Nothing is saved when nothing is asked for.
            request.save_column = -1;
            std::vector<double> untouched(static_cast<std::size_t>(p), 7.0);
            this->ops_->correlation_pass(request, untouched);
            EXPECT_THAT(untouched, testing::Each(7.0));
        }
    });
}

TYPED_TEST(BackendOperations, GramMatchesNaiveLoopsAndKeepsWhatIsThere)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        if (one.X.X.n == 0 || one.X.X.p > 100) return;
        random_numbers random(seed + 6000);
        const std::int64_t p = one.X.X.p;
        const std::vector<double> w = random_weights(random, one.X.X.n);
        const auto X = this->make(one);
        for (const std::int64_t known : {std::int64_t{0}, p / 3, p}) {
            SCOPED_TRACE(known);
            host_panel<T> start(p, p);
            for (T& value : start.values) value = T(-77);
            panel<T> C = this->up(start);
            this->ops_->gram(*X, w, known, C);
            const host_panel<T> result = this->down(C);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t e = 0; e <= j; ++e) {
                    EXPECT_EQ(result.at(j, e), result.at(e, j)) << "not symmetric";
                    if (j < known) {
                        EXPECT_EQ(result.at(j, e), T(-77));
                        continue;
                    }
                    real sum = 0;
                    real size = 0;
                    for (std::size_t i = 0; i < w.size(); ++i) {
                        sum += w[i] * one.naive.value[static_cast<std::size_t>(j)][i] *
                               one.naive.value[static_cast<std::size_t>(e)][i];
                        size += w[i] * one.naive.size[static_cast<std::size_t>(j)][i] *
                                one.naive.size[static_cast<std::size_t>(e)][i];
                    }
                    // Centring by a correction of rank two adds sums of the same sizes: four times at most.
                    expect_near(result.at(j, e), sum, 4 * sum_error(one.X.X.n) * size, j, e);
                }
        }
    });
}

TYPED_TEST(BackendOperations, SymmetricMultiplyMatchesNaiveLoops)
{
    using T = typename TypeParam::value_type;
    random_numbers random(11);
    for (const std::int64_t p : {0, 1, 5, 31, 64, 65, 200})
        for (const std::int64_t k : batch_widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            host_panel<T> C = random_panel<T>(random, p, p);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t e = 0; e < j; ++e) C.at(j, e) = C.at(e, j);
            const host_panel<T> B = random_panel<T>(random, p, k);
            panel<T> Z = this->up(random_panel<T>(random, p, k));
            this->ops_->symmetric_multiply(this->up(C), this->up(B), Z);
            const host_panel<T> result = this->down(Z);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    real sum = 0;
                    real size = 0;
                    for (std::int64_t e = 0; e < p; ++e) {
                        sum += static_cast<real>(C.at(j, e)) * B.at(e, c);
                        size += std::fabs(static_cast<real>(C.at(j, e)) * B.at(e, c));
                    }
                    // A matrix product may sum in T.
                    expect_near(result.at(j, c), sum, static_cast<real>(p + 1) * 1.01L * unit_roundoff<T> * size, j, c);
                }
        }
}

TYPED_TEST(BackendOperations, ExtrapolatedResidualMatchesItsFormula)
{
    using T = typename TypeParam::value_type;
    random_numbers random(12);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths)
            for (const bool wide_base : {false, true})
                for (const bool factors : {false, true}) {
                    SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
                    const host_panel<T> base = random_panel<T>(random, rows, wide_base ? k : 1);
                    const host_panel<T> Z = random_panel<T>(random, rows, k);
                    const host_panel<T> Zp = random_panel<T>(random, rows, k);
                    const std::vector<double> theta = random_vector(random, k, 0, 1);
                    std::vector<double> a;
                    if (factors) a = random_vector(random, rows, -2, 2);
                    panel<T> out = this->ops_->allocate(rows, k);
                    const panel<T> base_up = this->up(base);
                    const panel<T> Z_up = this->up(Z);
                    panel<T> Zp_up = this->up(Zp);
                    this->ops_->extrapolated_residual(base_up, Z_up, Zp_up, theta, a, out);
                    const host_panel<T> result = this->down(out);
                    for (std::int64_t i = 0; i < rows; ++i)
                        for (std::int64_t c = 0; c < k; ++c) {
                            const real from = base.at(i, wide_base ? c : 0);
                            const real z = Z.at(i, c);
                            const real moved =
                                theta[static_cast<std::size_t>(c)] * (z - static_cast<real>(Zp.at(i, c)));
                            const real scale = factors ? a[static_cast<std::size_t>(i)] : 1;
                            const real size =
                                std::fabs(scale) * (std::fabs(from) + std::fabs(z) + 2 * std::fabs(moved));
                            expect_near(result.at(i, c), scale * (from - z - moved), sum_error(0) * size, i, c);
                        }
                    // The result may take the place of Zprev.
                    this->ops_->extrapolated_residual(base_up, Z_up, Zp_up, theta, a, Zp_up);
                    EXPECT_EQ(this->down(Zp_up).values, result.values);
                }
}

TYPED_TEST(BackendOperations, ProxStepThresholdsThenScalesThenClips)
{
    using T = typename TypeParam::value_type;
    random_numbers random(13);
    for (const std::int64_t p : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            const penalties penalty(random, p, true);
            const host_panel<T> B = random_panel<T>(random, p, k);
            const host_panel<T> Bp = random_panel<T>(random, p, k);
            const host_panel<T> N = random_panel<T>(random, p, k);
            const std::vector<double> lambda = random_vector(random, k, 0.1, 2);
            const std::vector<double> theta = random_vector(random, k, 0, 1);
            const std::vector<double> step = random_vector(random, k, 0.1, 1.5);
            panel<T> out = this->up(random_panel<T>(random, p, k));
            std::vector<double> square(static_cast<std::size_t>(k));
            std::vector<double> restart(static_cast<std::size_t>(k));
            this->ops_->prox_step(this->up(B), this->up(Bp), this->up(N), penalty.view(), lambda, theta, step, out,
                                  square, restart);
            const host_panel<T> result = this->down(out);
            for (std::int64_t c = 0; c < k; ++c) {
                const auto at = static_cast<std::size_t>(c);
                real expected_square = 0;
                real expected_restart = 0;
                real restart_size = 0;
                for (std::int64_t j = 0; j < p; ++j) {
                    const auto feature = static_cast<std::size_t>(j);
                    const real b = B.at(j, c);
                    const real moved = theta[at] * (b - static_cast<real>(Bp.at(j, c)));
                    const real v = b + moved;
                    const real t = step[at];
                    const real z = v + t * N.at(j, c);
                    const real threshold = t * lambda[at] * penalty.l1[feature];
                    real next =
                        std::max<real>(std::fabs(z) - threshold, 0) / (1 + t * lambda[at] * penalty.l2[feature]);
                    if (z < 0) next = -next;
                    next = std::clamp<real>(next, penalty.lower[feature], penalty.upper[feature]);
                    // The prox does not expand errors of its argument.
                    const real size = std::fabs(b) + 2 * std::fabs(moved) + std::fabs(t * N.at(j, c)) + threshold;
                    expect_near(result.at(j, c), next, sum_error(0) * size, j, c);
                    if (std::fabs(z) < threshold * (1 - 1e-12L)) {
                        EXPECT_EQ(result.at(j, c), T(0)) << "not exactly 0";
                    }
                    const real taken = result.at(j, c);
                    expected_square += (taken - v) * (taken - v);
                    expected_restart += (v - taken) * (taken - b);
                    restart_size += std::fabs((std::fabs(v) + std::fabs(taken)) * (std::fabs(taken) + std::fabs(b)));
                }
                EXPECT_NEAR(square[at], static_cast<double>(expected_square),
                            static_cast<double>(sum_error(p) * (expected_square + 2 * restart_size)));
                EXPECT_NEAR(restart[at], static_cast<double>(expected_restart),
                            static_cast<double>(sum_error(p) * 2 * restart_size));
            }
        }
}

TYPED_TEST(BackendOperations, DotsMatchNaiveLoops)
{
    using T = typename TypeParam::value_type;
    random_numbers random(14);
    for (const std::int64_t rows : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths)
            for (const bool factors : {false, true}) {
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
                std::vector<double> a;
                if (factors) a = random_vector(random, rows, 0, 2);
                const auto factor = [&](std::int64_t i) { return factors ? a[static_cast<std::size_t>(i)] : 1.0; };
                std::array<host_panel<T>, 6> P;
                std::array<panel<T>, 6> up;
                for (std::size_t i = 0; i < 6; ++i) up[i] = this->up(P[i] = random_panel<T>(random, rows, k));
                const host_panel<T> one_column = random_panel<T>(random, rows, 1);
                const panel<T> one_up = this->up(one_column);
                const std::vector<double> theta = random_vector(random, k, 0, 1);
                std::vector<double> pair(static_cast<std::size_t>(k));
                std::vector<double> single(static_cast<std::size_t>(k));
                std::vector<double> self(static_cast<std::size_t>(k));
                std::vector<double> extrapolated(static_cast<std::size_t>(k));
                std::vector<double> square(static_cast<std::size_t>(k));
                std::vector<double> dot(static_cast<std::size_t>(k));
                this->ops_->column_dots(up[0], up[1], a, pair);
                this->ops_->column_dots(up[0], one_up, a, single);
                this->ops_->column_dots(up[0], up[0], a, self);
                this->ops_->extrapolation_dots(up[0], up[1], up[2], up[3], up[4], up[5], theta, a, extrapolated);
                this->ops_->residual_dots(one_up, up[1], a, square, dot);
                for (std::int64_t c = 0; c < k; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    real sums[6] = {};
                    real sizes[6] = {};
                    const auto add = [&](int which, real value, real size) {
                        sums[which] += value;
                        sizes[which] += size;
                    };
                    for (std::int64_t i = 0; i < rows; ++i) {
                        real x[6];
                        for (std::size_t e = 0; e < 6; ++e) x[e] = P[e].at(i, c);
                        const real y = one_column.at(i, 0);
                        const real w = factor(i);
                        const real m = theta[at];
                        add(0, w * x[0] * x[1], w * std::fabs(x[0] * x[1]));
                        add(1, w * x[0] * y, w * std::fabs(x[0] * y));
                        add(2, w * x[0] * x[0], w * x[0] * x[0]);
                        const real left = x[0] - x[1] - m * (x[1] - x[2]);
                        const real right = x[3] - x[4] - m * (x[4] - x[5]);
                        add(3, w * left * right,
                            w * (std::fabs(x[0]) + 2 * std::fabs(x[1]) + std::fabs(x[2])) *
                                (std::fabs(x[3]) + 2 * std::fabs(x[4]) + std::fabs(x[5])));
                        const real size = std::fabs(y) + std::fabs(x[1]);
                        add(4, w * (y - x[1]) * (y - x[1]), w * size * size);
                        add(5, w * y * (y - x[1]), w * std::fabs(y) * size);
                    }
                    const double results[6] = {pair[at], single[at], self[at], extrapolated[at], square[at], dot[at]};
                    for (int which = 0; which < 6; ++which)
                        EXPECT_LE(std::fabs(results[which] - sums[which]), sum_error(rows) * sizes[which])
                            << "sum " << which << ", column " << c;
                }
            }
}

TYPED_TEST(BackendOperations, PenaltySumsMatchTheirFormulas)
{
    using T = typename TypeParam::value_type;
    random_numbers random(15);
    for (const bool bounds : {false, true})
        for (const std::int64_t p : {0, 1, 33, 2100})
            for (const std::int64_t k : batch_widths) {
                SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k << ", bounds " << bounds);
                const penalties penalty(random, p, bounds);
                const host_panel<T> U = random_panel<T>(random, p, k);
                host_panel<T> B = random_panel<T>(random, p, k);
                for (std::int64_t j = 0; j < p; ++j)
                    for (std::int64_t c = 0; c < k; ++c)
                        B.at(j, c) =
                            static_cast<T>(std::clamp<double>(B.at(j, c), penalty.lower[static_cast<std::size_t>(j)],
                                                              penalty.upper[static_cast<std::size_t>(j)]));
                const std::vector<double> lambda = random_vector(random, k, 0.1, 3);
                std::vector<gap_sums> sums(static_cast<std::size_t>(k));
                this->ops_->penalty_sums(this->up(U), this->up(B), penalty.view(), lambda, sums);
                for (std::int64_t c = 0; c < k; ++c) {
                    naive_gap expected;
                    for (std::int64_t j = 0; j < p; ++j)
                        expected.add(penalty, static_cast<std::size_t>(j), lambda[static_cast<std::size_t>(c)],
                                     U.at(j, c), 0, B.at(j, c));
                    expected.expect_matches(sums[static_cast<std::size_t>(c)], p);
                }
            }
}

TYPED_TEST(BackendOperations, CopiesTakeWhatTheySayAndLeaveTheRest)
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

TYPED_TEST(BackendOperations, KrylovUpdateMovesEveryShift)
{
    using T = typename TypeParam::value_type;
    random_numbers random(17);
    for (const std::int64_t p : {0, 1, 33, 2100})
        for (const std::int64_t k : batch_widths) {
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            const host_panel<T> r = random_panel<T>(random, p, 1);
            const host_panel<T> D = random_panel<T>(random, p, k);
            const host_panel<T> B = random_panel<T>(random, p, k);
            const std::vector<double> a = random_vector(random, k, -1, 1);
            const std::vector<double> z = random_vector(random, k, -1, 1);
            const std::vector<double> b = random_vector(random, k, -1, 1);
            panel<T> D_up = this->up(D);
            panel<T> B_up = this->up(B);
            this->ops_->krylov_update(this->up(r), a, z, b, D_up, B_up);
            const host_panel<T> new_D = this->down(D_up);
            const host_panel<T> new_B = this->down(B_up);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    const real d = D.at(j, c);
                    expect_near(new_B.at(j, c), B.at(j, c) + a[at] * d,
                                sum_error(0) * (std::fabs(B.at(j, c)) + std::fabs(d)), j, c);
                    expect_near(new_D.at(j, c), z[at] * r.at(j, 0) + b[at] * d,
                                sum_error(0) * (std::fabs(r.at(j, 0)) + std::fabs(d)), j, c);
                }
        }
}

TYPED_TEST(BackendOperations, AFitDoesNotSeeItsNeighboursInTheBatch)
{
    using T = typename TypeParam::value_type;
    for_examples([&](const example& one, std::uint64_t seed) {
        const auto X = this->make(one);
        for (const std::int64_t k : widths(one)) {
            SCOPED_TRACE(k);
            const std::int64_t watched = k / 2;
            std::vector<T> first_product;
            std::vector<T> first_image;
            for (int variant = 0; variant < 2; ++variant) {
                random_numbers same(seed + 7000);
                random_numbers other(seed + 8000 + static_cast<std::uint64_t>(variant));
                host_panel<T> R = random_panel<T>(other, one.X.X.n, k);
                host_panel<T> B = random_panel<T>(other, one.X.X.p, k);
                for (std::int64_t i = 0; i < R.rows; ++i) R.at(i, watched) = static_cast<T>(same.normal());
                for (std::int64_t j = 0; j < B.rows; ++j) B.at(j, watched) = static_cast<T>(same.normal());
                panel<T> C = this->ops_->allocate(one.X.X.p, k);
                panel<T> V = this->ops_->allocate(one.X.X.n, k);
                this->ops_->transpose_multiply(*X, this->up(R), C);
                this->ops_->multiply(*X, this->up(B), V);
                const std::vector<T> product = this->down(this->ops_->compact(C, std::array{watched})).values;
                const std::vector<T> image = this->down(this->ops_->compact(V, std::array{watched})).values;
                if (variant == 0) {
                    first_product = product;
                    first_image = image;
                } else {
                    EXPECT_EQ(product, first_product);
                    EXPECT_EQ(image, first_image);
                }
            }
        }
    });
}

TYPED_TEST(BackendOperations, BitsDoNotDependOnThreads)
{
    using T = typename TypeParam::value_type;
    std::vector<T> expected;
    std::vector<double> expected_sums;
    for (const int threads : {1, 2, 5}) {
        const auto ops = TypeParam::make(threads);
        std::vector<T> bits;
        std::vector<double> sums;
        const auto keep = [&](const panel<T>& from) {
            const host_panel<T> host = to_host(*ops, from);
            bits.insert(bits.end(), host.values.begin(), host.values.end());
        };
        for (const shape& of : {shape{597, 43, 0.05}, shape{597, 43, 0.6}, shape{9000, 50, 0.5}}) {
            const example one(77, of, number_kind::mixed, keeping::assembled);
            random_numbers random(78);
            const auto X = ops->make_design(one.X.stored, one.scaling);
            const std::vector<double> w = random_weights(random, of.n);
            const panel<T> R = to_backend(*ops, random_panel<T>(random, of.n, 5));
            const panel<T> B = to_backend(*ops, random_panel<T>(random, of.p, 5));
            panel<T> C = ops->allocate(of.p, 5);
            panel<T> V = ops->allocate(of.n, 5);
            panel<T> G = ops->allocate(of.p, of.p);
            panel<T> Z = ops->allocate(of.p, 5);
            ops->transpose_multiply(*X, R, C);
            ops->multiply(*X, B, V);
            ops->gram(*X, w, 0, G);
            ops->symmetric_multiply(G, B, Z);
            for (const panel<T>* each : {&C, &V, &G, &Z}) keep(*each);
            std::vector<double> dots(5);
            ops->column_dots(R, V, w, dots);
            sums.insert(sums.end(), dots.begin(), dots.end());
            const penalties penalty(random, of.p, true);
            const std::vector<double> lambda = random_vector(random, 5, 0.1, 2);
            std::vector<gap_sums> gaps(5);
            ops->penalty_sums(C, B, penalty.view(), lambda, gaps);
            const backend::column_moments moments = ops->moments(one.X.stored, w);
            for (const gap_sums& each : gaps)
                sums.insert(sums.end(), {each.l1, each.l2, each.support, each.conjugate, each.s_max, each.kkt});
            sums.insert(sums.end(), moments.mean.begin(), moments.mean.end());
            sums.insert(sums.end(), moments.variance.begin(), moments.variance.end());
        }
        if (threads == 1) {
            expected = bits;
            expected_sums = sums;
        } else {
            EXPECT_EQ(bits, expected) << threads << " threads";
            EXPECT_EQ(sums, expected_sums) << threads << " threads";
        }
    }
}

/// A problem on unit-norm columns for the descents, with the reference that judges them.
struct restricted_example {
    regression problem;
    std::vector<double> weights;
    std::vector<double> l1, l2, lower, upper, kkt_scale;

    restricted_example(std::uint64_t seed, double alpha, bool bounds, std::int64_t n = 50, std::int64_t p = 24)
    {
        random_numbers random(seed);
        problem.X = random_matrix(random, n, p, 0.6);
        weights = random_weights(random, n);
        for (std::int64_t j = 0; j < p; ++j) {
            double square = 0;
            for (std::int64_t i = 0; i < n; ++i)
                square += weights[static_cast<std::size_t>(i)] * problem.X.at(i, j) * problem.X.at(i, j);
            for (std::int64_t i = 0; i < n; ++i) problem.X.at(i, j) /= std::sqrt(square);
            problem.penalty_factors.push_back(random.uniform(0.5, 1.5));
            l1.push_back(alpha * problem.penalty_factors.back());
            l2.push_back((1 - alpha) * problem.penalty_factors.back());
            lower.push_back(bounds ? -random.uniform(0, 0.4) : -infinity);
            upper.push_back(bounds ? random.uniform(0, 0.4) : infinity);
            kkt_scale.push_back(1);
        }
        for (std::int64_t i = 0; i < n; ++i)
            problem.y.push_back(problem.X.at(i, 0) - problem.X.at(i, 1) + 0.5 * random.normal());
        problem.weights = weights;
        problem.lower = lower;
        problem.upper = upper;
        problem.settings.alpha = alpha;
        problem.settings.intercept = false;
        problem.settings.standardize = false;
    }
    penalty_view penalty() const { return {l1, l2, lower, upper, kkt_scale}; }
    column_scaling no_scaling() const
    {
        const std::vector<double> zero(l1.size(), 0.0);
        return {zero, zero, std::vector<double>(l1.size(), 1.0)};
    }
};

/// Runs solve(ops, example, design, lambdas, B, iterations, gaps, tolerance) and judges every column.
template <class Backend, class Solve>
void expect_descent_solves(const Solve& solve)
{
    using T = typename Backend::value_type;
    // B is rounded to T on return; the gap moves by the slope of the objective at most, which is ‖ỹ‖ ‖ΔB‖₁.
    const bool narrow = std::is_same_v<T, float>;
    for (std::uint64_t seed = 1; seed <= 8; ++seed)
        for (const double alpha : {1.0, 0.5, 0.0})
            for (const bool bounds : {false, true}) {
                SCOPED_TRACE(testing::Message() << "seed " << seed << ", alpha " << alpha << ", bounds " << bounds);
                const restricted_example one(seed, alpha, bounds);
                const auto ops = Backend::make();
                const matrix stored = matrix::from_view(one.problem.X.view());
                const auto X = ops->make_design(stored, one.no_scaling());
                const dense_reference reference(one.problem.X, one.problem.y, one.problem.options());
                const std::vector<double> lambda{0.5, 0.2, 0.05, 0.01, 0.001};
                const double tolerance = (narrow ? 1e-4 : 1e-9) * reference.null_loss();
                panel<T> B = ops->allocate(one.problem.X.p, 5);
                std::vector<std::int64_t> iterations(5, -1);
                std::vector<double> gaps(5, -1.0);
                solve(*ops, one, *X, lambda, B, iterations, gaps, tolerance);
                const host_panel<T> result = to_host(*ops, B);
                for (std::size_t c = 0; c < 5; ++c) {
                    SCOPED_TRACE(lambda[c]);
                    std::vector<double> b;
                    for (std::int64_t j = 0; j < result.rows; ++j)
                        b.push_back(result.at(j, static_cast<std::int64_t>(c)));
                    const double slack = narrow ? 1e-5 * reference.null_loss() : 1e-12 * reference.null_loss();
                    EXPECT_LE(gaps[c], tolerance);
                    EXPECT_GE(iterations[c], 0);
                    EXPECT_NEAR(reference.certify(lambda[c], 0, b).gap, gaps[c], slack);
                }
            }
}

TYPED_TEST(BackendOperations, CovarianceDescentReachesTheGapItReports)
{
    using T = typename TypeParam::value_type;
    expect_descent_solves<TypeParam>([](const operations<T>& ops, const restricted_example& one, const design& X,
                                        std::span<const double> lambda, panel<T>& B, std::span<std::int64_t> iterations,
                                        std::span<double> gaps, double tolerance) {
        panel<T> C = ops.allocate(X.cols(), X.cols());
        ops.gram(X, one.weights, 0, C);
        std::vector<double> correlation;
        double square = 0;
        for (std::int64_t j = 0; j < X.cols(); ++j) {
            double sum = 0;
            for (std::int64_t i = 0; i < X.rows(); ++i)
                sum += one.weights[static_cast<std::size_t>(i)] * one.problem.X.at(i, j) *
                       one.problem.y[static_cast<std::size_t>(i)];
            correlation.push_back(sum);
        }
        for (std::size_t i = 0; i < one.weights.size(); ++i)
            square += one.weights[i] * one.problem.y[i] * one.problem.y[i];
        backend::covariance_problem<T> problem;
        problem.gram = &C;
        problem.correlation = correlation;
        problem.response_square = square;
        problem.penalty = one.penalty();
        problem.lambda = lambda;
        problem.gap_tolerance = tolerance;
        problem.max_iterations = 100000;
        ops.covariance_descent(problem, B, iterations, gaps);
    });
}

TYPED_TEST(BackendOperations, CoordinateDescentReachesTheGapItReports)
{
    using T = typename TypeParam::value_type;
    expect_descent_solves<TypeParam>([](const operations<T>& ops, const restricted_example& one, const design& X,
                                        std::span<const double> lambda, panel<T>& B, std::span<std::int64_t> iterations,
                                        std::span<double> gaps, double tolerance) {
        backend::residual_problem problem;
        problem.X = &X;
        problem.response = one.problem.y;
        problem.weights = one.weights;
        problem.penalty = one.penalty();
        problem.lambda = lambda;
        problem.gap_tolerance = tolerance;
        problem.max_iterations = 100000;
        ops.coordinate_descent(problem, B, iterations, gaps);
    });
}

} // namespace
} // namespace proxpath::test
