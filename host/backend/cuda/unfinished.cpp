// Operations of the contract that the device does not have yet. See cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/device_error.hpp"

#include <string>

namespace proxpath::backend {

namespace {

[[noreturn]] void refuse(const char* operation)
{
    throw kernels::device_error(std::string("the CUDA backend has no ") + operation + " yet: use the CPU");
}

} // namespace

template <class T>
std::shared_ptr<const design> cuda_operations<T>::gather_columns(const design&, std::span<const std::int64_t>,
                                                                 const design*) const
{
    refuse("gather_columns");
}

template <class T>
column_moments cuda_operations<T>::moments(const matrix&, std::span<const double>) const
{
    refuse("moments");
}

template <class T>
void cuda_operations<T>::gram(const design&, std::span<const double>, std::int64_t, panel<T>&) const
{
    refuse("gram");
}

template <class T>
double cuda_operations<T>::gram_with_response(const design&, std::span<const double>, std::span<const double>,
                                              panel<T>&, std::span<double>) const
{
    refuse("gram_with_response");
}

template <class T>
std::int64_t cuda_operations<T>::gram_additions(const design&) const
{
    refuse("gram_additions");
}

template <class T>
void cuda_operations<T>::symmetric_multiply(const panel<T>&, const panel<T>&, panel<T>&) const
{
    refuse("symmetric_multiply");
}

template <class T>
panel<T> cuda_operations<T>::compact(const panel<T>&, std::span<const std::int64_t>) const
{
    refuse("compact");
}

template <class T>
void cuda_operations<T>::copy_block(const panel<T>&, panel<T>&) const
{
    refuse("copy_block");
}

template <class T>
void cuda_operations<T>::copy_column(const panel<T>&, std::int64_t, panel<T>&, std::int64_t) const
{
    refuse("copy_column");
}

template <class T>
std::unique_ptr<descent_memory> cuda_operations<T>::make_descent_memory(std::uint64_t) const
{
    refuse("make_descent_memory");
}

template <class T>
void cuda_operations<T>::covariance_descent(const covariance_problem<T>&, panel<T>&, std::span<std::int64_t>,
                                            std::span<double>) const
{
    refuse("covariance_descent");
}

template <class T>
void cuda_operations<T>::coordinate_descent(const residual_problem&, panel<T>&, std::span<std::int64_t>,
                                            std::span<double>) const
{
    refuse("coordinate_descent");
}

template <class T>
void cuda_operations<T>::combine(const panel<T>&, std::span<const double>, panel<T>&) const
{
    refuse("combine");
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
