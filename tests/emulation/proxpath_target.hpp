// The host as target: kernels compiled by its own compiler, run by tests/emulation. The twin is
// kernels/nvcc/proxpath_target.hpp; kernels/device.cuh says what both define.
#pragma once

#include "tests/emulation/cuda_names.hpp"
#include "tests/emulation/streams.hpp"

#include <cstddef>
#include <tuple>

namespace proxpath::kernels {

using namespace emulation;

inline std::int64_t block_limit() { return emulation::settings().block_limit; }

template <class T, int N, class Tag>
T* shared_array()
{
    static const char name = 0; // one for each Tag, type and size, as for the twin
    return static_cast<T*>(shared_memory(&name, N * sizeof(T)));
}

template <class T>
T* dynamic_shared()
{
    return static_cast<T*>(dynamic_shared_memory());
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const launch_config& config, const Arguments&... arguments)
{
    // Arguments are copied now and read when the kernel runs, as on the device.
    enqueue_kernel(
        config.operation, config.blocks_x, config.blocks_y, config.threads, config.shared_bytes, config.stream.handle,
        [kernel, copies = std::tuple<std::decay_t<Parameters>...>(arguments...)] { std::apply(kernel, copies); });
}

} // namespace proxpath::kernels
