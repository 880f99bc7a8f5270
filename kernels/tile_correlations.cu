// X'R for chosen features: into a tile that stays in the second-level cache for tile_gaps, or into one number for each
// feature. Moves what transpose_multiply does, of the chosen columns alone.

#include "kernels/chosen.cuh"
#include "kernels/correlation_pass.hpp"
#include "kernels/gather_sum.cuh"
#include "kernels/scaled_columns.cuh"

namespace proxpath::kernels {

namespace {

template <class V>
struct tile_policy : scaled_columns<V> {
    chosen_view chosen;
    std::int64_t before;
    std::int64_t cols;
    double* U;

    tile_policy(const design_view<V>& X, const double* sums, const feature_tile& tile, std::int64_t k, double* out)
        : scaled_columns<V>(X, sums), chosen(tile.chosen), before(tile.before), cols(k), U(out)
    {}
    __device__ void finish(std::int64_t j, std::int64_t c, double sum) const
    {
        U[(rank_of(chosen, j) - before) * cols + c] = this->correlation(j, c, sum);
    }
};

template <class V>
struct feature_policy : scaled_columns<V> {
    double* U;

    feature_policy(const design_view<V>& X, const double* sum, double* out) : scaled_columns<V>(X, sum), U(out) {}
    __device__ void finish(std::int64_t j, std::int64_t c, double sum) const { U[j] = this->correlation(j, c, sum); }
};

template <class V>
lists_view<V> chosen_lists(lists_view<V> columns, const feature_tile& tile)
{
    columns.short_ids = tile.short_ids;
    columns.short_count = tile.short_count;
    columns.long_ids = tile.long_ids;
    columns.long_count = tile.long_count;
    return columns;
}

} // namespace

template <class V>
void column_correlations(const design_view<V>& X, const panel_view<const double>& r, const double* sum,
                         const feature_tile& features, double* U, stream_view stream)
{
    gather_sums_of_width<1>("column_correlations", chosen_lists(X.columns, features), r, feature_policy<V>(X, sum, U),
                            stream);
}

template <class T, class V>
void tile_correlations(const design_view<V>& X, const panel_view<const T>& R, const double* sums_of_R,
                       const feature_tile& tile, double* U, stream_view stream)
{
    gather_sums("tile_correlations", chosen_lists(X.columns, tile), R, tile_policy<V>(X, sums_of_R, tile, R.cols, U),
                stream);
}

template void column_correlations<float>(const design_view<float>&, const panel_view<const double>&, const double*,
                                         const feature_tile&, double*, stream_view);
template void column_correlations<double>(const design_view<double>&, const panel_view<const double>&, const double*,
                                          const feature_tile&, double*, stream_view);
template void tile_correlations<float, float>(const design_view<float>&, const panel_view<const float>&, const double*,
                                              const feature_tile&, double*, stream_view);
template void tile_correlations<float, double>(const design_view<double>&, const panel_view<const float>&,
                                               const double*, const feature_tile&, double*, stream_view);
template void tile_correlations<double, float>(const design_view<float>&, const panel_view<const double>&,
                                               const double*, const feature_tile&, double*, stream_view);
template void tile_correlations<double, double>(const design_view<double>&, const panel_view<const double>&,
                                                const double*, const feature_tile&, double*, stream_view);

} // namespace proxpath::kernels
