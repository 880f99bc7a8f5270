// What bounds X'R on a GPU, by itself: rows of a panel read in random order, each as k numbers in a row.
#pragma once

#include "kernels/views.hpp"

#include <cstdint>

namespace proxpath::bench {

/// Listed rows that one warp adds up.
constexpr std::int64_t rows_a_piece = 256;

/// out_(s, c) = Σ P(indices_i, c) over piece s of the list, rows_a_piece entries; P has 32, 64, 100 or 128 columns.
void row_gather(const kernels::panel_view<const double>& P, const std::uint32_t* indices, std::int64_t count,
                double* out, kernels::stream_view stream);

} // namespace proxpath::bench
