// How the program ends. Scripts depend on these numbers: docs/options.md lists them from the texts here.
#pragma once

#include <array>
#include <string_view>

namespace proxpath::cli {

enum exit_code : int {
    exit_certified = 0,
    exit_wrong_input = 1,
    exit_not_converged = 2,
    exit_interrupted = 3,
    exit_system = 4
};

struct exit_code_text {
    exit_code code;
    std::string_view text;
};

inline constexpr std::array exit_code_texts{
    exit_code_text{exit_certified, "done; every lambda is certified to the tolerance"},
    exit_code_text{
        exit_wrong_input,
        "wrong use or wrong input; nothing was written, unless a warning says what was left out of what was written"},
    exit_code_text{exit_not_converged, "done, but some lambdas did not reach the tolerance; they are marked"},
    exit_code_text{
        exit_interrupted,
        "interrupted; the lambdas that a fit had finished were written, the others are marked; of several responses "
        "those that were finished"},
    exit_code_text{exit_system,
                   "the device or the system refused (no such file, permission, disk, memory); nothing was written, "
                   "unless it was standard output that refused, or a warning says what was left out of what was "
                   "written"}};

} // namespace proxpath::cli
