// Information criteria from what a path knows of itself, and its degrees of freedom; see include/proxpath/criteria.hpp.

#include <proxpath/criteria.hpp>
#include <proxpath/degrees_of_freedom.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace proxpath {

namespace {

/// ln C(p, s)
double log_choices(std::int64_t p, std::int64_t s)
{
    return std::lgamma(static_cast<double>(p) + 1) - std::lgamma(static_cast<double>(s) + 1) -
           std::lgamma(static_cast<double>(p - s) + 1);
}

/// What the criteria of all points have in common.
struct criteria_terms {
    std::int64_t rows = 0;
    bool intercept = true;
    double gamma = 1;
};

criteria_point criteria_of(const path_result& path, const path_point& point, double d, const criteria_terms& terms)
{
    criteria_point criteria;
    const auto n = static_cast<double>(terms.rows);
    // Half the weighted mean square; below the gap it says nothing.
    const double loss = (1 - point.dev_ratio) * path.null_loss;
    criteria.defined = point.status != column_status::interrupted && d < n && loss > point.gap && loss > 0;
    if (!criteria.defined) return criteria;
    const double fit = n * std::log(2 * loss);
    const double k = d + 1 + (terms.intercept ? 1 : 0);
    criteria.df = d;
    criteria.aic = fit + 2 * d;
    criteria.aicc = k + 1 < n ? criteria.aic + 2 * k * (k + 1) / (n - k - 1) : std::numeric_limits<double>::infinity();
    criteria.bic = fit + std::log(n) * d;
    criteria.ebic = criteria.bic + 2 * terms.gamma * log_choices(path.p, point.df);
    return criteria;
}

information_criteria criteria_of(const path_result& path, std::span<const double> df, const criteria_terms& terms)
{
    if (!(terms.gamma >= 0 && terms.gamma <= 1))
        throw invalid_input(fmt::format("gamma is {}; must be from 0 to 1", terms.gamma));
    information_criteria out;
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        out.points.push_back(criteria_of(path, path.points[k], df[k], terms));
        const criteria_point& here = out.points.back();
        if (!here.defined) continue;
        if (!out.any || here.aic < out.points[out.at_aic].aic) out.at_aic = k;
        if (!out.any || here.aicc < out.points[out.at_aicc].aicc) out.at_aicc = k;
        if (!out.any || here.bic < out.points[out.at_bic].bic) out.at_bic = k;
        if (!out.any || here.ebic < out.points[out.at_ebic].ebic) out.at_ebic = k;
        out.any = true;
    }
    return out;
}

} // namespace

information_criteria compute_criteria(const path_result& path, std::int64_t rows, double gamma)
{
    if (path.alpha != 1)
        throw invalid_input(fmt::format("criteria: alpha is {}; below 1 degrees of freedom are not the number of "
                                        "non-zeros, and X and the options are needed for them",
                                        path.alpha));
    if (rows < 0 || rows > path.n) throw invalid_input(fmt::format("rows is {}; must be from 0 to {}", rows, path.n));
    std::vector<double> df;
    for (const path_point& point : path.points) df.push_back(static_cast<double>(point.df));
    return criteria_of(path, df, {rows > 0 ? rows : path.n, true, gamma});
}

information_criteria compute_criteria(const matrix& X, const path_options& options, const path_result& path,
                                      double gamma)
{
    const std::vector<double> df = degrees_of_freedom(X, options, path);
    const auto unweighted = std::count(options.weights.begin(), options.weights.end(), 0.0);
    information_criteria out = criteria_of(path, df, {X.rows() - unweighted, options.intercept, gamma});
    std::int64_t unknown = 0;
    for (std::size_t k = 0; k < df.size(); ++k)
        unknown += std::isnan(df[k]) && path.points[k].status != column_status::interrupted ? 1 : 0;
    if (unknown > 0)
        out.notes.push_back(
            fmt::format("{} of {} lambdas have no criteria: their degrees of freedom would take a matrix "
                        "too large to factorise, or are lost in rounding; cross-validation does without",
                        unknown, df.size()));
    return out;
}

} // namespace proxpath
