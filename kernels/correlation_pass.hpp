// What correlation_pass is made of on the device; host/backend/cuda/device_correlation_pass.cpp puts it together. As in
// launchers.hpp: pointers into device memory and a stream, nothing allocated and nothing waited for.
//
// Features are chosen (a byte for each: 0 no, 1 yes, 2 yes and its column is longer than segment_length), `select`ed,
// and taken in tiles of as many as have their correlations with 32 columns of the batch in the second-level cache.
#pragma once

#include "kernels/launchers.hpp"

namespace proxpath::kernels {

/// Neighbouring features, the chosen ones among them with their correlations in a tile of their own.
struct feature_tile {
    std::int64_t first = 0;                  ///< a multiple of select_piece
    std::int64_t end = 0;                    ///< one too, or p
    chosen_view chosen;                      ///< of all p features
    std::int64_t before = 0;                 ///< features chosen before `first`
    const std::int64_t* short_ids = nullptr; ///< those chosen in the tile
    std::int64_t short_count = 0;
    const std::int64_t* long_ids = nullptr;
    std::int64_t long_count = 0;
};

/// in_use: not skipped and with a coefficient that is not 0 in some column; others: not skipped and not in use. Reads
/// |W| k sizeof(T) bytes and 17 for each feature.
/// @param offsets of the columns, p + 1 @param position row of `coefficients`, or −1 @param in_use null: none are
template <class T>
void choose_features(std::int64_t p, const std::int64_t* offsets, const std::uint8_t* skip,
                     const std::int64_t* position, const panel_view<const T>& coefficients, std::uint8_t* in_use,
                     std::uint8_t* others, stream_view stream);

/// What is known of correlations, see backend::correlation_bound; k columns.
struct bound_arrays {
    const double* from = nullptr;     ///< p
    const double* to = nullptr;       ///< p
    const double* position = nullptr; ///< k
    const double* radius = nullptr;   ///< k
    const double* limit = nullptr;    ///< k, how far the dual point may be scaled, from dual_limits
    const double* lambda = nullptr;   ///< k
    std::int64_t k = 0;
};

/// limit_c = max(1, min(scale_c, s_max_c)). @param s_max k @param scale k
void dual_limits(std::int64_t k, const double* scale, const double* s_max, double* limit, stream_view stream);

/// Of those among which to choose, the ones that the bound does not keep within their threshold in every column; NaN is
/// not kept. Reads 25 bytes for each feature.
void choose_beyond_bound(std::int64_t p, const std::uint8_t* among, const bound_arrays& bound, const double* l1,
                         std::uint8_t* beyond, stream_view stream);

/// sum = entries of the chosen columns, exact. Reads 9 bytes for each feature. @param scratch for 1 sum over p rows
void chosen_entries(std::int64_t p, const std::int64_t* offsets, const std::uint8_t* chosen, double* sum,
                    double* scratch, stream_view stream);

/// U_j = x̃_j'r for the features of two lists. Moves as transpose_multiply with one column.
/// @param r n × 1 @param sum of r's numbers, or null where no column is centred @param U p numbers
template <class V>
void column_correlations(const design_view<V>& X, const panel_view<const double>& r, const double* sum,
                         const feature_tile& features, double* U, stream_view stream);

/// U = x̃_j'R for the chosen features of a tile, a row for each in their order. Moves as transpose_multiply.
/// @param R n × k, k ≤ 32 @param sums_of_R k, or null where no column is centred @param U rows of k
template <class T, class V>
void tile_correlations(const design_view<V>& X, const panel_view<const T>& R, const double* sums_of_R,
                       const feature_tile& tile, double* U, stream_view stream);

/// What tile_gaps needs beside the correlations of a tile, for its k ≤ 32 columns of the batch.
template <class T>
struct gap_arrays {
    const std::int64_t* position = nullptr; ///< p, row of `coefficients` or −1
    panel_view<const T> coefficients;       ///< |W| × k
    penalty_arrays penalty;                 ///< p
    const double* lambda = nullptr;         ///< k
    double* saved = nullptr;                ///< p, the correlations of one column; or null
    std::int64_t save_column = -1;          ///< which
    std::uint32_t* leaving = nullptr;       ///< for each chosen feature, bit c: it breaks KKT in column c; or null
    std::uint8_t* leaves = nullptr;         ///< p, set to 1 where a bit is; left as it is elsewhere
};

/// Gap sums of the pieces of a tile's features, of which those not chosen add nothing, violators and saved
/// correlations. Reads 8 k bytes (from the cache) and about 60 for each chosen feature, and its coefficients.
/// @param pieces row_pieces(p) × gap_numbers × k, of all features, of which the tile writes its own
template <class T>
void tile_gaps(const feature_tile& tile, const double* U, std::int64_t k, const gap_arrays<T>& with, double* pieces,
               stream_view stream);

/// sums[number][c], the sum of all pieces. @param pieces with room behind: gap_scratch_numbers(p, k) @param stride from
/// one number of the sums to the next
void pass_sums(std::int64_t p, std::int64_t k, double* pieces, double* sums, std::int64_t stride, stream_view stream);

/// out_(v tiles + t) = leaving_(t chosen + rank of feature ids_v), v < count.
/// @param chosen_count features chosen: words of a tile of columns
void violator_bits(const std::int64_t* ids, std::int64_t count, std::int64_t tiles, const chosen_view& chosen,
                   const std::uint32_t* leaving, std::int64_t chosen_count, std::uint32_t* out, stream_view stream);

} // namespace proxpath::kernels
