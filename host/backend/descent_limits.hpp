// The limits that descents are kept to, sweeps and Newton steps on support and signs, for one column (descent.hpp,
// newton_steps.hpp) and for several side by side (lane_descent.cpp, lane_newton.hpp).
#pragma once

#include <cstdint>

namespace proxpath::backend::descent_limits {

/// Sweeps between two looks at the gap.
constexpr int sweeps_per_look = 3;

/// Newton steps of one run.
constexpr std::int64_t most_at_once = 100;
/// Steps in which coefficients stopped at zero or a bound, after which sweeps look for more of them.
constexpr int most_clipped = 2;
/// Conjugate-gradient steps of a step without the factor: the first is ended after so many, however far it came.
/// Long ones go far along nearly dependent columns, and signs cut them short (debian_counts, lambdas 77 and 78 of
/// 100, 23,000 features: 80 s with 4,000, 36 s with 600, 20 s with 150, 26 s with 60). After one that was not
/// shortened the next may be longer (lambda 93, 25,000 features: 57 s where only whole steps count, 30 s so).
constexpr int first_plain = 150;
constexpr int longest_plain = 1000;
constexpr double limit_growth = 1.5;
constexpr double limit_fall = 0.7;
/// Reduction of the residual in the preconditioned norm, squared, at which conjugate gradients end.
constexpr double enough = 1e-18;
/// Share of the wanted gap that conjugate gradients may leave.
constexpr double share_of_gap = 0.1;
/// Without the factor a step takes the residual down to this share and no further: signs change before it is exact
/// (on debian_counts, 62 lambdas to 16,000 features: 35 s, and 47 s with 0.05).
constexpr double residual_share = 0.1;
/// Steps along nearly dependent columns have to be cut short; less exact ones do not go there.
constexpr double loosening = 4;
constexpr double loosest = 0.5;

} // namespace proxpath::backend::descent_limits
