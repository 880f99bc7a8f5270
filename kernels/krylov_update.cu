// All shifts of one conjugate-gradient step: B_c += a_c D_c, then D_c = z_c r + b_c D_c. Moves 4 p k sizeof(T) bytes.

#include "kernels/cells.cuh"
#include "kernels/launchers.hpp"

namespace proxpath::kernels {

namespace {

template <class T>
struct krylov_cell {
    panel_view<const T> r;
    const double* a;
    const double* z;
    const double* b;
    panel_view<T> D;
    panel_view<T> B;
    __device__ void operator()(std::int64_t j, std::int64_t c) const
    {
        T& solution = B.data[j * B.stride + c];
        T& direction = D.data[j * D.stride + c];
        const double d = static_cast<double>(direction);
        solution = static_cast<T>(static_cast<double>(solution) + a[c] * d);
        direction = static_cast<T>(z[c] * cell(r, j, 0) + b[c] * d);
    }
};

} // namespace

template <class T>
void krylov_update(const panel_view<const T>& r, const double* a, const double* z, const double* b,
                   const panel_view<T>& D, const panel_view<T>& B, stream_view stream)
{
    for_each_cell("krylov_update", B.rows, B.cols, krylov_cell<T>{r, a, z, b, D, B}, stream);
}

template void krylov_update<float>(const panel_view<const float>&, const double*, const double*, const double*,
                                   const panel_view<float>&, const panel_view<float>&, stream_view);
template void krylov_update<double>(const panel_view<const double>&, const double*, const double*, const double*,
                                    const panel_view<double>&, const panel_view<double>&, stream_view);

} // namespace proxpath::kernels
