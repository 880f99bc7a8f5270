// Weighted mean and variance of every column, in one pass over X: each column is read twice while it is in the cache,
// so the variance is a sum of squares about the mean and never a difference of large numbers.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::backend {

namespace {

/// A sum in twice the digits (Knuth's two-sum): of a nearly full column the weights that are not stored are a small
/// difference of two sums near 1.
struct exact_sum {
    double high = 0;
    double low = 0;

    void add(double value)
    {
        const double sum = high + value;
        const double from_value = sum - high;
        low += (high - (sum - from_value)) + (value - from_value);
        high = sum;
    }
    double less(const exact_sum& other) const { return (high - other.high) + (low - other.low); }
};

} // namespace

template <class T>
column_moments cpu_operations<T>::moments(const matrix& X, std::span<const double> row_weights) const
{
    const storage::column_store& store = X.store();
    column_moments result;
    const auto p = static_cast<std::size_t>(store.p);
    result.mean.resize(p);
    result.variance.resize(p);
    result.mean_square.resize(p);
    result.full.resize(p);
    result.constant.resize(p);
    std::int64_t weighted_rows = 0;
    exact_sum total;
    for (const double weight : row_weights) {
        weighted_rows += weight > 0 ? 1 : 0;
        total.add(weight);
    }
    // Rows of one weight need only be counted.
    const bool equal = std::all_of(row_weights.begin(), row_weights.end(),
                                   [&](double weight) { return weight == row_weights.front(); });

    parallel::parallel_for(threads_, static_cast<std::int64_t>(store.blocks.size()), [&](std::int64_t b) {
        const storage::column_block& block = store.blocks[static_cast<std::size_t>(b)];
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const std::int64_t begin = block.offsets[local];
                const std::int64_t end = block.offsets[local + 1];
                const auto rows = indices.column(begin);
                exact_sum stored;
                double sum = 0;
                double square = 0;
                double first = 0;
                std::int64_t count = 0; // stored entries in rows of positive weight
                bool same = true;
                for (std::int64_t i = begin; i < end; ++i) {
                    const double w = row_weights[static_cast<std::size_t>(rows[i])];
                    if (w == 0) continue;
                    const auto x = static_cast<double>(values[i]);
                    if (count == 0) first = x;
                    same = same && x == first;
                    ++count;
                    if (!equal) stored.add(w);
                    sum += w * x;
                    square += w * x * x;
                }
                // Entries not stored are zeros.
                const bool zeros = count < weighted_rows;
                const bool constant = same && (!zeros || first == 0);
                double mean = constant ? first : sum;
                double variance = 0;
                if (!constant) {
                    double off = 0; // of the mean: what is left of the sum's rounding
                    for (std::int64_t i = begin; i < end; ++i) {
                        const double w = row_weights[static_cast<std::size_t>(rows[i])];
                        const double deviation = static_cast<double>(values[i]) - mean;
                        off += w * deviation;
                        variance += w * deviation * deviation;
                    }
                    if (zeros) {
                        const double missing = equal ? static_cast<double>(weighted_rows - count) * row_weights.front()
                                                     : std::max(0.0, total.less(stored));
                        off -= missing * mean;
                        variance += missing * mean * mean;
                    }
                    if (std::isfinite(variance)) variance = std::max(0.0, variance - off * off);
                    mean += off;
                }
                const auto j = static_cast<std::size_t>(block.first + local);
                result.mean[j] = mean;
                result.variance[j] = variance;
                result.mean_square[j] = square;
                result.full[j] = zeros ? 0 : 1;
                result.constant[j] = constant ? 1 : 0;
            }
        });
    });
    return result;
}

template column_moments cpu_operations<float>::moments(const matrix&, std::span<const double>) const;
template column_moments cpu_operations<double>::moments(const matrix&, std::span<const double>) const;

} // namespace proxpath::backend
