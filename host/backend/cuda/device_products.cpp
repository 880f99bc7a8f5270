// Products with X on the device. See cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_multiply.hpp"

namespace proxpath::backend {

template <class T>
void cuda_operations<T>::transpose_multiply(const design& X, const panel<T>& R, panel<T>& C) const
{
    device_transpose_multiply<T>(*session_, as_device(X), readable(R), writable(C));
}

template <class T>
void cuda_operations<T>::multiply(const design& X, const panel<T>& B, panel<T>& V) const
{
    device_multiply<T>(*session_, as_device(X), readable(B), {}, writable(V));
}

template <class T>
void cuda_operations<T>::residual(const design& X, const panel<T>& B, const panel<T>& y, panel<T>& V) const
{
    device_multiply<T>(*session_, as_device(X), readable(B), readable(y), writable(V));
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
