// Gap sums of kept correlations: what all features add to the certificate of every fit. Reads 2 p k sizeof(T) bytes and
// five doubles for each feature and tile of 32 columns.

#include "kernels/gap_sums.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct penalty_source {
    panel_view<const T> U;
    panel_view<const T> B;
    penalty_arrays penalty;
    const double* lambda;
    __device__ void add_run(std::int64_t run, std::int64_t c, gap_sums& sums) const
    {
        const std::int64_t end = (run + 1) * run_rows < U.rows ? (run + 1) * run_rows : U.rows;
        for (std::int64_t j = run * run_rows; j < end; ++j)
            backend::add_gap_terms(sums, cell(U, j, c), cell(B, j, c), penalty.l1[j], penalty.l2[j], lambda[c],
                                   penalty.lower[j], penalty.upper[j], penalty.kkt_scale[j]);
    }
};

} // namespace

std::int64_t gap_scratch_numbers(std::int64_t features, std::int64_t k)
{
    std::int64_t numbers = 0;
    std::int64_t pieces = features;
    do {
        pieces = row_pieces(pieces);
        numbers += pieces * gap_numbers * k;
    } while (pieces > 1);
    return numbers;
}

template <class T>
void penalty_sums(const panel_view<const T>& U, const panel_view<const T>& B, const penalty_arrays& penalty,
                  const double* lambda, double* sums, double* scratch, stream_view stream)
{
    if (U.cols == 0) return;
    const std::int64_t pieces = row_pieces(U.rows);
    gap_sums_once("penalty_sums", pieces, U.cols, penalty_source<T>{U, B, penalty, lambda}, scratch, U.cols, stream);
    add_gap_pieces("penalty_sums", pieces, U.cols, scratch, sums, U.cols, stream);
}

template void penalty_sums<float>(const panel_view<const float>&, const panel_view<const float>&, const penalty_arrays&,
                                  const double*, double*, double*, stream_view);
template void penalty_sums<double>(const panel_view<const double>&, const panel_view<const double>&,
                                   const penalty_arrays&, const double*, double*, double*, stream_view);

} // namespace proxpath::kernels
