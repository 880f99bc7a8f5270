// What launchers take: device memory as plain structs of pointers and sizes, without owners and without CUDA types, so
// that host code includes this whether or not there is a CUDA compiler. host/backend/cuda fills them; kernels read
// them.
#pragma once

#include <cstdint>

namespace proxpath::kernels {

/// A stream of the target: a cudaStream_t, or the emulation's own. Work on one stream runs in the order of its launch.
struct stream_view {
    void* handle = nullptr;
};

/// rows × cols numbers, row-major, `stride` numbers from one row to the next; see host/backend/panel.hpp.
template <class T>
struct panel_view {
    T* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t stride = 0;
};

/// Lists of (index, value) pairs: the columns of X, or its rows. List l is positions offsets[l] … offsets[l + 1), its
/// indices ascend, but for rows of gathered columns, which keep the order of the design that they were gathered from.
/// Lists are sorted by who sums them: short ones by a part of a warp, long ones by a block.
template <class V>
struct lists_view {
    std::int64_t count = 0;
    const std::int64_t* offsets = nullptr;   ///< count + 1
    const std::uint32_t* indices = nullptr;  ///< at every position
    const V* values = nullptr;               ///< at every position
    const std::int64_t* short_ids = nullptr; ///< lists of at most segment_length entries, empty ones included
    std::int64_t short_count = 0;
    const std::int64_t* long_ids = nullptr; ///< the others
    std::int64_t long_count = 0;
};

/// X, n × p, by columns and by rows, with what centres and scales it (host/backend/design.hpp).
template <class V>
struct design_view {
    std::int64_t n = 0;
    std::int64_t p = 0;
    lists_view<V> columns;           ///< p lists of rows
    lists_view<V> rows;              ///< n lists of columns; only multiply and residual read it
    const double* shift = nullptr;   ///< p
    const double* center = nullptr;  ///< p
    const double* inverse = nullptr; ///< p
    bool centered = false;           ///< some center is not 0
};

/// The penalty of p features, in device memory; see host/backend/penalty.hpp.
struct penalty_arrays {
    const double* l1 = nullptr;
    const double* l2 = nullptr;
    const double* lower = nullptr;
    const double* upper = nullptr;
    const double* kkt_scale = nullptr; ///< null where no gap is asked for
};

/// Some of n items, as `select` leaves them, a word for 32 items.
struct chosen_view {
    const std::uint32_t* bits = nullptr;  ///< ceil(n / 32), bit i mod 32 of word i / 32: item i is chosen
    const std::int64_t* before = nullptr; ///< ceil(n / 32), items chosen before the word's first
};

/// Entries of a list that are summed together. Longer lists are the sums of their segments in order; fixed, because it
/// is part of the result's bits.
constexpr std::int64_t segment_length = 2048;

} // namespace proxpath::kernels
