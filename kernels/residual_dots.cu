// With ρ = y − V: Σ a ρ² and Σ a y ρ for every column of the batch, what a gap takes from the rows. Reads r k sizeof(T)
// bytes.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
struct residual_term {
    panel_view<const T> y;
    panel_view<const T> V;
    const double* a;
    __device__ void operator()(std::int64_t i, std::int64_t c, double* sum) const
    {
        const double factor = row_factor(a, i);
        const double response = cell(y, i, 0);
        const double rest = response - cell(V, i, c);
        sum[0] += factor * rest * rest;
        sum[1] += factor * response * rest;
    }
};

} // namespace

template <class T>
void residual_dots(const panel_view<const T>& y, const panel_view<const T>& V, const double* a, double* sums,
                   double* scratch, stream_view stream)
{
    row_sums<2>("residual_dots", V.rows, V.cols, residual_term<T>{y, V, a}, sums, scratch, stream);
}

template void residual_dots<float>(const panel_view<const float>&, const panel_view<const float>&, const double*,
                                   double*, double*, stream_view);
template void residual_dots<double>(const panel_view<const double>&, const panel_view<const double>&, const double*,
                                    double*, double*, stream_view);

} // namespace proxpath::kernels
