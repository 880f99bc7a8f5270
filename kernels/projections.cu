// Squares of the columns of a panel and their products with a few vectors. Up to seven vectors take one reading of X,
// r k sizeof(T) bytes, every eight more take one more.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

constexpr int most_sums = 8;

/// N neighbouring sums: number 0 of all is the square, number e + 1 the product with column e of Y.
template <int N, class T>
struct projection_term {
    panel_view<const T> X;
    panel_view<const T> Y;
    const double* a;
    std::int64_t first;
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const
    {
        const double x = cell(X, i, c);
        const double weighted = row_factor(a, i) * x;
#pragma unroll
        for (int s = 0; s < N; ++s) {
            const std::int64_t e = first + s - 1;
            if (e < Y.cols) sum[s] += weighted * (e < 0 ? x : cell(Y, i, e));
        }
    }
};

template <int N, class T>
void some_sums(const panel_view<const T>& X, const panel_view<const T>& Y, const double* a, std::int64_t first,
               double* sums, double* scratch, stream_view stream)
{
    row_sums<N>("projections", X.rows, X.cols, projection_term<N, T>{X, Y, a, first}, sums + first * X.cols, scratch,
                stream);
}

} // namespace

template <class T>
void projections(const panel_view<const T>& X, const panel_view<const T>& Y, const double* a, double* sums,
                 double* scratch, stream_view stream)
{
    for (std::int64_t first = 0; first <= Y.cols; first += most_sums) {
        const std::int64_t left = Y.cols + 1 - first;
        if (left == 1)
            some_sums<1>(X, Y, a, first, sums, scratch, stream);
        else if (left == 2)
            some_sums<2>(X, Y, a, first, sums, scratch, stream);
        else if (left <= 4)
            some_sums<4>(X, Y, a, first, sums, scratch, stream);
        else
            some_sums<most_sums>(X, Y, a, first, sums, scratch, stream);
    }
}

template void projections<float>(const panel_view<const float>&, const panel_view<const float>&, const double*, double*,
                                 double*, stream_view);
template void projections<double>(const panel_view<const double>&, const panel_view<const double>&, const double*,
                                  double*, double*, stream_view);

} // namespace proxpath::kernels
