// The CUDA backend as the typed suites run it: on the emulated device in proxpath_tests (emulated_device_backend.cpp),
// on a GPU in proxpath_gpu_operation_tests (tests/kernels/cuda_device_backend.cpp).
#pragma once

#include "host/backend/cuda/device_memory_plan.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>
#include <memory>

namespace proxpath::test {

/// Null where there is no such device. On the emulated device, every call takes another order of threads.
template <class T>
std::unique_ptr<backend::operations<T>> make_device_operations();

/// The same of a device that keeps no entry of X: all come in parts, of another size with every call.
template <class T>
std::unique_ptr<backend::operations<T>> make_streaming_operations();

/// A memory plan of so much memory under which nothing of X is resident; with every number another size of its parts,
/// with every fourth another place for working sets.
inline backend::device_memory_plan streaming_plan(std::uint64_t memory, std::uint64_t number)
{
    constexpr std::uint64_t pieces[] = {64, 1000, 4096, 100'000};
    return {.all = memory,
            .with_X = 0,
            .working_set = number / 4 % 2 == 0 ? 0 : memory,
            .tile = std::uint64_t{1} << number % 20,
            .piece = pieces[number % 4],
            .longest_piece = memory / 6};
}

extern template std::unique_ptr<backend::operations<float>> make_device_operations<float>();
extern template std::unique_ptr<backend::operations<double>> make_device_operations<double>();
extern template std::unique_ptr<backend::operations<float>> make_streaming_operations<float>();
extern template std::unique_ptr<backend::operations<double>> make_streaming_operations<double>();

template <class T>
struct device_backend {
    using value_type = T;
    /// @param threads of the host, which have no part in it
    static std::unique_ptr<backend::operations<T>> make(int /*threads*/ = 1) { return make_device_operations<T>(); }
};

template <class T>
struct streaming_backend {
    using value_type = T;
    static std::unique_ptr<backend::operations<T>> make(int /*threads*/ = 1) { return make_streaming_operations<T>(); }
};

} // namespace proxpath::test
