// C = X̃'R: every column of X against the whole batch. R is read by gather, k numbers in a row for each non-zero, so
// it is efficient where the rows of R that are in use fit the second-level cache. Moves nnz (4 + sizeof(V)) bytes for
// each tile of 32 columns, nnz k sizeof(T) gathered, p k sizeof(T) written. Centring takes the sums of R's columns, n k
// sizeof(T) more, and is left out where no column is centred.

#include "kernels/gather_sum.cuh"
#include "kernels/launchers.hpp"
#include "kernels/scaled_columns.cuh"

namespace proxpath::kernels {

namespace {

template <class T, class V>
struct column_policy : scaled_columns<V> {
    panel_view<T> C;

    column_policy(const design_view<V>& X, const double* sums, const panel_view<T>& out)
        : scaled_columns<V>(X, sums), C(out)
    {}
    __device__ void finish(std::int64_t j, std::int64_t c, double sum) const
    {
        C.data[j * C.stride + c] = static_cast<T>(this->correlation(j, c, sum));
    }
};

} // namespace

template <class T, class V>
void transpose_multiply_part(const design_view<V>& X, const panel_view<const T>& R, const double* sums,
                             const panel_view<T>& C, stream_view stream)
{
    gather_sums("transpose_multiply", X.columns, R, column_policy<T, V>(X, sums, C), stream);
}

template <class T, class V>
void transpose_multiply(const design_view<V>& X, const panel_view<const T>& R, const panel_view<T>& C, double* scratch,
                        stream_view stream)
{
    if (X.p == 0 || R.cols == 0) return;
    double* const sums_of_R = X.centered ? scratch : nullptr;
    if (X.centered) column_sums(R, sums_of_R, scratch + R.cols, stream);
    transpose_multiply_part(X, R, sums_of_R, C, stream);
}

template void transpose_multiply<float, float>(const design_view<float>&, const panel_view<const float>&,
                                               const panel_view<float>&, double*, stream_view);
template void transpose_multiply_part<float, float>(const design_view<float>&, const panel_view<const float>&,
                                                    const double*, const panel_view<float>&, stream_view);
template void transpose_multiply<float, double>(const design_view<double>&, const panel_view<const float>&,
                                                const panel_view<float>&, double*, stream_view);
template void transpose_multiply_part<float, double>(const design_view<double>&, const panel_view<const float>&,
                                                     const double*, const panel_view<float>&, stream_view);
template void transpose_multiply<double, float>(const design_view<float>&, const panel_view<const double>&,
                                                const panel_view<double>&, double*, stream_view);
template void transpose_multiply_part<double, float>(const design_view<float>&, const panel_view<const double>&,
                                                     const double*, const panel_view<double>&, stream_view);
template void transpose_multiply<double, double>(const design_view<double>&, const panel_view<const double>&,
                                                 const panel_view<double>&, double*, stream_view);
template void transpose_multiply_part<double, double>(const design_view<double>&, const panel_view<const double>&,
                                                      const double*, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
