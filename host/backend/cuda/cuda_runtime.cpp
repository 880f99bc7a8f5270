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

/// Bytes that the current device's pool keeps and nobody uses: allocations are served from them, but cudaMemGetInfo
/// does not count them.
std::uint64_t pooled_bytes()
{
    int device = 0;
    cudaMemPool_t pool = nullptr;
    check(cudaGetDevice(&device), "cudaGetDevice");
    check(cudaDeviceGetMemPool(&pool, device), "cudaDeviceGetMemPool");
    std::uint64_t reserved = 0;
    std::uint64_t used = 0;
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved), "cudaMemPoolGetAttribute");
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used), "cudaMemPoolGetAttribute");
    return reserved > used ? reserved - used : 0;
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
        return free + pooled_bytes();
    }
    std::string why_unreadable(const void* memory) override
    {
        cudaPointerAttributes found{};
        if (const cudaError_t status = cudaPointerGetAttributes(&found, memory); status != cudaSuccess) {
            cudaGetLastError();
            return std::string("is memory of which CUDA says '") + cudaGetErrorString(status) + "'";
        }
        int current = 0;
        check(cudaGetDevice(&current), "cudaGetDevice");
        if (found.type == cudaMemoryTypeUnregistered) return "lies in ordinary memory of the host";
        if (found.type == cudaMemoryTypeDevice && found.device != current)
            return "lies on cuda:" + std::to_string(found.device);
        if (found.type == cudaMemoryTypeHost && found.devicePointer != memory)
            return "lies in memory of the host that the device does not see there";
        return {};
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
    void destroy_stream(stream_view stream) noexcept override
    {
        cudaStreamSynchronize(handle_of(stream)); // cudaStreamDestroy does not wait
        cudaStreamDestroy(handle_of(stream));
    }
    void destroy_event(event_view event) noexcept override { cudaEventDestroy(handle_of(event)); }

    void copy(const copy_request& request, stream_view stream) override
    {
        // Rows without padding are one run; a copy of columns of eight bytes is not for a driver to find that out.
        const bool one_run =
            request.rows == 1 || (request.to_pitch == request.row_bytes && request.from_pitch == request.row_bytes);
        if (one_run)
            check(cudaMemcpyAsync(request.to, request.from, request.row_bytes * request.rows,
                                  kind_of(request.direction), handle_of(stream)),
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
