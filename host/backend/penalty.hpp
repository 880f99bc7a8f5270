// The penalty and bounds of a set of features on the scale the solvers work on, and the sums a duality gap needs.
// docs/certificate.md derives the formulas. Kernels compile them too.
#pragma once

#include "kernels/host_device.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace proxpath::backend {

/// No bound. A constant, because device code may use its value but not call the function.
inline constexpr double unbounded = std::numeric_limits<double>::infinity();

/// λ_c (l1_j |b| + l2_j/2 b²) with lower_j ≤ b ≤ upper_j. All spans have one entry per feature and are finite but for
/// the bounds. kkt_scale_j turns a gradient on the solver's scale into one on the user's penalised scale.
struct penalty_view {
    std::span<const double> l1;
    std::span<const double> l2;
    std::span<const double> lower;
    std::span<const double> upper;
    std::span<const double> kkt_scale;
};

/// What the features add to the gap of one column of the batch; sums over features, `s_max` a minimum, `kkt` a
/// maximum. Combined in feature order.
struct gap_sums {
    double l1 = 0;            ///< Σ l1_j |b_j|
    double l2 = 0;            ///< Σ l2_j b_j²
    double support = 0;       ///< Σ over finite sides of sup_b (c b − λ l1 |b|), c = u − λ l2 b
    double conjugate = 0;     ///< Σ h_j*(u_j), the conjugate of the whole penalty; +inf when out of its domain
    double s_max = unbounded; ///< largest dual scaling the formula allows
    double kkt = 0;           ///< largest distance of 0 from the subdifferential
    double unpenalised = 0;   ///< Σ |u_j b_j| + u_j² over unpenalised features: 0 at a certificate, where u_j is 0

    PROXPATH_HOST_DEVICE void add(const gap_sums& other)
    {
        l1 += other.l1;
        l2 += other.l2;
        support += other.support;
        conjugate += other.conjugate;
        s_max = other.s_max < s_max ? other.s_max : s_max;
        kkt = other.kkt > kkt ? other.kkt : kkt;
        unpenalised += other.unpenalised;
    }
};

/// Share of ‖ρ‖ by which rounding may put a correlation with a column of unit norm off: sums of n terms are off by some
/// √n units in the last place, and as much of the norm is left to chance.
constexpr double rounding_of_correlations = 1e-11;

PROXPATH_HOST_DEVICE inline double soft_threshold(double z, double t) { return z > t ? z - t : z < -t ? z + t : 0.0; }

/// argmin_b of ½ q (b − z/q)² + l1 |b| + l2/2 b² within bounds, for q > 0: soft-threshold, then scale, then clip.
PROXPATH_HOST_DEVICE inline double prox(double z, double q, double l1, double l2, double lower, double upper)
{
    const double b = soft_threshold(z, l1) / (q + l2);
    return b < lower ? lower : b > upper ? upper : b;
}

/// Distance of 0 from the subdifferential at b, where u = x̃'wρ.
PROXPATH_HOST_DEVICE inline double kkt_distance(double u, double b, double l1, double l2, double lower, double upper)
{
    const double c = u - l2 * b;
    const double rise = b > 0 || (b == 0 && upper > 0) ? (b >= 0 ? c - l1 : 0) : b < 0 ? c + l1 : 0; // moving up gains
    const double fall = b < 0 || (b == 0 && lower < 0) ? (b <= 0 ? -c - l1 : 0) : b > 0 ? -c + l1 : 0;
    double distance = 0;
    if (b < upper && rise > distance) distance = rise;
    if (b > lower && fall > distance) distance = fall;
    return distance;
}

/// Adds feature j of one column: u = x̃_j'wρ at coefficient b, with a1 = λ l1_j and a2 = λ l2_j.
/// Unpenalised features without bounds (l1 = l2 = 0) add nothing to the gap: their u is zero by projection, see the
/// certificate. Solvers, which do not project, count what is left of it.
/// Of a correlation that is not a number nothing is known: then 0 is the only dual point.
PROXPATH_HOST_DEVICE inline void add_gap_terms(gap_sums& sums, double u, double b, double l1, double l2, double lambda,
                                               double lower, double upper, double kkt_scale)
{
    if (std::isnan(u)) {
        sums.conjugate = sums.kkt = unbounded;
        sums.s_max = 0;
        return;
    }
    const double a1 = lambda * l1;
    const double a2 = lambda * l2;
    const double distance = kkt_distance(u, b, a1, a2, lower, upper) * kkt_scale;
    if (distance > sums.kkt) sums.kkt = distance;
    const bool bounded_above = upper < unbounded;
    const bool bounded_below = lower > -unbounded;
    // Not λ l1 and λ l2, which may underflow.
    if (l1 == 0 && l2 == 0 && !bounded_above && !bounded_below) {
        sums.unpenalised += std::fabs(u * b) + u * u;
        return;
    }
    if (b != 0) {
        sums.l1 += l1 * std::fabs(b);
        sums.l2 += l2 * b * b;
    }

    // How far the dual point may be scaled. A side that its bound closes sets no limit. An open side, or a bounded one
    // that does not pull yet, limits to where it would begin to; a bounded one that pulls takes support(s), which is
    // convex and zero at 0, so s · support(1) is an upper bound up to s = 1 and no further.
    const double c = u - a2 * b;
    const double magnitude = std::fabs(c);
    const double room = c > 0 ? upper : -lower;
    if (room > 0 && magnitude > a1 && std::isfinite(room)) {
        sums.support += room * (magnitude - a1);
        if (sums.s_max > 1) sums.s_max = 1;
    } else if (room > 0 && magnitude * sums.s_max > a1) {
        sums.s_max = a1 / magnitude;
    }

    if (std::fabs(u) > a1) {
        // h*(u) = sup_b u b − a1 |b| − a2/2 b²: attained at the thresholded, scaled, clipped point.
        const double bound = u > 0 ? upper : lower;
        double at = a2 > 0 ? soft_threshold(u, a1) / a2 : u > 0 ? unbounded : -unbounded;
        if (std::fabs(at) > std::fabs(bound)) at = bound;
        if (std::isinf(at))
            sums.conjugate = unbounded;
        else
            sums.conjugate += u * at - a1 * std::fabs(at) - a2 / 2 * at * at;
    }
}

/// Whether a feature outside the working set breaks KKT: its coefficient, 0, would move. @param threshold λ l1
PROXPATH_HOST_DEVICE inline bool leaves_zero(double u, double threshold, double lower, double upper)
{
    return (u > threshold && upper > 0) || (-u > threshold && lower < 0);
}

/// Primal, best dual and gap of one column.
struct gap_value {
    double primal = 0;
    double dual = 0;
    double gap = 0;
};

/// The scaling of the residual that is the best dual point of that kind; 0 where there is none.
/// @param residual_square Σ w ρ²
/// @param response_dot    Σ w ỹ ρ (over what is left of ỹ after the unpenalised part)
inline double dual_scaling(const gap_sums& sums, double residual_square, double response_dot, double lambda)
{
    const double q = residual_square + lambda * sums.l2;
    const double slope = response_dot - sums.support;
    if (!(slope > 0)) return 0;
    double s = q > 0 ? slope / q : sums.s_max;
    if (s > sums.s_max) s = sums.s_max;
    return std::isfinite(s) ? s : 0;
}

/// Of the better of the two dual points; arguments as above.
inline gap_value duality_gap(const gap_sums& sums, double residual_square, double response_dot, double lambda)
{
    gap_value value;
    value.primal = 0.5 * residual_square + lambda * (sums.l1 + 0.5 * sums.l2);
    const double q = residual_square + lambda * sums.l2;
    const double slope = response_dot - sums.support;
    const double s = dual_scaling(sums, residual_square, response_dot, lambda);
    const double scaled = s > 0 ? s * slope - 0.5 * s * s * q : 0;
    const double conjugate = response_dot - 0.5 * residual_square - sums.conjugate;
    value.dual = scaled;
    if (std::isfinite(conjugate) && conjugate > value.dual) value.dual = conjugate;
    // Rounding can lift the dual a little above the primal where both agree to all digits. More than that is a
    // contradiction and must not look like a proof; nor must NaN.
    value.gap = std::fabs(value.primal - value.dual);
    return value;
}

} // namespace proxpath::backend
