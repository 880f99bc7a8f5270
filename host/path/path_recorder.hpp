// Collects finished columns, in any order, into the result: coefficients on the original scale, intercept, certificate.
#pragma once

#include "host/path/certificate.hpp"
#include "host/path/null_model.hpp"
#include "host/path/problem.hpp"

#include <proxpath/result.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace proxpath::path {

/// A column that is done.
struct finished_column {
    std::size_t index = 0; ///< in the path
    std::size_t place = 0; ///< in the panel it was solved in
    double lambda = 0;
    const column_certificate* certificate = nullptr;
    std::int64_t iterations = 0;
    std::int64_t passes = 0;
    bool converged = false;
};

class path_recorder {
public:
    path_recorder(const problem& fit, double null_loss, std::size_t lambdas);

    /// Columns of `solved` (|W| × k, row-major, solver's scale). What is stored already stays as it is.
    void store(std::span<const finished_column> finished, std::span<const std::int64_t> features,
               std::span<const double> solved, std::size_t k);
    /// Columns never stored become the null model, marked interrupted.
    void fill_interrupted(std::span<const double> lambdas, const null_model& null);
    /// Leaves the first `lambdas` alone.
    void truncate(std::size_t lambdas);
    void move_into(path_result& result);

    /// True of a stored column.
    bool known(std::size_t index) const { return known_[index] != 0; }
    /// Features that are not 0 in a stored column, ascending, each with its coefficient.
    std::span<const std::pair<std::int64_t, double>> column(std::size_t index) const { return columns_[index]; }

    std::int64_t stored() const { return stored_; }
    double largest_rel_gap() const { return largest_rel_gap_; }

private:
    using entry = std::pair<std::int64_t, double>;
    void collect(std::span<const finished_column> columns, std::span<const std::int64_t> features,
                 std::span<const double> solved, std::size_t k);
    double intercept(const std::vector<entry>& coefficients) const;
    double null_kkt(const null_model& null, double lambda) const;

    const problem& fit_;
    double null_loss_;
    std::vector<path_point> points_;
    std::vector<std::vector<entry>> columns_;
    std::vector<std::uint8_t> known_;
    std::int64_t stored_ = 0;
    double largest_rel_gap_ = 0;
};

} // namespace proxpath::path
