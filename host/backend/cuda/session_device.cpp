// See session_device.hpp.

#include "host/backend/cuda/session_device.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/limited_runtime.hpp"

#include <optional>
#include <utility>

namespace proxpath::backend {

namespace {

class session_device final : public opened_device {
public:
    explicit session_device(std::shared_ptr<device_session> session) : session_(std::move(session)) {}
    std::unique_ptr<operations<double>> make_double() const override { return make_cuda_operations<double>(session_); }
    std::unique_ptr<operations<float>> make_float() const override { return make_cuda_operations<float>(session_); }

private:
    std::shared_ptr<device_session> session_;
};

} // namespace

std::unique_ptr<opened_device> open_session(std::shared_ptr<device_session> session)
{
    return std::make_unique<session_device>(std::move(session));
}

std::unique_ptr<opened_device> open_session(std::unique_ptr<device_runtime> runtime, const device_terms& terms)
{
    if (terms.memory_limit > 0) runtime = limit_memory(std::move(runtime), terms.memory_limit);
    std::optional<stream_view> lent;
    if (terms.stream) lent = stream_view{*terms.stream};
    return open_session(std::make_shared<device_session>(std::move(runtime), terms.threads, lent));
}

const char* automatic_reservation()
{
    return "a CUDA device is taken by name only (--device cuda): this version's kernels have run on an emulated "
           "device, "
           "not yet on a GPU";
}

} // namespace proxpath::backend
