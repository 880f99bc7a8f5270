// What the iterations of solvers are made of, on the device: updates cell by cell and sums over rows. See
// cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace proxpath::backend {

namespace {

/// Two sums for each column, as the launchers leave them.
void split(const std::vector<double>& both, std::span<double> first, std::span<double> second)
{
    std::copy_n(both.begin(), first.size(), first.begin());
    std::copy_n(both.begin() + static_cast<std::ptrdiff_t>(first.size()), second.size(), second.begin());
}

} // namespace

template <class T>
void cuda_operations<T>::extrapolated_residual(const panel<T>& base, const panel<T>& Z, const panel<T>& Z_previous,
                                               std::span<const double> theta, std::span<const double> row_factor,
                                               panel<T>& out) const
{
    const auto device_theta = session_->upload(theta);
    const auto a = session_->upload(row_factor);
    kernels::extrapolated_residual(readable(base), readable(Z), readable(Z_previous), device_theta.data(), a.data(),
                                   writable(out), session_->stream());
}

template <class T>
void cuda_operations<T>::prox_step(const panel<T>& B, const panel<T>& B_previous, const panel<T>& N,
                                   const penalty_view& penalty, std::span<const double> lambda,
                                   std::span<const double> theta, std::span<const double> step, panel<T>& out,
                                   std::span<double> step_square, std::span<double> restart_dot) const
{
    const auto l1 = session_->upload(penalty.l1);
    const auto l2 = session_->upload(penalty.l2);
    const auto lower = session_->upload(penalty.lower);
    const auto upper = session_->upload(penalty.upper);
    const auto device_lambda = session_->upload(lambda);
    const auto device_theta = session_->upload(theta);
    const auto device_step = session_->upload(step);
    const auto sums = session_->buffer<double>(2 * B.cols);
    const auto work = scratch(B.rows, 2 * B.cols);
    kernels::prox_step(readable(B), readable(B_previous), readable(N),
                       {l1.data(), l2.data(), lower.data(), upper.data()}, device_lambda.data(), device_theta.data(),
                       device_step.data(), writable(out), sums.data(), work.data(), session_->stream());
    std::vector<double> host(static_cast<std::size_t>(2 * B.cols));
    session_->download(sums, std::span(host));
    split(host, step_square, restart_dot);
}

template <class T>
void cuda_operations<T>::extrapolation_dots(const panel<T>& X_next, const panel<T>& X, const panel<T>& X_previous,
                                            const panel<T>& Y_next, const panel<T>& Y, const panel<T>& Y_previous,
                                            std::span<const double> theta, std::span<const double> row_factor,
                                            std::span<double> result) const
{
    const auto device_theta = session_->upload(theta);
    const auto a = session_->upload(row_factor);
    const auto sums = session_->buffer<double>(X.cols);
    const auto work = scratch(X.rows, X.cols);
    kernels::extrapolation_dots<T>({readable(X_next), readable(X), readable(X_previous)},
                                   {readable(Y_next), readable(Y), readable(Y_previous)}, device_theta.data(), a.data(),
                                   sums.data(), work.data(), session_->stream());
    session_->download(sums, result);
}

template <class T>
void cuda_operations<T>::column_dots(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                                     std::span<double> result) const
{
    const auto a = session_->upload(row_factor);
    const auto sums = session_->buffer<double>(X.cols);
    const auto work = scratch(X.rows, X.cols);
    kernels::column_dots(readable(X), readable(Y), a.data(), sums.data(), work.data(), session_->stream());
    session_->download(sums, result);
}

template <class T>
void cuda_operations<T>::chord_distances(const panel<T>& X, const panel<T>& from, const panel<T>& to,
                                         std::span<const double> theta, std::span<const double> row_factor,
                                         std::span<double> distance) const
{
    const auto device_theta = session_->upload(theta);
    const auto a = session_->upload(row_factor);
    const auto squares = session_->buffer<double>(X.cols);
    const auto work = scratch(X.rows, X.cols);
    kernels::chord_squares(readable(X), readable(from), readable(to), device_theta.data(), a.data(), squares.data(),
                           work.data(), session_->stream());
    session_->download(squares, distance);
    for (double& each : distance) each = std::sqrt(each);
}

template <class T>
void cuda_operations<T>::scale_rows(std::span<const double> row_factor, panel<T>& X) const
{
    const auto a = session_->upload(row_factor);
    if (a.data() != nullptr) kernels::scale_rows(a.data(), writable(X), session_->stream());
}

template <class T>
void cuda_operations<T>::residual_dots(const panel<T>& y, const panel<T>& V, std::span<const double> row_factor,
                                       std::span<double> square, std::span<double> dot) const
{
    const auto a = session_->upload(row_factor);
    const auto sums = session_->buffer<double>(2 * V.cols);
    const auto work = scratch(V.rows, 2 * V.cols);
    kernels::residual_dots(readable(y), readable(V), a.data(), sums.data(), work.data(), session_->stream());
    std::vector<double> host(static_cast<std::size_t>(2 * V.cols));
    session_->download(sums, std::span(host));
    split(host, square, dot);
}

template <class T>
void cuda_operations<T>::krylov_update(const panel<T>& r, std::span<const double> a, std::span<const double> z,
                                       std::span<const double> b, panel<T>& D, panel<T>& B) const
{
    const auto device_a = session_->upload(a);
    const auto device_z = session_->upload(z);
    const auto device_b = session_->upload(b);
    kernels::krylov_update(readable(r), device_a.data(), device_z.data(), device_b.data(), writable(D), writable(B),
                           session_->stream());
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
