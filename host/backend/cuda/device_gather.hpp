// Rows of a design with nothing but chosen columns, made on the device: what gathered designs and Gram matrices need.
#pragma once

#include "host/backend/cuda/device_design.hpp"
#include "host/backend/cuda/device_session.hpp"

#include <cstdint>
#include <span>

namespace proxpath::backend {

/// Rows as lists of (column, value), not yet sorted by who sums them.
template <class V>
struct row_entries {
    device_buffer<std::int64_t> offsets;
    device_buffer<std::uint32_t> indices;
    device_buffer<V> values;

    kernels::lists_view<V> view() const
    {
        kernels::lists_view<V> made;
        made.count = offsets.size() - 1;
        made.offsets = offsets.data();
        made.indices = indices.data();
        made.values = values.data();
        return made;
    }
};

/// Entries of `rows` in the listed columns only, their indices now positions in `columns`. Entries of a row come in the
/// order that they had.
/// @param p       columns that `rows` speaks of
/// @param columns fewer than 2³² − 1, any order, some perhaps twice
/// @param entries of these columns
template <class V>
row_entries<V> rows_of_columns(device_session& session, const kernels::lists_view<V>& rows, std::int64_t p,
                               std::span<const std::int64_t> columns, std::int64_t entries);

extern template row_entries<float> rows_of_columns(device_session&, const kernels::lists_view<float>&, std::int64_t,
                                                   std::span<const std::int64_t>, std::int64_t);
extern template row_entries<double> rows_of_columns(device_session&, const kernels::lists_view<double>&, std::int64_t,
                                                    std::span<const std::int64_t>, std::int64_t);

} // namespace proxpath::backend
