// The products that a narrow fit is made of; see narrow_start.hpp.

#include "host/path/narrow_start.hpp"

#include <chrono>
#include <utility>

namespace proxpath::path {

narrow_start start_narrow(const operations<double>& ops, const problem& fit, const path_options& options,
                          const memory_shares& shares)
{
    if (takes_all_features(options) || !is_narrow(options, fit.n, fit.p) || options.form == form_kind::residual)
        return {};
    if (!fit.unpenalised.empty()) return {}; // factors so small that their penalties are zero
    narrow_start start;
    for (std::int64_t j = 0; j < fit.p; ++j)
        if (fit.skip[static_cast<std::size_t>(j)] == 0) start.features.push_back(j);
    const auto count = static_cast<std::int64_t>(start.features.size());
    if (count == 0 || gram_bytes(count) > static_cast<double>(shares.gram_limit_bytes)) return {};
    start.columns = count == fit.p ? fit.columns : ops.gather_columns(*fit.columns, start.features, nullptr);
    const auto started = std::chrono::steady_clock::now();
    start.gram = ops.allocate(count, count);
    start.correlation.resize(start.features.size());
    start.response_square =
        ops.gram_with_response(*start.columns, fit.weights, fit.response, start.gram, start.correlation);
    start.additions = ops.gram_additions(*start.columns);
    start.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return start;
}

} // namespace proxpath::path
