// The device as target: kernels compiled by nvcc, launched on a CUDA stream. The twin is
// tests/emulation/proxpath_target.hpp; kernels/device.cuh says what both define.
#pragma once

#include "kernels/device_error.hpp"

#include <cuda_runtime.h>

#include <string>

namespace proxpath::kernels {

/// Enough for several waves on any device, and the largest grid in y is 65,535 anyway.
inline std::int64_t block_limit() { return 65535; }

template <class T, int N, class Tag>
__device__ T* shared_array()
{
    __shared__ T numbers[N];
    return numbers;
}

template <class T>
__device__ T* dynamic_shared()
{
    extern __shared__ __align__(16) unsigned char dynamic_bytes[];
    return reinterpret_cast<T*>(dynamic_bytes);
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const launch_config& config, const Arguments&... arguments)
{
    const dim3 blocks(static_cast<unsigned>(config.blocks_x), static_cast<unsigned>(config.blocks_y));
    kernel<<<blocks, static_cast<unsigned>(config.threads), static_cast<std::size_t>(config.shared_bytes),
             static_cast<cudaStream_t>(config.stream.handle)>>>(Parameters(arguments)...);
    // Reads and clears what this launch left; an error of an earlier kernel shows here too, hence the wording.
    if (const cudaError_t status = cudaGetLastError(); status != cudaSuccess)
        throw device_failure(cudaGetErrorString(status), std::string("at the launch of ") + config.operation);
}

} // namespace proxpath::kernels
