// Columns of a packed batch back to their places in the whole. Reads and writes r numbers for each.

#include "kernels/cells.cuh"
#include "kernels/descent_launchers.hpp"

namespace proxpath::kernels {

namespace {

struct put_cell {
    panel_view<const double> from;
    const std::int64_t* places;
    panel_view<double> to;
    const std::int64_t* columns;
    __device__ void operator()(std::int64_t i, std::int64_t e) const
    {
        to.data[i * to.stride + columns[e]] = cell(from, i, places[e]);
    }
};

} // namespace

void put_columns(const panel_view<const double>& from, const std::int64_t* places, const panel_view<double>& to,
                 const std::int64_t* columns, std::int64_t count, stream_view stream)
{
    for_each_cell("put_columns", from.rows, count, put_cell{from, places, to, columns}, stream);
}

} // namespace proxpath::kernels
