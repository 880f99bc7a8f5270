// out = a_r (base − Z − θ_c (Z − Zprev)): the residual at an extrapolated point from products that are already there.
// Moves 4 r k sizeof(T) bytes, a quarter less where the base is one column.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

/// `out` may be Z_previous: a cell is read before it is written and by the same thread.
template <class T>
struct extrapolate_cell {
    panel_view<const T> base;
    panel_view<const T> Z;
    panel_view<const T> Z_previous;
    const double* theta;
    const double* a;
    panel_view<T> out;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        const double z = cell(Z, i, c);
        const double from = cell_or_first(base, i, c);
        const double moved = theta[c] * (z - cell(Z_previous, i, c));
        out.data[i * out.stride + c] = static_cast<T>(row_factor(a, i) * (from - (z + moved)));
    }
};

} // namespace

template <class T>
void extrapolated_residual(const panel_view<const T>& base, const panel_view<const T>& Z,
                           const panel_view<const T>& Z_previous, const double* theta, const double* a,
                           const panel_view<T>& out, stream_view stream)
{
    for_each_cell("extrapolated_residual", Z.rows, Z.cols, extrapolate_cell<T>{base, Z, Z_previous, theta, a, out},
                  stream);
}

template void extrapolated_residual<float>(const panel_view<const float>&, const panel_view<const float>&,
                                           const panel_view<const float>&, const double*, const double*,
                                           const panel_view<float>&, stream_view);
template void extrapolated_residual<double>(const panel_view<const double>&, const panel_view<const double>&,
                                            const panel_view<const double>&, const double*, const double*,
                                            const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
