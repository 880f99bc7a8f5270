// The full pass of an outer round on the CPU: X̃'R feature by feature in registers, and on the spot the KKT test, the
// gap sums and the correlations that the next round needs. Nothing of size p × k is written. Most features need only
// one column of R: with that one and what was known before, the others are bounded to where they add nothing
// (correlation_bound), and k gathers become one.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::backend {

namespace {

struct piece_result {
    std::vector<gap_sums> sums;
    std::vector<std::vector<std::int64_t>> violators;
    std::int64_t entries_read = 0;
};

/// What is done with a feature's correlations.
template <class T>
class feature_test {
public:
    explicit feature_test(const correlation_request<T>& request) : request_(request), k_(request.lambda.size()) {}

    /// Coefficients of feature j, or null when they are zero in all columns.
    const T* coefficients(std::int64_t j) const
    {
        const std::int64_t place = request_.position[static_cast<std::size_t>(j)];
        if (place < 0) return nullptr;
        const T* const row = request_.coefficients->row(place);
        return std::all_of(row, row + k_, [](T b) { return b == 0; }) ? nullptr : row;
    }

    /// Whether the bound keeps feature j, with coefficients zero, within its threshold in all columns.
    /// @param to    its correlation at the second known residual
    /// @param limit k, how far the dual point may be scaled for all that other features say
    bool bounded(std::int64_t j, double to, const std::vector<double>& limit) const
    {
        const auto at = static_cast<std::size_t>(j);
        const correlation_bound& bound = request_.bound;
        const double from = bound.from[at];
        const double l1 = request_.penalty.l1[at];
        for (std::size_t c = 0; c < k_; ++c) {
            const double between = from + bound.position[c] * (to - from);
            // NaN must not pass.
            if (!((std::fabs(between) + bound.radius[c]) * limit[c] <= request_.lambda[c] * l1)) return false;
        }
        return true;
    }

    /// Takes feature j of one column: u at coefficient b.
    void take(std::int64_t j, std::size_t c, double u, double b, piece_result& piece) const
    {
        const auto at = static_cast<std::size_t>(j);
        const penalty_view& penalty = request_.penalty;
        const double lambda = request_.lambda[c];
        // Nearly all features, late on the path: inside the threshold at coefficient zero, a feature adds nothing to
        // any sum. All of add_gap_terms took a fifth of the pass.
        const double magnitude = std::fabs(u);
        const double threshold = lambda * penalty.l1[at];
        if (b == 0 && magnitude <= threshold && magnitude * piece.sums[c].s_max <= threshold) return;
        add_gap_terms(piece.sums[c], u, b, penalty.l1[at], penalty.l2[at], lambda, penalty.lower[at], penalty.upper[at],
                      penalty.kkt_scale[at]);
        if (request_.position[at] >= 0) return;
        if (leaves_zero(u, threshold, penalty.lower[at], penalty.upper[at])) piece.violators[c].push_back(j);
    }

private:
    const correlation_request<T>& request_;
    std::size_t k_;
};

} // namespace

template <class T>
correlation_result cpu_operations<T>::correlation_pass(const correlation_request<T>& request,
                                                       std::span<double> saved) const
{
    const cpu_design& X = as_cpu(*request.X);
    const panel<T>& R = *request.weighted_residual;
    const auto k = static_cast<std::size_t>(R.cols);
    const auto& blocks = X.store().blocks;
    const std::vector<double> row_sums = panel_column_sums(R, threads_);

    const bool saves = request.save_column >= 0;
    const auto save_column = static_cast<std::size_t>(std::max<std::int64_t>(request.save_column, 0));
    // With one column there is nothing to pass over but that one.
    const bool bounds = !request.bound.from.empty() && (k > 1 || !saves);
    // The saved column by itself, closely packed.
    panel<T> alone;
    std::vector<double> alone_sums;
    if (bounds && saves) {
        alone = allocate(R.rows, 1);
        copy_column(R, request.save_column, alone, 0);
        alone_sums = panel_column_sums(alone, threads_);
    }

    std::vector<piece_result> pieces(blocks.size());
    for (piece_result& piece : pieces) {
        piece.sums.resize(k);
        piece.violators.resize(k);
    }
    const feature_test<T> test(request);
    // Calls f(block, indices, values, local, j, coefficients, piece, scratch) for every feature that takes part.
    const auto for_each_feature = [&](const auto& f) {
        parallel::parallel_for(threads_, static_cast<std::int64_t>(blocks.size()), [&](std::int64_t b) {
            const storage::column_block& block = blocks[static_cast<std::size_t>(b)];
            std::vector<double> scratch(static_cast<std::size_t>(R.stride));
            storage::visit_block(block, [&](auto indices, auto values) {
                for (std::int64_t local = 0; local < block.count; ++local) {
                    const std::int64_t j = block.first + local;
                    if (request.skip[static_cast<std::size_t>(j)] == 0)
                        f(block, indices, values, local, j, test.coefficients(j), pieces[static_cast<std::size_t>(b)],
                          scratch.data());
                }
            });
        });
    };
    const auto take_all = [&](const storage::column_block& block, const auto& indices, const auto& values,
                              std::int64_t local, std::int64_t j, const T* coefficients, piece_result& piece,
                              double* u) {
        const std::int64_t end = block.offsets[local + 1];
        correlate_column(X, block, local, indices, values, R, row_sums.data(),
                         bounds ? end : foreseen_end(indices, block, end), u);
        if (!bounds || !saves || coefficients != nullptr) piece.entries_read += end - block.offsets[local];
        for (std::size_t c = 0; c < k; ++c)
            test.take(j, c, u[c], coefficients != nullptr ? static_cast<double>(coefficients[c]) : 0.0, piece);
        // A feature in no use has been saved already, from the column alone: the same bits whatever its neighbours are.
        if (saves && !saved.empty() && (!bounds || coefficients != nullptr))
            saved[static_cast<std::size_t>(j)] = u[save_column];
    };

    if (!bounds) {
        for_each_feature(take_all);
    } else {
        // First the features in use: nearly always it is they that limit the dual scaling, and so say what the others
        // must be kept within.
        for_each_feature([&](const auto& block, const auto& indices, const auto& values, std::int64_t local,
                             std::int64_t j, const T* coefficients, piece_result& piece, double* u) {
            if (coefficients != nullptr) take_all(block, indices, values, local, j, coefficients, piece, u);
        });
        std::vector<double> limit(request.bound.scale.begin(), request.bound.scale.end());
        for (std::size_t c = 0; c < k; ++c) {
            for (const piece_result& piece : pieces) limit[c] = std::min(limit[c], piece.sums[c].s_max);
            limit[c] = std::max(limit[c], 1.0);
        }
        for_each_feature([&](const auto& block, const auto& indices, const auto& values, std::int64_t local,
                             std::int64_t j, const T* coefficients, piece_result& piece, double* u) {
            if (coefficients != nullptr) return;
            double last = 0;
            if (saves) {
                correlate_column(X, block, local, indices, values, alone, alone_sums.data(),
                                 foreseen_end(indices, block, block.offsets[local + 1]), &last);
                if (!saved.empty()) saved[static_cast<std::size_t>(j)] = last;
                piece.entries_read += block.offsets[local + 1] - block.offsets[local];
            } else {
                last = request.bound.to[static_cast<std::size_t>(j)];
            }
            if (!test.bounded(j, last, limit)) take_all(block, indices, values, local, j, nullptr, piece, u);
        });
    }

    correlation_result result;
    result.sums.resize(k);
    result.violators.resize(k);
    for (const piece_result& piece : pieces) {
        result.entries_read += piece.entries_read;
        for (std::size_t c = 0; c < k; ++c) {
            result.sums[c].add(piece.sums[c]);
            result.violators[c].insert(result.violators[c].end(), piece.violators[c].begin(), piece.violators[c].end());
        }
    }
    return result;
}

template correlation_result cpu_operations<float>::correlation_pass(const correlation_request<float>&,
                                                                    std::span<double>) const;
template correlation_result cpu_operations<double>::correlation_pass(const correlation_request<double>&,
                                                                     std::span<double>) const;

} // namespace proxpath::backend
