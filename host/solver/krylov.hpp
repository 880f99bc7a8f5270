// Ridge for all lambdas from one Krylov space.
#pragma once

#include "host/solver/proximal_gradient.hpp"

#include <span>

namespace proxpath::solver {

struct krylov_options {
    double gap_tolerance = 0; ///< absolute
    std::int64_t max_iterations = 0;
    std::function<bool()> keep_going; ///< asked at every iteration; may be empty
};

/// Solves (X̃'WX̃ + λ_c I) x_c = X̃'wỹ for all k shifts λ_c from x = 0 with conjugate gradients: shifted systems share
/// their Krylov space, so an iteration reads X twice whatever k is (Frommer 2003, doi:10.1007/s00607-003-1472-6). The
/// penalty is the identity: the caller scales the columns of X̃ by 1/√l2.
///
/// For ridge the duality gap is exactly ‖residual of the normal equations‖² / (2λ), which the recurrences carry for
/// every shift; rounding makes it drift from the true one, so the caller certifies.
///
/// @param y ỹ, n; @param weights n
/// @param lambda k, > 0, decreasing
/// @param B p × k, overwritten
template <class T>
batch_outcome krylov(const backend::operations<T>& ops, const backend::design& X, std::span<const double> y,
                     std::span<const double> weights, std::span<const double> lambda, backend::panel<T>& B,
                     const krylov_options& options);

} // namespace proxpath::solver
