// What certificates take from panels on the device: gap sums of kept correlations, projections, and residuals and their
// correlations together. See cuda_operations.hpp; the pass over all features is in device_correlation_pass.cpp.

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_gap_sums.hpp"
#include "host/backend/cuda/device_multiply.hpp"
#include "host/backend/cuda/device_penalty.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <vector>

namespace proxpath::backend {

namespace {

/// Columns of the batch whose residuals are on the device at a time.
constexpr std::int64_t residual_columns = 32;

/// A buffer's first rows × cols numbers, without padding.
template <class T>
kernels::panel_view<T> packed(const device_buffer<T>& buffer, std::int64_t rows, std::int64_t cols)
{
    return {buffer.data(), rows, cols, cols};
}

template <class T>
kernels::panel_view<const T> to_read(const kernels::panel_view<T>& of)
{
    return {of.data, of.rows, of.cols, of.stride};
}

} // namespace

template <class T>
void cuda_operations<T>::penalty_sums(const panel<T>& U, const panel<T>& B, const penalty_view& penalty,
                                      std::span<const double> lambda, std::span<gap_sums> sums) const
{
    const device_penalty arrays(penalty, *session_);
    device_gap_sums(*session_, U, B, arrays.view(), lambda, sums);
}

template <class T>
void cuda_operations<T>::projections(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                                     std::span<double> square, std::span<double> product) const
{
    const auto a = session_->upload(row_factor);
    const auto sums = session_->buffer<double>((Y.cols + 8) * X.cols);
    const auto work = scratch(X.rows, 8 * X.cols);
    kernels::projections(readable(X), readable(Y), a.data(), sums.data(), work.data(), session_->stream());
    const auto k = static_cast<std::size_t>(X.cols);
    const auto m = static_cast<std::size_t>(Y.cols);
    std::vector<double> host((m + 1) * k);
    session_->download(sums, std::span(host));
    std::copy_n(host.begin(), k, square.begin());
    for (std::size_t c = 0; c < k; ++c)
        for (std::size_t e = 0; e < m; ++e) product[c * m + e] = host[(1 + e) * k + c];
}

template <class T>
void cuda_operations<T>::residual_correlations(const design& X, const panel<T>& B, const panel<T>& y, const panel<T>& z,
                                               std::span<const double> weights, panel<T>& U, std::span<double> square,
                                               std::span<double> product) const
{
    // In double, whatever T is: residuals are small differences, and what is made of them has to certify.
    const std::int64_t n = X.rows();
    const std::int64_t p = X.cols();
    const std::int64_t most = std::min(B.cols, residual_columns);
    const auto a = session_->upload(weights);
    const auto response = session_->buffer<double>(n);
    const auto other = session_->buffer<double>(n);
    const auto coefficients = session_->buffer<double>(p * most);
    const auto residuals = session_->buffer<double>(n * most);
    const auto correlations = session_->buffer<double>(p * most);
    const auto sums = session_->buffer<double>(9 * B.cols);
    const auto work_of_rows = session_->buffer<double>(kernels::scratch_numbers(n, 8 * most));
    const stream_view stream = session_->stream();
    kernels::convert(readable(y), packed(response, n, 1), stream);
    kernels::convert(readable(z), packed(other, n, 1), stream);
    for (std::int64_t first = 0; first < B.cols; first += most) {
        const std::int64_t k = std::min(most, B.cols - first);
        const auto B_tile = packed(coefficients, p, k);
        const auto rho = packed(residuals, n, k);
        const auto U_tile = packed(correlations, p, k);
        kernels::convert(columns_of(readable(B), first, k), B_tile, stream);
        device_multiply<double>(*session_, as_device(X), to_read(B_tile), to_read(packed(response, n, 1)), rho);
        kernels::projections(to_read(rho), to_read(packed(other, n, 1)), a.data(), sums.data() + 9 * first,
                             work_of_rows.data(), stream);
        kernels::scale_rows(a.data(), rho, stream);
        device_transpose_multiply<double>(*session_, as_device(X), to_read(rho), U_tile);
        kernels::convert(to_read(U_tile), columns_of(writable(U), first, k), stream);
    }
    std::vector<double> host(static_cast<std::size_t>(9 * B.cols));
    session_->download(sums, std::span(host));
    for (std::int64_t first = 0; first < B.cols; first += most) {
        const std::int64_t k = std::min(most, B.cols - first);
        for (std::int64_t c = 0; c < k; ++c) {
            const auto at = static_cast<std::size_t>(first + c);
            square[at] = host[static_cast<std::size_t>(9 * first + c)];
            product[at] = host[static_cast<std::size_t>(9 * first + k + c)];
        }
    }
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
