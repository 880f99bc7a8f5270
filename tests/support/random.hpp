// Random numbers that are the same on every machine and with every standard library: the bits of std::mt19937_64 are
// fixed by the standard, its distributions are not, so the few that the tests need are written here.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace proxpath::test {

class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : bits_(seed * 0x9e3779b97f4a7c15u + 1) {}

    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform in low … high, both included.
    std::int64_t integer(std::int64_t low, std::int64_t high)
    {
        return low + static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(high - low + 1));
    }
    bool chance(double probability) { return uniform() < probability; }
    /// Standard normal (Box & Muller).
    double normal()
    {
        constexpr double turn = 6.283185307179586;
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(turn * uniform());
    }

private:
    std::mt19937_64 bits_;
};

} // namespace proxpath::test
