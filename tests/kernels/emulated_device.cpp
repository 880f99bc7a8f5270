// The emulated device under test: threads forward, in reverse and in random orders, every other time with a grid so
// small that kernels have to stride. Sanitizers make this ten times as slow, and what they look for is there in every
// order: AddressSanitizer takes two of the eight random orders, ThreadSanitizer, to which only barriers order threads,
// none.

#include "tests/emulation/emulated_runtime.hpp"
#include "tests/emulation/streams.hpp"
#include "tests/kernels/device_under_test.hpp"

#include <cstdint>

namespace proxpath::test {

using emulation::thread_order;

std::unique_ptr<backend::device_runtime> make_runtime_under_test() { return emulation::make_emulated_runtime(); }

bool device_is_emulated() { return true; }

int ways_to_run()
{
#if defined(__SANITIZE_THREAD__)
    return 2;
#elif defined(__SANITIZE_ADDRESS__)
    return 4;
#else
    return 10;
#endif
}

std::string run_in_way(int way)
{
    emulation::device_settings& settings = emulation::settings();
    settings = {};
    if (way == 0) return "forward";
    if (way % 2 == 1) settings.block_limit = 2;
    if (way == 1) {
        settings.order.is = thread_order::kind::reverse;
        return "reverse, two blocks";
    }
    settings.order = {thread_order::kind::random, static_cast<std::uint64_t>(way)};
    return "random, seed " + std::to_string(way) + (way % 2 == 1 ? ", two blocks" : "");
}

} // namespace proxpath::test
