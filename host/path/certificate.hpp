// The proof, in double, at the point that is returned: one pass over the whole X for a block of columns, or the
// products of all columns where a narrow fit has them.
#pragma once

#include "host/path/null_model.hpp"
#include "host/path/problem.hpp"

#include <cstdint>
#include <optional>
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

/// From the sums over features and over rows; arguments as of backend::duality_gap.
column_certificate certificate_of(const backend::gap_sums& sums, double residual_square, double response_dot,
                                  double lambda);

/// Share of the tolerance that rounding in the products behind a certificate may take.
constexpr double share_of_rounding = 0.05;

/// A residual whose correlations with all features are known.
struct known_residual {
    double lambda = 0;               ///< 0: nothing is known yet
    panel<double> residual;          ///< n × 1, ρ
    std::vector<double> correlation; ///< p, x̃_j'wρ; 0 where the fit skips j
};

/// Products of the columns of a working set with each other and with the response, and how exact they are.
struct working_products {
    const panel<double>* gram = nullptr; ///< C = X̃'WX̃
    std::span<const double> correlation; ///< c0 = X̃'wỹ
    double response_square = 0;          ///< Σ w ỹ²
    std::int64_t additions = 0;          ///< that a term of these sums went through at most
};

/// Two of them near the columns to be certified, which spare the pass most of its work.
struct known_ends {
    const known_residual& from;
    known_residual& to; ///< overwritten by that of save_column when there is one
    std::int64_t save_column = -1;
};

class certifier {
public:
    /// @param null_residual n, ρ of the null model; must stay
    certifier(const operations<double>& ops, const problem& fit, const unpenalised_space& unpenalised,
              std::span<const double> null_residual);

    /// Certifies the columns of B (|W| × k). Where there are unpenalised features, their coefficients in B are first
    /// moved to the least-squares fit of what is left, which the dual point needs and which can only improve the
    /// objective.
    /// @param ends what is known before and wanted afterwards; null: nothing
    std::vector<column_certificate> certify(const working_set& set, panel<double>& B, std::span<const double> lambda,
                                            known_ends* ends);

    /// The same from the products of the working set, without a look at X, for the columns where that can be done: the
    /// set holds all features that take part, each with an L1 penalty and without bounds, and what rounding may hide in
    /// the products is a small part of the tolerance.
    std::vector<std::optional<column_certificate>> certify_from_products(const working_set& set, const panel<double>& B,
                                                                         std::span<const double> lambda,
                                                                         const working_products& products,
                                                                         double tolerance);

    /// Stored entries of X that the last certificate looked at.
    std::int64_t entries_read() const { return entries_read_; }

private:
    /// Lower bounds on the objective that hold whatever rounding hides in the products.
    std::vector<double> safe_duals(const working_set& set, const panel<double>& B, const panel<double>& U,
                                   std::span<const double> lambda, const working_products& products,
                                   std::span<const backend::gap_sums> sums, std::span<const double> square,
                                   std::span<const double> dot) const;
    /// Whether all features that take part are in the working set, and few enough to keep all their correlations.
    bool takes_narrow_pass(const working_set& set) const;
    std::vector<column_certificate> certify_narrow(const working_set& set, const panel<double>& B,
                                                   std::span<const double> lambda);
    void add_changes(const working_set& set, const std::vector<double>& changes, panel<double>& B) const;
    /// Sums over the rows: Σ w ρ², Σ w ỹ ρ, and what bounds the correlations.
    struct row_sums {
        std::vector<double> square, dot;          // k
        std::vector<double> theta, radius, scale; // k
    };
    row_sums sum_rows(std::size_t k, known_ends* ends);
    void upload_vectors();

    const operations<double>& ops_;
    const problem& fit_;
    const unpenalised_space& unpenalised_;
    std::int64_t entries_read_ = 0;
    std::span<const double> null_residual_host_;
    // Made when X is read for the first time.
    panel<double> null_residual_; // n × 1
    panel<double> response_;      // n × 1
    panel<double> vectors_;       // n × 3: the residuals of the null model and of the two ends
    panel<double> residual_;      // n × k of the last call: allocating it anew costs as much as a product
    std::int64_t taking_part_;    // features that the fit does not skip
};

} // namespace proxpath::path
