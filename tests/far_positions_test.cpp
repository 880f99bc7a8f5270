// Entries of a matrix beyond 2³¹ of them, without storing these: a matrix whose positions begin at 2³³ and whose
// pointers are set back by as much, so that only the short stretch that is read is memory. What is computed of it has
// the bits that it has of the same matrix with positions from 0. For the device's lists: tests/kernels.

#include "tests/support/backends.hpp"
#include "tests/support/checks.hpp"

#include "host/matrix/column_store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

constexpr std::int64_t far_away = std::int64_t{1} << 33;

const void* set_back(const void* pointer, std::uint64_t bytes_a_position)
{
    if (pointer == nullptr) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    return reinterpret_cast<const void*>(address - static_cast<std::uintptr_t>(far_away) * bytes_a_position);
}

matrix moved_far_away(const matrix& X)
{
    auto store = std::make_shared<storage::column_store>(X.store());
    for (storage::column_block& block : store->blocks) {
        auto offsets = std::make_shared<std::vector<std::int64_t>>(block.offsets, block.offsets + block.count + 1);
        for (std::int64_t& offset : *offsets) offset += far_away;
        block.offsets = offsets->data();
        block.indices = set_back(block.indices, storage::index_bytes(block.indices_are));
        block.values = set_back(block.values, storage::value_bytes(block.values_are));
        store->owners.push_back(std::move(offsets));
    }
    return matrix(std::shared_ptr<const storage::column_store>(std::move(store)));
}

/// Columns of ones, of counts, of floats and of doubles, some of them full and one empty.
dense_matrix columns_of_every_kind(random_numbers& random, std::int64_t n, std::int64_t p, double density)
{
    dense_matrix X(n, p);
    for (std::int64_t j = 0; j < p; ++j)
        for (std::int64_t i = 0; i < n; ++i) {
            if (j == 7 || !random.chance(j % 8 == 3 ? 1 : density)) continue;
            const double x = random.normal();
            X.at(i, j) = j % 4 == 0   ? 1
                         : j % 4 == 1 ? static_cast<double>(random.integer(1, 255))
                         : j % 4 == 2 ? static_cast<double>(static_cast<float>(x))
                                      : x;
        }
    return X;
}

TEST(FarPositions, EveryKindOfBlockIsThere)
{
    random_numbers random(80);
    const compressed_matrix<std::int32_t, double> rows(columns_of_every_kind(random, 3000, 60, 0.4),
                                                       storage_order::csr);
    const matrix X = moved_far_away(matrix::from_view(rows.view()));
    bool full = false, indexed = false;
    for (const storage::column_block& block : X.store().blocks) {
        EXPECT_GE(block.offsets[0], far_away);
        (block.indices_are == storage::index_kind::full ? full : indexed) = true;
    }
    EXPECT_TRUE(full && indexed);
}

TEST(FarPositions, FitsHaveTheSameBits)
{
    for (const auto& [n, p] : {std::pair<std::int64_t, std::int64_t>{2500, 24}, {50, 240}}) {
        random_numbers random(static_cast<std::uint64_t>(n));
        const dense_matrix X = columns_of_every_kind(random, n, p, 0.3);
        const compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
        const matrix stored = matrix::from_view(rows.view());
        const matrix far = moved_far_away(stored);
        std::vector<double> y;
        for (std::int64_t i = 0; i < n; ++i) y.push_back(X.at(i, 2) - X.at(i, 11) + random.normal());
        for (const double alpha : {1.0, 0.0})
            for (const solver_kind solver : {solver_kind::automatic, solver_kind::fista, solver_kind::cd})
                for (const form_kind form : {form_kind::gram, form_kind::residual}) {
                    SCOPED_TRACE(fmt::format("n {}, alpha {}, solver {}, form {}", n, alpha, static_cast<int>(solver),
                                             static_cast<int>(form)));
                    path_options options;
                    options.alpha = alpha;
                    options.solver = solver;
                    options.form = form;
                    options.n_lambda = 5;
                    options.lambda_min_ratio = 0.05;
                    options.threads = 2;
                    const path_result path = fit_path(stored, y, options);
                    EXPECT_TRUE(path.all_converged());
                    expect_same_bits(path, fit_path(far, y, options));
                }
    }
}

template <class Backend>
class FarPositionsOn : public testing::Test {};

TYPED_TEST_SUITE(FarPositionsOn, backends_times_types);

TYPED_TEST(FarPositionsOn, WorkingSetsAndTheirGramMatricesHaveTheSameBits)
{
    using T = typename TypeParam::value_type;
    const auto ops = TypeParam::make();
    for (const double density : {0.03, 0.9}) { // by rows, and as dense matrices
        random_numbers random(81);
        const std::int64_t n = 60, p = 530;
        const compressed_matrix<std::int32_t, double> rows(columns_of_every_kind(random, n, p, density),
                                                           storage_order::csr);
        std::vector<std::int64_t> chosen;
        for (std::int64_t j = p - 1; j >= 0; --j)
            if (j % 40 != 5) chosen.push_back(j);
        const std::vector<double> w(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
        const auto made = [&](const matrix& X) {
            const auto moments = ops->moments(X, w);
            const auto all = ops->make_design(X, no_scaling(static_cast<std::size_t>(p)));
            const auto W = ops->gather_columns(*all, chosen, nullptr);
            backend::panel<T> C = ops->allocate(p, p);
            backend::panel<T> C_of_W = ops->allocate(W->cols(), W->cols());
            ops->gram(*all, w, 0, C);
            ops->gram(*W, w, 0, C_of_W);
            return std::tuple(to_host(*ops, C).values, to_host(*ops, C_of_W).values, moments.mean, moments.variance);
        };
        const matrix X = matrix::from_view(rows.view());
        EXPECT_TRUE(made(moved_far_away(X)) == made(X)) << density;
    }
}

} // namespace
} // namespace proxpath::test
