// Squared distances of the columns of a panel from points of the line through two others, which bound how far
// correlations have moved. Reads r k sizeof(T) bytes.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
struct chord_term {
    panel_view<const T> X;
    panel_view<const T> from;
    panel_view<const T> to;
    const double* theta;
    const double* a;
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const
    {
        const double start = cell(from, i, 0);
        const double direction = cell(to, i, 0) - start;
        const double off = cell(X, i, c) - start - theta[c] * direction;
        sum[0] += row_factor(a, i) * off * off;
    }
};

} // namespace

template <class T>
void chord_squares(const panel_view<const T>& X, const panel_view<const T>& from, const panel_view<const T>& to,
                   const double* theta, const double* a, double* square, double* scratch, stream_view stream)
{
    row_sums<1>("chord_squares", X.rows, X.cols, chord_term<T>{X, from, to, theta, a}, square, scratch, stream);
}

template void chord_squares<float>(const panel_view<const float>&, const panel_view<const float>&,
                                   const panel_view<const float>&, const double*, const double*, double*, double*,
                                   stream_view);
template void chord_squares<double>(const panel_view<const double>&, const panel_view<const double>&,
                                    const panel_view<const double>&, const double*, const double*, double*, double*,
                                    stream_view);

} // namespace proxpath::kernels
