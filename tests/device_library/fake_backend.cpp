// A backend in a file of its own, as libproxpath_cuda.so is one, on a machine that need not have a device. Its devices
// are the words of the environment variable FAKE_DEVICES, in their order:
//
//     good     computes on the CPU, with the copy of the library's code that is in this file
//     old      has a problem and cannot be used
//     full     has no memory: out_of_memory while a fit makes its operations
//     picky    refuses every fit: invalid_input
//     broken   fails: device_error
#include "host/backend/device_interface.hpp"
#include "kernels/device_error.hpp"

#include <proxpath/errors.hpp>

#include <cstdlib>
#include <sstream>
#include <utility>

namespace {

using namespace proxpath;
using namespace proxpath::backend;

class fake_device final : public opened_device {
public:
    fake_device(std::string kind, std::uint64_t memory_limit) : kind_(std::move(kind)), memory_limit_(memory_limit) {}

    std::unique_ptr<operations<double>> make_double() const override { return make<double>(); }
    std::unique_ptr<operations<float>> make_float() const override { return make<float>(); }

private:
    template <class T>
    std::unique_ptr<operations<T>> make() const
    {
        if (kind_ == "full") throw out_of_memory("the fake device is full", 4096, memory_limit_);
        if (kind_ == "picky") throw invalid_input("the fake device does not like this");
        if (kind_ == "broken") throw kernels::device_error("the fake device broke");
        return make_cpu_operations<T>(1);
    }

    std::string kind_;
    std::uint64_t memory_limit_;
};

class fake_provider final : public device_provider {
public:
    std::string name() const override { return "cuda"; }

    device_survey survey() const override
    {
        device_survey survey;
        survey.runtime_version = "13.0";
        const char* const words = std::getenv("FAKE_DEVICES");
        std::istringstream kinds(words == nullptr ? "" : words);
        for (std::string kind; kinds >> kind;) {
            device_info device;
            device.index = static_cast<int>(survey.devices.size());
            device.name = kind;
            device.memory_bytes = std::uint64_t{8} << 30;
            device.memory_bandwidth = 1.5e12;
            device.compute_major = 9;
            survey.devices.push_back(std::move(device));
        }
        if (survey.devices.empty()) {
            survey.problem = "there is no fake device";
            survey.detail = "FAKE_DEVICES is empty";
        } else {
            survey.driver_version = "13.0";
        }
        return survey;
    }

    /// What FAKE_RESERVATION says.
    std::string reservation() const override
    {
        const char* const why = std::getenv("FAKE_RESERVATION");
        return why == nullptr ? "" : why;
    }

    void examine(device_info& device) const override
    {
        device.free_bytes = device.memory_bytes / 2;
        if (device.name == "old") device.problem = "its compute capability is too low";
    }

    std::unique_ptr<opened_device> open(int index, const device_terms& terms) const override
    {
        return std::make_unique<fake_device>(survey().devices.at(static_cast<std::size_t>(index)).name,
                                             terms.memory_limit);
    }
};

const device_provider& the_provider()
{
    static const fake_provider provider;
    return provider;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const device_library* proxpath_device_library()
{
    static constexpr device_library library{this_build, &the_provider};
    return &library;
}
