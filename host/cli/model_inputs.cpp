// Reading and checking; see model_inputs.hpp.

#include "host/cli/model_inputs.hpp"

#include "host/cli/values.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace proxpath::cli {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

void check_count(const std::string& file, std::size_t count, std::int64_t needed, const std::string& what,
                 const std::string& design, const char* of)
{
    if (static_cast<std::int64_t>(count) != needed)
        throw file_error(file, 0, fmt::format("{} {}, but {} has {} {}", count, what, design, needed, of));
}

/// A whole text as a number, infinite ones included.
std::optional<double> bound_number(const std::string& text)
{
    if (text == "inf" || text == "+inf") return unbounded;
    if (text == "-inf") return -unbounded;
    return parse_number(text);
}

/// One number for all features, or a file. A file named like a number is written ./1.
std::vector<double> read_bounds(const std::string& option, const std::string& text, number_rule rule,
                                const data_set& data, const std::string& design)
{
    const auto p = static_cast<std::size_t>(data.X.cols());
    if (const auto number = bound_number(text)) {
        const bool below = rule == number_rule::lower_bound;
        if (below ? *number > 0 : *number < 0)
            throw invalid_input(
                fmt::format("{} is '{}'; it must be {}", option, text, below ? "0 or less" : "0 or more"));
        return std::vector<double>(p, *number);
    }
    std::vector<double> bounds = read_vector(text, rule);
    check_count(text, bounds.size(), data.X.cols(), "bounds", design, "features");
    return bounds;
}

/// What features --exclude means.
class exclusions {
public:
    exclusions(const data_set& data, const std::string& design) : data_(data), design_(design)
    {
        for (std::size_t j = 0; j < data.feature_names.size(); ++j)
            places_.emplace(data.feature_names[j], static_cast<std::int64_t>(j));
    }

    /// Features from 0 that an item names: a name of X before anything else, a number from 1, or a range of these.
    std::pair<std::int64_t, std::int64_t> range(const std::string& item) const
    {
        if (const auto found = places_.find(item); found != places_.end()) return {found->second, found->second};
        if (const auto number = parse_integer(item)) return {place(*number, item), place(*number, item)};
        if (const std::size_t dash = item.find('-', 1); dash != std::string::npos) {
            const auto first = parse_integer(item.substr(0, dash));
            const auto last = parse_integer(item.substr(dash + 1));
            if (first && last && *first <= *last) return {place(*first, item), place(*last, item)};
        }
        throw invalid_input(
            fmt::format("--exclude: '{}' is no feature of {}; give numbers from 1 to {}, ranges such as "
                        "3-7{}",
                        item, design_, data_.X.cols(), data_.feature_names.empty() ? "" : ", or names of its header"));
    }

private:
    std::int64_t place(std::int64_t number, const std::string& item) const
    {
        if (number >= 1 && number <= data_.X.cols()) return number - 1;
        throw invalid_input(fmt::format("--exclude: '{}' is outside the features of {}, which are 1 to {}", item,
                                        design_, data_.X.cols()));
    }

    const data_set& data_;
    const std::string& design_;
    std::unordered_map<std::string, std::int64_t> places_;
};

std::vector<std::string> excluded_items(const std::string& text)
{
    if (text.starts_with('@')) return read_lines(text.substr(1));
    std::vector<std::string> items;
    for (const std::string_view part : split(text, ',')) items.emplace_back(part);
    return items;
}

void exclude(const std::string& text, const data_set& data, const std::string& design, model_inputs& inputs)
{
    const exclusions known(data, design);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(data.X.cols()), 0);
    for (const std::string& item : excluded_items(text)) {
        const auto [first, last] = known.range(item);
        std::fill(out.begin() + first, out.begin() + last + 1, std::uint8_t{1});
    }
    if (inputs.penalty_factors.empty()) inputs.penalty_factors.assign(out.size(), 1.0);
    for (std::size_t j = 0; j < out.size(); ++j)
        if (out[j] != 0) inputs.penalty_factors[j] = unbounded;
    inputs.excluded = std::count(out.begin(), out.end(), std::uint8_t{1});
}

} // namespace

void model_inputs::lend_to(path_options& path) const
{
    path.weights = weights;
    path.offset = offset;
    path.penalty_factors = penalty_factors;
    path.lower = lower;
    path.upper = upper;
}

std::vector<double> read_row_numbers(const std::string& file, number_rule rule, const std::string& what,
                                     const matrix& X, const std::string& design)
{
    std::vector<double> numbers = read_vector(file, rule);
    check_count(file, numbers.size(), X.rows(), what, design, "rows");
    return numbers;
}

model_inputs read_model_inputs(const input_sources& sources, const data_set& data, const std::string& design)
{
    model_inputs inputs;
    if (!sources.weights.empty()) {
        inputs.weights = read_row_numbers(sources.weights, number_rule::weight, "weights", data.X, design);
        if (std::all_of(inputs.weights.begin(), inputs.weights.end(), [](double weight) { return weight == 0; }))
            throw file_error(sources.weights, 0, "every weight is 0");
    }
    if (!sources.offset.empty())
        inputs.offset = read_row_numbers(sources.offset, number_rule::finite, "offsets", data.X, design);
    if (!sources.penalty_factors.empty()) {
        inputs.penalty_factors = read_vector(sources.penalty_factors, number_rule::factor);
        check_count(sources.penalty_factors, inputs.penalty_factors.size(), data.X.cols(), "penalty factors", design,
                    "features");
    }
    if (!sources.exclude.empty()) exclude(sources.exclude, data, design, inputs);
    if (!sources.lower.empty())
        inputs.lower = read_bounds("--lower", sources.lower, number_rule::lower_bound, data, design);
    if (!sources.upper.empty())
        inputs.upper = read_bounds("--upper", sources.upper, number_rule::upper_bound, data, design);
    return inputs;
}

nlohmann::json checksum_of(const std::vector<double>& numbers)
{
    if (numbers.empty()) return nullptr;
    return fmt::format("{:016x}", XXH3_64bits(numbers.data(), numbers.size() * sizeof(double)));
}

} // namespace proxpath::cli
