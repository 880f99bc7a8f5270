// What is added to the diagonal of Newton systems on a support: see newton_steps.hpp.
#pragma once

namespace proxpath::backend {

/// Dependent columns make a Gram matrix singular; without the ridge rounding would send their coefficients anywhere
/// along its null space. Features have unit norm, so it is a share of the diagonal.
constexpr double support_ridge = 1e-10;

} // namespace proxpath::backend
