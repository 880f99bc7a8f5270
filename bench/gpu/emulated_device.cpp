// See frame.hpp: the emulated device and the clock of the host.

#include "bench/gpu/frame.hpp"

#include "tests/emulation/emulated_runtime.hpp"

#include <chrono>

namespace proxpath::bench {

namespace {

class host_clock final : public stream_clock {
public:
    explicit host_clock(backend::device_runtime& runtime) : runtime_(&runtime) {}
    void start(backend::stream_view stream) override
    {
        runtime_->synchronize(stream);
        begin_ = std::chrono::steady_clock::now();
    }
    double stop(backend::stream_view stream) override
    {
        runtime_->synchronize(stream);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    }

private:
    backend::device_runtime* runtime_;
    std::chrono::steady_clock::time_point begin_;
};

} // namespace

measured_device open_measured_device()
{
    measured_device made;
    made.name = "emulated device";
    made.runtime = emulation::make_emulated_runtime();
    made.clock = std::make_unique<host_clock>(*made.runtime);
    return made;
}

} // namespace proxpath::bench
