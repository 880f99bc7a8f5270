// The smooth part of the restricted problem, f_c(b) = ½ Σ w (ỹ − X̃b)², in the two forms a proximal-gradient method can
// keep it: the Gram matrix C = X̃'WX̃ (an iteration costs p²k), or the design itself (an iteration costs nnz k, twice).
// The image Z of a point is C b or X̃ b; because it is linear, the gradient at an extrapolated point comes from two kept
// images and costs no further product.
#pragma once

#include "host/backend/operations.hpp"

#include <memory>
#include <span>
#include <vector>

namespace proxpath::solver {

template <class T>
class quadratic_form {
public:
    virtual ~quadratic_form() = default;
    virtual std::int64_t features() const = 0;
    virtual std::int64_t image_rows() const = 0;
    /// Z = image of B.
    virtual void image(const backend::panel<T>& B, backend::panel<T>& Z) const = 0;
    /// N = −∇f at the point whose image is Z + θ(Z − Zprev); p × k.
    virtual void negative_gradient(const backend::panel<T>& Z, const backend::panel<T>& Z_previous,
                                   std::span<const double> theta, backend::panel<T>& N) const = 0;
    /// Δ'CΔ for Δ = Bnext − B − θ(B − Bprev), from images.
    virtual void curvature(const backend::panel<T>& B_next, const backend::panel<T>& B,
                           const backend::panel<T>& B_previous, const backend::panel<T>& Z_next,
                           const backend::panel<T>& Z, const backend::panel<T>& Z_previous,
                           std::span<const double> theta, std::span<double> result) const = 0;
    /// Σ w ρ² and Σ w ỹ ρ at B with image Z and N = −∇f(B).
    virtual void loss_terms(const backend::panel<T>& B, const backend::panel<T>& Z, const backend::panel<T>& N,
                            std::span<double> residual_square, std::span<double> response_dot) const = 0;
    /// out = C v for one column v.
    virtual void apply(const backend::panel<T>& v, backend::panel<T>& out) const = 0;
};

/// @param gram p × p, kept by the caller as long as the form lives
/// @param correlation c0 = X̃'wỹ, p
template <class T>
std::unique_ptr<quadratic_form<T>> make_gram_form(const backend::operations<T>& ops, const backend::panel<T>& gram,
                                                  std::span<const double> correlation, double response_square);

/// @param X design, @param y n (ỹ), @param weights n; all kept by the caller as long as the form lives
template <class T>
std::unique_ptr<quadratic_form<T>> make_residual_form(const backend::operations<T>& ops, const backend::design& X,
                                                      std::span<const double> y, std::span<const double> weights);

/// Largest eigenvalue of C, from below by power iteration from a fixed start. Users multiply by a margin and check each
/// step against it.
template <class T>
double largest_eigenvalue(const backend::operations<T>& ops, const quadratic_form<T>& form);

} // namespace proxpath::solver
