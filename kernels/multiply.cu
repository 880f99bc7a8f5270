// V = X̃B and V = y − X̃B: every row of X against the whole batch, by gather from B. Rows of X are kept beside its
// columns because adding columns into V would need atomics, whose order, and with it the bits, would be the device's.
// Moves nnz (4 + sizeof(V)) bytes for each tile of 32 columns, nnz (16 + k sizeof(T)) gathered, n k sizeof(T) written.

#include "kernels/gather_sum.cuh"
#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

/// Lists are rows of X: entries are shifted and scaled by what belongs to their own column.
template <class T, class V>
struct row_policy {
    const V* values;
    const double* shift;
    const double* inverse;
    const double* taken; ///< Σ_j center_j inverse_j B_jc; null: no column is centred
    const T* y;          ///< null: the product, else y minus it
    std::int64_t y_stride;
    panel_view<T> out;

    struct entry_weight {
        const V* values;
        const double* shift;
        const double* inverse;
        __device__ double operator()(std::int64_t position, std::int64_t j) const
        {
            return (static_cast<double>(values[position]) - shift[j]) * inverse[j];
        }
    };
    __device__ entry_weight weight(std::int64_t, bool) const { return {values, shift, inverse}; }
    __device__ void finish(std::int64_t i, std::int64_t c, double sum) const
    {
        const double product = taken == nullptr ? sum : sum - taken[c];
        const double result = y == nullptr ? product : static_cast<double>(y[i * y_stride]) - product;
        out.data[i * out.stride + c] = static_cast<T>(result);
    }
};

/// What centring takes from every row, before it is summed over features.
template <class T>
struct taken_term {
    panel_view<const T> B;
    const double* center;
    const double* inverse;
    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        sum[0] += center[j] * (inverse[j] * cell(B, j, c));
    }
};

template <class T, class V>
void multiply_rows(const char* operation, const design_view<V>& X, const panel_view<const T>& B, const double* taken,
                   const panel_view<const T>& y, const panel_view<T>& out, stream_view stream)
{
    const row_policy<T, V> policy{X.rows.values, X.shift, X.inverse, taken, y.data, y.stride, out};
    gather_sums(operation, X.rows, B, policy, stream);
}

/// What centring takes, in the first numbers of scratch; null where it takes nothing.
template <class T, class V>
const double* taken_from_rows(const design_view<V>& X, const panel_view<const T>& B, double* scratch,
                              stream_view stream)
{
    if (!X.centered || X.n == 0 || B.cols == 0) return nullptr;
    centering_products(X, B, scratch, scratch + B.cols, stream);
    return scratch;
}

} // namespace

template <class T, class V>
void centering_products(const design_view<V>& X, const panel_view<const T>& B, double* taken, double* scratch,
                        stream_view stream)
{
    row_sums<1>("centering_products", X.p, B.cols, taken_term<T>{B, X.center, X.inverse}, taken, scratch, stream);
}

template <class T, class V>
void multiply_part(const design_view<V>& X, const panel_view<const T>& B, const double* taken,
                   const panel_view<T>& product, stream_view stream)
{
    multiply_rows<T, V>("multiply", X, B, taken, {}, product, stream);
}

template <class T, class V>
void residual_part(const design_view<V>& X, const panel_view<const T>& B, const double* taken,
                   const panel_view<const T>& y, const panel_view<T>& rest, stream_view stream)
{
    multiply_rows<T, V>("residual", X, B, taken, y, rest, stream);
}

template <class T, class V>
void multiply(const design_view<V>& X, const panel_view<const T>& B, const panel_view<T>& product, double* scratch,
              stream_view stream)
{
    multiply_part(X, B, taken_from_rows(X, B, scratch, stream), product, stream);
}

template <class T, class V>
void residual(const design_view<V>& X, const panel_view<const T>& B, const panel_view<const T>& y,
              const panel_view<T>& rest, double* scratch, stream_view stream)
{
    residual_part(X, B, taken_from_rows(X, B, scratch, stream), y, rest, stream);
}

template void multiply<float, float>(const design_view<float>&, const panel_view<const float>&,
                                     const panel_view<float>&, double*, stream_view);
template void residual<float, float>(const design_view<float>&, const panel_view<const float>&,
                                     const panel_view<const float>&, const panel_view<float>&, double*, stream_view);
template void centering_products<float, float>(const design_view<float>&, const panel_view<const float>&, double*,
                                               double*, stream_view);
template void multiply_part<float, float>(const design_view<float>&, const panel_view<const float>&, const double*,
                                          const panel_view<float>&, stream_view);
template void residual_part<float, float>(const design_view<float>&, const panel_view<const float>&, const double*,
                                          const panel_view<const float>&, const panel_view<float>&, stream_view);
template void multiply<float, double>(const design_view<double>&, const panel_view<const float>&,
                                      const panel_view<float>&, double*, stream_view);
template void residual<float, double>(const design_view<double>&, const panel_view<const float>&,
                                      const panel_view<const float>&, const panel_view<float>&, double*, stream_view);
template void centering_products<float, double>(const design_view<double>&, const panel_view<const float>&, double*,
                                                double*, stream_view);
template void multiply_part<float, double>(const design_view<double>&, const panel_view<const float>&, const double*,
                                           const panel_view<float>&, stream_view);
template void residual_part<float, double>(const design_view<double>&, const panel_view<const float>&, const double*,
                                           const panel_view<const float>&, const panel_view<float>&, stream_view);
template void multiply<double, float>(const design_view<float>&, const panel_view<const double>&,
                                      const panel_view<double>&, double*, stream_view);
template void residual<double, float>(const design_view<float>&, const panel_view<const double>&,
                                      const panel_view<const double>&, const panel_view<double>&, double*, stream_view);
template void centering_products<double, float>(const design_view<float>&, const panel_view<const double>&, double*,
                                                double*, stream_view);
template void multiply_part<double, float>(const design_view<float>&, const panel_view<const double>&, const double*,
                                           const panel_view<double>&, stream_view);
template void residual_part<double, float>(const design_view<float>&, const panel_view<const double>&, const double*,
                                           const panel_view<const double>&, const panel_view<double>&, stream_view);
template void multiply<double, double>(const design_view<double>&, const panel_view<const double>&,
                                       const panel_view<double>&, double*, stream_view);
template void residual<double, double>(const design_view<double>&, const panel_view<const double>&,
                                       const panel_view<const double>&, const panel_view<double>&, double*,
                                       stream_view);
template void centering_products<double, double>(const design_view<double>&, const panel_view<const double>&, double*,
                                                 double*, stream_view);
template void multiply_part<double, double>(const design_view<double>&, const panel_view<const double>&, const double*,
                                            const panel_view<double>&, stream_view);
template void residual_part<double, double>(const design_view<double>&, const panel_view<const double>&, const double*,
                                            const panel_view<const double>&, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
