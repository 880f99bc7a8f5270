// What a fit returns: one column of coefficients per lambda, each with its certificate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace proxpath {

/// What became of one lambda.
enum class column_status : std::uint8_t {
    converged,     ///< the certified relative gap is at most the tolerance
    not_converged, ///< returned as it stands: its gap is above the tolerance
    interrupted    ///< the caller stopped the fit before this lambda was certified
};

/// One lambda of the path. Losses are in squared units of y, on the scale of the objective of fit_path.
struct path_point {
    double lambda = 0;
    std::int64_t df = 0;  ///< coefficients that are not exactly zero
    double dev_ratio = 0; ///< 1 − weighted squared loss over P(0)
    double intercept = 0; ///< original scale; 0 without intercept
    double primal = 0;    ///< P at the returned coefficients
    double dual = 0;      ///< largest dual value found; a lower bound on the optimum
    double gap = 0;       ///< |primal − dual|: no solution is better by more than this (rounding may put dual above)
    double rel_gap = 0;   ///< gap / P(0)
    double kkt = 0;       ///< largest distance of 0 from the subdifferential, on the penalised (standardised) scale
    column_status status = column_status::interrupted;
    std::int64_t iterations = 0; ///< solver iterations spent on this lambda
    std::int64_t passes = 0; ///< passes over X in which this lambda took part; 0: certified from products of columns
};

/// A sparse p × K matrix by columns; entries of a column ascend by row; no stored zeros.
struct sparse_columns {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<std::int64_t> offsets; ///< cols + 1
    std::vector<std::int64_t> indices; ///< 0-based feature
    std::vector<double> values;
};

/// Seconds by phase of fit_path; `total` is measured, not summed.
struct fit_seconds {
    double prepare = 0; ///< means, scales, lambda_max
    double gather = 0;  ///< working sets made resident
    double gram = 0;    ///< Gram matrices
    double inner = 0;   ///< solver iterations on working sets
    double certify = 0; ///< KKT and gap: passes over the whole X, or products of the columns
    double total = 0;
};

/// Memory of a fit in bytes, predicted before it runs.
struct memory_plan {
    std::uint64_t matrix_bytes = 0;  ///< the stored matrix
    std::uint64_t vectors_bytes = 0; ///< vectors of n and p, residuals and coefficients of a lambda block
    std::uint64_t working_bytes = 0; ///< gathered columns, Gram matrix: a guess, see docs/memory.md
    std::uint64_t factor_bytes = 0;  ///< what the factor of Newton steps adds at most, where it pays to keep one
    std::uint64_t limit_bytes = 0;   ///< the limit of the work that was in force: sizes blocks, Gram matrix and factor
    std::int64_t lambda_block = 0;   ///< lambdas solved together
    /// Without the factor.
    std::uint64_t total() const { return matrix_bytes + vectors_bytes + working_bytes; }
};

/// What one outer round did: a solve of some lambdas on the working set, then the certificates.
struct round_account {
    std::int64_t first_lambda = 0;                       ///< place of the first lambda in the path
    std::int64_t lambdas = 0;                            ///< lambdas solved and certified
    std::int64_t converged = 0;                          ///< of them done now
    bool opens_block = true;                             ///< false: what the round before left open
    std::int64_t candidates = 0;                         ///< features that screening added before the solve
    std::int64_t working_set = 0;                        ///< features solved on
    std::int64_t violators = 0;                          ///< features outside it that the pass found to break KKT
    std::int64_t iterations = 0;                         ///< of the inner solver, all lambdas together
    double share_read = 0;                               ///< share of the non-zeros of X that certifying had to read
    double gather = 0, gram = 0, inner = 0, certify = 0; ///< seconds
    std::string method;                                  ///< inner solver and form, e.g. "cd (Gram)"
    std::string reason;                                  ///< why that one
};

/// What ended a path before its last lambda: see dfmax and pmax of path_options, patience of cv_options.
enum class path_end : std::uint8_t { whole, dfmax, pmax, patience };

/// The whole path.
struct path_result {
    std::vector<path_point> points; ///< one for each lambda, in the order of the lambdas
    path_end ended_by = path_end::whole;
    std::int64_t lambdas_asked = 0; ///< more than there are points where dfmax or pmax ended the path
    sparse_columns coefficients;    ///< column k belongs to points[k]; original scale; exact zeros absent
    double lambda_max = 0;          ///< smallest lambda with all penalised coefficients zero (alpha below 1e-3: with
                                    ///< 1e-3 for alpha; Ridge: of y over its standard deviation)
    double null_loss = 0; ///< P(0): half the weighted squared loss of intercept and unpenalised features alone
    std::int64_t n = 0;
    std::int64_t p = 0;
    std::int64_t nonzeros = 0;
    double alpha = 1;
    double l2_divisor = 1; ///< of the L2 part of the objective, by lambda_convention; 1 for proxpath's own
    std::vector<std::int64_t> constant_features; ///< features without variation: coefficient 0
    std::vector<std::string> notes;              ///< remarks for the reader, one sentence each
    std::int64_t passes = 0;                     ///< passes over the whole of X, all purposes
    std::int64_t rounds = 0;                     ///< outer rounds
    std::vector<round_account> account;          ///< one for each of them
    std::string solver;                          ///< the solver that ran
    std::string device;                          ///< that it ran on: "cpu", or for example "cuda:0"
    std::string device_name;                     ///< the device's own name; empty for the CPU
    std::string device_reason;                   ///< why this one, a phrase
    fit_seconds seconds;
    memory_plan memory;

    /// True when every point is converged.
    bool all_converged() const
    {
        for (const path_point& point : points)
            if (point.status != column_status::converged) return false;
        return true;
    }
};

} // namespace proxpath
