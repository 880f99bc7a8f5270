// The design matrix as the solvers see it: stored columns and, beside them, the numbers that centre and scale them.
// Nothing is centred or scaled in memory. With intercept and unit-norm scaling the entry (i, j) acts as
//
//     X̃_ij = (x_ij − shift_j·[entry is stored] − center_j) · inverse_j
//
// shift_j is the mean for a column without implicit zeros (so that a mean far above the deviation costs no digits:
// subtracted entry by entry) and 0 for the others; center_j is what is left of the mean and acts on all rows at once.
#pragma once

#include <proxpath/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Per column of a design, in host memory. Columns with inverse 0 (constant, excluded) act as all zeros.
struct column_scaling {
    std::vector<double> shift;
    std::vector<double> center;
    std::vector<double> inverse;
};

/// Scaling that leaves p columns as they are.
inline column_scaling unscaled(std::size_t p)
{
    const std::vector<double> zero(p, 0.0);
    return {zero, zero, std::vector<double>(p, 1.0)};
}

/// Weighted moments of the columns of X, Σ w_i = 1.
struct column_moments {
    std::vector<double> mean;           ///< Σ w x
    std::vector<double> variance;       ///< Σ w (x − mean)², two passes, never negative
    std::vector<double> mean_square;    ///< Σ w x²
    std::vector<std::uint8_t> full;     ///< 1 when every row of positive weight is stored
    std::vector<std::uint8_t> constant; ///< 1 when x is the same number in every row of positive weight
};

/// Stored columns with their scaling, ready for the operations of one backend.
class design {
public:
    virtual ~design() = default;
    virtual std::int64_t rows() const = 0;
    virtual std::int64_t cols() const = 0;
    virtual std::int64_t nonzeros() const = 0;
    virtual const column_scaling& scaling() const = 0;
    /// Bytes held by this design beyond the matrix it was made from.
    virtual std::uint64_t bytes() const = 0;
    /// False where columns come in parts, for operations on all of them: coordinate descent on the columns is refused.
    virtual bool is_resident() const { return true; }
};

} // namespace proxpath::backend
