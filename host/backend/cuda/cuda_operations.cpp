// Panels and designs of the CUDA backend, and its maker.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

#include <utility>

namespace proxpath::backend {

namespace {

/// What lies on the device, with the session it needs to be freed in; members go in reverse.
template <class What>
struct kept {
    std::shared_ptr<device_session> session;
    What what;
};

} // namespace

template <class T>
device_buffer<double> cuda_operations<T>::scratch(std::int64_t rows, std::int64_t sums, std::int64_t more) const
{
    return session_->buffer<double>(kernels::scratch_numbers(rows, sums) + more);
}

template <class T>
panel<T> cuda_operations<T>::allocate(std::int64_t rows, std::int64_t cols) const
{
    panel<T> made = make_device_panel<T>(rows, cols, session_->stream(), session_->runtime());
    made.owner = std::make_shared<kept<std::shared_ptr<void>>>(session_, std::move(made.owner));
    return made;
}

template <class T>
void cuda_operations<T>::upload(std::span<const T> host, panel<T>& to) const
{
    upload_panel(host, to, session_->stream(), session_->runtime());
    session_->wait();
}

template <class T>
void cuda_operations<T>::download(const panel<T>& from, std::span<T> host) const
{
    download_panel(from, host, session_->stream(), session_->runtime());
    session_->wait();
}

template <class T>
std::shared_ptr<const design> cuda_operations<T>::make_design(const matrix& X, column_scaling scaling) const
{
    return keep(device_design(session_->matrix_of(X), std::move(scaling), session_->stream(), session_->runtime()));
}

template <class T>
std::shared_ptr<const design> cuda_operations<T>::keep(device_design made) const
{
    const auto both = std::make_shared<kept<device_design>>(session_, std::move(made));
    return {both, &both->what};
}

template <class T>
std::unique_ptr<operations<T>> make_cuda_operations(std::shared_ptr<device_session> session)
{
    return std::make_unique<cuda_operations<T>>(std::move(session));
}

template class cuda_operations<float>;
template class cuda_operations<double>;
template std::unique_ptr<operations<float>> make_cuda_operations<float>(std::shared_ptr<device_session>);
template std::unique_ptr<operations<double>> make_cuda_operations<double>(std::shared_ptr<device_session>);

} // namespace proxpath::backend
