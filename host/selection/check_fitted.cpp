// See check_fitted.hpp.

#include "host/selection/check_fitted.hpp"

#include "host/path/problem.hpp"

#include <proxpath/errors.hpp>

#include <fmt/format.h>

namespace proxpath::selection {

void check_fitted(const matrix& X, const path_options& options, const path_result& path)
{
    path::check_options(options, X.rows(), X.cols());
    if (path.n != X.rows() || path.p != X.cols())
        throw invalid_input(
            fmt::format("path: it was fitted to {} x {}, but X is {} x {}", path.n, path.p, X.rows(), X.cols()));
    if (path.alpha != options.alpha)
        throw invalid_input(
            fmt::format("path: it was fitted with alpha {}, but alpha is {}", path.alpha, options.alpha));
    const sparse_columns& B = path.coefficients;
    if (B.rows != path.p || B.cols != static_cast<std::int64_t>(path.points.size()))
        throw invalid_input(fmt::format("path: {} points of {} features, but coefficients are {} x {}",
                                        path.points.size(), path.p, B.rows, B.cols));
}

} // namespace proxpath::selection
