// Which features the next block of lambdas needs: the sequential strong rule, sharpened by where the correlations are
// going.
#pragma once

#include "host/path/certificate.hpp"
#include "host/path/problem.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace proxpath::path {

/// How wide the margin of the rule below is, learnt from block to block: a missed feature has its lambdas solved again,
/// which took a third of the time on we8there, while features too many cost little.
class screening_margin {
public:
    double width() const { return width_; }
    /// @param missed the block's first pass found violators
    void learn(bool missed)
    {
        width_ = missed ? std::min(widest, width_ * widening) : std::max(1.0, width_ * narrowing);
    }

private:
    static constexpr double widening = 2;
    static constexpr double widest = 4;
    static constexpr double narrowing = 0.9;
    double width_ = 1;
};

/// Tibshirani et al. 2012, doi:10.1111/j.1467-9868.2011.01004.x: feature j is left out at λ when |c_j(λ_now)| is below
/// l1_j (2λ − λ_now), since c_j moves at most as fast as λ where the rule holds. Most move far slower, and between
/// changes of the support in a straight line: where two lambdas are known, j is left out, too, when the line through
/// its correlations stays clear of the threshold. Both can err, so every block ends with a KKT pass.
struct candidate_rule {
    const problem& fit;
    const working_set& set;
    const known_residual& now;
    const known_residual& before; ///< at a larger lambda, if it is known
    double width = 1;             ///< of the margin, see screening_margin

    /// How many of the lambdas to take together: all, halved while their candidates outgrow the working set.
    std::size_t block_length(std::span<const double> lambdas) const;
    /// Features outside the working set that may enter down to `lambda`; the likeliest when there are very many.
    std::vector<std::int64_t> candidates(double lambda) const;

private:
    double expected(std::size_t j, double lambda) const;
    bool may_enter(std::size_t j, double lambda) const;
};

/// The features worth adding at once: all, or those with the largest |c_j| / l1_j when they are far more than the
/// working set has. The others are found again by the next KKT pass.
std::vector<std::int64_t> strongest(const problem& fit, std::vector<std::int64_t> features,
                                    std::span<const double> correlation, const working_set& set);

} // namespace proxpath::path
