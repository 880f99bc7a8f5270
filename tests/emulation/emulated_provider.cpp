// See emulated_provider.hpp.

#include "tests/emulation/emulated_provider.hpp"

#include "host/backend/cuda/session_device.hpp"
#include "tests/emulation/emulated_runtime.hpp"

namespace proxpath::emulation {

namespace {

constexpr std::uint64_t usual_memory = std::uint64_t{1} << 40;

class emulated_provider final : public backend::device_provider {
public:
    std::string name() const override { return "emulated"; }

    device_survey survey() const override
    {
        device_info device;
        device.name = "emulated device";
        device.memory_bytes = usual_memory;
        device_survey survey;
        survey.devices.push_back(device);
        return survey;
    }

    void examine(device_info& device) const override { device.free_bytes = device.memory_bytes; }

    std::unique_ptr<backend::opened_device> open(int, const backend::device_terms& terms) const override
    {
        return backend::open_session(make_emulated_runtime(usual_memory), terms);
    }
};

} // namespace

const backend::device_provider& emulated_devices()
{
    static const emulated_provider provider;
    return provider;
}

} // namespace proxpath::emulation
