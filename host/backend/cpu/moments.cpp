// Weighted mean and variance of every column, in one pass over X: each column is read twice while it is in the cache,
// so the variance is a sum of squares about the mean and never a difference of large numbers. Sums run in lanes: one
// alone would wait for itself.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
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

/// Two sums over [begin, end): f(i) gives the terms of position i.
template <class F>
std::array<double, 2> two_sums(std::int64_t begin, std::int64_t end, const F& f)
{
    constexpr int lanes = 8;
    double first[lanes] = {};
    double second[lanes] = {};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes)
#pragma GCC unroll 8
        for (int lane = 0; lane < lanes; ++lane) {
            const std::array<double, 2> terms = f(i + lane);
            first[lane] += terms[0];
            second[lane] += terms[1];
        }
    for (; i < end; ++i) {
        const std::array<double, 2> terms = f(i);
        first[0] += terms[0];
        second[0] += terms[1];
    }
    const auto total = [](const double* sum) {
        return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    };
    return {total(first), total(second)};
}

/// The rows' weights, as columns ask for them.
struct weighted_rows {
    explicit weighted_rows(std::span<const double> of)
        : weights(of), equal(std::all_of(of.begin(), of.end(), [&](double weight) { return weight == of.front(); }))
    {
        for (const double weight : of) {
            count += weight > 0 ? 1 : 0;
            if (!equal) total.add(weight);
        }
    }

    std::span<const double> weights;
    bool equal;             ///< rows of one weight need only be counted
    std::int64_t count = 0; ///< of positive weight
    exact_sum total;
};

struct moments_of_column {
    double mean = 0, variance = 0, mean_square = 0;
    bool full = false, constant = false;
};

/// @param weight weight(i) of the row of position i
template <class Values, class Weight>
moments_of_column column_moments_of(const weighted_rows& rows, const Values& values, std::int64_t begin,
                                    std::int64_t end, const Weight& weight)
{
    moments_of_column made;
    // Entries in rows of weight 0 do not count.
    const bool all_count = rows.count == static_cast<std::int64_t>(rows.weights.size());
    std::int64_t count = end - begin;
    if (!all_count) {
        count = 0;
        for (std::int64_t i = begin; i < end; ++i) count += weight(i) > 0 ? 1 : 0;
    }
    std::int64_t at = begin;
    while (!all_count && at < end && weight(at) == 0) ++at;
    const double first = at < end ? static_cast<double>(values[at]) : 0;
    while (at < end && (static_cast<double>(values[at]) == first || (!all_count && weight(at) == 0))) ++at;
    const bool zeros = count < rows.count; // entries not stored are zeros
    made.full = !zeros;
    made.constant = at == end && (!zeros || first == 0);

    const auto [sum, square] = two_sums(begin, end, [&](std::int64_t i) {
        const auto x = static_cast<double>(values[i]);
        const double weighted = weight(i) * x;
        return std::array{weighted, weighted * x};
    });
    made.mean_square = square;
    made.mean = made.constant ? first : sum;
    if (made.constant) return made;

    const double about = made.mean;
    auto [off, variance] = two_sums(begin, end, [&](std::int64_t i) { // off: what is left of the sum's rounding
        const double deviation = static_cast<double>(values[i]) - about;
        const double weighted = weight(i) * deviation;
        return std::array{weighted, weighted * deviation};
    });
    if (zeros) {
        double missing = 0;
        if (rows.equal) {
            missing = static_cast<double>(rows.count - count) * rows.weights.front();
        } else {
            exact_sum stored;
            for (std::int64_t i = begin; i < end; ++i) stored.add(weight(i));
            missing = std::max(0.0, rows.total.less(stored));
        }
        off -= missing * about;
        variance += missing * about * about;
    }
    if (std::isfinite(variance)) variance = std::max(0.0, variance - off * off);
    made.variance = variance;
    made.mean += off;
    return made;
}

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
    const weighted_rows weighted(row_weights);

    parallel::parallel_for(threads_, static_cast<std::int64_t>(store.blocks.size()), [&](std::int64_t b) {
        const storage::column_block& block = store.blocks[static_cast<std::size_t>(b)];
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local) {
                const std::int64_t begin = block.offsets[local];
                const std::int64_t end = block.offsets[local + 1];
                const auto rows = indices.column(begin);
                // Where all rows weigh the same, it does not matter which ones are stored.
                const moments_of_column made =
                    weighted.equal ? column_moments_of(weighted, values, begin, end,
                                                       [w = weighted.weights.empty() ? 0 : weighted.weights.front()](
                                                           std::int64_t) { return w; })
                                   : column_moments_of(weighted, values, begin, end, [&](std::int64_t i) {
                                         return row_weights[static_cast<std::size_t>(rows[i])];
                                     });
                const auto j = static_cast<std::size_t>(block.first + local);
                result.mean[j] = made.mean;
                result.variance[j] = made.variance;
                result.mean_square[j] = made.mean_square;
                result.full[j] = made.full ? 1 : 0;
                result.constant[j] = made.constant ? 1 : 0;
            }
        });
    });
    return result;
}

template column_moments cpu_operations<float>::moments(const matrix&, std::span<const double>) const;
template column_moments cpu_operations<double>::moments(const matrix&, std::span<const double>) const;

} // namespace proxpath::backend
