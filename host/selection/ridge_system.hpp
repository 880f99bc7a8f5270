// X as the L2 part of a penalty sees it: what degrees of freedom and leverages of a fit are computed from. With √W on
// the rows that count, Z the penalised columns, centred and divided by the root of their L2 factor, and P the
// projection onto what intercept and unpenalised features leave, the fit has the hat matrix H with
//
//     √W (I − H) √W⁻¹ = P − PZ (Z'PZ + λI)⁻¹ Z'P = λ P (K + λI)⁻¹ P,      K = PZZ'P
//
// and the smaller of the two matrices in brackets is the one to work with. Everything here is on the CPU.
#pragma once

#include "host/path/problem.hpp"

#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::selection {

/// Sides of the matrix to work with up to which its reduction takes minutes.
constexpr std::int64_t largest_side = 10000;

/// Bytes for work that the options allow beside X.
std::uint64_t work_limit(const path_options& options);

/// √W X_s diag(1/(d √l2)) of some features, row by row: Z without what the projection P takes out anyway, the part of
/// the means that would make every row full (backend::column_scaling::center).
struct scaled_rows {
    std::vector<std::int64_t> offsets;  ///< a row each and one more
    std::vector<std::int64_t> features; ///< places in the list that was asked for, ascending in a row
    std::vector<double> values;

    /// Its transpose, a feature a row, as a matrix that borrows these lists.
    matrix transposed(std::int64_t features_asked, int threads) const;
};

class ridge_system {
public:
    /// One pass over X for the moments.
    /// @param l2_divisor of the path, see lambda_convention
    /// @throws invalid_input for a feature with penalty factor 0 and bounds; out_of_memory
    ridge_system(const matrix& X, const path_options& options, double l2_divisor);

    int threads() const { return threads_; }
    const backend::operations<double>& operations() const { return *ops_; }
    const path::problem& problem() const { return fit_; }
    /// Rows of positive weight, ascending: they are counted from 0 below.
    std::span<const std::int64_t> rows() const { return rows_; }
    /// Features with an L2 penalty and variation, ascending.
    std::span<const std::int64_t> penalised() const { return penalised_; }
    /// Orthonormal basis, rows() × its number of columns, of what P takes out: √w of the intercept, then the
    /// unpenalised features.
    const Eigen::MatrixXd& basis() const { return basis_; }
    /// Dimension of what the unpenalised features add to the intercept: their degrees of freedom.
    std::int64_t unpenalised_rank() const { return basis_.cols() - (fit_.intercept ? 1 : 0); }

    scaled_rows rows_of(std::span<const std::int64_t> features) const;
    /// K of these features, rows() on a side. Both halves are the same but for rounding.
    Eigen::MatrixXd kernel(std::span<const std::int64_t> features) const;
    /// Z'PZ of these features; the lower half is what counts.
    Eigen::MatrixXd gram(std::span<const std::int64_t> features) const;

private:
    int threads_;
    std::unique_ptr<backend::operations<double>> ops_;
    path::problem fit_;
    std::vector<std::int64_t> rows_, penalised_;
    Eigen::MatrixXd basis_;
};

} // namespace proxpath::selection
