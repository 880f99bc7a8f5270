// What a fit says of the rows it has not seen: predictions of some rows for all lambdas, and their losses.
#pragma once

#include <proxpath/cv.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::selection {

/// The rows of one fold.
struct held_out_rows {
    std::vector<std::int64_t> rows;                         ///< ascending
    std::vector<std::uint32_t> slot;                        ///< n: place in `rows`, or `elsewhere`
    static constexpr std::uint32_t elsewhere = 0xFFFFFFFFU; // no row has it: a matrix has at most 2³² − 1 rows
};

held_out_rows rows_of_fold(std::span<const std::int64_t> fold_of, std::int64_t fold);

/// b0_k + x_i·b_k of the rows of a fold, |rows| × K row-major. Reads only the columns of features that are used; sums
/// features in ascending order. One thread: folds are side by side.
std::vector<double> predict_rows(const matrix& X, const held_out_rows& held, const sparse_columns& coefficients,
                                 std::span<const double> intercepts);

/// Weighted sums over held-out rows.
struct loss_sums {
    double weight = 0;
    double null_square = 0;       ///< Σ w (y − null prediction)²
    std::vector<double> absolute; ///< K: Σ w |y − ŷ|; only for mae
    std::vector<double> square;   ///< K: Σ w (y − ŷ)²; else
};

/// @param weights    n
/// @param offset     n or empty; already part of `predicted`
/// @param null_value the null prediction without the offset
loss_sums sum_losses(cv_loss loss, const held_out_rows& held, std::span<const double> predicted, std::size_t lambdas,
                     std::span<const double> y, std::span<const double> offset, std::span<const double> weights,
                     double null_value);

} // namespace proxpath::selection
