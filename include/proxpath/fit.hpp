// The main call: fit a regularisation path, each solution with its proof.
#pragma once

#include <proxpath/device_matrix_view.hpp>
#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <span>

namespace proxpath {

/// Fits the elastic-net path. For each lambda, minimises over (b0, b)
///
///     P(b0, b) = 1/2 Σ_i w_i (y_i − o_i − b0 − x_i·b)² + λ Σ_j v_j [ α |b_j| + (1 − α)/2 b_j² ],   l_j ≤ b_j ≤ u_j,
///
/// w normalised to sum 1. With `standardize`, b is penalised (and bounded) on the scale of columns divided by their
/// weighted standard deviation (divisor Σw = 1) and returned on the original scale; bounds are given on the original
/// scale. This is glmnet's objective without glmnet's scaling of y (docs/scales.md).
///
/// A column is `converged` when a duality gap, computed in double from all of X at the returned point, is at most
/// tol · P(0). Other columns are returned and marked; that is a status, not an exception.
///
/// The same input gives the same bits for any number of threads.
///
/// @param X n × p
/// @param y n finite responses, in their own unit; never rescaled
/// @return one column per lambda, in order
/// @throws invalid_input naming argument, position (0-based) and value
/// @throws out_of_memory when the smallest working blocks do not fit options.memory_limit, or the system or the device
///         refuses memory
/// @throws system_error where the device that was asked for cannot be used, or fails
/// @see Tibshirani et al. 2012, doi:10.1111/j.1467-9868.2011.01004.x (strong rules);
///      Parikh & Boyd 2014, doi:10.1561/2400000003 (proximal operators); docs/certificate.md (the gap)
PROXPATH_API path_result fit_path(const matrix& X, std::span<const double> y, const path_options& options = {});

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API path_result fit_path(const matrix_view& X, std::span<const double> y, const path_options& options = {});

/// The same on a matrix that lies in a device's memory, on that device (options.device is "auto" or names it): its
/// entries are read where they are, on the caller's stream (docs/devices.md). They must stay as they are until the call
/// returns.
/// @throws invalid_input also where entries of a column or row do not ascend, or the two orders are not one matrix
PROXPATH_API path_result fit_path(const device_matrix_view& X, std::span<const double> y,
                                  const path_options& options = {});

/// Predicts the memory of a fit without fitting. Reads only the shape and the options.
/// @throws invalid_input, out_of_memory as fit_path
PROXPATH_API memory_plan plan_memory(const matrix& X, const path_options& options = {});

} // namespace proxpath
