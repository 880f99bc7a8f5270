// Information criteria from what a path knows of itself; see include/proxpath/criteria.hpp.

#include <proxpath/criteria.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace proxpath {

namespace {

/// ln C(p, d)
double log_choices(std::int64_t p, std::int64_t d)
{
    return std::lgamma(static_cast<double>(p) + 1) - std::lgamma(static_cast<double>(d) + 1) -
           std::lgamma(static_cast<double>(p - d) + 1);
}

criteria_point criteria_of(const path_result& path, const path_point& point, std::int64_t rows, double gamma)
{
    criteria_point criteria;
    // Half the weighted mean square; below the gap it says nothing.
    const double loss = (1 - point.dev_ratio) * path.null_loss;
    criteria.defined = point.status != column_status::interrupted && point.df < rows && loss > point.gap && loss > 0;
    if (!criteria.defined) return criteria;
    const auto n = static_cast<double>(rows);
    const auto d = static_cast<double>(point.df);
    const double fit = n * std::log(2 * loss);
    criteria.aic = fit + 2 * d;
    criteria.bic = fit + std::log(n) * d;
    criteria.ebic = criteria.bic + 2 * gamma * log_choices(path.p, point.df);
    return criteria;
}

} // namespace

information_criteria compute_criteria(const path_result& path, std::int64_t rows, double gamma)
{
    if (path.alpha != 1)
        throw invalid_input(fmt::format(
            "criteria: alpha is {}; degrees of freedom are known for the Lasso alone, alpha 1", path.alpha));
    if (rows < 0 || rows > path.n) throw invalid_input(fmt::format("rows is {}; must be from 0 to {}", rows, path.n));
    if (!(gamma >= 0 && gamma <= 1)) throw invalid_input(fmt::format("gamma is {}; must be from 0 to 1", gamma));
    information_criteria out;
    for (const path_point& point : path.points) {
        out.points.push_back(criteria_of(path, point, rows > 0 ? rows : path.n, gamma));
        const criteria_point& here = out.points.back();
        const std::size_t k = out.points.size() - 1;
        if (!here.defined) continue;
        if (!out.any || here.aic < out.points[out.at_aic].aic) out.at_aic = k;
        if (!out.any || here.bic < out.points[out.at_bic].bic) out.at_bic = k;
        if (!out.any || here.ebic < out.points[out.at_ebic].ebic) out.at_ebic = k;
        out.any = true;
    }
    return out;
}

} // namespace proxpath
