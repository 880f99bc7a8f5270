// What X'R in all its forms takes from the columns of X: the weight of a stored entry, and from a column's sum its
// correlation with a column of R.
#pragma once

#include "kernels/device.cuh"

namespace proxpath::kernels {

/// Lists are columns of X: what is subtracted entry by entry is one number for the list.
template <class V>
struct scaled_columns {
    const V* values;
    const double* shift;
    const double* center;
    const double* inverse;
    const double* sums_of_R; ///< null: no column is centred

    scaled_columns(const design_view<V>& X, const double* sums)
        : values(X.columns.values), shift(X.shift), center(X.center), inverse(X.inverse), sums_of_R(sums)
    {}

    struct entry_weight {
        const V* values;
        double shift;
        __device__ double operator()(std::int64_t position, std::int64_t) const
        {
            return static_cast<double>(values[position]) - shift;
        }
    };
    __device__ entry_weight weight(std::int64_t j, bool exists) const { return {values, exists ? shift[j] : 0.0}; }
    __device__ double correlation(std::int64_t j, std::int64_t c, double sum) const
    {
        const double taken = sums_of_R == nullptr ? 0.0 : center[j] * sums_of_R[c];
        return inverse[j] * (sum - taken);
    }
};

} // namespace proxpath::kernels
