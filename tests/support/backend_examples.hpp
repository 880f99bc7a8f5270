// What the tests of the backend contract (host/backend/operations.hpp) share: odd matrices in every way of keeping one,
// and naive loops in long double to judge by. Errors are bounded as derived in Higham, Accuracy and Stability (2002),
// chapter 3: a sum of m products in double, in any order, is off by at most m u Σ|products|, and storing it in T adds
// one rounding of T.
#pragma once

#include "tests/support/backends.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {

using backend::column_scaling;
using backend::design;
using backend::gap_sums;
using backend::operations;
using backend::panel;
using backend::penalty_view;
using real = long double;

inline constexpr std::int64_t batch_widths[] = {1, 2, 3, 4, 5, 8, 17, 32, 33};

enum class number_kind { ones, bytes, floats, doubles, mixed };
enum class keeping { assembled, narrow_columns, wide_columns, dense_floats, dense_doubles };

struct shape {
    std::int64_t n = 0;
    std::int64_t p = 0;
    double density = 0.3;
};

/// A matrix with empty, full and duplicate columns planted, stored in one of the possible ways, beside its dense form.
struct stored_matrix {
    dense_matrix X;
    std::vector<float> narrow;
    std::optional<compressed_matrix<std::int32_t, double>> columns;
    std::optional<compressed_matrix<std::int64_t, float>> wide_columns;
    matrix stored;

    stored_matrix(random_numbers& random, const shape& of, number_kind kind, keeping how);
};

/// X̃ as the contract defines it, and |X̃| as errors see it: what is subtracted counts in full.
struct naive_design {
    std::vector<std::vector<real>> value, size;

    naive_design(const stored_matrix& matrix, const column_scaling& scaling);
};

struct example {
    stored_matrix X;
    column_scaling scaling;
    naive_design naive;
    std::string text;
    bool every_width = false;

    example(std::uint64_t seed, const shape& of, number_kind kind, keeping how);

private:
    example(random_numbers random, std::uint64_t seed, const shape& of, number_kind kind, keeping how);
};

/// Odd shapes and every way of keeping a matrix; made once, because every suite takes them all.
const std::vector<std::unique_ptr<example>>& examples();

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
std::vector<std::int64_t> widths(const example& one);

/// Row weights that sum to 1, some of them 0.
std::vector<double> random_weights(random_numbers& random, std::int64_t n);

template <class T>
void expect_near(T actual, real exact, real error, std::int64_t row, std::int64_t column)
{
    // One rounding of T, and the smallest numbers of T lose more than that.
    const real rounding = unit_roundoff<T> * std::fabs(exact) * 1.01L + std::numeric_limits<T>::denorm_min();
    EXPECT_LE(std::fabs(static_cast<real>(actual) - exact), error + rounding)
        << "at " << row << ", " << column << ": " << actual << " and not " << static_cast<double>(exact);
}

/// Random penalties with all their special cases: no l1, no l2, closed, finite and open sides.
struct penalties : penalty_vectors {
    penalties(random_numbers& random, std::int64_t p, bool bounds);
};

/// gap_sums of one column of the batch by the formulas of docs/certificate.md, and how far rounding may move them.
struct naive_gap {
    real l1 = 0, l2 = 0, support = 0, conjugate = 0, s_max = infinity, kkt = 0;
    real l1_error = 0, l2_error = 0, support_error = 0, conjugate_error = 0, s_max_error = 0, kkt_error = 0;

    void add(const penalties& penalty, std::size_t j, real lambda, real u, real u_error, real b);
    void expect_matches(const gap_sums& sums, std::int64_t terms) const;
};

/// Base of every typed suite of the contract.
template <class Backend>
class backend_suite : public testing::Test {
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

} // namespace proxpath::test
