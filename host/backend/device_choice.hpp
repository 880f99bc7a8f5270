// From the word that names a device ("auto", "cpu", "cuda", "cuda:1") to the operations of a fit. This is where a path
// gets its backend from; nothing above asks which one it is.
#pragma once

#include "host/backend/device_provider.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace proxpath::backend {

/// A device that was chosen, not yet opened.
struct device_choice {
    std::string device = "cpu";                ///< "cpu" or "cuda:1"
    std::string name;                          ///< of the device; empty for the CPU
    std::string reason;                        ///< why this one, a phrase
    const device_provider* provider = nullptr; ///< null: the CPU
    int index = 0;
    bool automatic = false; ///< nobody asked for this one
};

/// Whether the word can name a device; that it is there is another matter.
bool names_a_device(std::string_view word);

/// What names_a_device accepts, in words.
inline constexpr std::string_view device_rule = "auto, cpu, cuda or cuda:N";

/// auto takes the first usable CUDA device, else the CPU.
/// @throws invalid_input for a word that names none; system_error where a device that was asked for cannot be used,
///         with what is missing
device_choice choose_device(std::string_view word);

/// @param terms the CPU takes the threads of them
std::unique_ptr<opened_device> open_device(const device_choice& choice, const device_terms& terms);

/// Makes another kind of device known by its name; "auto" does not take it. Before the first fit, and for as long as
/// the process runs.
void register_device_provider(const device_provider& provider);

} // namespace proxpath::backend
