// What a fit is asked to do. Every field says meaning, unit, range and default.
#pragma once

#include <proxpath/export.hpp>
#include <proxpath/progress.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace proxpath {

/// How the restricted problems are solved.
enum class solver_kind : std::uint8_t {
    automatic, ///< cd; krylov for ridge
    ista,      ///< proximal gradient
    fista, ///< accelerated proximal gradient with adaptive restart (Beck & Teboulle 2009; O'Donoghue & Candès 2015)
    cd,    ///< coordinate descent (Friedman, Hastie & Tibshirani 2010) with Newton steps on support and signs
    krylov ///< conjugate gradients for all lambdas at once from one Krylov space; ridge only (alpha = 0, no bounds)
};

/// Which features the solvers see.
enum class screening_kind : std::uint8_t {
    automatic, ///< strong-rule working sets, made exact by a full KKT pass (Tibshirani et al. 2012)
    none       ///< all p columns, always
};

/// What a solver keeps of the working set: X_W'WX_W (gram) or the residual (residual). Automatic goes by cost and
/// memory.
enum class form_kind : std::uint8_t { automatic, gram, residual };

/// Precision of the iterations of ista and fista; certificates are in double all the same.
enum class precision_kind : std::uint8_t { float64, float32 };

/// Whose meaning lambda has, for those who come with numbers of another program; docs/scales.md derives the formulas.
enum class lambda_convention : std::uint8_t {
    proxpath,    ///< the objective as docs/objective.md has it
    glmnet,      ///< its L2 part is over glmnet_response_scale(y − offset), the standard deviation of y
    scikit_learn ///< Ridge (alpha = 0): the L2 part is over the sum of the weights, n without; else as proxpath
};

/// Options of fit_path. Spans are borrowed until the call returns.
struct path_options {
    double alpha = 1.0;      ///< 1 = Lasso, 0 = Ridge, between = elastic net; 0 … 1
    bool intercept = true;   ///< fit an unpenalised intercept
    bool standardize = true; ///< penalise coefficients of columns scaled to unit weighted variance

    /// Of lambda, in what is given and in what is returned.
    lambda_convention convention = lambda_convention::proxpath;

    std::vector<double> lambda;             ///< own values: finite, > 0, strictly decreasing; empty = a grid
    int n_lambda = 100;                     ///< length of the grid, 1 … 1,000,000
    std::optional<double> lambda_min_ratio; ///< last over first lambda of the grid, in (0, 1); n < p ? 1e-2 : 1e-4

    double tol = 1e-6;                     ///< largest accepted duality gap over P(0), the loss of the null model; > 0
    std::int64_t max_iterations = 1000000; ///< for each lambda, counted at every look at the gap; ≥ 1

    std::span<const double> weights; ///< n, ≥ 0, any sum > 0 (normalised to 1); empty = all equal
    std::span<const double> offset;  ///< n, finite, subtracted from y; empty = none
    std::span<const double>
        penalty_factors; ///< p, ≥ 0; 0 = unpenalised, +inf = excluded; empty = all 1; used as given, unless:
    bool rescale_penalty_factors = false; ///< multiply the factors by p over their sum, as glmnet does; there and here
                                          ///< an excluded feature counts as a factor of 1 in the sum
    std::span<const double> lower;        ///< p, ≤ 0, −inf allowed; empty = no lower bounds
    std::span<const double> upper;        ///< p, ≥ 0, +inf allowed; empty = no upper bounds

    std::int64_t dfmax = 0; ///< > 0: the path ends with the first lambda that has more than so many non-zeros, which
                            ///< is its last one; 0 = no limit
    std::int64_t pmax = 0;  ///< > 0: the path ends before the first lambda with which more than so many features would
                            ///< have been non-zero at one lambda or another; its first lambda stays; 0 = no limit

    solver_kind solver = solver_kind::automatic;
    screening_kind screening = screening_kind::automatic;
    form_kind form = form_kind::automatic;
    precision_kind precision = precision_kind::float64;

    /// "auto": the first usable CUDA device, else the CPU; "cpu"; "cuda": the first usable CUDA device; "cuda:1": that
    /// one (docs/devices.md).
    std::string device = "auto";
    /// Bytes of the device's memory that the fit may take; 0 = what is free. No matter for the CPU.
    std::uint64_t device_memory = 0;

    int threads = 0;                ///< 0 = all cores, at most 4096; results do not depend on it
    std::uint64_t memory_limit = 0; ///< bytes for working memory beyond the stored matrix; 0 = half of what is free
    progress_callback on_progress;  ///< may be empty
};

/// Options by which a fit gives the numbers of the other program. glmnet: its lambda, penalty factors rescaled.
/// scikit_learn: its lambda (there: alpha), columns not standardised, a grid down to 1e-3 of its first lambda.
PROXPATH_API path_options options_as(lambda_convention convention);

} // namespace proxpath
