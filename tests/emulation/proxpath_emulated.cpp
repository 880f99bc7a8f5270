// The program with one device more: `--device emulated` runs the kernels on the CPU, in device memory of the size that
// `--device-memory` says. For trying whole fits of small data where there is no GPU; far too slow for anything else.
// While operations are missing in the CUDA backend, a fit gets as far as these.

#include "host/backend/device_choice.hpp"
#include "host/cli/run.hpp"
#include "tests/emulation/emulated_provider.hpp"

#include <iostream>
#include <span>

int main(int count, char** words)
{
    proxpath::backend::register_device_provider(proxpath::emulation::emulated_devices());
    proxpath::cli::console console{std::cout, std::cerr, false};
    const std::span<const char* const> all(words, static_cast<std::size_t>(count));
    return proxpath::cli::run(all.subspan(all.empty() ? 0 : 1), console);
}
