// The CUDA backend as the typed suites run it: on the emulated device in proxpath_tests (emulated_device_backend.cpp),
// on a GPU in proxpath_gpu_operation_tests (tests/kernels/cuda_device_backend.cpp).
#pragma once

#include "host/backend/operations.hpp"

#include <memory>

namespace proxpath::test {

/// Null where there is no such device. On the emulated device, every call takes another order of threads.
template <class T>
std::unique_ptr<backend::operations<T>> make_device_operations();

extern template std::unique_ptr<backend::operations<float>> make_device_operations<float>();
extern template std::unique_ptr<backend::operations<double>> make_device_operations<double>();

template <class T>
struct device_backend {
    using value_type = T;
    /// @param threads of the host, which have no part in it
    static std::unique_ptr<backend::operations<T>> make(int /*threads*/ = 1) { return make_device_operations<T>(); }
};

} // namespace proxpath::test
