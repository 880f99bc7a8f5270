// The iteration of ISTA and FISTA; see proximal_gradient.hpp. One look at the gap every few iterations costs a gradient
// at the current point; everything else is one image and one gradient for each iteration.

#include "host/solver/proximal_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace proxpath::solver {

namespace {

using backend::operations;
using backend::panel;

constexpr std::int64_t iterations_per_look = 10;
/// Looks with neither a better gap nor a lower objective after which a column is given back: rounding has set a floor.
/// (The gap alone may stand still for long: it does not fall monotonically.)
constexpr int patience = 60;

/// What each fit of the batch carries from iteration to iteration.
struct column_state {
    std::int64_t place = 0; // column of the caller's batch
    double lambda = 0;
    double lipschitz = 0;
    double momentum = 1; // t of Beck & Teboulle
    double best_gap = std::numeric_limits<double>::infinity();
    double best_primal = std::numeric_limits<double>::infinity();
    int looks_without_gain = 0;
};

template <class T>
struct batch {
    panel<T> B, B_previous, B_next; // p × k
    panel<T> Z, Z_previous, Z_next; // image rows × k
    panel<T> N;                     // p × k
    std::vector<column_state> columns;

    std::vector<double> lambdas() const
    {
        std::vector<double> values;
        for (const column_state& column : columns) values.push_back(column.lambda);
        return values;
    }
};

/// Keeps the listed columns of all panels.
template <class T>
void keep(const operations<T>& ops, batch<T>& work, const std::vector<std::int64_t>& kept)
{
    for (panel<T>* each : {&work.B, &work.B_previous, &work.Z, &work.Z_previous}) *each = ops.compact(*each, kept);
    const auto k = static_cast<std::int64_t>(kept.size());
    work.B_next = ops.allocate(work.B.rows, k);
    work.N = ops.allocate(work.B.rows, k);
    work.Z_next = ops.allocate(work.Z.rows, k);
    std::vector<column_state> columns;
    columns.reserve(kept.size());
    for (const std::int64_t c : kept) columns.push_back(work.columns[static_cast<std::size_t>(c)]);
    work.columns = std::move(columns);
}

template <class T>
std::vector<backend::gap_value> restricted_gaps(const operations<T>& ops, const quadratic_form<T>& form,
                                                const backend::penalty_view& penalty, batch<T>& work)
{
    const std::size_t k = work.columns.size();
    const std::vector<double> lambda = work.lambdas();
    const std::vector<double> here(k, 0.0);
    form.negative_gradient(work.Z, work.Z, here, work.N);
    std::vector<double> square(k);
    std::vector<double> dot(k);
    form.loss_terms(work.B, work.Z, work.N, square, dot);
    std::vector<backend::gap_sums> sums(k);
    ops.penalty_sums(work.N, work.B, penalty, lambda, sums);
    std::vector<backend::gap_value> gaps(k);
    for (std::size_t c = 0; c < k; ++c) {
        gaps[c] = backend::duality_gap(sums[c], square[c], dot[c], lambda[c]);
        gaps[c].gap += sums[c].unpenalised;
    }
    return gaps;
}

/// One iteration of every column still in the batch.
template <class T>
void iterate(const operations<T>& ops, const quadratic_form<T>& form, const backend::penalty_view& penalty,
             bool accelerate, batch<T>& work)
{
    const std::size_t k = work.columns.size();
    std::vector<double> theta(k, 0.0);
    std::vector<double> step(k);
    std::vector<double> next_momentum(k, 1.0);
    for (std::size_t c = 0; c < k; ++c) {
        const column_state& column = work.columns[c];
        step[c] = 1.0 / column.lipschitz;
        if (accelerate) {
            next_momentum[c] = 0.5 * (1 + std::sqrt(1 + 4 * column.momentum * column.momentum));
            theta[c] = (column.momentum - 1) / next_momentum[c];
        }
    }
    const std::vector<double> lambda = work.lambdas();
    std::vector<double> step_square(k);
    std::vector<double> restart_dot(k);
    std::vector<double> curvature(k);
    form.negative_gradient(work.Z, work.Z_previous, theta, work.N);
    ops.prox_step(work.B, work.B_previous, work.N, penalty, lambda, theta, step, work.B_next, step_square, restart_dot);
    form.image(work.B_next, work.Z_next);
    form.curvature(work.B_next, work.B, work.B_previous, work.Z_next, work.Z, work.Z_previous, theta, curvature);

    const double slack = std::is_same_v<T, float> ? 1e-2 : 1e-8;
    const auto highest = static_cast<double>(form.features()) * 1.01; // unit columns: trace of C
    for (std::size_t c = 0; c < k; ++c) {
        column_state& column = work.columns[c];
        if (curvature[c] > column.lipschitz * step_square[c] * (1 + slack) && column.lipschitz < highest) {
            // The step was too long for this direction: stay, forget the momentum, and step shorter.
            column.lipschitz = std::min(highest, std::max(1.2 * column.lipschitz, 1.1 * curvature[c] / step_square[c]));
            column.momentum = 1;
            ops.copy_column(work.B, static_cast<std::int64_t>(c), work.B_next, static_cast<std::int64_t>(c));
            ops.copy_column(work.Z, static_cast<std::int64_t>(c), work.Z_next, static_cast<std::int64_t>(c));
        } else {
            column.momentum = restart_dot[c] > 0 ? 1.0 : next_momentum[c];
        }
    }
    std::swap(work.B_previous, work.B);
    std::swap(work.B, work.B_next);
    std::swap(work.Z_previous, work.Z);
    std::swap(work.Z, work.Z_next);
}

} // namespace

template <class T>
batch_outcome proximal_gradient(const operations<T>& ops, const quadratic_form<T>& form,
                                const backend::penalty_view& penalty, std::span<const double> lambda, panel<T>& B,
                                const proximal_gradient_options& options)
{
    // The smallest relative fall of the objective that is more than rounding.
    constexpr double finest = std::is_same_v<T, float> ? 1e-7 : 1e-15;
    batch_outcome outcome;
    const auto k = static_cast<std::size_t>(B.cols);
    outcome.iterations.assign(k, 0);
    outcome.gaps.assign(k, 0.0);
    if (k == 0 || B.rows == 0) return outcome;

    const double lipschitz = std::max(1.02 * largest_eigenvalue(ops, form), 1e-12);
    batch<T> work;
    std::vector<std::int64_t> all(k);
    for (std::size_t c = 0; c < k; ++c) {
        all[c] = static_cast<std::int64_t>(c);
        column_state column;
        column.place = all[c];
        column.lambda = lambda[c];
        column.lipschitz = lipschitz;
        work.columns.push_back(column);
    }
    work.B = B;
    work.B_previous = B;
    work.Z = ops.allocate(form.image_rows(), B.cols);
    form.image(work.B, work.Z);
    ++outcome.products;
    work.Z_previous = work.Z;
    keep(ops, work, all); // copies: the caller's B stays what it was until a column is finished

    for (std::int64_t iteration = 0; !work.columns.empty(); ++iteration) {
        if (iteration % iterations_per_look == 0 || iteration >= options.max_iterations) {
            const std::vector<backend::gap_value> values = restricted_gaps(ops, form, penalty, work);
            ++outcome.products;
            outcome.cancelled = options.keep_going && !options.keep_going();
            std::vector<std::int64_t> kept;
            for (std::size_t c = 0; c < work.columns.size(); ++c) {
                column_state& column = work.columns[c];
                const double gap = values[c].gap;
                const bool gained =
                    gap < (1 - 1e-6) * column.best_gap || values[c].primal < (1 - finest) * column.best_primal;
                column.looks_without_gain = gained ? 0 : column.looks_without_gain + 1;
                column.best_gap = std::min(column.best_gap, gap);
                column.best_primal = std::min(column.best_primal, values[c].primal);
                const bool done = gap <= options.gap_tolerance || iteration >= options.max_iterations ||
                                  column.looks_without_gain > patience || outcome.cancelled;
                if (!done) {
                    kept.push_back(static_cast<std::int64_t>(c));
                    continue;
                }
                ops.copy_column(work.B, static_cast<std::int64_t>(c), B, column.place);
                outcome.iterations[static_cast<std::size_t>(column.place)] = iteration;
                outcome.gaps[static_cast<std::size_t>(column.place)] = gap;
            }
            if (kept.size() < work.columns.size()) keep(ops, work, kept);
            if (work.columns.empty()) break;
        }
        iterate(ops, form, penalty, options.accelerate, work);
        outcome.products += 2;
    }
    return outcome;
}

template batch_outcome proximal_gradient(const operations<float>&, const quadratic_form<float>&,
                                         const backend::penalty_view&, std::span<const double>, panel<float>&,
                                         const proximal_gradient_options&);
template batch_outcome proximal_gradient(const operations<double>&, const quadratic_form<double>&,
                                         const backend::penalty_view&, std::span<const double>, panel<double>&,
                                         const proximal_gradient_options&);

} // namespace proxpath::solver
