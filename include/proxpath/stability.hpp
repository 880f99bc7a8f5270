// Stability selection: which features are selected again and again when half of the rows are looked at, and how many of
// them may be there by chance.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace proxpath {

/// Options of fit_stability. Spans are borrowed until the call returns.
struct stability_options {
    /// Of every fit: alpha above 0; dfmax and pmax are 0. Where `lambda` is empty the grid is that of all rows.
    /// `on_progress` returning false gives `cancelled`.
    path_options path;

    std::int64_t pairs = 50; ///< B ≥ 1 times the rows are dealt to two halves: 2B fits
    double threshold = 0.75; ///< τ, above 0.5 and at most 1: share of the halves in which a stable feature is selected
    /// q ≥ 1: features that one half may select; the first to enter its path. Empty = the most for which
    /// `expected_false` holds.
    std::optional<std::int64_t> most_selected;
    /// V > 0: falsely selected features to be expected at most; with most_selected it says nothing.
    double expected_false = 1;
    std::uint64_t seed = 1; ///< of the halves; the same seed gives the same ones everywhere
};

struct stability_result {
    path_result fit; ///< on all rows, ended as the halves' paths are (pmax), its lambdas the first of `lambda`
    std::vector<double> lambda; ///< K: the whole grid, of all fits
    /// p × K: share of the halves whose path has had the feature among its non-zeros at this lambda or a larger one.
    sparse_columns frequency;
    std::vector<std::int64_t> stable;     ///< features whose last frequency is τ or more; most frequent first
    std::vector<std::int64_t> selections; ///< p: halves that selected the feature, of 2B
    std::int64_t pairs = 0;               ///< B
    double threshold = 0;                 ///< τ
    std::int64_t candidates = 0;          ///< features that can be selected: penalised, not excluded
    std::int64_t most_selected = 0;       ///< q as asked for, or as `expected_false` allows
    double mean_selected = 0;             ///< features that a half did select, on average
    /// Bound on the expected number of stable features that a half selects with less than the average probability
    /// q/p, which is what noise does at best: q² / ((2τ − 1) p), whatever the distribution (Shah & Samworth 2013,
    /// theorem 1 and (8)). q is most_selected, or mean_selected where that is larger.
    double expected_false = 0;
    /// The same where the distribution of selections in a pair is unimodal (theorem 2): smaller; empty where τ is too
    /// near 0.5 for it and B, or q above p/√3.
    std::optional<double> expected_false_unimodal;
    std::int64_t not_converged = 0; ///< lambdas of halves that missed the tolerance; their non-zeros count as they are
    std::vector<std::string> notes; ///< remarks on the selection; those on the fit are its own
    double fit_s = 0;               ///< seconds for the fit on all rows
    double halves_s = 0;            ///< seconds for the halves
};

/// Fits the path on B pairs of complementary halves of the rows, each until q features have entered, and counts how
/// often each feature does. A half is the same X with weight 0 for the other rows: X is not copied, means and scales
/// are those of the half's rows. Rows of weight 0 are in no half; of an odd number of rows one, a different one for
/// each pair, is left out.
///
/// Halves are fitted side by side on path.threads threads; the result does not depend on their number.
///
/// @param X n × p, at least 4 rows of positive weight
/// @param y n finite responses
/// @throws invalid_input as fit_path, and for the options above, naming them
/// @throws cancelled     when path.on_progress returned false
/// @throws out_of_memory as fit_path
/// @see Meinshausen & Bühlmann 2010, doi:10.1111/j.1467-9868.2010.00740.x;
///      Shah & Samworth 2013, doi:10.1111/j.1467-9868.2011.01034.x
PROXPATH_API stability_result fit_stability(const matrix& X, std::span<const double> y,
                                            const stability_options& options = {});

/// The same on the caller's memory: borrowed until the call returns.
PROXPATH_API stability_result fit_stability(const matrix_view& X, std::span<const double> y,
                                            const stability_options& options = {});

} // namespace proxpath
