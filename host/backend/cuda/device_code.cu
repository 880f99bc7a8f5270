// A kernel that does nothing, to ask whether the current device runs what nvcc made here.

#include "host/backend/cuda/device_code.hpp"

namespace proxpath::backend {

namespace {

__global__ void empty_kernel() {}

} // namespace

cudaError_t find_device_code()
{
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, empty_kernel);
}

} // namespace proxpath::backend
