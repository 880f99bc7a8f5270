// Products with X on the device. See cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

namespace proxpath::backend {

template <class T>
void cuda_operations<T>::transpose_multiply(const design& X, const panel<T>& R, panel<T>& C) const
{
    const auto work = session_->buffer<double>(kernels::scratch_numbers(R.rows, R.cols) + R.cols);
    as_device(X).visit([&](const auto& view) {
        kernels::transpose_multiply(view, readable(R), writable(C), work.data(), session_->stream());
    });
}

template <class T>
void cuda_operations<T>::multiply(const design& X, const panel<T>& B, panel<T>& V) const
{
    const auto work = session_->buffer<double>(kernels::scratch_numbers(B.rows, B.cols) + B.cols);
    as_device(X).visit(
        [&](const auto& view) { kernels::multiply(view, readable(B), writable(V), work.data(), session_->stream()); });
}

template <class T>
void cuda_operations<T>::residual(const design& X, const panel<T>& B, const panel<T>& y, panel<T>& V) const
{
    const auto work = session_->buffer<double>(kernels::scratch_numbers(B.rows, B.cols) + B.cols);
    as_device(X).visit([&](const auto& view) {
        kernels::residual(view, readable(B), readable(y), writable(V), work.data(), session_->stream());
    });
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
