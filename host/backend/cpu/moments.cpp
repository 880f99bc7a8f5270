// Weighted mean and variance of every column, in one pass over X: each column is read twice while it is in the cache,
// so the variance is a sum of squares about the mean and never a difference of large numbers. Sums run in lanes: one
// alone would wait for itself.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

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

// Eight numbers at a time, said with the compiler's own vectors: left to itself gcc adds them up one after the other.
constexpr int lanes = 8;
typedef double eight_doubles __attribute__((vector_size(lanes * sizeof(double))));

template <class V>
void load(const V* values, std::int64_t i, eight_doubles& to)
{
    typedef V stored __attribute__((vector_size(lanes * sizeof(V))));
    stored from;
    std::memcpy(&from, values + i, sizeof from);
    to = __builtin_convertvector(from, eight_doubles);
}
void load(storage::all_ones, std::int64_t, eight_doubles& to) { to = eight_doubles{} + 1.0; }

/// weight[i] of the row of position i.
struct same_weight {
    double value;
    double operator[](std::int64_t) const { return value; }
};
template <class Rows>
struct weight_of_row {
    std::span<const double> weights;
    Rows rows;
    double operator[](std::int64_t i) const { return weights[static_cast<std::size_t>(rows[i])]; }
};

void load(const same_weight& weight, std::int64_t, eight_doubles& to) { to = eight_doubles{} + weight.value; }
template <class Rows>
void load(const weight_of_row<Rows>& weight, std::int64_t i, eight_doubles& to)
{
    for (int lane = 0; lane < lanes; ++lane) to[lane] = weight[i + lane];
}

double total_of(const eight_doubles& of)
{
    return ((of[0] + of[1]) + (of[2] + of[3])) + ((of[4] + of[5]) + (of[6] + of[7]));
}

/// Σ w (x − about) and Σ w (x − about)² over the positions [begin, end).
template <class Values, class Weight>
std::array<double, 2> sums_about(double about, const Values& values, std::int64_t begin, std::int64_t end,
                                 const Weight& weight)
{
    eight_doubles sum{};
    eight_doubles square{};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) {
        eight_doubles x, w;
        load(values, i, x);
        load(weight, i, w);
        x -= about;
        w *= x;
        sum += w;
        square += w * x;
    }
    for (; i < end; ++i) {
        const double x = static_cast<double>(values[i]) - about;
        const double weighted = weight[i] * x;
        sum[0] += weighted;
        square[0] += weighted * x;
    }
    return {total_of(sum), total_of(square)};
}

/// Sum of the weights of the positions [begin, end), and how many are positive.
template <class Weight>
std::pair<double, std::int64_t> stored_weight(std::int64_t begin, std::int64_t end, const Weight& weight)
{
    typedef std::int64_t eight_integers __attribute__((vector_size(lanes * sizeof(std::int64_t))));
    eight_doubles sum{};
    eight_integers count{};
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) {
        eight_doubles w;
        load(weight, i, w);
        sum += w;
        count -= w > 0.0; // true is −1
    }
    for (; i < end; ++i) {
        sum[0] += weight[i];
        count[0] += weight[i] > 0 ? 1 : 0;
    }
    std::int64_t positive = 0;
    for (int lane = 0; lane < lanes; ++lane) positive += count[lane];
    return {total_of(sum), positive};
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

/// @param weight same_weight or weight_of_row
template <class Values, class Weight>
moments_of_column column_moments_of(const weighted_rows& rows, const Values& values, std::int64_t begin,
                                    std::int64_t end, const Weight& weight)
{
    moments_of_column made;
    // Entries in rows of weight 0 do not count.
    const bool all_count = rows.count == static_cast<std::int64_t>(rows.weights.size());
    std::int64_t count = end - begin;
    double in_store = 0; // weight, where the rows' differ
    if (!rows.equal) std::tie(in_store, count) = stored_weight(begin, end, weight);
    std::int64_t at = begin;
    while (!all_count && at < end && weight[at] == 0) ++at;
    const double first = at < end ? static_cast<double>(values[at]) : 0;
    while (at < end && (static_cast<double>(values[at]) == first || (!all_count && weight[at] == 0))) ++at;
    const bool zeros = count < rows.count; // entries not stored are zeros
    made.full = !zeros;
    made.constant = at == end && (!zeros || first == 0);

    const auto [sum, square] = sums_about(0, values, begin, end, weight);
    made.mean_square = square;
    made.mean = made.constant ? first : sum;
    if (made.constant) return made;

    const double about = made.mean;
    auto [off, variance] = sums_about(about, values, begin, end, weight); // off: what is left of the sum's rounding
    if (zeros) {
        double missing = 0;
        if (rows.equal) {
            missing = static_cast<double>(rows.count - count) * rows.weights.front();
        } else if (in_store < 0.5 * rows.total.high) {
            missing = rows.total.high - in_store;
        } else {
            exact_sum stored;
            for (std::int64_t i = begin; i < end; ++i) stored.add(weight[i]);
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
                // Where all rows weigh the same, it does not matter which ones are stored.
                const moments_of_column made =
                    weighted.equal && !row_weights.empty()
                        ? column_moments_of(weighted, values, begin, end, same_weight{row_weights.front()})
                        : column_moments_of(
                              weighted, values, begin, end,
                              weight_of_row<decltype(indices.column(begin))>{row_weights, indices.column(begin)});
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
