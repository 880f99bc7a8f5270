// A panel into the upper left of another; a single column is a panel of its own width. Moves 2 r k sizeof(T) bytes.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct copy_cell {
    panel_view<const T> from;
    panel_view<T> to;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        to.data[i * to.stride + c] = from.data[i * from.stride + c];
    }
};

} // namespace

template <class T>
void copy_block(const panel_view<const T>& from, const panel_view<T>& to, stream_view stream)
{
    for_each_cell("copy_block", from.rows, from.cols, copy_cell<T>{from, to}, stream);
}

template void copy_block<float>(const panel_view<const float>&, const panel_view<float>&, stream_view);
template void copy_block<double>(const panel_view<const double>&, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
