// A second opinion: the objective, its dual, the gap, the KKT residual and the solution itself, from a dense X by plain
// loops in long double, written from the formulas of the problem (not on unit-norm columns, no screening, no shared
// code). What the library claims about a solution is checked against this.
#pragma once

#include "tests/support/problems.hpp"

#include <proxpath/options.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::test {

struct reference_certificate {
    double primal = 0;
    double dual = 0;
    double gap = 0;
    double kkt = 0;
    double residual_square = 0; ///< Σ w ρ²
};

struct reference_solution {
    double intercept = 0;
    std::vector<double> b;
    double primal = 0;
    double gap = 0; ///< proof of how close to the optimum `primal` is
};

class dense_reference {
public:
    dense_reference(const dense_matrix& X, std::span<const double> y, const path_options& options);

    /// Loss of intercept and unpenalised features alone.
    double null_loss() const { return static_cast<double>(null_loss_); }
    /// Losses below this are rounding: the last place of y, squared.
    double rounding() const { return static_cast<double>(rounding_); }
    /// How far a primal, dual or gap computed in double may be off: sums of n + p terms, and where λ is small against
    /// the units of the columns, the scaling λ l1 / |x̃'wρ| of the dual point, whose denominator carries the rounding of
    /// a sum of n terms as large as the residual.
    double certificate_rounding(double lambda) const;
    /// With alpha replaced by at least 1e-3.
    double lambda_max() const;
    /// False for features whose coefficient must be 0: excluded, or without variation.
    bool takes_part(std::int64_t j) const { return skip_[static_cast<std::size_t>(j)] == 0; }
    bool constant(std::int64_t j) const { return constant_[static_cast<std::size_t>(j)] != 0; }
    /// Largest correlation, on the scale of `kkt`, of a feature with a residual of norm 1: what `kkt` is small against.
    double kkt_scale() const;
    double deviation(std::int64_t j) const { return static_cast<double>(deviation_[static_cast<std::size_t>(j)]); }

    /// All numbers at (intercept, b), original scale. The dual point is the residual made orthogonal to intercept and
    /// unpenalised features, scaled; see docs/certificate.md.
    reference_certificate certify(double lambda, double intercept, const std::vector<double>& b) const;
    /// ½ Σ w ρ² + penalty, in long double: differences of two of them are meaningful to 1e-18 of the null loss.
    long double objective(double lambda, double intercept, const std::vector<double>& b) const;

    /// √ Σ w (f_a − f_b)² of the fitted values of two points.
    double distance(double intercept_a, const std::vector<double>& a, double intercept_b,
                    const std::vector<double>& b) const;

    /// Coordinate descent from `start` (or 0) until the gap is at most `accuracy` of the null loss or `sweeps` are
    /// done.
    reference_solution solve(double lambda, const std::vector<double>& start = {}, double accuracy = 1e-13,
                             int sweeps = 20000) const;

private:
    using real = long double;
    using reals = std::vector<long double>;

    reals residual(double intercept, const std::vector<double>& b) const;
    /// Takes out of a vector of rows what intercept and unpenalised features can explain.
    void project(reals& rows) const;
    real correlation(std::size_t j, const reals& rows) const; ///< Σ w (x_j − m_j) rows
    real penalty(double lambda, const std::vector<double>& b) const;
    double intercept_of(const std::vector<double>& b) const;

    std::size_t n_ = 0;
    std::size_t p_ = 0;
    bool intercept_ = true;
    double alpha_ = 1;
    std::vector<real> weights_;
    reals response_; ///< y − offset
    real mean_response_ = 0;
    std::vector<reals> raw_;     ///< columns of X
    std::vector<reals> centred_; ///< columns of X less their means (with an intercept)
    reals mean_;
    reals deviation_; ///< weighted, about the mean
    reals scale_;     ///< what a coefficient is multiplied by before it is penalised: deviation, or 1
    reals factor_;
    std::vector<double> lower_, upper_;
    std::vector<std::uint8_t> skip_, constant_;
    std::vector<reals> basis_; ///< orthonormal (weighted) basis of the unpenalised features
    real null_loss_ = 0;
    real rounding_ = 0;
};

} // namespace proxpath::test
