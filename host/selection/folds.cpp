// Which row belongs to which fold; see make_folds in include/proxpath/cv.hpp.

#include "host/selection/random_bits.hpp"

#include <proxpath/cv.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

using fold_list = std::vector<std::int64_t>;

void check_row_count(const char* name, std::size_t count, std::size_t n)
{
    if (count != n) throw invalid_input(fmt::format("{} has {} numbers, but X has {} rows", name, count, n));
}

void check_folds(const cv_options& options, std::size_t n)
{
    if (n < 2) throw invalid_input(fmt::format("X has {} rows; cross-validation needs 2 or more", n));
    if (options.repeats < 1) throw invalid_input(fmt::format("repeats is {}; must be 1 or more", options.repeats));
    const bool fixed = !options.fold_ids.empty() || options.kind == fold_kind::blocked;
    if (fixed && options.repeats > 1)
        throw invalid_input(fmt::format("repeats is {}; {} are the same every time, so it must be 1", options.repeats,
                                        options.fold_ids.empty() ? "blocks" : "given folds"));
    if (!options.fold_ids.empty()) {
        check_row_count("fold_ids", options.fold_ids.size(), n);
        return;
    }
    if (options.folds < 2 || static_cast<std::uint64_t>(options.folds) > n)
        throw invalid_input(fmt::format("folds is {}; must be from 2 to {}, the number of rows", options.folds, n));
    if (options.kind == fold_kind::grouped) check_row_count("groups", options.groups.size(), n);
    if (options.kind != fold_kind::grouped && !options.groups.empty())
        throw invalid_input("groups are for fold_kind::grouped only");
}

std::vector<std::size_t> shuffled_rows(std::size_t n, random_bits& bits)
{
    std::vector<std::size_t> rows(n);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    bits.shuffle(std::span(rows));
    return rows;
}

/// Distinct numbers, ascending.
std::vector<std::int64_t> distinct(std::span<const std::int64_t> ids)
{
    std::vector<std::int64_t> values(ids.begin(), ids.end());
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::size_t place_in(const std::vector<std::int64_t>& values, std::int64_t id)
{
    return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), id) - values.begin());
}

fold_list given(std::span<const std::int64_t> ids)
{
    const auto values = distinct(ids);
    if (values.size() < 2)
        throw invalid_input(
            fmt::format("fold_ids: every row is in fold {}; 2 or more folds are needed", values.front()));
    fold_list fold;
    fold.reserve(ids.size());
    for (const std::int64_t id : ids) fold.push_back(static_cast<std::int64_t>(place_in(values, id)));
    return fold;
}

fold_list random_folds(std::size_t n, std::int64_t k, random_bits& bits)
{
    const auto rows = shuffled_rows(n, bits);
    fold_list fold(n);
    for (std::size_t at = 0; at < n; ++at) fold[rows[at]] = static_cast<std::int64_t>(at) % k;
    return fold;
}

fold_list stratified(std::span<const double> y, std::int64_t k, random_bits& bits)
{
    // Equal responses stand in random order.
    auto rows = shuffled_rows(y.size(), bits);
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return y[a] < y[b]; });
    std::vector<std::int64_t> hand(static_cast<std::size_t>(k));
    std::iota(hand.begin(), hand.end(), std::int64_t{0});
    fold_list fold(y.size());
    for (std::size_t at = 0; at < rows.size(); ++at) {
        const std::size_t place = at % hand.size();
        if (place == 0) bits.shuffle(std::span(hand));
        fold[rows[at]] = hand[place];
    }
    return fold;
}

fold_list grouped(std::span<const std::int64_t> groups, std::int64_t k, random_bits& bits)
{
    const auto values = distinct(groups);
    if (values.size() < static_cast<std::size_t>(k))
        throw invalid_input(fmt::format("groups: {} of them for {} folds; ask for fewer folds", values.size(), k));
    std::vector<std::int64_t> sizes(values.size(), 0);
    for (const std::int64_t id : groups) ++sizes[place_in(values, id)];
    auto order = shuffled_rows(values.size(), bits);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
    std::vector<std::int64_t> filled(static_cast<std::size_t>(k), 0);
    fold_list fold_of_group(values.size());
    for (const std::size_t group : order) {
        const auto least = std::min_element(filled.begin(), filled.end());
        fold_of_group[group] = least - filled.begin();
        *least += sizes[group];
    }
    fold_list fold;
    fold.reserve(groups.size());
    for (const std::int64_t id : groups) fold.push_back(fold_of_group[place_in(values, id)]);
    return fold;
}

fold_list blocked(std::size_t n, std::int64_t k)
{
    fold_list fold(n);
    const auto count = static_cast<std::size_t>(k);
    // Fold f has the rows from f n / k, without the product, which could overflow.
    const std::size_t size = n / count;
    const std::size_t larger = n % count;
    std::size_t row = 0;
    for (std::size_t f = 0; f < count; ++f)
        for (std::size_t i = 0; i < size + (f < larger ? 1 : 0); ++i) fold[row++] = static_cast<std::int64_t>(f);
    return fold;
}

} // namespace

} // namespace selection

std::vector<std::int64_t> make_folds(const cv_options& options, std::span<const double> y, std::int64_t repeat)
{
    selection::check_folds(options, y.size());
    if (repeat < 0 || repeat >= options.repeats)
        throw invalid_input(fmt::format("repeat is {}; must be from 0 to {}", repeat, options.repeats - 1));
    if (!options.fold_ids.empty()) return selection::given(options.fold_ids);
    selection::random_bits bits(options.seed, static_cast<std::uint64_t>(repeat));
    switch (options.kind) {
    case fold_kind::stratified:
        for (std::size_t i = 0; i < y.size(); ++i)
            if (!std::isfinite(y[i])) throw invalid_input(fmt::format("y[{}] is {}; must be finite", i, y[i]));
        return selection::stratified(y, options.folds, bits);
    case fold_kind::grouped:
        return selection::grouped(options.groups, options.folds, bits);
    case fold_kind::blocked:
        return selection::blocked(y.size(), options.folds);
    default:
        return selection::random_folds(y.size(), options.folds, bits);
    }
}

} // namespace proxpath
