// See frame.hpp: the GPU that is current, and the time between two events on its stream.

#include "bench/gpu/frame.hpp"

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace proxpath::bench {

namespace {

void check(cudaError_t status, const char* call)
{
    if (status != cudaSuccess)
        throw std::runtime_error("CUDA reports '" + std::string(cudaGetErrorString(status)) + "' from " + call);
}

class event_clock final : public stream_clock {
public:
    event_clock()
    {
        check(cudaEventCreate(&begin_), "cudaEventCreate");
        check(cudaEventCreate(&end_), "cudaEventCreate");
    }
    ~event_clock() override
    {
        cudaEventDestroy(begin_);
        cudaEventDestroy(end_);
    }
    void start(backend::stream_view stream) override
    {
        check(cudaEventRecord(begin_, static_cast<cudaStream_t>(stream.handle)), "cudaEventRecord");
    }
    double stop(backend::stream_view stream) override
    {
        check(cudaEventRecord(end_, static_cast<cudaStream_t>(stream.handle)), "cudaEventRecord");
        check(cudaEventSynchronize(end_), "cudaEventSynchronize");
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) / 1e3;
    }

private:
    cudaEvent_t begin_ = nullptr;
    cudaEvent_t end_ = nullptr;
};

} // namespace

measured_device open_measured_device()
{
    int device = 0;
    check(cudaGetDevice(&device), "cudaGetDevice");
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    measured_device made;
    made.name = properties.name;
    made.runtime = backend::make_cuda_runtime();
    made.clock = std::make_unique<event_clock>();
    return made;
}

} // namespace proxpath::bench
