// The bits behind random folds, halves and resamples: the same on every machine, with every compiler and standard
// library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace proxpath::selection {

/// SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195): a counter, mixed.
class random_bits {
public:
    /// Streams of one seed are far apart: they begin at mixed, not at neighbouring, counters.
    random_bits(std::uint64_t seed, std::uint64_t stream) : state_(mixed(seed) ^ mixed(stream + step)) {}

    /// The generator of the paper from this state.
    static random_bits from_state(std::uint64_t state) { return random_bits(state); }

    std::uint64_t next()
    {
        state_ += step;
        return mixed(state_);
    }

    /// Uniform in 0 … bound − 1, bound > 0: bits that would make some numbers likelier are thrown away.
    std::uint64_t below(std::uint64_t bound)
    {
        const std::uint64_t uneven = (0 - bound) % bound; // 2⁶⁴ mod bound
        std::uint64_t bits = next();
        while (bits < uneven) bits = next();
        return bits % bound;
    }

    /// Uniform among the multiples of 2⁻⁵³ in (0, 1].
    double uniform() { return static_cast<double>((next() >> 11) + 1) * 0x1p-53; }

    /// Every order is equally likely (Fisher & Yates).
    template <class T>
    void shuffle(std::span<T> items)
    {
        for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
    }

private:
    explicit random_bits(std::uint64_t state) : state_(state) {}
    static constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;
    static std::uint64_t mixed(std::uint64_t z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

    std::uint64_t state_;
};

} // namespace proxpath::selection
