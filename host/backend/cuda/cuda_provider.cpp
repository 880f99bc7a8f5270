// See cuda_provider.hpp. Calls only what CUDA 12 and 13 have in common: attributes one by one, for the structure of all
// properties is another in each, but for the name.

#include "host/backend/cuda/cuda_provider.hpp"

#include "host/backend/cuda/cuda_driver.hpp"
#include "host/backend/cuda/device_code.hpp"
#include "host/backend/cuda/session_device.hpp"
#include "kernels/device_error.hpp"

#include <memory>
#include <string>

#include <cuda_runtime.h>
#include <fmt/format.h>

namespace proxpath::backend {

namespace {

/// What CUDA says of a status; clears it, so that it does not show at a later call.
std::string words_of(cudaError_t status)
{
    cudaGetLastError();
    return fmt::format("CUDA says '{}'", cudaGetErrorString(status));
}

/// 13000 is 13.0.
std::string version_text(int version)
{
    return version > 0 ? fmt::format("{}.{}", version / 1000, version % 1000 / 10) : std::string();
}

/// Why CUDA counts no devices.
void explain(cudaError_t status, int driver, device_survey& survey)
{
    survey.detail = words_of(status);
    if (driver == 0) {
        survey.problem = "no NVIDIA driver is installed";
        survey.detail += "; its library libcuda.so.1 was not found";
    } else if (status == cudaErrorInsufficientDriver) {
        survey.problem = "the NVIDIA driver is too old";
        survey.detail = fmt::format("it knows CUDA {}, this backend is made with {}; {}", survey.driver_version,
                                    survey.runtime_version, survey.detail);
    } else if (status == cudaErrorNoDevice || status == cudaSuccess) {
        survey.problem = "there is no NVIDIA GPU";
        survey.detail += "; CUDA_VISIBLE_DEVICES may hide them";
    } else {
        survey.problem = "CUDA does not start";
    }
}

int attribute(cudaDeviceAttr which, int index)
{
    int value = 0;
    if (cudaDeviceGetAttribute(&value, which, index) != cudaSuccess) cudaGetLastError();
    return value;
}

device_info described(int index)
{
    device_info device;
    device.index = index;
    cudaDeviceProp properties;
    if (const cudaError_t status = cudaGetDeviceProperties(&properties, index); status != cudaSuccess) {
        device.problem = words_of(status);
        return device;
    }
    device.name = properties.name;
    device.memory_bytes = properties.totalGlobalMem;
    device.compute_major = attribute(cudaDevAttrComputeCapabilityMajor, index);
    device.compute_minor = attribute(cudaDevAttrComputeCapabilityMinor, index);
    // Two transfers a tick of the memory's clock.
    const double ticks = 1e3 * attribute(cudaDevAttrMemoryClockRate, index);
    device.memory_bandwidth = 2 * ticks * attribute(cudaDevAttrGlobalMemoryBusWidth, index) / 8;
    return device;
}

/// Makes a device the calling thread's current one, and at the end what was current before: a context, or none.
class current_device {
public:
    explicit current_device(int index) : before_(current_context()), status_(cudaSetDevice(index)) {}
    current_device(const current_device&) = delete;
    current_device& operator=(const current_device&) = delete;
    ~current_device() { make_current(before_); }
    cudaError_t status() const { return status_; }

private:
    void* before_;
    cudaError_t status_;
};

/// A session on the device, which is current while it is open.
class gpu final : public opened_device {
public:
    gpu(int index, const device_terms& terms) : current_(index)
    {
        if (current_.status() != cudaSuccess)
            throw kernels::device_error(fmt::format("cuda:{} cannot be used: {}", index, words_of(current_.status())));
        session_ = open_session(make_cuda_runtime(), terms);
    }
    std::unique_ptr<operations<double>> make_double() const override { return session_->make_double(); }
    std::unique_ptr<operations<float>> make_float() const override { return session_->make_float(); }

private:
    current_device current_; // outlives the session
    std::unique_ptr<opened_device> session_;
};

class cuda_provider final : public device_provider {
public:
    std::string name() const override { return "cuda"; }

    device_survey survey() const override
    {
        device_survey survey;
        int driver = 0;
        int runtime = 0;
        int count = 0;
        if (cudaDriverGetVersion(&driver) != cudaSuccess) cudaGetLastError();
        if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) cudaGetLastError();
        survey.driver_version = version_text(driver);
        survey.runtime_version = version_text(runtime);
        if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess || count == 0) {
            explain(status, driver, survey);
            return survey;
        }
        for (int index = 0; index < count; ++index) survey.devices.push_back(described(index));
        return survey;
    }

    void examine(device_info& device) const override
    {
        if (!device.problem.empty()) return;
        const current_device current(device.index);
        std::size_t free_bytes = 0;
        std::size_t all_bytes = 0;
        cudaError_t status = current.status();
        if (status == cudaSuccess) status = cudaMemGetInfo(&free_bytes, &all_bytes);
        device.free_bytes = free_bytes;
        if (status == cudaSuccess) status = find_device_code();
        if (status == cudaSuccess && attribute(cudaDevAttrMemoryPoolsSupported, device.index) == 0)
            device.problem = "it has no memory pools (cudaMallocAsync)";
        if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidDeviceFunction) {
            cudaGetLastError();
            device.problem = fmt::format("its compute capability is {}.{}, this backend has code for {}",
                                         device.compute_major, device.compute_minor, PROXPATH_CUDA_ARCHITECTURES);
        } else if (status != cudaSuccess) {
            device.problem = words_of(status);
        }
    }

    std::string reservation() const override { return automatic_reservation(); }

    std::unique_ptr<opened_device> open(int index, const device_terms& terms) const override
    {
        return std::make_unique<gpu>(index, terms);
    }
};

} // namespace

const device_provider& cuda_devices()
{
    static const cuda_provider provider;
    return provider;
}

} // namespace proxpath::backend
