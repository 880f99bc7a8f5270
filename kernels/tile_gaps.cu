// What a certificate takes from the correlations of a tile of features, while they are in the second-level cache: the
// gap sums of its pieces, which features break KKT in which columns, and the correlations of one column. Reads 8 k
// bytes of correlations and about 60 of penalty for each chosen feature; features not chosen cost their bit.

#include "kernels/correlation_pass.hpp"
#include "kernels/gap_sums.cuh"

#include <cmath>

namespace proxpath::kernels {

namespace {

template <class T>
struct tile_source {
    feature_tile tile;
    const double* U;
    std::int64_t k;
    gap_arrays<T> with;
    int width; ///< tile_width(k)

    __device__ void take(std::int64_t j, std::int64_t c, double u, double b, gap_sums& sums) const
    {
        const double threshold = with.lambda[c] * with.penalty.l1[j];
        const double magnitude = std::fabs(u);
        // Nearly all features, late on the path: inside the threshold at coefficient zero, a feature adds nothing.
        if (b == 0 && magnitude <= threshold && magnitude * sums.s_max <= threshold) return;
        backend::add_gap_terms(sums, u, b, with.penalty.l1[j], with.penalty.l2[j], with.lambda[c],
                               with.penalty.lower[j], with.penalty.upper[j], with.penalty.kkt_scale[j]);
    }

    /// The lanes of the columns of one feature call this together.
    __device__ void note_leaving(std::int64_t j, std::int64_t rank, std::int64_t c, bool leaves) const
    {
        const int first = static_cast<int>(threadIdx.x) % warp_size / width * width;
        const unsigned columns = k == warp_size ? whole_warp : (1u << k) - 1;
        const unsigned bits = __ballot_sync(columns << first, leaves) >> first;
        if (c != 0) return;
        with.leaving[rank] = bits;
        if (bits != 0) with.leaves[j] = 1;
    }

    __device__ void add_run(std::int64_t run, std::int64_t c, gap_sums& sums) const
    {
        static_assert(run_rows == warp_size, "a run is a word of the chosen features");
        const std::int64_t word = tile.first / run_rows + run;
        if (word * run_rows >= tile.end) return;
        std::int64_t rank = tile.chosen.before[word];
        for (std::uint32_t left = tile.chosen.bits[word]; left != 0; left &= left - 1, ++rank) {
            const std::int64_t j = word * run_rows + __ffs(left) - 1;
            const double u = U[(rank - tile.before) * k + c];
            const std::int64_t place = with.position[j];
            take(j, c, u, place < 0 ? 0.0 : cell(with.coefficients, place, c), sums);
            if (c == with.save_column) with.saved[j] = u;
            if (with.leaving == nullptr) continue;
            const double threshold = with.lambda[c] * with.penalty.l1[j];
            note_leaving(j, rank, c,
                         place < 0 && backend::leaves_zero(u, threshold, with.penalty.lower[j], with.penalty.upper[j]));
        }
    }
};

} // namespace

template <class T>
void tile_gaps(const feature_tile& tile, const double* U, std::int64_t k, const gap_arrays<T>& with, double* pieces,
               stream_view stream)
{
    double* const own = pieces + tile.first / piece_rows * gap_numbers * k;
    gap_sums_once("tile_gaps", row_pieces(tile.end - tile.first), k, tile_source<T>{tile, U, k, with, tile_width(k)},
                  own, k, stream);
}

template void tile_gaps<float>(const feature_tile&, const double*, std::int64_t, const gap_arrays<float>&, double*,
                               stream_view);
template void tile_gaps<double>(const feature_tile&, const double*, std::int64_t, const gap_arrays<double>&, double*,
                                stream_view);

void pass_sums(std::int64_t p, std::int64_t k, double* pieces, double* sums, std::int64_t stride, stream_view stream)
{
    add_gap_pieces("correlation_pass", row_pieces(p), k, pieces, sums, stride, stream);
}

} // namespace proxpath::kernels
