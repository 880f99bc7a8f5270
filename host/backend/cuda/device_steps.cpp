// What the iterations of solvers are made of, on the device: updates cell by cell and sums over rows. See
// cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_penalty.hpp"
#include "host/backend/cuda/device_sums.hpp"

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
    const device_penalty arrays(penalty, *session_);
    const auto device_lambda = session_->upload(lambda);
    const auto device_theta = session_->upload(theta);
    const auto device_step = session_->upload(step);
    const auto both = sums_over_rows(*session_, B.rows, 2 * B.cols, [&](double* sums, double* work) {
        kernels::prox_step(readable(B), readable(B_previous), readable(N), arrays.view(), device_lambda.data(),
                           device_theta.data(), device_step.data(), writable(out), sums, work, session_->stream());
    });
    split(both, step_square, restart_dot);
}

template <class T>
void cuda_operations<T>::extrapolation_dots(const panel<T>& X_next, const panel<T>& X, const panel<T>& X_previous,
                                            const panel<T>& Y_next, const panel<T>& Y, const panel<T>& Y_previous,
                                            std::span<const double> theta, std::span<const double> row_factor,
                                            std::span<double> result) const
{
    const auto device_theta = session_->upload(theta);
    const auto a = session_->upload(row_factor);
    sums_over_rows(*session_, X.rows, result, [&](double* sums, double* work) {
        kernels::extrapolation_dots<T>({readable(X_next), readable(X), readable(X_previous)},
                                       {readable(Y_next), readable(Y), readable(Y_previous)}, device_theta.data(),
                                       a.data(), sums, work, session_->stream());
    });
}

template <class T>
void cuda_operations<T>::column_dots(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                                     std::span<double> result) const
{
    const auto a = session_->upload(row_factor);
    sums_over_rows(*session_, X.rows, result, [&](double* sums, double* work) {
        kernels::column_dots(readable(X), readable(Y), a.data(), sums, work, session_->stream());
    });
}

template <class T>
void cuda_operations<T>::chord_distances(const panel<T>& X, const panel<T>& from, const panel<T>& to,
                                         std::span<const double> theta, std::span<const double> row_factor,
                                         std::span<double> distance) const
{
    const auto device_theta = session_->upload(theta);
    const auto a = session_->upload(row_factor);
    sums_over_rows(*session_, X.rows, distance, [&](double* squares, double* work) {
        kernels::chord_squares(readable(X), readable(from), readable(to), device_theta.data(), a.data(), squares, work,
                               session_->stream());
    });
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
    const auto both = sums_over_rows(*session_, V.rows, 2 * V.cols, [&](double* sums, double* work) {
        kernels::residual_dots(readable(y), readable(V), a.data(), sums, work, session_->stream());
    });
    split(both, square, dot);
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
