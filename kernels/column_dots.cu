// Σ_r a_r X_rc Y_rc for every column of the batch. Reads 2 r k sizeof(T) bytes, or half where Y is one column.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
struct product_term {
    panel_view<const T> X;
    panel_view<const T> Y;
    const double* a;
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const
    {
        sum[0] += row_factor(a, i) * cell(X, i, c) * cell_or_first(Y, i, c);
    }
};

} // namespace

template <class T>
void column_dots(const panel_view<const T>& X, const panel_view<const T>& Y, const double* a, double* result,
                 double* scratch, stream_view stream)
{
    row_sums<1>("column_dots", X.rows, X.cols, product_term<T>{X, Y, a}, result, scratch, stream);
}

template void column_dots<float>(const panel_view<const float>&, const panel_view<const float>&, const double*, double*,
                                 double*, stream_view);
template void column_dots<double>(const panel_view<const double>&, const panel_view<const double>&, const double*,
                                  double*, double*, stream_view);

} // namespace proxpath::kernels
