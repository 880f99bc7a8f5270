// What a kind of device has to offer: a list of its devices, and operations on one of them. The CUDA backend implements
// it in a file of its own that is loaded at run time (device_library.hpp), the tests implement it for the emulated
// device. device_choice.hpp chooses among them.
#pragma once

#include "host/backend/operations.hpp"

#include <proxpath/devices.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace proxpath::backend {

/// A device at work for one fit, from the thread that opened it. Goes after all that was made on it.
class opened_device {
public:
    virtual ~opened_device() = default;

    /// Operations for the same device and the same share of its memory.
    virtual std::unique_ptr<operations<double>> make_double() const = 0;
    virtual std::unique_ptr<operations<float>> make_float() const = 0;
};

/// What a fit may take.
struct device_terms {
    std::uint64_t memory_limit = 0; ///< bytes that everything made on the device may take together; 0 = what is free
    int threads = 1;                ///< of the host, for what the device does not do
    std::optional<void*> stream{};  ///< of the caller's, for all work of the fit; none: the fit makes its own
};

class device_provider {
public:
    virtual ~device_provider() = default;

    /// The word before the colon: "cuda".
    virtual std::string name() const = 0;

    /// Asks the driver what there is, no device itself: free_bytes and problem are not filled in. Says what is missing
    /// rather than throwing.
    virtual device_survey survey() const = 0;

    /// Why its devices are only taken by name and never by "auto", in this version, a phrase; empty where they are.
    virtual std::string reservation() const { return {}; }

    /// Asks the device whether it can be used and what is free: fills in free_bytes, and problem where it cannot.
    virtual void examine(device_info& device) const = 0;

    /// @param index of a device that was examined and has no problem
    /// @throws system_error where the device refuses
    virtual std::unique_ptr<opened_device> open(int index, const device_terms& terms) const = 0;
};

} // namespace proxpath::backend
