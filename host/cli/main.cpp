// The program proxpath: everything is in run.hpp.

#include "host/cli/run.hpp"

#include <iostream>
#include <span>

#include <unistd.h>

int main(int count, char** words)
{
    proxpath::cli::console console{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1};
    const std::span<const char* const> all(words, static_cast<std::size_t>(count));
    return proxpath::cli::run(all.subspan(all.empty() ? 0 : 1), console);
}
