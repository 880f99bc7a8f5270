// Newton steps on support and signs for all columns of a batch side by side: the steps of the CPU's newton_steps.hpp
// without a factor, each column on its own support, its own system and its own length, sharing every product with C.
// Columns that are done wait, masked, for the others. Conjugate gradients run on the device; the host looks at them
// only every few steps.
#pragma once

#include "host/backend/cuda/device_session.hpp"
#include "host/backend/cuda/restricted_form.hpp"
#include "host/backend/descent_limits.hpp"

#include "kernels/descent_launchers.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace proxpath::backend {

/// What the steps keep of one column.
struct newton_column {
    int plain_limit = descent_limits::first_plain; ///< conjugate-gradient steps of the next Newton step
    std::int64_t most = 0;                         ///< Newton steps allowed in this run; 0: no part in it
    // Of the last run:
    std::int64_t taken = 0;
    double products = 0;
};

/// Where all columns are: coefficients and correlations, p × k.
struct batch_point {
    panel<double>& B;
    panel<double>& U;
};

class batched_newton {
public:
    batched_newton(device_session& session, restricted_form& form, double gap_tolerance,
                   std::function<bool()> keep_going)
        : session_(session), form_(form), gap_tolerance_(gap_tolerance), keep_going_(std::move(keep_going))
    {}

    /// Steps until in every column one is taken whole: those before end where coefficients reach zero or a bound. U is
    /// kept up to date.
    /// @return false when the caller wants to stop
    bool run(const kernels::restricted_view& problem, batch_point at, std::span<newton_column> columns);

    /// Moves the columns of `part` along `step` (p × k, row-major), on the support and as far as its signs last, if
    /// that lowers the objective.
    void extrapolate(const kernels::restricted_view& problem, batch_point at, std::span<const double> step,
                     const std::vector<int>& part);

private:
    enum class outcome { none, shortened, clipped, whole };
    struct workspace;

    std::vector<outcome> take(workspace& work, const std::vector<int>& part, std::span<newton_column> columns,
                              std::span<const double> residual_share);
    std::vector<int> solve(workspace& work, const std::vector<int>& part, std::span<newton_column> columns,
                           std::span<const double> residual_share);
    std::vector<int> take_projected(workspace& work, const device_buffer<double>& length, const std::vector<int>& part,
                                    bool must_fall);

    device_session& session_;
    restricted_form& form_;
    double gap_tolerance_;
    std::function<bool()> keep_going_;
};

} // namespace proxpath::backend
