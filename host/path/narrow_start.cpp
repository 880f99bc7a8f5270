// The products that a narrow fit is made of; see narrow_start.hpp.

#include "host/path/narrow_start.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace proxpath::path {

namespace {

/// @param response n
narrow_start start_with(const operations<double>& ops, const problem& fit, std::span<const double> response,
                        const path_options& options, const memory_shares& shares)
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
        ops.gram_with_response(*start.columns, fit.weights, response, start.gram, start.correlation);
    start.additions = ops.gram_additions(*start.columns);
    start.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return start;
}

} // namespace

narrow_start start_narrow(const operations<double>& ops, const problem& fit, const path_options& options,
                          const memory_shares& shares)
{
    return start_with(ops, fit, fit.response, options, shares);
}

narrow_start start_narrow_columns(const operations<double>& ops, const problem& fit, const path_options& options,
                                  const memory_shares& shares)
{
    const std::vector<double> none(static_cast<std::size_t>(fit.n), 0.0);
    narrow_start start = start_with(ops, fit, none, options, shares);
    // A response's products are sums over the rows, however a backend takes them.
    start.additions = std::max(start.additions, fit.n);
    return start;
}

narrow_start with_response(const narrow_start& columns, const null_model& null)
{
    narrow_start start = columns;
    start.seconds = 0;
    start.response_square = null.response_square;
    for (std::size_t place = 0; place < start.features.size(); ++place)
        start.correlation[place] = null.response_correlation[static_cast<std::size_t>(start.features[place])];
    return start;
}

} // namespace proxpath::path
