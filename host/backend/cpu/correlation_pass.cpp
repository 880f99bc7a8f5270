// The full pass of an outer round on the CPU: X̃'R feature by feature in registers, and on the spot the KKT test, the
// gap sums and the magnitudes that the next strong rule needs. Nothing of size p × k is written.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <cmath>

namespace proxpath::backend {

template <class T>
correlation_result cpu_operations<T>::correlation_pass(const correlation_request<T>& request,
                                                       std::span<double> saved_magnitude) const
{
    const cpu_design& X = as_cpu(*request.X);
    const panel<T>& R = *request.weighted_residual;
    const auto k = static_cast<std::size_t>(R.cols);
    const auto& blocks = X.store().blocks;
    const std::vector<double> row_sums = panel_column_sums(R, threads_);

    struct piece_result {
        std::vector<gap_sums> sums;
        std::vector<std::vector<std::int64_t>> violators;
    };
    std::vector<piece_result> pieces(blocks.size());
    const penalty_view& penalty = request.penalty;

    parallel::parallel_for(threads_, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t b) {
        piece_result& piece = pieces[static_cast<std::size_t>(b)];
        piece.sums.resize(k);
        piece.violators.resize(k);
        std::vector<double> scratch(static_cast<std::size_t>(R.stride));
        const auto take = [&](std::int64_t j) { return request.skip[static_cast<std::size_t>(j)] == 0; };
        correlate_block(
            X, blocks[static_cast<std::size_t>(b)], R, row_sums.data(), scratch.data(), take,
            [&](std::int64_t j, const double* u) {
                const auto at = static_cast<std::size_t>(j);
                const std::int64_t place = request.position[at];
                const T* const coefficients = place >= 0 ? request.coefficients->row(place) : nullptr;
                for (std::size_t c = 0; c < k; ++c) {
                    const double coefficient = coefficients != nullptr ? static_cast<double>(coefficients[c]) : 0.0;
                    const double lambda = request.lambda[c];
                    // Nearly all features, late on the path: inside the threshold at coefficient zero, a feature adds
                    // nothing to any sum. All of add_gap_terms took a fifth of the pass.
                    const double magnitude = std::fabs(u[c]);
                    const double within = lambda * penalty.l1[at];
                    if (coefficient == 0 && magnitude <= within && magnitude * piece.sums[c].s_max <= within) continue;
                    add_gap_terms(piece.sums[c], u[c], coefficient, penalty.l1[at], penalty.l2[at], lambda,
                                  penalty.lower[at], penalty.upper[at], penalty.kkt_scale[at]);
                    if (place < 0) {
                        const double threshold = lambda * penalty.l1[at];
                        const bool leaves =
                            (u[c] > threshold && penalty.upper[at] > 0) || (-u[c] > threshold && penalty.lower[at] < 0);
                        if (leaves) piece.violators[c].push_back(j);
                    }
                }
                if (request.save_column >= 0 && !saved_magnitude.empty()) {
                    const auto c = static_cast<std::size_t>(request.save_column);
                    const double coefficient = coefficients != nullptr ? static_cast<double>(coefficients[c]) : 0.0;
                    saved_magnitude[at] = std::fabs(u[c] - request.lambda[c] * penalty.l2[at] * coefficient);
                }
            });
    });

    correlation_result result;
    result.sums.resize(k);
    result.violators.resize(k);
    for (const piece_result& piece : pieces)
        for (std::size_t c = 0; c < k; ++c) {
            result.sums[c].add(piece.sums[c]);
            result.violators[c].insert(result.violators[c].end(), piece.violators[c].begin(), piece.violators[c].end());
        }
    return result;
}

template correlation_result cpu_operations<float>::correlation_pass(const correlation_request<float>&,
                                                                    std::span<double>) const;
template correlation_result cpu_operations<double>::correlation_pass(const correlation_request<double>&,
                                                                     std::span<double>) const;

} // namespace proxpath::backend
