// The kernels of the descents (host/backend/cuda/batched_descent.hpp): all open columns of a batch at once, on a
// restricted problem of p features. Points b, correlations u = X̃'w(y − X̃b) and all that is kept of Newton systems are
// panels of double, p × k, whatever T is. The rules are those of launchers.hpp: stream order, nothing allocated, bits
// that depend on neither the grid nor the other columns.
//
// `open` and `taken` are k flags in device memory; columns whose flag is 0 are left as they are. `curvature` is
// x̃_j'Wx̃_j, 0 for features without variation.
#pragma once

#include "kernels/views.hpp"

#include <cstdint>

namespace proxpath::kernels {

/// A restricted problem, in device memory.
struct restricted_view {
    penalty_arrays penalty;            ///< p
    const double* curvature = nullptr; ///< p
    const double* lambda = nullptr;    ///< k
};

/// to(:, columns[c]) = from(:, places[c]) for `count` columns: what `compact` packed, back in its place.
void put_columns(const panel_view<const double>& from, const std::int64_t* places, const panel_view<double>& to,
                 const std::int64_t* columns, std::int64_t count, stream_view stream);

/// q_j = C_jj, p numbers.
template <class T>
void diagonal(const panel_view<const T>& C, double* q, stream_view stream);

/// Doubles and list places that a sweep needs for each column of the batch.
struct sweep_scratch {
    std::uint32_t* list = nullptr; ///< p × k
    double* work = nullptr;        ///< covariance_sweeps 2 p × k, residual_sweeps (p + n) × k
};

/// `sweeps` sweeps of coordinate descent over the features in use and those that would move (as u stands at the call),
/// a block for each column, on rows of the Gram matrix. B is updated, U is not.
template <class T>
void covariance_sweeps(const panel_view<const T>& C, const restricted_view& problem, int sweeps, const int* open,
                       const panel_view<const double>& U, const panel_view<double>& B, const sweep_scratch& scratch,
                       stream_view stream);

/// The same on the columns of X and the residual, unit-norm columns.
/// @param R          n × k, y − X̃B
/// @param weights    n, sum 1
/// @param stored_sum p, Σ w (x − shift) over the stored entries of each column
template <class V>
void residual_sweeps(const design_view<V>& X, const restricted_view& problem, int sweeps, const int* open,
                     const double* weights, const double* stored_sum, const panel_view<const double>& R,
                     const panel_view<const double>& U, const panel_view<double>& B, const sweep_scratch& scratch,
                     stream_view stream);

/// The Newton systems (C_SS + λ diag(l2) + ridge) x = r of all columns, S the features that are free, and where
/// conjugate gradients on them stand.
struct newton_systems {
    panel_view<double> x;
    panel_view<double> r;
    panel_view<double> d;
    double ridge = 0;
    double* rz = nullptr;       ///< k, r'z, z = r / (1 + λ l2)
    double* goal = nullptr;     ///< k, squared norm of r / unit that is small enough
    double* target = nullptr;   ///< k, r'z that is small enough
    double* length = nullptr;   ///< k
    double* turn = nullptr;     ///< k
    double* sums = nullptr;     ///< 3 k
    int* open = nullptr;        ///< k
    int* steps = nullptr;       ///< k
    const int* limit = nullptr; ///< k, steps allowed
};

/// x = 0, r = minus the gradient on S with signs held, d = z. Opens the columns of `taken`.
/// @param gap_goal      share of the wanted gap that r may leave
/// @param residual_share k, share of its first norm that r may keep @param scratch for 3 k sums
void begin_newton(const restricted_view& problem, const newton_systems& systems, const int* taken, double gap_goal,
                  const double* residual_share, double enough, const panel_view<const double>& U,
                  const panel_view<const double>& B, double* scratch, stream_view stream);

/// One step of conjugate gradients in the open columns, H = C d known. @param scratch for 2 k sums
void step_newton(const restricted_view& problem, const newton_systems& systems, const panel_view<const double>& B,
                 const panel_view<const double>& H, double* scratch, stream_view stream);

/// Where coefficients stop on the step x: their shares of the step below 1, ascending by feature, and
/// fall = r0'x, r0 the first r. @param lengths p × k, column by column @param scratch for k sums
void find_stops(const restricted_view& problem, const panel_view<const double>& x, const int* taken,
                const panel_view<const double>& U, const panel_view<const double>& B, double* lengths,
                std::int64_t* count, double* fall, double* scratch, stream_view stream);

/// length_c = the rank_c-th smallest (from 1) of the count_c lengths, for the columns taken.
void select_stops(const double* lengths, const std::int64_t* count, const std::int64_t* rank, std::int64_t p,
                  std::int64_t k, const int* taken, double* length, stream_view stream);

/// M = the move by length_c times the step x, coefficients stopping at zero or their bound; 0 in columns not taken.
/// sums: change of the penalty, coefficients that stop, moves that are not finite (k each).
/// @param scratch for 3 k sums
void projected_moves(const restricted_view& problem, const panel_view<const double>& x, const double* length,
                     const int* taken, const panel_view<const double>& B, const panel_view<double>& M, double* sums,
                     double* scratch, stream_view stream);

/// change_c = Σ m (½ h − u), what a move M changes the loss by, H = C M. @param scratch for k sums
void loss_changes(const panel_view<const double>& M, const panel_view<const double>& H,
                  const panel_view<const double>& U, double* change, double* scratch, stream_view stream);

/// B += M, U −= H in the columns taken, B kept within its bounds.
void accept_moves(const restricted_view& problem, const int* taken, const panel_view<const double>& M,
                  const panel_view<const double>& H, const panel_view<double>& B, const panel_view<double>& U,
                  stream_view stream);

} // namespace proxpath::kernels
