// Panels copied, combined and multiplied on the device. See cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

namespace proxpath::backend {

template <class T>
panel<T> cuda_operations<T>::compact(const panel<T>& from, std::span<const std::int64_t> columns) const
{
    panel<T> to = allocate(from.rows, static_cast<std::int64_t>(columns.size()));
    const auto chosen = session_->upload(columns);
    kernels::compact(readable(from), chosen.data(), writable(to), session_->stream());
    return to;
}

template <class T>
void cuda_operations<T>::copy_block(const panel<T>& from, panel<T>& to) const
{
    kernels::copy_block(readable(from), writable(to), session_->stream());
}

template <class T>
void cuda_operations<T>::copy_column(const panel<T>& from, std::int64_t from_column, panel<T>& to,
                                     std::int64_t to_column) const
{
    if (from.rows == 0) return;
    kernels::copy_block<T>({from.data + from_column, from.rows, 1, from.stride},
                           {to.data + to_column, from.rows, 1, to.stride}, session_->stream());
}

template <class T>
void cuda_operations<T>::combine(const panel<T>& V, std::span<const double> Y, panel<T>& B) const
{
    const auto weights = session_->upload(Y);
    kernels::combine(readable(V), weights.data(), writable(B), session_->stream());
}

template <class T>
void cuda_operations<T>::symmetric_multiply(const panel<T>& C, const panel<T>& B, panel<T>& Z) const
{
    const auto work = session_->buffer<double>(kernels::symmetric_multiply_numbers(Z.rows, Z.cols));
    kernels::symmetric_multiply(readable(C), readable(B), writable(Z), work.data(), session_->stream());
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
