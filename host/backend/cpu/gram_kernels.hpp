// Two ways to the entries of C = X̃'WX̃ that gram.cpp and the residual form's Newton steps share: dense columns are
// spread out and go through X'R; sparse ones meet in row lists.
#pragma once

#include "host/backend/cpu/cpu_design.hpp"
#include "host/backend/panel.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Above this share of non-zeros spreading columns out is the faster way (measured on 5 000 × 1 000 designs).
constexpr double spread_from_density = 0.1;

/// The listed columns of X̃, weighted, as a dense panel; R has X.rows() rows and as many columns.
void spread_columns(const cpu_design& X, std::span<const double> weights, std::span<const std::int64_t> columns,
                    panel<double>& R, int threads);

/// The stored entries by rows, shifted and scaled; centring is left to whoever uses them.
struct row_lists {
    std::vector<std::int64_t> offsets; ///< n + 1
    std::vector<std::int32_t> columns; ///< ascending in each row
    std::vector<double> values;
};
/// @param first_column columns from here on
/// @param wanted       X.cols() flags, 0: not this column; empty: all
row_lists make_row_lists(const cpu_design& X, std::int64_t first_column = 0, std::span<const std::uint8_t> wanted = {});

} // namespace proxpath::backend
