// The proof: one pass over the whole X for a block of columns, in double, at the point that is returned.
#pragma once

#include "host/path/null_model.hpp"
#include "host/path/problem.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::path {

/// The working set: features in the order they came, and where each is.
struct working_set {
    std::vector<std::int64_t> features;
    std::vector<std::int64_t> position;    ///< p: place in `features`, or −1
    std::shared_ptr<const design> columns; ///< gathered, in that order
    backend::penalty_view penalty() const { return {l1, l2, lower, upper, kkt_scale}; }
    std::vector<double> l1, l2, lower, upper, kkt_scale; ///< penalties in that order

    std::int64_t size() const { return static_cast<std::int64_t>(features.size()); }
};

/// What is known of one column after its pass.
struct column_certificate {
    backend::gap_value value;
    double residual_square = 0; ///< Σ w ρ²
    double kkt = 0;
    std::vector<std::int64_t> violators; ///< features outside the working set that break KKT, ascending
};

/// Certifies the columns of B (|W| × k). Where there are unpenalised features, their coefficients in B are first moved
/// to the least-squares fit of what is left, which the dual point needs and which can only improve the objective.
/// @param null_residual n, ρ of the null model
/// @param save_column   column whose |x̃_j'wρ − λ l2_j b_j| is wanted for the next strong rule, or −1
/// @param saved         p numbers, written when save_column ≥ 0
std::vector<column_certificate> certify(const operations<double>& ops, const problem& fit,
                                        const unpenalised_space& unpenalised, std::span<const double> null_residual,
                                        const working_set& set, panel<double>& B, std::span<const double> lambda,
                                        std::int64_t save_column, std::span<double> saved);

} // namespace proxpath::path
