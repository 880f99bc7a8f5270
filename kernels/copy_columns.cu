// Chosen columns of a panel into chosen columns of another, converted. Reads and writes r numbers for each.

#include "kernels/cells.cuh"
#include "kernels/descent_launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class From, class To>
struct copied_cell {
    panel_view<const From> from;
    const std::int64_t* from_columns;
    panel_view<To> to;
    const std::int64_t* to_columns;
    __device__ void operator()(std::int64_t i, std::int64_t e) const
    {
        to.data[i * to.stride + to_columns[e]] = static_cast<To>(from.data[i * from.stride + from_columns[e]]);
    }
};

} // namespace

template <class From, class To>
void copy_columns(const panel_view<const From>& from, const std::int64_t* from_columns, const panel_view<To>& to,
                  const std::int64_t* to_columns, std::int64_t count, stream_view stream)
{
    for_each_cell("copy_columns", from.rows, count, copied_cell<From, To>{from, from_columns, to, to_columns}, stream);
}

template void copy_columns<float, double>(const panel_view<const float>&, const std::int64_t*,
                                          const panel_view<double>&, const std::int64_t*, std::int64_t, stream_view);
template void copy_columns<double, float>(const panel_view<const double>&, const std::int64_t*,
                                          const panel_view<float>&, const std::int64_t*, std::int64_t, stream_view);
template void copy_columns<double, double>(const panel_view<const double>&, const std::int64_t*,
                                           const panel_view<double>&, const std::int64_t*, std::int64_t, stream_view);

} // namespace proxpath::kernels
