// See fake_cuda.hpp.

#include "tests/device_library/fake_cuda.hpp"

#include "host/backend/cuda/cuda_driver.hpp"
#include "host/backend/cuda/device_code.hpp"
#include "host/backend/cuda/device_runtime.hpp"
#include "tests/emulation/emulated_runtime.hpp"

#include <algorithm>
#include <cstdio>

namespace proxpath::test {

fake_machine& machine()
{
    static fake_machine the_machine;
    return the_machine;
}

namespace {

cudaError_t noted(cudaError_t status)
{
    if (status != cudaSuccess) machine().last_error = status;
    return status;
}

fake_gpu& gpu_at(int index) { return machine().gpus.at(static_cast<std::size_t>(index)); }

} // namespace
} // namespace proxpath::test

namespace proxpath::backend {

cudaError_t find_device_code() { return test::noted(test::gpu_at(test::machine().current).when_code_is_sought); }

std::unique_ptr<device_runtime> make_cuda_runtime()
{
    return emulation::make_emulated_runtime(test::gpu_at(test::machine().current).free_bytes);
}

/// A context is its GPU here.
void* current_context() { return test::machine().current < 0 ? nullptr : &test::gpu_at(test::machine().current); }

void make_current(void* context)
{
    test::machine().current =
        context == nullptr ? -1 : static_cast<int>(static_cast<test::fake_gpu*>(context) - test::machine().gpus.data());
}

} // namespace proxpath::backend

using proxpath::test::gpu_at;
using proxpath::test::machine;
using proxpath::test::noted;

extern "C" {

cudaError_t cudaGetLastError()
{
    const cudaError_t status = machine().last_error;
    machine().last_error = cudaSuccess;
    return status;
}

const char* cudaGetErrorString(cudaError_t status) { return status == cudaSuccess ? "no error" : "words of CUDA"; }

cudaError_t cudaDriverGetVersion(int* version)
{
    *version = machine().driver_version;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version)
{
    *version = machine().runtime_version;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count)
{
    *count = static_cast<int>(machine().gpus.size());
    return noted(machine().when_counted);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index)
{
    *properties = {};
    std::snprintf(properties->name, sizeof properties->name, "%s", gpu_at(index).name.c_str());
    properties->totalGlobalMem = gpu_at(index).memory_bytes;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int index)
{
    switch (which) {
    case cudaDevAttrComputeCapabilityMajor:
        *value = gpu_at(index).compute_major;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = gpu_at(index).compute_minor;
        return cudaSuccess;
    case cudaDevAttrMemoryClockRate:
        *value = gpu_at(index).clock_khz;
        return cudaSuccess;
    case cudaDevAttrGlobalMemoryBusWidth:
        *value = gpu_at(index).bus_bits;
        return cudaSuccess;
    case cudaDevAttrMemoryPoolsSupported:
        *value = gpu_at(index).memory_pools;
        return cudaSuccess;
    default:
        return noted(cudaErrorInvalidValue);
    }
}

cudaError_t cudaSetDevice(int index)
{
    const cudaError_t status = gpu_at(index).when_made_current;
    if (status != cudaSuccess) return noted(status);
    std::vector<int>& contexts = machine().contexts;
    if (std::count(contexts.begin(), contexts.end(), index) == 0) contexts.push_back(index);
    machine().current = index;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* all_bytes)
{
    *free_bytes = gpu_at(machine().current).free_bytes;
    *all_bytes = gpu_at(machine().current).memory_bytes;
    return cudaSuccess;
}

} // extern "C"
