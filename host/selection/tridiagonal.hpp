// A symmetric matrix C ≥ 0 as Q T Q' with T tridiagonal: once that is done, the quadratic forms of (C + λI)⁻¹ that
// leverages are, and its trace, take a sweep along T for each λ instead of a factorisation (Eldén 1984).
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <Eigen/Core>

namespace proxpath::selection {

class tridiagonal_form {
public:
    tridiagonal_form() = default; ///< of nothing
    /// @param C         its lower half is read
    /// @param with_axes Q is wanted, too
    tridiagonal_form(Eigen::MatrixXd C, bool with_axes);

    std::int64_t side() const { return diagonal_.size(); }
    /// Q, where it was asked for.
    const Eigen::MatrixXd& axes() const { return axes_; }
    /// The same, to be kept elsewhere.
    Eigen::MatrixXd take_axes() { return std::move(axes_); }
    /// Σ θ/(θ + λ) over the eigenvalues of C: the trace of C (C + λI)⁻¹; λ > 0.
    double shrunk_trace(double lambda) const;
    /// True where the smallest number in C + λI is down among the rounding errors of the largest: fewer than six digits
    /// of what is asked for would be left.
    bool loses(double lambda) const;

    /// T + λI = L D L', for one λ.
    struct factor {
        Eigen::VectorXd ratio;   ///< below the diagonal of L, in its row; ratio[0] = 0
        Eigen::VectorXd inverse; ///< of D
    };
    /// @param lambda one that it does not lose
    factor shifted(double lambda) const;

private:
    Eigen::VectorXd diagonal_, below_, eigenvalues_;
    Eigen::MatrixXd axes_;
};

/// Vectors that a sweep takes together: they fill the processor's vector registers, and wait for one another nowhere.
constexpr std::int64_t swept_together = 64;
/// A vector a column.
using swept_vectors = Eigen::Matrix<double, Eigen::Dynamic, swept_together, Eigen::RowMajor>;

/// out_c = t_c' (T + λI)⁻¹ t_c for the columns t_c. Reads side × swept_together numbers.
void sweep(const tridiagonal_form::factor& shifted, const swept_vectors& t, std::span<double, swept_together> out);

} // namespace proxpath::selection
