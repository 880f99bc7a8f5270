// One proximal-gradient step on a batch of fits: soft-threshold, then scale, then clip (Parikh & Boyd 2014,
// section 6.5), from the extrapolated point, with the two sums that step control and restart need taken on the way.
// Reads 3 p k and writes p k numbers of the panels.

#include "host/backend/penalty.hpp"
#include "kernels/launchers.hpp"
#include "kernels/row_sums.cuh"

namespace proxpath::kernels {

namespace {

template <class T>
struct prox_term {
    panel_view<const T> B;
    panel_view<const T> B_previous;
    panel_view<const T> N;
    penalty_arrays penalty;
    const double* lambda;
    const double* theta;
    const double* step;
    panel_view<T> out;

    __device__ void operator()(std::int64_t j, std::int64_t c, double* sum) const
    {
        const double at = cell(B, j, c);
        const double v = at + theta[c] * (at - cell(B_previous, j, c));
        const double z = v + step[c] * cell(N, j, c);
        const double step_lambda = step[c] * lambda[c];
        const T next = static_cast<T>(backend::prox(z, 1, step_lambda * penalty.l1[j], step_lambda * penalty.l2[j],
                                                    penalty.lower[j], penalty.upper[j]));
        out.data[j * out.stride + c] = next;
        const double moved = static_cast<double>(next) - v;
        sum[0] += moved * moved;
        sum[1] -= moved * (static_cast<double>(next) - at);
    }
};

} // namespace

template <class T>
void prox_step(const panel_view<const T>& B, const panel_view<const T>& B_previous, const panel_view<const T>& N,
               const penalty_arrays& penalty, const double* lambda, const double* theta, const double* step,
               const panel_view<T>& out, double* sums, double* scratch, stream_view stream)
{
    const prox_term<T> term{B, B_previous, N, penalty, lambda, theta, step, out};
    row_sums<2>("prox_step", B.rows, B.cols, term, sums, scratch, stream);
}

template void prox_step<float>(const panel_view<const float>&, const panel_view<const float>&,
                               const panel_view<const float>&, const penalty_arrays&, const double*, const double*,
                               const double*, const panel_view<float>&, double*, double*, stream_view);
template void prox_step<double>(const panel_view<const double>&, const panel_view<const double>&,
                                const panel_view<const double>&, const penalty_arrays&, const double*, const double*,
                                const double*, const panel_view<double>&, double*, double*, stream_view);

} // namespace proxpath::kernels
