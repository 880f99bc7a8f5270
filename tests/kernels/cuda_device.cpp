// A GPU under test: every run may order its threads differently, so it is asked a few times.

#include "tests/kernels/device_under_test.hpp"

#include <proxpath/errors.hpp>

namespace proxpath::test {

std::unique_ptr<backend::device_runtime> make_runtime_under_test()
{
    auto runtime = backend::make_cuda_runtime();
    try {
        runtime->destroy_stream(runtime->make_stream());
    } catch (const system_error&) {
        return nullptr;
    }
    return runtime;
}

bool device_is_emulated() { return false; }

int ways_to_run() { return 3; }

std::string run_in_way(int way) { return "run " + std::to_string(way); }

} // namespace proxpath::test
