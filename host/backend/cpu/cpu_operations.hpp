// The CPU backend: declares the operations of the contract; each is defined in the file of its name.
#pragma once

#include "host/backend/operations.hpp"

#include <limits>

namespace proxpath::backend {

/// Rows of a panel that one piece of work takes. Fixed: partial sums are combined in the order of the pieces.
constexpr std::int64_t rows_per_piece = 2048;

template <class T>
class cpu_operations final : public operations<T> {
public:
    explicit cpu_operations(int threads) : threads_(threads) {}

    std::uint64_t memory_beside(const matrix&) const override { return std::numeric_limits<std::uint64_t>::max(); }
    panel<T> allocate(std::int64_t rows, std::int64_t cols) const override;
    void upload(std::span<const T> host, panel<T>& to) const override;
    void download(const panel<T>& from, std::span<T> host) const override;
    std::shared_ptr<const design> make_design(const matrix& X, column_scaling scaling) const override;
    std::shared_ptr<const design> gather_columns(const design& X, std::span<const std::int64_t> columns,
                                                 const design* before) const override;
    column_moments moments(const matrix& X, std::span<const double> row_weights) const override;
    void transpose_multiply(const design& X, const panel<T>& R, panel<T>& C) const override;
    void multiply(const design& X, const panel<T>& B, panel<T>& V) const override;
    void residual(const design& X, const panel<T>& B, const panel<T>& y, panel<T>& V) const override;
    void residual_correlations(const design& X, const panel<T>& B, const panel<T>& y, const panel<T>& z,
                               std::span<const double> weights, panel<T>& U, std::span<double> square,
                               std::span<double> product) const override;
    correlation_result correlation_pass(const correlation_request<T>& request, std::span<double> saved) const override;
    void gram(const design& X, std::span<const double> row_weights, std::int64_t first_new, panel<T>& C) const override;
    double gram_with_response(const design& X, std::span<const double> row_weights, std::span<const double> y,
                              panel<T>& C, std::span<double> correlation) const override;
    std::int64_t gram_additions(const design& X) const override;
    void symmetric_multiply(const panel<T>& C, const panel<T>& B, panel<T>& Z) const override;
    void extrapolated_residual(const panel<T>& base, const panel<T>& Z, const panel<T>& Z_previous,
                               std::span<const double> theta, std::span<const double> row_factor,
                               panel<T>& out) const override;
    void prox_step(const panel<T>& B, const panel<T>& B_previous, const panel<T>& N, const penalty_view& penalty,
                   std::span<const double> lambda, std::span<const double> theta, std::span<const double> step,
                   panel<T>& out, std::span<double> step_square, std::span<double> restart_dot) const override;
    void extrapolation_dots(const panel<T>& X_next, const panel<T>& X, const panel<T>& X_previous,
                            const panel<T>& Y_next, const panel<T>& Y, const panel<T>& Y_previous,
                            std::span<const double> theta, std::span<const double> row_factor,
                            std::span<double> result) const override;
    void column_dots(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                     std::span<double> result) const override;
    void projections(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor, std::span<double> square,
                     std::span<double> product) const override;
    void chord_distances(const panel<T>& X, const panel<T>& from, const panel<T>& to, std::span<const double> theta,
                         std::span<const double> row_factor, std::span<double> distance) const override;
    void scale_rows(std::span<const double> row_factor, panel<T>& X) const override;
    void residual_dots(const panel<T>& y, const panel<T>& V, std::span<const double> row_factor,
                       std::span<double> square, std::span<double> dot) const override;
    void penalty_sums(const panel<T>& U, const panel<T>& B, const penalty_view& penalty, std::span<const double> lambda,
                      std::span<gap_sums> sums) const override;
    panel<T> compact(const panel<T>& from, std::span<const std::int64_t> columns) const override;
    void copy_block(const panel<T>& from, panel<T>& to) const override;
    void copy_column(const panel<T>& from, std::int64_t from_column, panel<T>& to,
                     std::int64_t to_column) const override;
    std::unique_ptr<descent_memory> make_descent_memory(std::uint64_t limit_bytes) const override;
    void covariance_descent(const covariance_problem<T>& problem, panel<T>& B, std::span<std::int64_t> iterations,
                            std::span<double> gaps) const override;
    void coordinate_descent(const residual_problem& problem, panel<T>& B, std::span<std::int64_t> iterations,
                            std::span<double> gaps) const override;
    void krylov_update(const panel<T>& r, std::span<const double> a, std::span<const double> z,
                       std::span<const double> b, panel<T>& D, panel<T>& B) const override;
    void combine(const panel<T>& V, std::span<const double> Y, panel<T>& B) const override;

private:
    int threads_;
};

} // namespace proxpath::backend
