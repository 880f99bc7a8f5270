// What the residual form of a restricted problem knows of its data besides the point: shared by the descent of one
// column (coordinate_descent.cpp) and of several side by side (residual_lanes.hpp).
#pragma once

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/cpu/gram_kernels.hpp"
#include "host/backend/operations.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace proxpath::backend {

struct residual_data {
    explicit residual_data(const residual_problem& of)
        : problem(of), X(as_cpu(*of.X)), inverse_weights(of.weights.size(), 0.0),
          stored_sum(static_cast<std::size_t>(X.cols()), 0.0)
    {
        for (std::size_t i = 0; i < inverse_weights.size(); ++i)
            if (of.weights[i] > 0) inverse_weights[i] = 1 / of.weights[i];
        double square = 0;
        for (std::size_t i = 0; i < of.weights.size(); ++i) square += of.weights[i] * of.response[i] * of.response[i];
        response_norm = std::sqrt(square);
        equal_weights =
            std::adjacent_find(of.weights.begin(), of.weights.end(), std::not_equal_to<>()) == of.weights.end();
        for_each_column([&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                stored_sum[j] += of.weights[static_cast<std::size_t>(rows[i])] *
                                 (static_cast<double>(values[i]) - X.scaling().shift[j]);
        });
    }

    /// Feature j has any variation.
    bool active(std::size_t j) const { return X.scaling().inverse[j] > 0; }

    /// Calls f(j, rows, values, begin, end) for the columns of a block that have any variation.
    template <class F>
    void for_each_column_of(const storage::column_block& block, const F& f) const
    {
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const auto j = static_cast<std::size_t>(block.first + local);
                if (!active(j)) continue;
                const std::int64_t begin = block.offsets[local];
                f(j, indices.column(begin), values, begin, block.offsets[local + 1]);
            }
        });
    }

    template <class F>
    void for_each_column(const F& f) const
    {
        for (const storage::column_block& block : X.store().blocks) for_each_column_of(block, f);
    }

    /// The same for column j alone, as f(rows, values, begin, end).
    template <class F>
    void with_column(std::int64_t j, const F& f) const
    {
        const storage::column_block& block = storage::block_of(X.store(), j);
        storage::visit_block(block, [&](auto indices, auto values) {
            const std::int64_t begin = block.offsets[j - block.first];
            f(indices.column(begin), values, begin, block.offsets[j - block.first + 1]);
        });
    }

    /// Whether products with X̃ go by rows; else columns are so full that they are spread.
    bool sparse() const
    {
        const double cells = static_cast<double>(X.rows()) * static_cast<double>(X.cols());
        return static_cast<double>(X.nonzeros()) < spread_from_density * cells;
    }
    /// The stored entries by rows, made at the first call.
    const row_lists& by_rows()
    {
        if (!lists) lists = make_row_lists(X);
        return *lists;
    }
    /// What of the mean acts on every row alike, on the scale of the solver.
    double centre(std::size_t j) const { return X.scaling().center[j] * X.scaling().inverse[j]; }

    const residual_problem& problem;
    const cpu_design& X;
    std::vector<double> inverse_weights; // 0 where the weight is
    double response_norm = 0;            // of ỹ
    bool equal_weights = false;          // all rows weigh the same
    std::vector<double> stored_sum;      // Σ w (x − shift) over the stored entries of each column
    std::optional<row_lists> lists;
};

} // namespace proxpath::backend
