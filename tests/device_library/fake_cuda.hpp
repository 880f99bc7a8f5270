// The calls of CUDA's runtime that cuda_provider.cpp makes, answered from a table: machines that no test has. Memory
// and streams are those of the emulated device.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

namespace proxpath::test {

struct fake_gpu {
    std::string name = "fake GPU";
    std::size_t memory_bytes = std::size_t{16} << 30;
    std::size_t free_bytes = std::size_t{12} << 30;
    int compute_major = 9;
    int compute_minor = 0;
    int clock_khz = 2619000;
    int bus_bits = 5120;
    int memory_pools = 1;
    cudaError_t when_made_current = cudaSuccess;
    cudaError_t when_code_is_sought = cudaSuccess;
};

struct fake_machine {
    int driver_version = 13000; ///< 0: none is installed
    int runtime_version = 13000;
    cudaError_t when_counted = cudaSuccess;
    std::vector<fake_gpu> gpus;

    int current = -1;                     ///< whose context is current; −1: none is
    std::vector<int> contexts;            ///< GPUs with one, as they were made
    cudaError_t last_error = cudaSuccess; ///< until cudaGetLastError takes it
};

/// What the calls see.
fake_machine& machine();

} // namespace proxpath::test
