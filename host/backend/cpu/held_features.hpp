// Features of a kept factor (support_factor.hpp) that are no longer in the support. Taking their rows out of the factor
// would cost more than they are worth, so they stay and a solve holds them at zero: with E their unit vectors, the
// inverse of the matrix without them is (LL')⁻¹ − (LL')⁻¹E (E'(LL')⁻¹E)⁻¹ E'(LL')⁻¹. What a change of the held features
// or a growth of the factor leaves valid is kept; the rest is a few columns.
#pragma once

#include "host/backend/cpu/support_factor.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

class held_features {
public:
    /// Share of a factor's features that may be held: beyond, the factor is better built anew.
    static constexpr double largest_share = 0.125;

    std::int64_t size() const { return static_cast<std::int64_t>(features_.size()); }

    void clear();
    /// Holds exactly `features`, all in the factor, of which only new rows have been added since the last call.
    /// @return false when the features are dependent to rounding: the factor has to be built anew
    bool hold(const support_factor& factor, std::span<const std::int64_t> features, int threads);
    /// Between the two halves of a solve, x = L⁻¹r: afterwards L⁻ᵀx is zero at the held features.
    void correct(Eigen::MatrixXd& x, int threads) const;

private:
    void keep_only(const std::vector<std::int64_t>& columns);
    void extend_rows(const support_factor& factor, int threads);
    void append_columns(const support_factor& factor, std::vector<std::int64_t> features, int threads);

    std::vector<std::int64_t> features_;
    Eigen::MatrixXd forward_;      // L⁻¹E, a column for each feature
    Eigen::MatrixXd inner_;        // E'(LL')⁻¹E
    Eigen::MatrixXd inner_factor_; // its Cholesky factor, below the diagonal
};

} // namespace proxpath::backend
