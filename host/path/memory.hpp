// How much memory a fit will take, and how it is shared out; see docs/memory.md.
#pragma once

#include <proxpath/matrix.hpp>
#include <proxpath/options.hpp>
#include <proxpath/result.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace proxpath::path {

/// How the limit is shared out. Everything here follows from shape and options alone.
struct memory_shares {
    memory_plan plan;
    std::uint64_t gram_limit_bytes = 0;   ///< the Gram matrix may take this much, growth included
    std::uint64_t factor_limit_bytes = 0; ///< so may the factor that Newton steps keep
    std::int64_t lambda_block = 1;        ///< most lambdas solved together
    std::int64_t krylov_block = 1;        ///< most lambdas of one Krylov run
};

/// @param device_bytes what a device has beside X, which panels and matrices are in then; as much as can be counted:
/// none
/// @throws out_of_memory when not even one lambda at a time fits the limit, or the device
memory_shares share_memory(const matrix& X, const path_options& options,
                           std::uint64_t device_bytes = std::numeric_limits<std::uint64_t>::max());

/// Fits of this plan that its limit has room for at a time, at most one a thread. Their results do not depend on how
/// many they are: each has the whole limit.
int fits_side_by_side(const memory_plan& plan, int threads);

/// What a Gram matrix takes: while it grows, the old one and the new one are alive together.
inline double gram_bytes(std::int64_t features)
{
    return 2 * sizeof(double) * static_cast<double>(features) * static_cast<double>(features);
}

/// True when the Gram form is the cheaper one. A sweep looks at every feature and moves some, no more than n in the
/// end: a move costs |W| numbers in a row there, and a look nothing; in residual form looks and moves are 2 nnz_W
/// gathered numbers, each as long as three. Where columns are sparse that decides (text, we8there: a third of the
/// time). Of a Gram matrix that is used for a few lambdas only, the products count: more than |W|² of them for each
/// number gathered are not worth it.
inline bool gram_form_pays(double features, double nonzeros, double rows)
{
    constexpr double always = 256;
    constexpr double gather_cost = 3;
    constexpr double products_for_each = 32;
    return features <= always || (features * features <= products_for_each * nonzeros &&
                                  features * std::min(features, rows) <= 2 * gather_cost * nonzeros);
}

/// True when every feature is in the working set from the start.
bool takes_all_features(const path_options& options);
/// Features up to which all lambdas are solved on all of them at once, and certified in one reading of X by rows.
constexpr std::int64_t narrow_features = 512;
/// True when features are so few that all lambdas are solved on all of them before one pass certifies them together.
bool is_narrow(const path_options& options, std::int64_t n, std::int64_t p);
/// True when ridge is solved by one Krylov space.
bool takes_krylov(const path_options& options, std::int64_t n, std::int64_t p);
/// Vectors of a Krylov space for k lambdas that are kept. As long as they are fewer than the columns by so much, it is
/// cheaper to certify and combine them than the columns; their products with each other grow with the square.
constexpr std::int64_t ridge_vectors_kept(std::int64_t k) { return std::min<std::int64_t>(k / 3, 64); }

} // namespace proxpath::path
