// See tests/support/device_backend.hpp: the GPU that is current.

#include "tests/support/device_backend.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "tests/kernels/device_under_test.hpp"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

namespace proxpath::test {

namespace {

constexpr int exit_skipped = 77;

/// The suites count on what they are given; and a test that is skipped from here would count as passed.
class device_is_there : public testing::Environment {
    void SetUp() override
    {
        if (make_runtime_under_test() != nullptr) return;
        std::puts("skipped: no device");
        std::exit(exit_skipped);
    }
};
const testing::Environment* const checked = testing::AddGlobalTestEnvironment(new device_is_there);

} // namespace

template <class T>
std::unique_ptr<backend::operations<T>> make_device_operations()
{
    std::unique_ptr<backend::device_runtime> runtime = make_runtime_under_test();
    if (runtime == nullptr) return nullptr;
    return backend::make_cuda_operations<T>(std::make_shared<backend::device_session>(std::move(runtime)));
}

template <class T>
std::unique_ptr<backend::operations<T>> make_streaming_operations()
{
    static std::uint64_t calls = 0;
    std::unique_ptr<backend::device_runtime> runtime = make_runtime_under_test();
    if (runtime == nullptr) return nullptr;
    return backend::make_cuda_operations<T>(std::make_shared<backend::device_session>(
        std::move(runtime), 1, streaming_plan(std::uint64_t{1} << 30, calls++)));
}

template std::unique_ptr<backend::operations<float>> make_streaming_operations<float>();
template std::unique_ptr<backend::operations<double>> make_streaming_operations<double>();
template std::unique_ptr<backend::operations<float>> make_device_operations<float>();
template std::unique_ptr<backend::operations<double>> make_device_operations<double>();

} // namespace proxpath::test
