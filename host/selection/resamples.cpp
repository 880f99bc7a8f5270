// See resamples.hpp.

#include "host/selection/resamples.hpp"

#include "host/selection/random_bits.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::selection {

namespace {

/// The numbers of a resample in ascending order: the sorted ones, with the zeros that are not stored between them.
class ordered_with_zeros {
public:
    ordered_with_zeros(std::span<const double> sorted, std::int64_t resamples)
        : sorted_(sorted),
          below_(static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), 0.0) - sorted.begin())),
          zeros_(static_cast<std::size_t>(resamples) - sorted.size())
    {}

    double operator[](std::size_t place) const
    {
        if (place < below_) return sorted_[place];
        return place < below_ + zeros_ ? 0.0 : sorted_[place - zeros_];
    }
    std::size_t size() const { return sorted_.size() + zeros_; }

    double quantile(double share) const
    {
        const double place = share * static_cast<double>(size() - 1);
        const auto before = static_cast<std::size_t>(std::min(std::floor(place), static_cast<double>(size() - 1)));
        const std::size_t after = std::min(before + 1, size() - 1);
        const double low = (*this)[before];
        return low + (place - static_cast<double>(before)) * ((*this)[after] - low);
    }

private:
    std::span<const double> sorted_;
    std::size_t below_;
    std::size_t zeros_;
};

} // namespace

std::vector<double> draw_resample(std::span<const double> weights, bootstrap_kind kind, std::uint64_t seed,
                                  std::int64_t resample)
{
    random_bits bits(seed, static_cast<std::uint64_t>(resample));
    std::vector<double> drawn(weights.size(), 0.0);
    if (kind == bootstrap_kind::bayesian) {
        double before = 0;
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] > 0) drawn[i] = -weights[i] * std::log(bits.uniform());
            before += weights[i];
            sum += drawn[i];
        }
        // Their sum says nothing: scikit-learn's Ridge would take it for the strength of its loss.
        for (double& weight : drawn) weight *= before / sum;
        return drawn;
    }
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (weights[i] > 0) rows.push_back(i);
    for (std::size_t draw = 0; draw < rows.size(); ++draw) ++drawn[rows[bits.below(rows.size())]];
    for (std::size_t i = 0; i < weights.size(); ++i) drawn[i] *= weights[i];
    return drawn;
}

bootstrap_spread spread_of(std::span<double> values, std::int64_t resamples, double confidence)
{
    bootstrap_spread spread;
    const auto count = static_cast<double>(resamples);
    for (const double value : values) spread.mean += value;
    spread.mean /= count;
    double square = 0;
    for (const double value : values) square += (value - spread.mean) * (value - spread.mean);
    square += (count - static_cast<double>(values.size())) * spread.mean * spread.mean;
    spread.standard_deviation = std::sqrt(square / (count - 1));
    std::sort(values.begin(), values.end());
    const ordered_with_zeros all(values, resamples);
    spread.lower = all.quantile((1 - confidence) / 2);
    spread.upper = all.quantile((1 + confidence) / 2);
    return spread;
}

} // namespace proxpath::selection
