// Means, standard errors and the choice of lambda; see curve.hpp.

#include "host/selection/curve.hpp"

#include <cmath>

namespace proxpath::selection {

namespace {

/// Of the folds of one repeat at one lambda.
struct summary {
    double mean = 0;
    double standard_error = 0;
    std::int64_t folds = 0;
};

summary summarise(std::span<const cv_fold> folds, std::int64_t repeat, const cv_curve& curve, std::size_t k)
{
    const std::size_t K = curve.points.size();
    const auto counts = [&](std::size_t f) { return folds[f].repeat == repeat && curve.fold_counted[f * K + k] != 0; };
    summary of;
    double weight = 0;
    double sum = 0;
    for (std::size_t f = 0; f < folds.size(); ++f) {
        if (!counts(f)) continue;
        ++of.folds;
        weight += folds[f].weight;
        sum += folds[f].weight * curve.fold_losses[f * K + k];
    }
    if (of.folds == 0) return of;
    of.mean = sum / weight;
    if (of.folds == 1) return of;
    double square = 0;
    for (std::size_t f = 0; f < folds.size(); ++f) {
        if (!counts(f)) continue;
        const double away = curve.fold_losses[f * K + k] - of.mean;
        square += folds[f].weight * away * away;
    }
    of.standard_error = std::sqrt(square / weight / static_cast<double>(of.folds - 1));
    return of;
}

void choose_lambdas(cv_loss loss, cv_curve& curve)
{
    bool any = false;
    for (std::size_t k = 0; k < curve.points.size(); ++k) {
        if (curve.points[k].folds == 0) continue;
        if (!any || better(loss, curve.points[k].mean, curve.points[curve.at_min].mean)) curve.at_min = k;
        any = true;
    }
    curve.at_1se = curve.at_min;
    if (!any) return;
    const cv_point& best = curve.points[curve.at_min];
    const double reach = loss == cv_loss::r2 ? best.mean - best.standard_error : best.mean + best.standard_error;
    // The first within reach, whatever lies between; the best point is.
    std::size_t k = 0;
    while (curve.points[k].folds == 0 || better(loss, reach, curve.points[k].mean)) ++k;
    curve.at_1se = k;
}

} // namespace

void finish_curve(cv_loss loss, std::span<const cv_fold> folds, cv_curve& curve)
{
    const std::int64_t repeats = folds.empty() ? 0 : folds.back().repeat + 1;
    for (std::size_t k = 0; k < curve.points.size(); ++k) {
        cv_point& point = curve.points[k];
        double used = 0;
        for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
            const summary of = summarise(folds, repeat, curve, k);
            if (of.folds == 0) continue;
            ++used;
            point.folds += of.folds;
            point.mean += of.mean;
            point.standard_error += of.standard_error;
        }
        if (used == 0) continue;
        point.mean /= used;
        point.standard_error /= used;
    }
    choose_lambdas(loss, curve);
}

} // namespace proxpath::selection
