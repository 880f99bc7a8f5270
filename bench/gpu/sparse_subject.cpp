// See sparse_subject.hpp. Only the raw bits of the standard's generator are used: its distributions differ from library
// to library.

#include "bench/gpu/sparse_subject.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace proxpath::bench {

namespace {

class uniform_numbers {
public:
    explicit uniform_numbers(std::uint64_t seed) : bits_(seed) {}
    /// In [0, 1).
    double operator()() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }

private:
    std::mt19937_64 bits_;
};

/// One column more, with about `wanted` of n rows: gaps between entries stored with probability wanted / n each.
template <class Value>
void append_column(sparse_subject& to, double wanted, uniform_numbers& random, const Value& value)
{
    const double log_missing = std::log1p(-std::min(wanted / static_cast<double>(to.n), 0.999));
    for (double row = -1;;) {
        row += 1 + std::floor(std::log(1 - random()) / log_missing);
        if (row >= static_cast<double>(to.n)) break;
        to.rows.push_back(static_cast<std::int64_t>(row));
        to.values.push_back(value());
    }
    to.offsets.push_back(static_cast<std::int64_t>(to.rows.size()));
}

} // namespace

matrix sparse_subject::stored() const { return matrix::from_view(csc_view(n, p(), offsets, rows, values)); }

sparse_subject text_subject(std::int64_t n, std::int64_t p, double entries)
{
    sparse_subject made{"text", n, {0}, {}, {}, true};
    uniform_numbers random(1);
    std::vector<double> popularity(static_cast<std::size_t>(p));
    double total = 0;
    for (std::size_t j = 0; j < popularity.size(); ++j) total += popularity[j] = 1 / (static_cast<double>(j) + 10);
    for (std::size_t j = popularity.size(); j-- > 1;) // popular words are anywhere in the vocabulary
        std::swap(popularity[j], popularity[static_cast<std::size_t>(random() * static_cast<double>(j + 1))]);
    for (const double share : popularity)
        append_column(made, entries * share / total, random, [&] { return 1 + std::floor(-std::log(1 - random())); });
    return made;
}

sparse_subject even_subject(std::int64_t n, std::int64_t p, double entries)
{
    sparse_subject made{"even", n, {0}, {}, {}, false};
    uniform_numbers random(2);
    for (std::int64_t j = 0; j < p; ++j)
        append_column(made, entries / static_cast<double>(p), random, [&] { return 0.5 + random(); });
    return made;
}

} // namespace proxpath::bench
