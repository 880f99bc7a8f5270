// Choice of method and form, and the upkeep of the Gram matrix; see restricted_solver.hpp.

#include "host/path/restricted_solver.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace proxpath::path {

namespace {

/// Steps of covariance descent between two looks at the caller's wish to stop.
constexpr std::int64_t steps_per_call = 1000;
/// Calls without a better gap after which a column is given back. The gap may stand still for a while: it is not monotone.
constexpr int patience = 20;

template <class T>
panel<T> converted(const operations<double>& from_ops, const panel<double>& from, const operations<T>& to_ops)
{
    std::vector<double> host(static_cast<std::size_t>(from.rows * from.cols));
    from_ops.download(from, host);
    const std::vector<T> narrow(host.begin(), host.end());
    panel<T> to = to_ops.allocate(from.rows, from.cols);
    to_ops.upload(narrow, to);
    return to;
}

} // namespace

restricted_solver::restricted_solver(const operations<double>& ops, const problem& fit, restricted_settings settings)
    : ops_(ops), fit_(fit), settings_(std::move(settings))
{
    for (std::size_t i = 0; i < fit.response.size(); ++i)
        response_square_ += fit.weights[i] * fit.response[i] * fit.response[i];
    if (settings_.precision == precision_kind::float32)
        ops_float_ = backend::make_cpu_operations<float>(settings_.threads);
}

restricted_solver::~restricted_solver() = default;

bool restricted_solver::use_gram(const working_set& set) const
{
    if (settings_.form != form_kind::automatic) return settings_.form == form_kind::gram;
    const auto features = static_cast<double>(set.size());
    // While it grows, the old matrix and the new one are alive together.
    if (2 * sizeof(double) * features * features > static_cast<double>(settings_.gram_limit_bytes)) return false;
    // A coordinate step costs |W| numbers in a row in Gram form, 2 nnz / |W| gathered ones in residual form; up to a
    // thousand or so the Newton steps that only the Gram form has decide for it.
    constexpr double always = 1500;
    constexpr double gather_cost = 8;
    return features <= always || features * features <= gather_cost * static_cast<double>(set.columns->nonzeros());
}

void restricted_solver::grow_gram(const working_set& set)
{
    const std::int64_t known = gram_.rows;
    if (known == set.size()) return;
    const auto started = std::chrono::steady_clock::now();
    panel<double> grown = ops_.allocate(set.size(), set.size());
    ops_.copy_block(gram_, grown);
    gram_ = std::move(grown);
    ops_.gram(*set.columns, fit_.weights, known, gram_);

    panel<double> weighted = ops_.allocate(fit_.n, 1);
    std::vector<double> host(fit_.response);
    for (std::size_t i = 0; i < host.size(); ++i) host[i] *= fit_.weights[i];
    ops_.upload(host, weighted);
    panel<double> correlation = ops_.allocate(set.size(), 1);
    ops_.transpose_multiply(*set.columns, weighted, correlation);
    correlation_.resize(static_cast<std::size_t>(set.size()));
    ops_.download(correlation, correlation_);
    gram_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

void restricted_solver::descend_once(const working_set& set, std::span<const double> lambda, panel<double>& B,
                                     bool gram, double gap_tolerance, std::int64_t steps,
                                     std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    if (gram) {
        backend::covariance_problem<double> problem;
        problem.gram = &gram_;
        problem.correlation = correlation_;
        problem.response_square = response_square_;
        problem.penalty = set.penalty();
        problem.lambda = lambda;
        problem.gap_tolerance = gap_tolerance;
        problem.max_iterations = steps;
        ops_.covariance_descent(problem, B, iterations, gaps);
    } else {
        backend::residual_problem problem;
        problem.X = set.columns.get();
        problem.response = fit_.response;
        problem.weights = fit_.weights;
        problem.penalty = set.penalty();
        problem.lambda = lambda;
        problem.gap_tolerance = gap_tolerance;
        problem.max_iterations = steps;
        ops_.coordinate_descent(problem, B, iterations, gaps);
    }
}

solver::batch_outcome restricted_solver::descend(const working_set& set, std::span<const double> lambda,
                                                 panel<double>& B, bool gram, double gap_tolerance,
                                                 std::int64_t max_iterations)
{
    solver::batch_outcome outcome;
    const auto k = static_cast<std::size_t>(B.cols);
    outcome.iterations.assign(k, 0);
    outcome.gaps.assign(k, std::numeric_limits<double>::infinity());
    std::vector<std::int64_t> open(k);
    std::vector<int> calls_without_gain(k, 0);
    for (std::size_t c = 0; c < k; ++c) open[c] = static_cast<std::int64_t>(c);
    while (!open.empty() && !outcome.cancelled) {
        std::vector<double> lambdas;
        std::int64_t allowed = steps_per_call;
        for (const std::int64_t c : open) {
            lambdas.push_back(lambda[static_cast<std::size_t>(c)]);
            allowed = std::min(allowed, max_iterations - outcome.iterations[static_cast<std::size_t>(c)]);
        }
        panel<double> part = ops_.compact(B, open);
        std::vector<std::int64_t> iterations(open.size());
        std::vector<double> gaps(open.size());
        descend_once(set, lambdas, part, gram, gap_tolerance, allowed, iterations, gaps);

        outcome.cancelled = settings_.keep_going && !settings_.keep_going();
        std::vector<std::int64_t> still_open;
        for (std::size_t i = 0; i < open.size(); ++i) {
            const auto c = static_cast<std::size_t>(open[i]);
            ops_.copy_column(part, static_cast<std::int64_t>(i), B, open[i]);
            outcome.iterations[c] += iterations[i];
            calls_without_gain[c] = gaps[i] < 0.999 * outcome.gaps[c] ? 0 : calls_without_gain[c] + 1;
            outcome.gaps[c] = std::min(outcome.gaps[c], gaps[i]);
            // Fewer steps than allowed with the gap still open: the operation met its rounding floor.
            if (gaps[i] > gap_tolerance && calls_without_gain[c] < patience && iterations[i] >= allowed &&
                outcome.iterations[c] < max_iterations)
                still_open.push_back(open[i]);
            else
                outcome.gaps[c] = gaps[i];
        }
        open = std::move(still_open);
    }
    return outcome;
}

template <class T>
solver::batch_outcome restricted_solver::iterate_in(const operations<T>& ops, const working_set& set,
                                                    std::span<const double> lambda, panel<T>& B, bool gram,
                                                    const solver::proximal_gradient_options& options)
{
    if (!gram) {
        const auto form = solver::make_residual_form<T>(ops, *set.columns, fit_.response, fit_.weights);
        return solver::proximal_gradient<T>(ops, *form, set.penalty(), lambda, B, options);
    }
    const panel<T> C = converted<T>(ops_, gram_, ops);
    const auto form = solver::make_gram_form<T>(ops, C, correlation_, response_square_);
    return solver::proximal_gradient<T>(ops, *form, set.penalty(), lambda, B, options);
}

solver::batch_outcome restricted_solver::iterate(const working_set& set, std::span<const double> lambda,
                                                 panel<double>& B, bool gram,
                                                 const solver::proximal_gradient_options& options)
{
    solver::batch_outcome rough;
    if (ops_float_) {
        // In float until the tolerance or its rounding floor is met; double takes over from there.
        panel<float> narrow = converted<float>(ops_, B, *ops_float_);
        rough = iterate_in<float>(*ops_float_, set, lambda, narrow, gram, options);
        std::vector<float> host(static_cast<std::size_t>(B.rows * B.cols));
        ops_float_->download(narrow, host);
        // A bound rounded to float may lie outside itself.
        std::vector<double> wide(host.begin(), host.end());
        for (std::size_t i = 0; i < wide.size(); ++i) {
            const std::size_t j = i / static_cast<std::size_t>(B.cols);
            wide[i] = std::clamp(wide[i], set.lower[j], set.upper[j]);
        }
        ops_.upload(wide, B);
        if (rough.cancelled) return rough;
    }
    solver::batch_outcome outcome;
    if (gram) {
        const auto form = solver::make_gram_form<double>(ops_, gram_, correlation_, response_square_);
        outcome = solver::proximal_gradient<double>(ops_, *form, set.penalty(), lambda, B, options);
    } else {
        outcome = iterate_in<double>(ops_, set, lambda, B, false, options);
    }
    for (std::size_t c = 0; c < rough.iterations.size(); ++c) outcome.iterations[c] += rough.iterations[c];
    outcome.products += rough.products;
    return outcome;
}

solver::batch_outcome restricted_solver::solve(const working_set& set, std::span<const double> lambda, panel<double>& B,
                                               double gap_tolerance, std::int64_t max_iterations)
{
    const bool gram = use_gram(set);
    if (gram) grow_gram(set);
    if (settings_.solver != solver_kind::ista && settings_.solver != solver_kind::fista) {
        method_ = gram ? "cd (Gram)" : "cd (residual)";
        return descend(set, lambda, B, gram, gap_tolerance, max_iterations);
    }
    solver::proximal_gradient_options options;
    options.accelerate = settings_.solver != solver_kind::ista;
    options.gap_tolerance = gap_tolerance;
    options.max_iterations = max_iterations;
    options.keep_going = settings_.keep_going;
    method_ = std::string(options.accelerate ? "fista" : "ista") + (gram ? " (Gram)" : " (residual)");
    solver::batch_outcome outcome = iterate(set, lambda, B, gram, options);
    if (gram) outcome.products = 0; // products with C do not read X
    return outcome;
}

} // namespace proxpath::path
