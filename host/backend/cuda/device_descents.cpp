// Both descents of the contract on the device. See batched_descent.hpp.

#include "host/backend/cuda/batched_descent.hpp"
#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

namespace proxpath::backend {

namespace {

/// Calls f(B in double), whatever B is in.
template <class T, class F>
void in_double(device_session& session, panel<T>& B, const F& f)
{
    panel<double> wide = passing_panel(session, B.rows, B.cols);
    kernels::convert(readable(B), writable(wide), session.stream());
    f(wide);
    kernels::convert(readable(wide), writable(B), session.stream());
}

template <class F>
void in_double(device_session&, panel<double>& B, const F& f)
{
    f(B);
}

} // namespace

template <class T>
std::unique_ptr<descent_memory> cuda_operations<T>::make_descent_memory(std::uint64_t) const
{
    return std::make_unique<device_descent_memory>();
}

template <class T>
void cuda_operations<T>::covariance_descent(const covariance_problem<T>& problem, panel<T>& B,
                                            std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    const auto form = make_device_gram_form(*session_, problem);
    in_double(*session_, B, [&](panel<double>& wide) {
        descend_batch(*session_, *form, problem, static_cast<device_descent_memory*>(problem.memory), wide, iterations,
                      gaps);
    });
}

template <class T>
void cuda_operations<T>::coordinate_descent(const residual_problem& problem, panel<T>& B,
                                            std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    const auto form = make_device_residual_form(*session_, problem);
    in_double(*session_, B, [&](panel<double>& wide) {
        descend_batch(*session_, *form, problem, static_cast<device_descent_memory*>(problem.memory), wide, iterations,
                      gaps);
    });
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
