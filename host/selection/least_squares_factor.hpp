// The Cholesky factor behind relaxed fits (relax.cpp): it follows a support from lambda to lambda, features appended in
// blocks and taken out by rotations, so that a whole path costs little more than its largest support. Unlike the factor
// of Newton steps (backend/cpu/support_factor.hpp) it is exact: no ridge, and features that others explain stay out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::selection {

class least_squares_factor {
public:
    /// @param gram X̃'WX̃ of columns of unit norm; must stay
    explicit least_squares_factor(const Eigen::MatrixXd& gram);

    /// Makes it the factor of these columns (distinct), as far as they are independent.
    void move_to(std::span<const std::int64_t> support);

    std::int64_t size() const { return static_cast<std::int64_t>(features_.size()); }
    /// Of the support's columns, those in the factor.
    std::span<const std::int64_t> features() const { return features_; }

    /// x = C_SS⁻¹ r on the columns in the factor, 0 elsewhere; both of the length of C.
    /// @return ½ r_S'C_SS⁻¹ r_S
    double solve(const Eigen::Ref<const Eigen::VectorXd>& r, Eigen::Ref<Eigen::VectorXd> x) const;
    /// What the columns that were left out could add to that: of each ½ q²/d, q what is left of its r after x, and d
    /// its squared distance from the others. Infinite where q is more than rounding and d is not.
    /// @param rounding of r
    double left_out(const Eigen::Ref<const Eigen::VectorXd>& r, const Eigen::Ref<const Eigen::VectorXd>& x,
                    double rounding) const;

private:
    /// Below this the squared distance of a column of norm 1 from the others is mostly rounding of C.
    static constexpr double smallest_pivot = 1e-12;
    /// And below this it is nothing else.
    static constexpr double rounding_of_pivots = 1e-13;

    /// A column that is left out, since the others are so near.
    struct left_out_column {
        std::int64_t feature = 0;
        double pivot = 0;
    };

    void remove(std::int64_t place);
    void append(std::span<const std::int64_t> features);
    void append_block(std::span<const std::int64_t> features);

    const Eigen::MatrixXd& gram_;
    Eigen::MatrixXd L_; // lower triangle of its upper left corner; larger than that
    std::vector<std::int64_t> features_;
    std::vector<left_out_column> left_out_; // of the support
};

} // namespace proxpath::selection
