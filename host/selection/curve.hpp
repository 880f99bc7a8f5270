// From the losses of folds to a curve and its two lambdas.
#pragma once

#include <proxpath/cv.hpp>

#include <cstdint>
#include <span>

namespace proxpath::selection {

/// True when loss `a` is better than loss `b`.
inline bool better(cv_loss loss, double a, double b) { return loss == cv_loss::r2 ? a > b : a < b; }

/// Fills mean, standard_error and folds of every point from fold_losses and fold_counted, then at_min and at_1se.
/// Several repeats: mean and standard error are the means of those of the repeats, since repeats are not independent.
/// @param folds one for each row of fold_losses
void finish_curve(cv_loss loss, std::span<const cv_fold> folds, cv_curve& curve);

} // namespace proxpath::selection
