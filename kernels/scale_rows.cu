// X_rc ← a_r X_rc. Moves 2 r k sizeof(T) bytes.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct scale_cell {
    const double* a;
    panel_view<T> X;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        T& x = X.data[i * X.stride + c];
        x = static_cast<T>(a[i] * static_cast<double>(x));
    }
};

} // namespace

template <class T>
void scale_rows(const double* a, const panel_view<T>& X, stream_view stream)
{
    for_each_cell("scale_rows", X.rows, X.cols, scale_cell<T>{a, X}, stream);
}

template void scale_rows<float>(const double*, const panel_view<float>&, stream_view);
template void scale_rows<double>(const double*, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
