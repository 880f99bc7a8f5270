// Shared by the tests of the program: a command that runs in this process with its output caught, and data for it.
#pragma once

#include "host/cli/run.hpp"

#include <cmath>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace proxpath::cli_test {

struct outcome {
    int code = -1;
    std::string out;
    std::string err;
};

inline outcome call(const std::vector<std::string>& words)
{
    std::ostringstream out;
    std::ostringstream err;
    cli::console to{out, err, false};
    std::vector<const char*> pointers;
    for (const std::string& word : words) pointers.push_back(word.c_str());
    outcome result;
    result.code = cli::run(pointers, to);
    result.out = out.str();
    result.err = err.str();
    return result;
}

/// n rows, p features, half of the cells zero, as svmlight.
inline std::string random_svmlight(int n, int p, unsigned seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::string text;
    for (int i = 0; i < n; ++i) {
        std::string row;
        double y = normal(random);
        for (int j = 1; j <= p; ++j) {
            if (random() % 2 == 0) continue;
            const double x = std::round(normal(random) * 100) / 100;
            if (x == 0) continue;
            if (j <= 3) y += x;
            row += fmt::format(" {}:{}", j, x);
        }
        text += fmt::format("{}{}\n", y, row);
    }
    return text;
}

} // namespace proxpath::cli_test
