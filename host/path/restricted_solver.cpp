// Choice of method and form, and the upkeep of the Gram matrix; see restricted_solver.hpp.

#include "host/path/restricted_solver.hpp"

#include "host/path/memory.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace proxpath::path {

namespace {

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

restricted_solver::restricted_solver(const backend::opened_device& device, const operations<double>& ops,
                                     const problem& fit, restricted_settings settings)
    : ops_(ops), fit_(fit), settings_(std::move(settings)),
      memory_(ops.make_descent_memory(settings_.factor_limit_bytes))
{
    if (const narrow_start* const start = settings_.start; start != nullptr && !start->empty()) {
        gram_room_ = start->gram;
        gram_ = gram_room_;
        correlation_ = start->correlation;
        response_square_ = start->response_square;
    } else {
        for (std::size_t i = 0; i < fit.response.size(); ++i)
            response_square_ += fit.weights[i] * fit.response[i] * fit.response[i];
    }
    if (settings_.precision == precision_kind::float32) ops_float_ = device.make_float();
}

restricted_solver::~restricted_solver() = default;

bool restricted_solver::use_gram(const working_set& set)
{
    reason_ = "the form that was asked for";
    if (settings_.form == form_kind::residual) return false;
    const auto features = static_cast<double>(set.size());
    const double needed = gram_bytes(set.size());
    if (needed > static_cast<double>(settings_.gram_limit_bytes)) {
        // Lambdas that are solved already must not be lost.
        if (settings_.form == form_kind::automatic || gram_.rows > 0) {
            reason_ = fmt::format("a Gram matrix of {} features needs {:.0f} MiB, {} are left for it", set.size(),
                                  needed / 1048576, settings_.gram_limit_bytes >> 20);
            return false;
        }
        throw out_of_memory(fmt::format("form gram: the Gram matrix of {} features needs {:.0f} MiB, {} MiB are left "
                                        "for it; raise the memory limit or take another form",
                                        set.size(), needed / 1048576, settings_.gram_limit_bytes >> 20),
                            static_cast<std::uint64_t>(needed), settings_.gram_limit_bytes);
    }
    if (settings_.form == form_kind::gram) return true;
    if (!set.columns->is_resident()) {
        reason_ = "the columns are not in the device's memory";
        return true;
    }
    if (gram_.rows > 0 && gram_.rows == set.size()) {
        reason_ = "the products are there";
        return true;
    }
    const auto nonzeros = static_cast<double>(set.columns->nonzeros());
    const bool pays = gram_form_pays(features, nonzeros, static_cast<double>(fit_.n));
    reason_ = fmt::format("{} features of {:.0f} non-zeros: a step costs less by {}", set.size(),
                          features > 0 ? nonzeros / features : 0, pays ? "rows of the Gram matrix" : "columns");
    return pays;
}

/// Features that the next Gram matrix gets room for: a fourth more than it needs, if the limit allows, so that not
/// every round copies it.
std::int64_t restricted_solver::room_for_gram(std::int64_t features) const
{
    if (features == fit_.p) return features; // it never grows
    constexpr double spare = 1.25;
    const double old_bytes =
        sizeof(double) * static_cast<double>(gram_room_.rows) * static_cast<double>(gram_room_.rows);
    const double left = static_cast<double>(settings_.gram_limit_bytes) - old_bytes;
    const double most = left > 0 ? std::floor(std::sqrt(left / sizeof(double))) : 0;
    auto room = std::max(features, static_cast<std::int64_t>(std::min(spare * static_cast<double>(features), most)));
    constexpr std::int64_t same_place_in_cache = 512; // numbers from row to row: a column would meet few lines
    if (room % same_place_in_cache == 0) room += 8;
    return room;
}

void restricted_solver::grow_gram(const working_set& set)
{
    const std::int64_t known = gram_.rows;
    if (known == set.size()) return;
    const auto started = std::chrono::steady_clock::now();
    const bool all_at_once = known == 0 && set.columns == fit_.columns;
    if (all_at_once && settings_.of_all != nullptr) {
        const std::lock_guard<std::mutex> lock(settings_.of_all->making);
        if (settings_.of_all->C.rows == 0) {
            make_gram(set);
            settings_.of_all->C = gram_room_;
        }
        gram_room_ = settings_.of_all->C;
        gram_ = backend::leading_block(gram_room_, set.size(), set.size());
    } else {
        make_gram(set);
    }
    for (std::int64_t u = known; u < set.size(); ++u)
        correlation_.push_back(
            settings_.response_correlation[static_cast<std::size_t>(set.features[static_cast<std::size_t>(u)])]);
    gram_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// Products of the features that gram_ has not.
void restricted_solver::make_gram(const working_set& set)
{
    const std::int64_t known = gram_.rows;
    if (known == set.size()) return;
    if (set.size() > gram_room_.rows) {
        const std::int64_t room = room_for_gram(set.size());
        panel<double> grown = ops_.allocate(room, room);
        ops_.copy_block(gram_, grown);
        gram_room_ = std::move(grown);
    }
    gram_ = backend::leading_block(gram_room_, set.size(), set.size());
    ops_.gram(*set.columns, fit_.weights, known, gram_);
}

solver::batch_outcome restricted_solver::descend(const working_set& set, std::span<const double> lambda,
                                                 panel<double>& B, bool gram, double gap_tolerance,
                                                 std::int64_t max_iterations)
{
    solver::batch_outcome outcome;
    outcome.iterations.assign(lambda.size(), 0);
    outcome.gaps.assign(lambda.size(), 0.0);
    const auto common = [&](backend::restricted_problem& problem) {
        problem.penalty = set.penalty();
        problem.lambda = lambda;
        problem.gap_tolerance = gap_tolerance;
        problem.max_iterations = max_iterations;
        problem.memory = memory_.get();
        problem.keep_going = [&] {
            outcome.cancelled = outcome.cancelled || (settings_.keep_going && !settings_.keep_going());
            return !outcome.cancelled;
        };
    };
    if (gram) {
        backend::covariance_problem<double> problem;
        common(problem);
        problem.gram = &gram_;
        problem.correlation = correlation_;
        problem.response_square = response_square_;
        ops_.covariance_descent(problem, B, outcome.iterations, outcome.gaps);
    } else {
        backend::residual_problem problem;
        common(problem);
        problem.X = set.columns.get();
        problem.response = fit_.response;
        problem.weights = fit_.weights;
        ops_.coordinate_descent(problem, B, outcome.iterations, outcome.gaps);
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
    const bool descends = settings_.solver != solver_kind::ista && settings_.solver != solver_kind::fista;
    // Columns that come in parts, and products too many to be kept: what reads all columns at once does.
    const bool has_to_iterate = settings_.solver == solver_kind::automatic && !gram && !set.columns->is_resident();
    if (descends && !has_to_iterate) {
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
