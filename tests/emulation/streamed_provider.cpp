// See streamed_provider.hpp.

#include "tests/emulation/streamed_provider.hpp"

#include "host/backend/cuda/session_device.hpp"
#include "tests/emulation/emulated_runtime.hpp"

#include <memory>

namespace proxpath::emulation {

namespace {

class streamed_provider final : public backend::device_provider {
public:
    std::string name() const override { return "streamed"; }
    device_survey survey() const override
    {
        device_survey survey;
        for (int index = 0; index < 3; ++index) {
            device_info device;
            device.index = index;
            device.name = "emulated device that streams";
            survey.devices.push_back(device);
        }
        return survey;
    }
    void examine(device_info&) const override {}
    std::unique_ptr<backend::opened_device> open(int index, const backend::device_terms& terms) const override
    {
        auto plan = backend::device_memory_plan::of(terms.memory_limit);
        plan.all = std::uint64_t{1} << 40;
        plan.with_X = 0;
        if (index == 1) plan.piece /= 3;
        if (index == 2) plan.piece = 64;
        return backend::open_session(
            std::make_shared<backend::device_session>(make_emulated_runtime(), terms.threads, plan));
    }
};

} // namespace

const backend::device_provider& streamed_devices()
{
    static const streamed_provider provider;
    return provider;
}

} // namespace proxpath::emulation
