// Rows of a design with nothing but chosen columns, made on the device: what gathered designs and Gram matrices need.
#pragma once

#include "host/backend/cuda/device_design.hpp"
#include "host/backend/cuda/device_session.hpp"

#include <cstdint>
#include <span>

namespace proxpath::backend {

/// The lists of `rows` with entries of the listed columns only, their indices now positions in `columns`. Entries of
/// a list come in the order that they had.
/// @param p       columns that `rows` speaks of
/// @param columns fewer than 2³² − 1, any order, some perhaps twice
/// @param entries of these columns
template <class V>
device_lists<V> rows_of_columns(device_session& session, const kernels::lists_view<V>& rows, std::int64_t p,
                                std::span<const std::int64_t> columns, std::int64_t entries);

extern template device_lists<float> rows_of_columns(device_session&, const kernels::lists_view<float>&, std::int64_t,
                                                    std::span<const std::int64_t>, std::int64_t);
extern template device_lists<double> rows_of_columns(device_session&, const kernels::lists_view<double>&, std::int64_t,
                                                     std::span<const std::int64_t>, std::int64_t);

} // namespace proxpath::backend
