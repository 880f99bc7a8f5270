// Z = C B for a symmetric C: gradients and Newton systems of the Gram form. C is read along its rows for sums down its
// columns, which are the same numbers. Moves p² sizeof(T) bytes of C for each tile of 32 columns and, where p < 2¹⁶, 16
// bytes for each sum of a slice.
//
// Bits: the rows of C are cut into slices whose number depends on p alone, so that small matrices fill the device; the
// slices' sums are added in order.

#include "kernels/cells.cuh"
#include "kernels/dense_tiles.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

constexpr std::int64_t least_slice_rows = 256;
/// Rows of results that keep a device busy: a block has 64 of them.
constexpr std::int64_t enough_rows = std::int64_t{1} << 16;

struct symmetric_slices {
    std::int64_t count = 1;
    std::int64_t rows = 0;

    explicit symmetric_slices(std::int64_t p)
    {
        if (p == 0) return;
        const std::int64_t wanted = ceil_div(enough_rows, p);
        const std::int64_t most = ceil_div(p, least_slice_rows);
        rows = ceil_div(p, wanted < most ? wanted : most);
        count = ceil_div(p, rows);
    }
};

template <class T, class N>
struct symmetric_product {
    panel_view<const T> C;
    panel_view<const N> B;
    panel_view<N> Z;
    double* parts; ///< of slices, each p × k; null: one slice, whose sums are the results

    __device__ dense_tile tile(const dense_tile& at) const { return at; }
    __device__ double left(std::int64_t i, std::int64_t row) const { return cell(C, i, row); }
    __device__ double right(std::int64_t i, std::int64_t c) const { return cell(B, i, c); }
    __device__ void finish(std::int64_t row, std::int64_t c, std::int64_t slice, double sum) const
    {
        if (parts == nullptr)
            Z.data[row * Z.stride + c] = static_cast<N>(sum);
        else
            parts[(slice * Z.rows + row) * Z.cols + c] = sum;
    }
};

template <class T>
struct add_slices_cell {
    const double* parts;
    std::int64_t slices;
    panel_view<T> Z;
    __device__ void operator()(std::int64_t i, std::int64_t c) const
    {
        double sum = 0;
        for (std::int64_t s = 0; s < slices; ++s) sum += parts[(s * Z.rows + i) * Z.cols + c];
        Z.data[i * Z.stride + c] = static_cast<T>(sum);
    }
};

} // namespace

std::int64_t symmetric_multiply_numbers(std::int64_t p, std::int64_t k)
{
    const symmetric_slices slices(p);
    return slices.count == 1 ? 0 : slices.count * p * k;
}

template <class T, class N>
void symmetric_multiply(const panel_view<const T>& C, const panel_view<const N>& B, const panel_view<N>& Z,
                        double* scratch, stream_view stream)
{
    constexpr const char* name = "symmetric_multiply";
    const symmetric_slices slices(Z.rows);
    const tile_space space{Z.rows, Z.cols, Z.rows, slices.count, slices.rows};
    const symmetric_product<T, N> product{C, B, Z, slices.count == 1 ? nullptr : scratch};
    if (Z.cols <= 4)
        dense_tiles<4>(name, space, product, stream);
    else if (Z.cols <= 8)
        dense_tiles<8>(name, space, product, stream);
    else if (Z.cols <= 16)
        dense_tiles<16>(name, space, product, stream);
    else
        dense_tiles<32>(name, space, product, stream);
    if (slices.count > 1) for_each_cell(name, Z.rows, Z.cols, add_slices_cell<N>{scratch, slices.count, Z}, stream);
}

template void symmetric_multiply<float, float>(const panel_view<const float>&, const panel_view<const float>&,
                                               const panel_view<float>&, double*, stream_view);
template void symmetric_multiply<float, double>(const panel_view<const float>&, const panel_view<const double>&,
                                                const panel_view<double>&, double*, stream_view);
template void symmetric_multiply<double, double>(const panel_view<const double>&, const panel_view<const double>&,
                                                 const panel_view<double>&, double*, stream_view);

} // namespace proxpath::kernels
