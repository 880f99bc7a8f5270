// The matrices and the judges of the backend tests; see backend_examples.hpp.

#include "tests/support/backend_examples.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace proxpath::test {

namespace {

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

/// Dense memory stores its zeros.
bool dense_pattern(const stored_matrix& matrix)
{
    return matrix.X.p > 0 && matrix.stored.nonzeros() == matrix.X.n * matrix.X.p;
}

} // namespace

stored_matrix::stored_matrix(random_numbers& random, const shape& of, number_kind kind, keeping how) : X(of.n, of.p)
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

naive_design::naive_design(const stored_matrix& matrix, const column_scaling& scaling)
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
            size[j].push_back((std::fabs(x) + std::fabs(shift) + std::fabs(scaling.center[j])) * scaling.inverse[j]);
        }
}

example::example(std::uint64_t seed, const shape& of, number_kind kind, keeping how)
    : example(random_numbers(seed), seed, of, kind, how)
{}

example::example(random_numbers random, std::uint64_t seed, const shape& of, number_kind kind, keeping how)
    : X(random, of, kind, how), scaling(random_scaling(random, of.p)), naive(X, scaling),
      text(fmt::format("n {}, p {}, numbers {}, kept {}, seed {}", of.n, of.p, static_cast<int>(kind),
                       static_cast<int>(how), seed)),
      every_width(kind == number_kind::mixed)
{}

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

std::vector<std::int64_t> widths(const example& one)
{
    const std::int64_t cells = one.X.X.n * one.X.X.p;
    if (cells > 100000) return {17};
    if (cells > 2000 || (cells > 1000 && !one.every_width)) return {3, 33};
    return {std::begin(batch_widths), std::end(batch_widths)};
}

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

penalties::penalties(random_numbers& random, std::int64_t p, bool bounds)
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

void naive_gap::add(const penalties& penalty, std::size_t j, real lambda, real u, real u_error, real b)
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

void naive_gap::expect_matches(const gap_sums& sums, std::int64_t terms) const
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

} // namespace proxpath::test
