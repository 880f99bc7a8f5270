// See device_backend.hpp: the emulated device, its threads forward, in reverse, then in ever new random orders, half of
// them with a grid so small that kernels stride.

#include "tests/support/device_backend.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "tests/emulation/emulated_runtime.hpp"
#include "tests/emulation/streams.hpp"

#include <cstdint>

namespace proxpath::test {

namespace {

void take_next_order()
{
    static thread_local std::uint64_t calls = 0;
    emulation::device_settings& settings = emulation::settings();
    settings = {};
    if (calls == 1) settings.order.is = emulation::thread_order::kind::reverse;
    if (calls > 1) settings.order = {emulation::thread_order::kind::random, calls};
    if (calls % 2 == 1) settings.block_limit = 2;
    ++calls;
}

} // namespace

template <class T>
std::unique_ptr<backend::operations<T>> make_device_operations()
{
    take_next_order();
    return backend::make_cuda_operations<T>(
        std::make_shared<backend::device_session>(emulation::make_emulated_runtime()));
}

template <class T>
std::unique_ptr<backend::operations<T>> make_streaming_operations()
{
    static thread_local std::uint64_t calls = 0;
    take_next_order();
    return backend::make_cuda_operations<T>(std::make_shared<backend::device_session>(
        emulation::make_emulated_runtime(), 1, streaming_plan(std::uint64_t{1} << 30, calls++)));
}

template std::unique_ptr<backend::operations<float>> make_streaming_operations<float>();
template std::unique_ptr<backend::operations<double>> make_streaming_operations<double>();
template std::unique_ptr<backend::operations<float>> make_device_operations<float>();
template std::unique_ptr<backend::operations<double>> make_device_operations<double>();

} // namespace proxpath::test
