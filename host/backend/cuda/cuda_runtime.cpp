// The runtime of a GPU: thin calls to CUDA, each checked. Every error becomes an exception that says which call and
// where, and is cleared, so that the next call starts afresh. No kernels, so the host's compiler takes it.

#include "host/backend/cuda/device_runtime.hpp"

#include "kernels/device_error.hpp"

#include <cuda_runtime.h>

#include <source_location>
#include <string>

namespace proxpath::backend {

namespace {

void check(cudaError_t status, const char* call, const std::source_location where = std::source_location::current())
{
    if (status == cudaSuccess) return;
    cudaGetLastError(); // clears what is not sticky
    throw kernels::device_failure(cudaGetErrorString(status), std::string("from ") + call + " (" + where.file_name() +
                                                                  ":" + std::to_string(where.line()) + ")");
}

cudaStream_t handle_of(stream_view stream) { return static_cast<cudaStream_t>(stream.handle); }
cudaEvent_t handle_of(event_view event) { return static_cast<cudaEvent_t>(event.handle); }

cudaMemcpyKind kind_of(copy_direction direction)
{
    switch (direction) {
    case copy_direction::to_device:
        return cudaMemcpyHostToDevice;
    case copy_direction::to_host:
        return cudaMemcpyDeviceToHost;
    default:
        return cudaMemcpyDeviceToDevice;
    }
}

class cuda_runtime final : public device_runtime {
public:
    void* allocate(std::uint64_t bytes, stream_view stream) override
    {
        void* memory = nullptr;
        const cudaError_t status = cudaMallocAsync(&memory, bytes, handle_of(stream));
        if (status == cudaErrorMemoryAllocation) {
            cudaGetLastError();
            const std::uint64_t left = free_bytes();
            throw out_of_memory("the device has no " + std::to_string(bytes) + " bytes left, but " +
                                    std::to_string(left) + ": free some of it, or fit on the CPU (device cpu)",
                                bytes, left);
        }
        check(status, "cudaMallocAsync");
        return memory;
    }
    std::uint64_t free_bytes() override
    {
        std::size_t free = 0;
        std::size_t all = 0;
        check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
        return free;
    }

    void* allocate_host(std::uint64_t bytes) override
    {
        void* memory = nullptr;
        const cudaError_t status = cudaMallocHost(&memory, bytes);
        if (status == cudaErrorMemoryAllocation) {
            cudaGetLastError();
            throw out_of_memory("the system gives no " + std::to_string(bytes) +
                                    " bytes of page-locked host memory; ulimit -l, or the memory of a container, may "
                                    "limit it",
                                bytes, 0);
        }
        check(status, "cudaMallocHost");
        return memory;
    }

    // Destructors call the next four: there is nobody to tell, and the error shows again at the next call.
    void deallocate(void* memory, std::uint64_t, stream_view stream) noexcept override
    {
        cudaFreeAsync(memory, handle_of(stream));
    }
    void deallocate_host(void* memory, std::uint64_t) noexcept override { cudaFreeHost(memory); }
    void destroy_stream(stream_view stream) noexcept override { cudaStreamDestroy(handle_of(stream)); }
    void destroy_event(event_view event) noexcept override { cudaEventDestroy(handle_of(event)); }

    void copy(const copy_request& request, stream_view stream) override
    {
        if (request.rows == 1)
            check(cudaMemcpyAsync(request.to, request.from, request.row_bytes, kind_of(request.direction),
                                  handle_of(stream)),
                  "cudaMemcpyAsync");
        else
            check(cudaMemcpy2DAsync(request.to, request.to_pitch, request.from, request.from_pitch, request.row_bytes,
                                    request.rows, kind_of(request.direction), handle_of(stream)),
                  "cudaMemcpy2DAsync");
    }
    void clear(void* memory, std::uint64_t bytes, stream_view stream) override
    {
        check(cudaMemsetAsync(memory, 0, bytes, handle_of(stream)), "cudaMemsetAsync");
    }

    stream_view make_stream() override
    {
        cudaStream_t stream = nullptr;
        // Does not wait for the default stream, which belongs to whoever else is in this process.
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
        return {stream};
    }
    void synchronize(stream_view stream) override
    {
        check(cudaStreamSynchronize(handle_of(stream)), "cudaStreamSynchronize");
    }

    event_view make_event() override
    {
        cudaEvent_t event = nullptr;
        check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
        return {event};
    }
    void record(event_view event, stream_view stream) override
    {
        check(cudaEventRecord(handle_of(event), handle_of(stream)), "cudaEventRecord");
    }
    void wait(stream_view stream, event_view event) override
    {
        check(cudaStreamWaitEvent(handle_of(stream), handle_of(event), 0), "cudaStreamWaitEvent");
    }
    void synchronize(event_view event) override
    {
        check(cudaEventSynchronize(handle_of(event)), "cudaEventSynchronize");
    }
};

} // namespace

std::unique_ptr<device_runtime> make_cuda_runtime() { return std::make_unique<cuda_runtime>(); }

} // namespace proxpath::backend
