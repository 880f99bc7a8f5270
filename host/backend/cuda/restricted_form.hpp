// A restricted problem in device memory, as batched_descent.hpp works on it: what all columns of the batch need of the
// data, from the Gram matrix or from the columns of the working set. Panels are p × k, of double whatever the backend's
// type is.
#pragma once

#include "host/backend/cuda/device_session.hpp"
#include "host/backend/operations.hpp"
#include "host/backend/panel.hpp"

#include "kernels/descent_launchers.hpp"

#include <memory>
#include <span>

namespace proxpath::backend {

class restricted_form {
public:
    virtual ~restricted_form() = default;
    /// p numbers in device memory, x̃_j'Wx̃_j; 0 for features without variation.
    virtual const double* curvature() const = 0;

    /// U = X̃'w(y − X̃B); square_c = Σ w ρ², dot_c = Σ w y ρ. Waits for these.
    virtual void gradient(const panel<double>& B, panel<double>& U, std::span<double> square,
                          std::span<double> dot) = 0;
    /// H = X̃'wX̃ D
    virtual void product(const panel<double>& D, panel<double>& H) = 0;
    /// Sweeps of coordinate descent at the point of the last gradient, which U is from.
    virtual void sweep(const kernels::restricted_view& problem, int sweeps, const int* open, const panel<double>& U,
                       panel<double>& B) = 0;
    /// Products that take as long as the sweeps of a look and its gradient.
    virtual double look_products() const = 0;
};

/// Works on problem.gram; what it borrows outlives it.
template <class T>
std::unique_ptr<restricted_form> make_device_gram_form(device_session& session, const covariance_problem<T>& problem);

/// Works on problem.X, a device_design.
std::unique_ptr<restricted_form> make_device_residual_form(device_session& session, const residual_problem& problem);

/// A p × k panel of zeros that lives no longer than the session.
panel<double> passing_panel(device_session& session, std::int64_t rows, std::int64_t cols);

} // namespace proxpath::backend
