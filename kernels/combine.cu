// B = V Y: columns from the few vectors of a short Krylov space. Moves r (s + k) sizeof(T) bytes, V once for each tile
// of 32 columns; Y stays in the first-level cache. A sum runs over the vectors in their order.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct combine_cell {
    panel_view<const T> V;
    const double* Y;
    panel_view<T> B;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        double sum = 0;
        for (std::int64_t s = 0; s < V.cols; ++s) sum += cell(V, i, s) * Y[s * B.cols + c];
        B.data[i * B.stride + c] = static_cast<T>(sum);
    }
};

} // namespace

template <class T>
void combine(const panel_view<const T>& V, const double* Y, const panel_view<T>& B, stream_view stream)
{
    for_each_cell("combine", B.rows, B.cols, combine_cell<T>{V, Y, B}, stream);
}

template void combine<float>(const panel_view<const float>&, const double*, const panel_view<float>&, stream_view);
template void combine<double>(const panel_view<const double>&, const double*, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
