// X̃'R and X̃B of a design on the device, whether its matrix is resident or comes in parts: what centring takes is summed
// once, then each part makes its rows of the result.
#pragma once

#include "host/backend/cuda/device_design.hpp"
#include "host/backend/cuda/device_session.hpp"

#include "kernels/launchers.hpp"

#include <optional>

namespace proxpath::backend {

/// C = X̃'R; R n × k, C p × k.
template <class T>
void device_transpose_multiply(device_session& session, const device_design& X, const kernels::panel_view<const T>& R,
                               const kernels::panel_view<T>& C)
{
    if (X.cols() == 0 || R.cols == 0) return;
    std::optional<device_buffer<double>> sums;
    if (X.is_centered()) {
        sums.emplace(session.buffer<double>(R.cols));
        const auto work = session.buffer<double>(kernels::scratch_numbers(R.rows, R.cols));
        kernels::column_sums(R, sums->data(), work.data(), session.stream());
    }
    X.for_columns([&](const auto& view) {
        kernels::transpose_multiply_part(view, R, sums ? sums->data() : nullptr, C, session.stream());
    });
}

/// V = X̃B, or y − X̃B; B p × k, V n × k. @param y n × 1, or empty
template <class T>
void device_multiply(device_session& session, const device_design& X, const kernels::panel_view<const T>& B,
                     const kernels::panel_view<const T>& y, const kernels::panel_view<T>& V)
{
    if (X.rows() == 0 || B.cols == 0) return;
    std::optional<device_buffer<double>> taken;
    if (X.is_centered()) {
        taken.emplace(session.buffer<double>(B.cols));
        const auto work = session.buffer<double>(kernels::scratch_numbers(B.rows, B.cols));
        X.visit([&](const auto& view) {
            kernels::centering_products(view, B, taken->data(), work.data(), session.stream());
        });
    }
    const double* const taken_data = taken ? taken->data() : nullptr;
    X.for_rows([&](const auto& view) {
        if (y.data == nullptr)
            kernels::multiply_part(view, B, taken_data, V, session.stream());
        else
            kernels::residual_part(view, B, taken_data, y, V, session.stream());
    });
}

} // namespace proxpath::backend
