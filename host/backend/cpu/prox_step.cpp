// One proximal-gradient step on a batch of fits: soft-threshold, then scale, then clip (Parikh & Boyd 2014,
// section 6.5), from the extrapolated point, with the two sums that step control and restart need taken on the way.

#include "host/backend/cpu/row_pieces.hpp"

namespace proxpath::backend {

namespace {

/// As prox (penalty.hpp) with q = 1, to the same bits, but without branches: with them the loop below does not run in
/// vectors and takes six times as long. One of the two summands is an exact zero. l1 ≥ 0.
inline double prox_without_branches(double z, double l1, double l2, double lower, double upper)
{
    const double rise = z - l1;
    const double fall = z + l1;
    const double b = ((rise > 0 ? rise : 0.0) + (fall < 0 ? fall : 0.0)) / (1.0 + l2);
    const double raised = b < lower ? lower : b;
    return raised > upper ? upper : raised;
}

/// One feature, all columns of the batch. Reads 3 k and writes k numbers of the panels.
template <class T>
void prox_row(std::size_t k, const T* b, const T* b_previous, const T* n, double l1, double l2, double lower,
              double upper, const double* theta, const double* step, const double* step_lambda, T* out, double* square,
              double* dot)
{
#pragma omp simd
    for (std::size_t c = 0; c < k; ++c) {
        const auto at = static_cast<double>(b[c]);
        const double v = at + theta[c] * (at - static_cast<double>(b_previous[c]));
        const double z = v + step[c] * static_cast<double>(n[c]);
        const auto next =
            static_cast<T>(prox_without_branches(z, step_lambda[c] * l1, step_lambda[c] * l2, lower, upper));
        out[c] = next;
        const double moved = static_cast<double>(next) - v;
        square[c] += moved * moved;
        dot[c] -= moved * (static_cast<double>(next) - at);
    }
}

} // namespace

template <class T>
void cpu_operations<T>::prox_step(const panel<T>& B, const panel<T>& B_previous, const panel<T>& N,
                                  const penalty_view& penalty, std::span<const double> lambda,
                                  std::span<const double> theta, std::span<const double> step, panel<T>& out,
                                  std::span<double> step_square, std::span<double> restart_dot) const
{
    const auto k = static_cast<std::size_t>(B.cols);
    std::vector<double> step_lambda(k);
    for (std::size_t c = 0; c < k; ++c) step_lambda[c] = step[c] * lambda[c];
    std::vector<double> total(2 * k); // squares, then dots
    sum_rows<double>(
        threads_, B.rows, 2 * B.cols, total.data(),
        [&](std::int64_t j, double* sums) {
            const auto at = static_cast<std::size_t>(j);
            prox_row(k, B.row(j), B_previous.row(j), N.row(j), penalty.l1[at], penalty.l2[at], penalty.lower[at],
                     penalty.upper[at], theta.data(), step.data(), step_lambda.data(), out.row(j), sums, sums + k);
        },
        [](double& sum, double part) { sum += part; });
    for (std::size_t c = 0; c < k; ++c) {
        step_square[c] = total[c];
        restart_dot[c] = total[k + c];
    }
}

template void cpu_operations<float>::prox_step(const panel<float>&, const panel<float>&, const panel<float>&,
                                               const penalty_view&, std::span<const double>, std::span<const double>,
                                               std::span<const double>, panel<float>&, std::span<double>,
                                               std::span<double>) const;
template void cpu_operations<double>::prox_step(const panel<double>&, const panel<double>&, const panel<double>&,
                                                const penalty_view&, std::span<const double>, std::span<const double>,
                                                std::span<const double>, panel<double>&, std::span<double>,
                                                std::span<double>) const;

} // namespace proxpath::backend
