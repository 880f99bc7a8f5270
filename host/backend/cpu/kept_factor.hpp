// The factor of Newton steps together with what has become of the support since it was made: it answers "C_SS⁻¹ r" for
// the support S of the day. Features that left are held at zero by the inverse's own entries (a Schur complement,
// held_features.hpp), new ones are appended; what is out of date (another λ in the diagonal) or found no room makes the
// answer an approximation, good enough to precondition conjugate gradients with (newton_steps.hpp).
#pragma once

#include "host/backend/cpu/held_features.hpp"
#include "host/backend/cpu/support_factor.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

class kept_factor {
public:
    /// @param limit_bytes of the factor and of the features it holds together
    explicit kept_factor(std::uint64_t limit_bytes);

    std::int64_t size() const { return factor_.size(); }
    std::int64_t capacity() const { return factor_.capacity(); }
    bool contains(std::int64_t feature) const { return factor_.place(feature) >= 0; }
    /// Whether all of a support of this size, the one of the last update, found room.
    bool complete(std::size_t support) const { return size() - held_.size() == static_cast<std::int64_t>(support); }

    /// Lets the next update build it anew: its solves have become too rough.
    void mark_outdated() { outdated_ = true; }
    bool outdated() const { return outdated_; }

    /// Whether the next update builds it anew, `common` of its features being in the support then.
    bool builds_anew(std::int64_t common) const
    {
        return outdated_ ||
               static_cast<double>(size() - common) > held_features::largest_share * static_cast<double>(size());
    }
    /// Brings it up to date with a support, as far as its memory goes.
    /// @param diagonal what is added to the diagonal of C, a number for each of the support
    void update(std::span<const std::int64_t> support, std::span<const double> diagonal,
                const support_factor::gram_function& gram, int threads);

    /// z ≈ (C_SS + diag(diagonal))⁻¹ r on the support of the last update; features without a place have only their own
    /// diagonal.
    void solve(std::span<const std::int64_t> support, std::span<const double> diagonal, std::span<const double> r,
               std::span<double> z, int threads) const;

private:
    void clear();
    void append(std::span<const std::int64_t> support, std::span<const double> diagonal,
                const support_factor::gram_function& gram, int threads);

    support_factor factor_;
    held_features held_;
    bool outdated_ = false;
};

} // namespace proxpath::backend
