// Many responses to the same rows: a path for each, from one X that is prepared once.
#pragma once

#include <proxpath/errors.hpp>
#include <proxpath/export.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace proxpath {

/// Which lambdas each response is fitted at. Own values (path_options::lambda) are those of all.
enum class response_grid : std::uint8_t {
    own,   ///< a grid from the response's own lambda_max, as fit_path would have
    common ///< one grid for all, from the largest lambda_max among them
};

/// Options of fit_responses. Spans are borrowed until the call returns.
struct responses_options {
    /// Of every fit; weights, offset, penalty factors and bounds are the same for all. `on_progress` returning false
    /// gives `cancelled`; it is told fits_done and fits_total, the rest is that of one fit among those in work.
    path_options path;
    response_grid grid = response_grid::own;
};

/// Takes the fit of a response: called for one after the other, in their order, from the thread that called the
/// library, while others are fitted. What it throws ends the call and goes to the caller as it is.
using response_sink = std::function<void(std::int64_t response, path_result&& fit)>;

/// Fits one path for each response, as fit_path would: the same objective, certificate and statuses, and each fit equal
/// to one of its own within its gap. What no response has to do with is done once: moments and scaling of X, the
/// unpenalised features' factor, the Gram matrix where all features are solved on; the correlations with X are taken
/// for groups of responses in one pass. Fits are side by side on path.threads threads on the CPU, one after the other
/// on another device. The same input gives the same bits for any number of threads.
///
/// Fits are handed out as soon as those before them are done, so that memory does not grow with the number of
/// responses: those in work or waiting are 16, or four a thread.
///
/// @param X n × p
/// @param Y n × q finite responses, one after the other (column-major); q ≥ 1
/// @throws invalid_input naming response (0-based), position and value, before anything is fitted; and as fit_path
/// @throws cancelled     when path.on_progress returned false before all were done; every fit that was finished has
/// been
///         handed out, also those behind one that was not
/// @throws out_of_memory as fit_path
PROXPATH_API void fit_responses(const matrix& X, std::span<const double> Y, const responses_options& options,
                                const response_sink& sink);

/// The same, all fits at once: q of them.
PROXPATH_API std::vector<path_result> fit_responses(const matrix& X, std::span<const double> Y,
                                                    const responses_options& options = {});

} // namespace proxpath
