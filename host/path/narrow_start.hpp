// Where a narrow fit begins: all features that take part, and one reading of X for all products of theirs that the null
// model, the inner solver and the certificate need.
#pragma once

#include "host/path/certificate.hpp"
#include "host/path/memory.hpp"
#include "host/path/problem.hpp"

#include <memory>
#include <span>
#include <vector>

namespace proxpath::path {

struct narrow_start {
    std::vector<std::int64_t> features;    ///< those that take part, ascending; empty: not a fit of this kind
    std::shared_ptr<const design> columns; ///< of them
    panel<double> gram;                    ///< C = X̃'WX̃
    std::vector<double> correlation;       ///< X̃'wỹ
    double response_square = 0;            ///< Σ w ỹ²
    std::int64_t additions = 0;            ///< see working_products
    double seconds = 0;                    ///< of the products

    bool empty() const { return features.empty(); }
    working_products products() const { return {&gram, correlation, response_square, additions}; }
};

/// Empty where the fit is not narrow, or is not solved on a Gram matrix.
narrow_start start_narrow(const operations<double>& ops, const problem& fit, const path_options& options,
                          const memory_shares& shares);
/// The part of it that no response has to do with, for fits of several.
/// @param fit without a response
narrow_start start_narrow_columns(const operations<double>& ops, const problem& fit, const path_options& options,
                                  const memory_shares& shares);
/// That part, and what the null model of a response knows of it.
narrow_start with_response(const narrow_start& columns, const null_model& null);

} // namespace proxpath::path
