// The listed columns of a panel side by side, as fits leave a batch. Moves 2 r k sizeof(T) bytes for the k that stay.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct compact_cell {
    panel_view<const T> from;
    const std::int64_t* columns;
    panel_view<T> to;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        to.data[i * to.stride + c] = from.data[i * from.stride + columns[c]];
    }
};

} // namespace

template <class T>
void compact(const panel_view<const T>& from, const std::int64_t* columns, const panel_view<T>& to, stream_view stream)
{
    for_each_cell("compact", to.rows, to.cols, compact_cell<T>{from, columns, to}, stream);
}

template void compact<float>(const panel_view<const float>&, const std::int64_t*, const panel_view<float>&,
                             stream_view);
template void compact<double>(const panel_view<const double>&, const std::int64_t*, const panel_view<double>&,
                              stream_view);

} // namespace proxpath::kernels
