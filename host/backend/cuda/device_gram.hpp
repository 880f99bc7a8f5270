// Gram matrices of columns on the device, with what the operation of the contract decides for itself: how many columns
// are made at a time.
#pragma once

#include "host/backend/cuda/device_design.hpp"
#include "host/backend/cuda/device_session.hpp"
#include "host/backend/panel.hpp"

#include <cstdint>
#include <span>

namespace proxpath::backend {

/// Columns of C = X̃'WX̃ from first_new on, and their mirror images.
/// @param together columns that are made at a time, which changes no bit of them; 0: as many as their sums may take
///                 memory for
template <class T>
void grow_gram(device_session& session, const device_design& X, std::span<const double> row_weights,
               std::int64_t first_new, panel<T>& C, std::int64_t together = 0);

extern template void grow_gram(device_session&, const device_design&, std::span<const double>, std::int64_t,
                               panel<float>&, std::int64_t);
extern template void grow_gram(device_session&, const device_design&, std::span<const double>, std::int64_t,
                               panel<double>&, std::int64_t);

} // namespace proxpath::backend
