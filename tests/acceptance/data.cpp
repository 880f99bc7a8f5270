// See data.hpp. Only the raw bits of the standard's generator are used: its distributions differ from library to
// library.

#include "tests/acceptance/data.hpp"

#include <proxpath/io.hpp>
#include <proxpath/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace proxpath::acceptance {

namespace {

class uniform_numbers {
public:
    explicit uniform_numbers(std::uint64_t seed) : bits_(seed) {}
    /// In [0, 1).
    double operator()() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
    double around_zero() { return (*this)() + (*this)() + (*this)() - 1.5; }

private:
    std::mt19937_64 bits_;
};

/// Columns of which column j has about entries · shares[j] / Σ shares of n rows.
template <class Value>
void write_problem(const std::string& path, std::int64_t n, const std::vector<double>& shares, double entries,
                   std::int64_t in_model, std::uint64_t seed, const Value& value)
{
    uniform_numbers random(seed);
    double total = 0;
    for (const double share : shares) total += share;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> rows;
    std::vector<double> values;
    std::vector<double> y(static_cast<std::size_t>(n));
    for (double& number : y) number = random.around_zero();
    const auto every = std::max<std::size_t>(1, shares.size() / static_cast<std::size_t>(in_model));
    for (std::size_t j = 0; j < shares.size(); ++j) {
        const double log_missing = std::log1p(-std::min(entries * shares[j] / total / static_cast<double>(n), 0.9));
        const double coefficient = j % every == 0 ? 2 * random.around_zero() : 0;
        for (double row = -1;;) {
            row += 1 + std::floor(std::log(1 - random()) / log_missing);
            if (row >= static_cast<double>(n)) break;
            rows.push_back(static_cast<std::int64_t>(row));
            values.push_back(value(random));
            y[static_cast<std::size_t>(row)] += coefficient * values.back();
        }
        offsets.push_back(static_cast<std::int64_t>(rows.size()));
    }
    const auto p = static_cast<std::int64_t>(shares.size());
    write_svmlight(path, matrix::from_view(csc_view(n, p, offsets, rows, values)), y);
}

} // namespace

void write_problems(const std::string& folder, bool tiny)
{
    std::vector<double> by_rank(tiny ? 150 : 120'000);
    for (std::size_t j = 0; j < by_rank.size(); ++j) by_rank[j] = 1 / (static_cast<double>(j) + 10);
    write_problem(folder + "/words.svm", tiny ? 60 : 80'000, by_rank, tiny ? 900 : 8'000'000, tiny ? 10 : 300, 1,
                  [](uniform_numbers& random) { return 1 + std::floor(-std::log(1 - random())); });
    const std::vector<double> equal(tiny ? 30 : 3'000, 1.0);
    write_problem(folder + "/tall.svm", tiny ? 300 : 200'000, equal, tiny ? 900 : 4'000'000, tiny ? 8 : 300, 2,
                  [](uniform_numbers& random) { return std::round(1000 * random.around_zero()) / 1000; });
}

} // namespace proxpath::acceptance
