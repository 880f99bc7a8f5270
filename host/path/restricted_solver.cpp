// Choice of method and form, and the upkeep of the Gram matrix; see restricted_solver.hpp.

#include "host/path/restricted_solver.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace proxpath::path {

namespace {

/// Steps of covariance descent between two looks at the caller's wish to stop.
constexpr std::int64_t steps_per_call = 200;

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

bool restricted_solver::use_gram(std::int64_t features) const
{
    if (settings_.form == form_kind::residual) return false;
    if (settings_.form == form_kind::gram || settings_.solver == solver_kind::cd) return true;
    // While it grows, the old matrix and the new one are alive together.
    const double needed = 2.0 * sizeof(double) * static_cast<double>(features) * static_cast<double>(features);
    return needed <= static_cast<double>(settings_.gram_limit_bytes);
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

solver::batch_outcome restricted_solver::descend(const working_set& set, std::span<const double> lambda,
                                                 panel<double>& B, double gap_tolerance, std::int64_t max_iterations)
{
    solver::batch_outcome outcome;
    const auto k = static_cast<std::size_t>(B.cols);
    outcome.iterations.assign(k, 0);
    outcome.gaps.assign(k, std::numeric_limits<double>::infinity());
    std::vector<std::int64_t> open(k);
    for (std::size_t c = 0; c < k; ++c) open[c] = static_cast<std::int64_t>(c);
    while (!open.empty()) {
        backend::covariance_problem<double> problem;
        problem.gram = &gram_;
        problem.correlation = correlation_;
        problem.response_square = response_square_;
        problem.penalty = set.penalty();
        std::vector<double> lambdas;
        std::int64_t allowed = steps_per_call;
        for (const std::int64_t c : open) {
            lambdas.push_back(lambda[static_cast<std::size_t>(c)]);
            allowed = std::min(allowed, max_iterations - outcome.iterations[static_cast<std::size_t>(c)]);
        }
        problem.lambda = lambdas;
        problem.gap_tolerance = gap_tolerance;
        problem.max_iterations = allowed;
        panel<double> part = ops_.compact(B, open);
        std::vector<std::int64_t> iterations(open.size());
        std::vector<double> gaps(open.size());
        ops_.covariance_descent(problem, part, iterations, gaps);

        outcome.cancelled = settings_.keep_going && !settings_.keep_going();
        std::vector<std::int64_t> still_open;
        for (std::size_t i = 0; i < open.size(); ++i) {
            const auto c = static_cast<std::size_t>(open[i]);
            ops_.copy_column(part, static_cast<std::int64_t>(i), B, open[i]);
            outcome.iterations[c] += iterations[i];
            const bool gained = gaps[i] < 0.999 * outcome.gaps[c];
            outcome.gaps[c] = gaps[i];
            if (gaps[i] > gap_tolerance && gained && iterations[i] >= allowed && outcome.iterations[c] < max_iterations)
                still_open.push_back(open[i]);
        }
        open = std::move(still_open);
        if (outcome.cancelled) break;
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
        const std::vector<double> wide(host.begin(), host.end());
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
    const bool gram = use_gram(set.size());
    if (gram) grow_gram(set);
    const bool descent = gram && (settings_.solver == solver_kind::automatic || settings_.solver == solver_kind::cd ||
                                  settings_.solver == solver_kind::krylov);
    if (descent) {
        method_ = "cd (Gram)";
        return descend(set, lambda, B, gap_tolerance, max_iterations);
    }
    solver::proximal_gradient_options options;
    options.accelerate = settings_.solver != solver_kind::ista;
    options.gap_tolerance = gap_tolerance;
    options.max_iterations = max_iterations;
    options.keep_going = settings_.keep_going;
    method_ = std::string(options.accelerate ? "fista" : "ista") + (gram ? " (Gram)" : " (residual)");
    return iterate(set, lambda, B, gram, options);
}

} // namespace proxpath::path
