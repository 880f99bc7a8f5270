// Predictions: one product of X with the coefficients, on the original scale.

#include "host/backend/operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/predict.hpp>

#include <algorithm>
#include <new>

#include <fmt/format.h>

namespace proxpath {

namespace {

/// Callers make `sparse_columns` themselves too.
void check(const sparse_columns& B)
{
    const std::size_t entries = B.indices.size();
    if (B.cols < 0 || B.offsets.size() != static_cast<std::size_t>(B.cols) + 1)
        throw invalid_input(
            fmt::format("coefficients: {} offsets for {} columns; one more is needed", B.offsets.size(), B.cols));
    if (B.values.size() != entries)
        throw invalid_input(fmt::format("coefficients: {} indices and {} values", entries, B.values.size()));
    if (B.offsets.front() != 0 || B.offsets.back() != static_cast<std::int64_t>(entries) ||
        !std::is_sorted(B.offsets.begin(), B.offsets.end()))
        throw invalid_input(fmt::format("coefficients: offsets have to ascend from 0 to {}", entries));
    for (std::size_t e = 0; e < entries; ++e)
        if (B.indices[e] < 0 || B.indices[e] >= B.rows)
            throw invalid_input(
                fmt::format("coefficients: index {} at entry {} is not in 0 … {}", B.indices[e], e, B.rows - 1));
}

} // namespace

std::vector<double> predict(const matrix& X, const sparse_columns& coefficients, std::span<const double> intercepts,
                            int threads)
try {
    if (coefficients.rows != X.cols())
        throw invalid_input(fmt::format("the fit has {} features, but X has {}", coefficients.rows, X.cols()));
    if (static_cast<std::int64_t>(intercepts.size()) != coefficients.cols)
        throw invalid_input(
            fmt::format("{} intercepts for {} columns of coefficients", intercepts.size(), coefficients.cols));
    check(coefficients);
    const auto ops = backend::make_cpu_operations<double>(parallel::resolve_threads(threads));
    const auto p = static_cast<std::size_t>(X.cols());
    const auto columns = ops->make_design(X, backend::unscaled(p));

    // Fits in groups, so that the dense coefficients never take more than p × 32.
    constexpr std::int64_t together = 32;
    const std::int64_t K = coefficients.cols;
    std::vector<double> out(static_cast<std::size_t>(X.rows() * K));
    for (std::int64_t first = 0; first < K; first += together) {
        const std::int64_t count = std::min(together, K - first);
        std::vector<double> host(p * static_cast<std::size_t>(count), 0.0);
        for (std::int64_t c = 0; c < count; ++c)
            for (auto e = static_cast<std::size_t>(coefficients.offsets[static_cast<std::size_t>(first + c)]);
                 e < static_cast<std::size_t>(coefficients.offsets[static_cast<std::size_t>(first + c) + 1]); ++e)
                host[static_cast<std::size_t>(coefficients.indices[e] * count + c)] = coefficients.values[e];
        backend::panel<double> B = ops->allocate(X.cols(), count);
        ops->upload(host, B);
        backend::panel<double> fitted = ops->allocate(X.rows(), count);
        ops->multiply(*columns, B, fitted);
        std::vector<double> part(static_cast<std::size_t>(X.rows() * count));
        ops->download(fitted, part);
        for (std::int64_t i = 0; i < X.rows(); ++i)
            for (std::int64_t c = 0; c < count; ++c)
                out[static_cast<std::size_t>(i * K + first + c)] =
                    intercepts[static_cast<std::size_t>(first + c)] + part[static_cast<std::size_t>(i * count + c)];
    }
    return out;
} catch (const std::bad_alloc&) {
    const double needed = 8 * static_cast<double>(X.rows()) * static_cast<double>(intercepts.size());
    throw out_of_memory(
        fmt::format("the system refused memory for predictions of {} rows by {} columns", X.rows(), intercepts.size()),
        static_cast<std::uint64_t>(needed), 0);
}

} // namespace proxpath
