// The backend contract: the batched operations that solvers and the path driver are written in. A backend (cpu, cuda)
// implements all of them for float and double; tests/backend_*_test.cpp runs every backend against naive double
// loops.
//
// Shapes: X is n × p, a batch has k columns (fits). Panels are row-major; see panel.hpp. Spans with one number per
// column (step, lambda, …) are host memory of length k. Unless an operation says otherwise: outputs do not alias
// inputs, sums run in double in an order that depends on neither threads nor k's neighbours, and the same input gives
// the same bits. "Bytes" is the traffic that cannot be avoided, with s = sizeof(T), V bytes for a stored entry.
//
//   operation              result                                              bytes
//   moments                weighted mean, variance, constancy of columns       nnz V
//   transpose_multiply     C = X̃'R                                             nnz (V + k s) + p k s
//   multiply               V = X̃B                                              nnz (V + 2 k s)
//   residual               V = y − X̃B                                          nnz (V + 2 k s)
//   residual_correlations  X̃'w(y − X̃B) and sums of its residuals                nnz V + 2 p k s
//   correlation_pass       gap sums, violators, one c from X̃'R, C not kept     nnz (V + s) + bounded out: 0, else k s
//   gather_columns         X̃_W as a design of its own                          2 nnz_W V
//   gram                   C = X̃'WX̃, symmetric                                 nnz (V + p s) + p² s
//   gram_with_response     the same, X̃'wy and Σ w y²                           nnz V + p² s
//   symmetric_multiply     Z = C B                                             p² s + 2 p k s
//   extrapolated_residual  a (base − Z − θ(Z − Zprev))                         4 r k s
//   prox_step              soft-threshold, scale, clip of V + tN               4 p k s
//   extrapolation_dots     Σ a ΔX ΔY per column                                6 r k s
//   column_dots            Σ a X Y per column                                  2 r k s
//   projections            squares of columns, products with a few vectors     r k s
//   chord_distances        how far columns are from points of a line           r k s
//   scale_rows             a X                                                 2 r k s
//   residual_dots          Σ a ρ², Σ a y ρ per column                          r k s
//   penalty_sums           gap_sums of kept U = X̃'wρ                           2 p k s
//   compact, copy_block,   chosen columns, a panel, one column copied          2 r k s
//   copy_column
//   covariance_descent     the restricted problem in Gram form, to its gap     sweeps × active × p s, Newton × |S|² s
//   coordinate_descent     the same in residual form                           sweeps × 2 nnz_W (V + s), Newton × |S|²
//   krylov_update          all shifts of one conjugate-gradient step           4 p k s
//   combine                columns from the vectors of a short Krylov space    p (s_vectors + k) s
#pragma once

#include "host/backend/design.hpp"
#include "host/backend/panel.hpp"
#include "host/backend/penalty.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace proxpath::backend {

/// What is known of the correlations before the pass: those of two residuals, and how far each column's residual is
/// from the line through them. For a feature of unit norm, |u_jc − (1 − θ_c) from_j − θ_c to_j| ≤ radius_c.
struct correlation_bound {
    std::span<const double> from;     ///< p, x̃_j'wρ at one residual; empty: nothing is known
    std::span<const double> to;       ///< p, at another; empty: at that of save_column, which the pass computes
    std::span<const double> position; ///< k, θ
    std::span<const double> radius;   ///< k
    std::span<const double> scale;    ///< k, the largest dual scaling that is of interest; +inf if not known
};

/// What correlation_pass is asked.
template <class T>
struct correlation_request {
    const design* X = nullptr;                   ///< all p features
    const panel<T>* weighted_residual = nullptr; ///< n × k, w_i ρ_ic
    const panel<T>* coefficients = nullptr;      ///< |W| × k
    std::span<const std::int64_t> position;      ///< p: row of `coefficients`, or −1 outside W (coefficient 0)
    std::span<const std::uint8_t> skip;          ///< p: 1 = constant or excluded, takes no part
    penalty_view penalty;                        ///< p features
    std::span<const double> lambda;              ///< k
    std::int64_t save_column = -1;               ///< column of the batch whose u is wanted, or −1
    /// Features that it keeps within λ l1 in every column, and within what the dual scaling may lift to that, are
    /// passed over where their coefficients are zero: they add nothing to a gap.
    correlation_bound bound;
};

/// What correlation_pass answers.
struct correlation_result {
    std::vector<gap_sums> sums;                       ///< k
    std::vector<std::vector<std::int64_t>> violators; ///< k: features outside W that break KKT, ascending
    std::int64_t entries_read = 0;                    ///< stored entries of the columns that were looked at
};

/// What the descents keep from call to call of one growing working set (a factor of its Gram matrix): each backend's
/// own. Features keep their places, new ones come behind.
class descent_memory {
public:
    virtual ~descent_memory() = default;
};

/// What both descents are asked.
struct restricted_problem {
    penalty_view penalty;             ///< p features
    std::span<const double> lambda;   ///< k
    double gap_tolerance = 0;         ///< absolute
    std::int64_t max_iterations = 0;  ///< sweeps and Newton steps together, each column
    descent_memory* memory = nullptr; ///< from make_descent_memory, or null: nothing is kept
    std::function<bool()> keep_going; ///< asked between steps from the calling thread; false stops; may be empty
};

/// The restricted problem in Gram form.
template <class T>
struct covariance_problem : restricted_problem {
    const panel<T>* gram = nullptr;      ///< C, p × p, symmetric
    std::span<const double> correlation; ///< c0 = X̃'wỹ, p
    double response_square = 0;          ///< Σ w ỹ²
};

/// The restricted problem in residual form.
struct residual_problem : restricted_problem {
    const design* X = nullptr;        ///< the working set, unit-norm columns
    std::span<const double> response; ///< ỹ, n
    std::span<const double> weights;  ///< n
};

template <class T>
class operations {
public:
    virtual ~operations() = default;

    /// Bytes of the memory that panels are in, beside X: what a fit of X is planned with. As much as can be counted
    /// where it is the memory of the host, whose limit is another matter.
    virtual std::uint64_t memory_beside(const matrix& X) const = 0;

    /// A rows × cols panel of zeros.
    virtual panel<T> allocate(std::int64_t rows, std::int64_t cols) const = 0;
    /// Copies between row-major host memory (rows × cols, no padding) and a panel.
    virtual void upload(std::span<const T> host, panel<T>& to) const = 0;
    virtual void download(const panel<T>& from, std::span<T> host) const = 0;

    /// All columns of a matrix with their scaling. The matrix is shared, not copied.
    virtual std::shared_ptr<const design> make_design(const matrix& X, column_scaling scaling) const = 0;
    /// The listed columns (0-based, any order) as a design of their own, contiguous in memory.
    /// @param before from an earlier call on the same X, or null: its columns come first and are shared, not copied
    virtual std::shared_ptr<const design> gather_columns(const design& X, std::span<const std::int64_t> columns,
                                                         const design* before) const = 0;

    /// @param row_weights n, sum 1
    virtual column_moments moments(const matrix& X, std::span<const double> row_weights) const = 0;

    /// C = X̃'R; R n × k, C p × k overwritten.
    virtual void transpose_multiply(const design& X, const panel<T>& R, panel<T>& C) const = 0;
    /// V = X̃B; B p × k, V n × k overwritten.
    virtual void multiply(const design& X, const panel<T>& B, panel<T>& V) const = 0;
    /// V = y − X̃B; y n × 1.
    virtual void residual(const design& X, const panel<T>& B, const panel<T>& y, panel<T>& V) const = 0;
    /// U = X̃'wρ of ρ = y − X̃B, square_c = Σ w ρ², product_c = Σ w ρ z, all in one reading of X and with nothing of
    /// size n × k: for few features. U p × k; y, z n × 1.
    virtual void residual_correlations(const design& X, const panel<T>& B, const panel<T>& y, const panel<T>& z,
                                       std::span<const double> weights, panel<T>& U, std::span<double> square,
                                       std::span<double> product) const = 0;
    /// One pass over X with the KKT test and the gap sums fused in; the p × k product is never stored.
    /// @param saved p numbers, u_j = x̃_j'wρ of request.save_column (left as they are where skipped), or empty
    virtual correlation_result correlation_pass(const correlation_request<T>& request,
                                                std::span<double> saved) const = 0;

    /// C (p × p) = X̃' diag(row_weights) X̃. Rows and columns below `first_new` are taken as they stand in C.
    virtual void gram(const design& X, std::span<const double> row_weights, std::int64_t first_new,
                      panel<T>& C) const = 0;
    /// The same for few features (p ≤ 512), all new, with correlation = X̃'wy (p); both from one reading of X.
    /// @return Σ w y²
    virtual double gram_with_response(const design& X, std::span<const double> row_weights, std::span<const double> y,
                                      panel<T>& C, std::span<double> correlation) const = 0;
    /// Additions that a term of a sum over rows in gram_with_response goes through at most. Sums in pieces are off by
    /// that many units in the last place of Σ |terms|, not by n; what is stored in T loses one rounding more.
    virtual std::int64_t gram_additions(const design& X) const = 0;
    /// Z = C B for a symmetric C.
    virtual void symmetric_multiply(const panel<T>& C, const panel<T>& B, panel<T>& Z) const = 0;

    /// out_rc = a_r (base_rc − Z_rc − θ_c (Z_rc − Zprev_rc)); base has 1 or k columns; `row_factor` empty = all 1.
    /// out may alias Zprev.
    virtual void extrapolated_residual(const panel<T>& base, const panel<T>& Z, const panel<T>& Z_previous,
                                       std::span<const double> theta, std::span<const double> row_factor,
                                       panel<T>& out) const = 0;

    /// With V = B + θ_c (B − Bprev): out = clip(S(V + t_c N, t_c λ_c l1) / (1 + t_c λ_c l2)).
    /// @param step_square    k: Σ_j (out − V)²
    /// @param restart_dot    k: Σ_j (V − out)(out − B); positive means the momentum points uphill
    virtual void prox_step(const panel<T>& B, const panel<T>& B_previous, const panel<T>& N,
                           const penalty_view& penalty, std::span<const double> lambda, std::span<const double> theta,
                           std::span<const double> step, panel<T>& out, std::span<double> step_square,
                           std::span<double> restart_dot) const = 0;

    /// result_c = Σ_r a_r (Xn − X − θ(X − Xp))_rc (Yn − Y − θ(Y − Yp))_rc; `row_factor` empty = all 1. Inputs may
    /// alias.
    virtual void extrapolation_dots(const panel<T>& X_next, const panel<T>& X, const panel<T>& X_previous,
                                    const panel<T>& Y_next, const panel<T>& Y, const panel<T>& Y_previous,
                                    std::span<const double> theta, std::span<const double> row_factor,
                                    std::span<double> result) const = 0;

    /// result_c = Σ_r a_r X_rc Y_rc; Y has k columns or one; `row_factor` empty = all 1. X and Y may be the same.
    virtual void column_dots(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                             std::span<double> result) const = 0;

    /// square_c = Σ_r a_r X_rc², product_(c m + e) = Σ_r a_r X_rc Y_re for the m columns of Y, in one reading of X.
    virtual void projections(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                             std::span<double> square, std::span<double> product) const = 0;

    /// distance_c = ‖X_c − from − θ_c (to − from)‖_a
    /// @param from, to r × 1
    virtual void chord_distances(const panel<T>& X, const panel<T>& from, const panel<T>& to,
                                 std::span<const double> theta, std::span<const double> row_factor,
                                 std::span<double> distance) const = 0;

    /// X_rc ← a_r X_rc
    virtual void scale_rows(std::span<const double> row_factor, panel<T>& X) const = 0;

    /// With ρ = y − V: square_c = Σ a ρ², dot_c = Σ a y ρ; y has one column; `row_factor` empty = all 1.
    virtual void residual_dots(const panel<T>& y, const panel<T>& V, std::span<const double> row_factor,
                               std::span<double> square, std::span<double> dot) const = 0;

    /// Gap sums of U = X̃'wρ (p × k) at B (p × k).
    virtual void penalty_sums(const panel<T>& U, const panel<T>& B, const penalty_view& penalty,
                              std::span<const double> lambda, std::span<gap_sums> sums) const = 0;

    /// The listed columns of a panel, in that order, as a new panel.
    virtual panel<T> compact(const panel<T>& from, std::span<const std::int64_t> columns) const = 0;
    /// Copies all of `from` into the upper left of `to`, which is at least as large.
    virtual void copy_block(const panel<T>& from, panel<T>& to) const = 0;
    /// Overwrites column `to_column` of `to` with column `from_column` of `from`.
    virtual void copy_column(const panel<T>& from, std::int64_t from_column, panel<T>& to,
                             std::int64_t to_column) const = 0;

    /// @param limit_bytes what it may take
    virtual std::unique_ptr<descent_memory> make_descent_memory(std::uint64_t limit_bytes) const = 0;

    /// Solves the columns in their order by coordinate descent on the Gram matrix with Newton steps on support and
    /// signs, each from the better of its own column of B and the one before, until its restricted gap is at most the
    /// tolerance. B is overwritten.
    /// @param iterations k: sweeps and Newton steps taken
    /// @param gaps       k: restricted gap reached; +inf where keep_going ended the work before
    virtual void covariance_descent(const covariance_problem<T>& problem, panel<T>& B,
                                    std::span<std::int64_t> iterations, std::span<double> gaps) const = 0;

    /// The same on the stored columns and a residual. With a memory, columns may be solved side by side instead, each
    /// from its own column of B, drawn out along the line of the two latest solutions where it starts at the latest.
    virtual void coordinate_descent(const residual_problem& problem, panel<T>& B, std::span<std::int64_t> iterations,
                                    std::span<double> gaps) const = 0;

    /// For each column c: B_c += a_c D_c, then D_c = z_c r + b_c D_c; r p × 1.
    virtual void krylov_update(const panel<T>& r, std::span<const double> a, std::span<const double> z,
                               std::span<const double> b, panel<T>& D, panel<T>& B) const = 0;

    /// B = V Y: few vectors V (r × s) combined into the k columns of B.
    /// @param Y s × k, row-major, no padding
    virtual void combine(const panel<T>& V, std::span<const double> Y, panel<T>& B) const = 0;
};

/// The CPU backend. @param threads ≥ 1
template <class T>
std::unique_ptr<operations<T>> make_cpu_operations(int threads);

extern template std::unique_ptr<operations<float>> make_cpu_operations<float>(int);
extern template std::unique_ptr<operations<double>> make_cpu_operations<double>(int);

} // namespace proxpath::backend
