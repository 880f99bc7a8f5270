// ISTA and FISTA over a batch of columns that share one smooth part: the reference solver, and the one that will run
// wherever a Gram matrix does not fit.
#pragma once

#include "host/solver/quadratic_form.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace proxpath::solver {

struct proximal_gradient_options {
    bool accelerate = true;   ///< FISTA; false = ISTA
    double gap_tolerance = 0; ///< absolute, on the restricted problem
    std::int64_t max_iterations = 0;
    std::function<bool()> keep_going; ///< asked at every look at the gap; may be empty
};

struct batch_outcome {
    std::vector<std::int64_t> iterations; ///< k
    std::vector<double> gaps;             ///< k, restricted gap at the returned point
    std::int64_t products = 0;            ///< products with the design or its transpose, whole batch
    bool cancelled = false;
};

/// Minimises each column from B until its restricted duality gap is at most the tolerance; B is overwritten. Finished
/// columns leave the batch.
///
/// Beck & Teboulle 2009, doi:10.1137/080716542, with the gradient restart of O'Donoghue & Candès 2015,
/// doi:10.1007/s10208-013-9150-3. The step is 1/L, L from a power iteration with a margin; every step is checked
/// against Δ'CΔ ≤ L Δ'Δ and taken again with a larger L where that fails, so a low estimate costs an iteration, never
/// descent.
template <class T>
batch_outcome proximal_gradient(const backend::operations<T>& ops, const quadratic_form<T>& form,
                                const backend::penalty_view& penalty, std::span<const double> lambda,
                                backend::panel<T>& B, const proximal_gradient_options& options);

} // namespace proxpath::solver
