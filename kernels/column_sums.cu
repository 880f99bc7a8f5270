// Sums of the columns of a panel, as centring takes them from X'R. Reads r k sizeof(T) bytes.

#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

std::int64_t scratch_numbers(std::int64_t rows, std::int64_t sums)
{
    std::int64_t numbers = 0;
    for (std::int64_t pieces = row_pieces(rows); pieces > 1; pieces = row_pieces(pieces)) numbers += pieces * sums;
    return numbers;
}

template <class T>
void column_sums(const panel_view<const T>& X, double* sums, double* scratch, stream_view stream)
{
    row_sums<1>("column_sums", X.rows, X.cols, cell_term<T>{X}, sums, scratch, stream);
}

template void column_sums<float>(const panel_view<const float>&, double*, double*, stream_view);
template void column_sums<double>(const panel_view<const double>&, double*, double*, stream_view);

} // namespace proxpath::kernels
