// A panel, or some of its columns, copied into another with numbers of another type or closer together. Reads and
// writes r k numbers.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class From, class To>
struct convert_cell {
    panel_view<const From> from;
    panel_view<To> to;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        to.data[i * to.stride + c] = static_cast<To>(from.data[i * from.stride + c]);
    }
};

} // namespace

template <class From, class To>
void convert(const panel_view<const From>& from, const panel_view<To>& to, stream_view stream)
{
    for_each_cell("convert", from.rows, from.cols, convert_cell<From, To>{from, to}, stream);
}

template void convert<float, double>(const panel_view<const float>&, const panel_view<double>&, stream_view);
template void convert<double, double>(const panel_view<const double>&, const panel_view<double>&, stream_view);
template void convert<double, float>(const panel_view<const double>&, const panel_view<float>&, stream_view);

} // namespace proxpath::kernels
