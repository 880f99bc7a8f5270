// One proximal-gradient step on a batch of fits: soft-threshold, then scale, then clip (Parikh & Boyd 2014,
// section 6.5), from the extrapolated point, with the two sums that step control and restart need taken on the way.

#include "host/backend/cpu/row_pieces.hpp"

namespace proxpath::backend {

template <class T>
void cpu_operations<T>::prox_step(const panel<T>& B, const panel<T>& B_previous, const panel<T>& N,
                                  const penalty_view& penalty, std::span<const double> lambda,
                                  std::span<const double> theta, std::span<const double> step, panel<T>& out,
                                  std::span<double> step_square, std::span<double> restart_dot) const
{
    struct sums_type {
        double square = 0;
        double dot = 0;
    };
    const auto k = static_cast<std::size_t>(B.cols);
    std::vector<sums_type> total(k);
    sum_rows<sums_type>(
        threads_, B.rows, B.cols, total.data(),
        [&](std::int64_t j, sums_type* sums) {
            const auto at = static_cast<std::size_t>(j);
            for (std::size_t c = 0; c < k; ++c) {
                const auto b = static_cast<double>(B.row(j)[c]);
                const double v = b + theta[c] * (b - static_cast<double>(B_previous.row(j)[c]));
                const double z = v + step[c] * static_cast<double>(N.row(j)[c]);
                const double t = step[c] * lambda[c];
                const auto next = static_cast<T>(
                    prox(z, 1.0, t * penalty.l1[at], t * penalty.l2[at], penalty.lower[at], penalty.upper[at]));
                out.row(j)[c] = next;
                const double moved = static_cast<double>(next) - v;
                sums[c].square += moved * moved;
                sums[c].dot -= moved * (static_cast<double>(next) - b);
            }
        },
        [](sums_type& sum, const sums_type& part) {
            sum.square += part.square;
            sum.dot += part.dot;
        });
    for (std::size_t c = 0; c < k; ++c) {
        step_square[c] = total[c].square;
        restart_dot[c] = total[c].dot;
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
