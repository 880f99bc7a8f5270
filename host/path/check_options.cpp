// What a fit accepts. Every message names the argument, the position and the value.

#include "host/backend/device_choice.hpp"
#include "host/path/problem.hpp"

#include <proxpath/errors.hpp>

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace proxpath::path {

namespace {

void check_length(const char* name, std::size_t length, std::int64_t expected, const char* of)
{
    if (static_cast<std::int64_t>(length) != expected)
        throw invalid_input(fmt::format("{} has {} numbers, but X has {} {}", name, length, expected, of));
}

template <class Accept>
void check_each(const char* name, std::span<const double> values, const char* rule, const Accept& accept)
{
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!accept(values[i])) throw invalid_input(fmt::format("{}[{}] is {}; {}", name, i, values[i], rule));
}

void check_lambdas(const path_options& options)
{
    if (options.lambda.empty()) {
        if (options.n_lambda < 1 || options.n_lambda > 1000000)
            throw invalid_input(fmt::format("n_lambda is {}; must be from 1 to 1000000", options.n_lambda));
        if (options.lambda_min_ratio) {
            const double ratio = *options.lambda_min_ratio;
            if (!(ratio > 0 && ratio < 1))
                throw invalid_input(fmt::format("lambda_min_ratio is {}; must be above 0 and below 1", ratio));
        }
        return;
    }
    check_each("lambda", options.lambda, "must be finite and above 0",
               [](double value) { return std::isfinite(value) && value > 0; });
    for (std::size_t k = 1; k < options.lambda.size(); ++k)
        if (!(options.lambda[k] < options.lambda[k - 1]))
            throw invalid_input(fmt::format("lambda[{}] = {} is not below lambda[{}] = {}; lambdas must decrease", k,
                                            options.lambda[k], k - 1, options.lambda[k - 1]));
}

void check_penalties(const path_options& options, std::int64_t p)
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!options.penalty_factors.empty()) {
        check_length("penalty_factors", options.penalty_factors.size(), p, "columns");
        check_each("penalty_factors", options.penalty_factors, "must be 0 or more (infinity excludes)",
                   [](double value) { return value >= 0; });
    }
    if (!options.lower.empty()) {
        check_length("lower", options.lower.size(), p, "columns");
        check_each("lower", options.lower, "must be 0 or less", [](double value) { return value <= 0; });
    }
    if (!options.upper.empty()) {
        check_length("upper", options.upper.size(), p, "columns");
        check_each("upper", options.upper, "must be 0 or more", [](double value) { return value >= 0; });
    }
    if (options.penalty_factors.empty() || (options.lower.empty() && options.upper.empty())) return;
    for (std::size_t j = 0; j < options.penalty_factors.size(); ++j) {
        if (options.penalty_factors[j] != 0) continue;
        const bool below = !options.lower.empty() && options.lower[j] > -infinity;
        const bool above = !options.upper.empty() && options.upper[j] < infinity;
        // With one open side the dual of an unpenalised feature is feasible on a half-line only, and no scaling of the
        // residual reaches it: such a column could be solved but never certified.
        if (below != above)
            throw invalid_input(fmt::format(
                "penalty_factors[{}] is 0 with a bound on one side only; give both bounds, none, or a small factor",
                j));
    }
}

} // namespace

void check_options(const path_options& options, std::int64_t n, std::int64_t p)
{
    if (n < 1) throw invalid_input("X has no rows");
    if (!(options.alpha >= 0 && options.alpha <= 1))
        throw invalid_input(fmt::format("alpha is {}; must be from 0 (Ridge) to 1 (Lasso)", options.alpha));
    if (!(options.tol > 0) || !std::isfinite(options.tol))
        throw invalid_input(fmt::format("tol is {}; must be finite and above 0", options.tol));
    if (options.max_iterations < 1)
        throw invalid_input(fmt::format("max_iterations is {}; must be 1 or more", options.max_iterations));
    if (!backend::names_a_device(options.device))
        throw invalid_input(fmt::format("device is '{}'; must be {}", options.device, backend::device_rule));
    if (options.dfmax < 0) throw invalid_input(fmt::format("dfmax is {}; must be 0 or more", options.dfmax));
    if (options.pmax < 0) throw invalid_input(fmt::format("pmax is {}; must be 0 or more", options.pmax));
    check_lambdas(options);
    check_penalties(options, p);
    if (!options.weights.empty()) {
        check_length("weights", options.weights.size(), n, "rows");
        check_each("weights", options.weights, "must be finite and 0 or more",
                   [](double value) { return std::isfinite(value) && value >= 0; });
        double sum = 0;
        for (const double weight : options.weights) sum += weight;
        if (!(sum > 0) || !std::isfinite(sum))
            throw invalid_input(fmt::format("weights sum to {}; must be finite and above 0", sum));
    }
    if (!options.offset.empty()) {
        check_length("offset", options.offset.size(), n, "rows");
        check_each("offset", options.offset, "must be finite", [](double value) { return std::isfinite(value); });
    }
    if (options.solver == solver_kind::krylov) {
        if (options.alpha != 0)
            throw invalid_input(fmt::format("solver krylov is for ridge; alpha is {}, not 0", options.alpha));
        if (!options.lower.empty() || !options.upper.empty()) throw invalid_input("solver krylov does not take bounds");
        for (std::size_t j = 0; j < options.penalty_factors.size(); ++j)
            if (options.penalty_factors[j] == 0)
                throw invalid_input(
                    fmt::format("solver krylov needs every feature penalised; penalty_factors[{}] is 0", j));
    }
}

void check_response(std::span<const double> y, std::int64_t n)
{
    check_length("y", y.size(), n, "rows");
    check_each("y", y, "must be finite", [](double value) { return std::isfinite(value); });
}

} // namespace proxpath::path
