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
void cuda_operations<T>::residual_correlations(const design&, const panel<T>&, const panel<T>&, const panel<T>&,
                                               std::span<const double>, panel<T>&, std::span<double>,
                                               std::span<double>) const
{
    refuse("residual_correlations");
}

template <class T>
correlation_result cuda_operations<T>::correlation_pass(const correlation_request<T>&, std::span<double>) const
{
    refuse("correlation_pass");
}

template <class T>
void cuda_operations<T>::projections(const panel<T>&, const panel<T>&, std::span<const double>, std::span<double>,
                                     std::span<double>) const
{
    refuse("projections");
}

template <class T>
void cuda_operations<T>::penalty_sums(const panel<T>&, const panel<T>&, const penalty_view&, std::span<const double>,
                                      std::span<gap_sums>) const
{
    refuse("penalty_sums");
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
