// See tridiagonal.hpp.

#include "host/selection/tridiagonal.hpp"

#include <algorithm>
#include <limits>

#include <Eigen/Eigenvalues>

namespace proxpath::selection {

tridiagonal_form::tridiagonal_form(Eigen::MatrixXd C, bool with_axes)
{
    if (C.rows() == 0) return;
    const Eigen::Tridiagonalization<Eigen::MatrixXd> reduced(C);
    C.resize(0, 0); // as large as what `reduced` holds and as Q: two of the three at a time
    diagonal_ = reduced.diagonal();
    below_ = reduced.subDiagonal();
    if (with_axes) axes_ = reduced.matrixQ();
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(diagonal_, below_, Eigen::EigenvaluesOnly);
    eigenvalues_ = solver.eigenvalues().cwiseMax(0.0); // below it they are rounding
}

double tridiagonal_form::shrunk_trace(double lambda) const
{
    return (eigenvalues_.array() / (eigenvalues_.array() + lambda)).sum();
}

bool tridiagonal_form::loses(double lambda) const
{
    if (side() == 0) return false;
    constexpr double six_digits = std::numeric_limits<double>::epsilon() * 0x1p20;
    return !(eigenvalues_.minCoeff() + lambda > six_digits * eigenvalues_.maxCoeff());
}

tridiagonal_form::factor tridiagonal_form::shifted(double lambda) const
{
    factor out{Eigen::VectorXd::Zero(side()), Eigen::VectorXd(side())};
    for (std::int64_t k = 0; k < side(); ++k) {
        double pivot = diagonal_[k] + lambda;
        if (k > 0) {
            out.ratio[k] = below_[k - 1] * out.inverse[k - 1];
            pivot -= below_[k - 1] * out.ratio[k];
        }
        out.inverse[k] = 1 / pivot;
    }
    return out;
}

void sweep(const tridiagonal_form::factor& shifted, const swept_vectors& t, std::span<double, swept_together> out)
{
    double y[swept_together] = {}; // L y = t
    std::fill(out.begin(), out.end(), 0.0);
    double* const sums = out.data();
    for (std::int64_t k = 0; k < t.rows(); ++k) {
        const double* const row = t.data() + k * swept_together;
        const double ratio = shifted.ratio[k];
        const double inverse = shifted.inverse[k];
        for (std::int64_t c = 0; c < swept_together; ++c) {
            y[c] = row[c] - ratio * y[c];
            sums[c] += inverse * y[c] * y[c];
        }
    }
}

} // namespace proxpath::selection
