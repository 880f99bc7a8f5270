// Elementwise combinations of panels and sums over their rows, one number for each fit of the batch.

#include "host/backend/cpu/row_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace proxpath::backend {

namespace {

double factor(std::span<const double> row_factor, std::int64_t i)
{
    return row_factor.empty() ? 1.0 : row_factor[static_cast<std::size_t>(i)];
}

void add(double& sum, double part) { sum += part; }

} // namespace

template <class T>
void cpu_operations<T>::extrapolated_residual(const panel<T>& base, const panel<T>& Z, const panel<T>& Z_previous,
                                              std::span<const double> theta, std::span<const double> row_factor,
                                              panel<T>& out) const
{
    for_each_row(threads_, Z.rows, [&](std::int64_t i) {
        const double a = factor(row_factor, i);
        for (std::int64_t c = 0; c < Z.cols; ++c) {
            const auto z = static_cast<double>(Z.row(i)[c]);
            const auto from = static_cast<double>(base.row(i)[base.cols == 1 ? 0 : c]);
            const double extrapolated =
                z + theta[static_cast<std::size_t>(c)] * (z - static_cast<double>(Z_previous.row(i)[c]));
            out.row(i)[c] = static_cast<T>(a * (from - extrapolated));
        }
    });
}

template <class T>
void cpu_operations<T>::extrapolation_dots(const panel<T>& X_next, const panel<T>& X, const panel<T>& X_previous,
                                           const panel<T>& Y_next, const panel<T>& Y, const panel<T>& Y_previous,
                                           std::span<const double> theta, std::span<const double> row_factor,
                                           std::span<double> result) const
{
    const auto difference = [](const panel<T>& next, const panel<T>& now, const panel<T>& previous, std::int64_t i,
                               std::int64_t c, double momentum) {
        const auto x = static_cast<double>(now.row(i)[c]);
        return static_cast<double>(next.row(i)[c]) - x - momentum * (x - static_cast<double>(previous.row(i)[c]));
    };
    sum_rows<double>(
        threads_, X.rows, X.cols, result.data(),
        [&](std::int64_t i, double* sums) {
            const double a = factor(row_factor, i);
            for (std::int64_t c = 0; c < X.cols; ++c) {
                const double momentum = theta[static_cast<std::size_t>(c)];
                sums[c] += a * difference(X_next, X, X_previous, i, c, momentum) *
                           difference(Y_next, Y, Y_previous, i, c, momentum);
            }
        },
        add);
}

template <class T>
void cpu_operations<T>::column_dots(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                                    std::span<double> result) const
{
    sum_rows<double>(
        threads_, X.rows, X.cols, result.data(),
        [&](std::int64_t i, double* sums) {
            const double a = factor(row_factor, i);
            for (std::int64_t c = 0; c < X.cols; ++c)
                sums[c] += a * static_cast<double>(X.row(i)[c]) * static_cast<double>(Y.row(i)[Y.cols == 1 ? 0 : c]);
        },
        add);
}

/// sums_c += Σ_i f(i) X_ic for rows [first, last) and all columns, eight of them in registers at a time.
template <class T, class F>
void add_weighted_rows(const panel<T>& X, std::int64_t first, std::int64_t last, const F& f, double* sums)
{
    constexpr std::int64_t together = 8;
    std::int64_t c = 0;
    for (; c + together <= X.cols; c += together) {
        double sum[together] = {};
        for (std::int64_t i = first; i < last; ++i) {
            const T* const x = X.row(i) + c;
            for (std::int64_t lane = 0; lane < together; ++lane)
                sum[lane] += f(i, x[lane]) * static_cast<double>(x[lane]);
        }
        for (std::int64_t lane = 0; lane < together; ++lane) sums[c + lane] += sum[lane];
    }
    for (; c < X.cols; ++c)
        for (std::int64_t i = first; i < last; ++i) sums[c] += f(i, X.row(i)[c]) * static_cast<double>(X.row(i)[c]);
}

template <class T>
void cpu_operations<T>::projections(const panel<T>& X, const panel<T>& Y, std::span<const double> row_factor,
                                    std::span<double> square, std::span<double> product) const
{
    // Of each piece of rows: the squares of all columns, then their products with each of Y.
    const std::int64_t k = X.cols;
    const std::int64_t width = k * (1 + Y.cols);
    const std::int64_t pieces = parallel::pieces(X.rows, rows_per_piece);
    std::vector<double> partial(static_cast<std::size_t>(pieces * width), 0.0);
    parallel::parallel_for(threads_, pieces, [&](std::int64_t piece) {
        double* const sums = partial.data() + piece * width;
        const std::int64_t first = piece * rows_per_piece;
        const std::int64_t last = std::min(X.rows, first + rows_per_piece);
        add_weighted_rows(
            X, first, last, [&](std::int64_t i, T x) { return factor(row_factor, i) * static_cast<double>(x); }, sums);
        for (std::int64_t e = 0; e < Y.cols; ++e)
            add_weighted_rows(
                X, first, last,
                [&](std::int64_t i, T) { return factor(row_factor, i) * static_cast<double>(Y.row(i)[e]); },
                sums + (1 + e) * k);
    });
    std::fill(square.begin(), square.end(), 0.0);
    std::fill(product.begin(), product.end(), 0.0);
    for (std::int64_t piece = 0; piece < pieces; ++piece)
        for (std::int64_t c = 0; c < k; ++c) {
            const double* const sums = partial.data() + piece * width + c;
            square[static_cast<std::size_t>(c)] += sums[0];
            for (std::int64_t e = 0; e < Y.cols; ++e)
                product[static_cast<std::size_t>(c * Y.cols + e)] += sums[(1 + e) * k];
        }
}

template <class T>
void cpu_operations<T>::chord_distances(const panel<T>& X, const panel<T>& from, const panel<T>& to,
                                        std::span<const double> theta, std::span<const double> row_factor,
                                        std::span<double> distance) const
{
    sum_rows<double>(
        threads_, X.rows, X.cols, distance.data(),
        [&](std::int64_t i, double* sums) {
            const double a = factor(row_factor, i);
            const auto start = static_cast<double>(from.row(i)[0]);
            const double direction = static_cast<double>(to.row(i)[0]) - start;
            for (std::int64_t c = 0; c < X.cols; ++c) {
                const double off =
                    static_cast<double>(X.row(i)[c]) - start - theta[static_cast<std::size_t>(c)] * direction;
                sums[c] += a * off * off;
            }
        },
        add);
    for (double& square : distance) square = std::sqrt(square);
}

template <class T>
void cpu_operations<T>::scale_rows(std::span<const double> row_factor, panel<T>& X) const
{
    for_each_row(threads_, X.rows, [&](std::int64_t i) {
        const double a = row_factor[static_cast<std::size_t>(i)];
        for (std::int64_t c = 0; c < X.cols; ++c) X.row(i)[c] = static_cast<T>(a * static_cast<double>(X.row(i)[c]));
    });
}

template <class T>
void cpu_operations<T>::residual_dots(const panel<T>& y, const panel<T>& V, std::span<const double> row_factor,
                                      std::span<double> square, std::span<double> dot) const
{
    struct sums_type {
        double square = 0;
        double dot = 0;
    };
    const auto k = static_cast<std::size_t>(V.cols);
    std::vector<sums_type> total(k);
    sum_rows<sums_type>(
        threads_, V.rows, V.cols, total.data(),
        [&](std::int64_t i, sums_type* sums) {
            const double a = factor(row_factor, i);
            const auto response = static_cast<double>(y.row(i)[0]);
            for (std::size_t c = 0; c < k; ++c) {
                const double residual = response - static_cast<double>(V.row(i)[c]);
                sums[c].square += a * residual * residual;
                sums[c].dot += a * response * residual;
            }
        },
        [](sums_type& sum, const sums_type& part) {
            sum.square += part.square;
            sum.dot += part.dot;
        });
    for (std::size_t c = 0; c < k; ++c) {
        square[c] = total[c].square;
        dot[c] = total[c].dot;
    }
}

template <class T>
void cpu_operations<T>::penalty_sums(const panel<T>& U, const panel<T>& B, const penalty_view& penalty,
                                     std::span<const double> lambda, std::span<gap_sums> sums) const
{
    sum_rows<gap_sums>(
        threads_, U.rows, U.cols, sums.data(),
        [&](std::int64_t j, gap_sums* piece) {
            const auto at = static_cast<std::size_t>(j);
            for (std::int64_t c = 0; c < U.cols; ++c)
                add_gap_terms(piece[c], static_cast<double>(U.row(j)[c]), static_cast<double>(B.row(j)[c]),
                              penalty.l1[at], penalty.l2[at], lambda[static_cast<std::size_t>(c)], penalty.lower[at],
                              penalty.upper[at], penalty.kkt_scale[at]);
        },
        [](gap_sums& sum, const gap_sums& part) { sum.add(part); });
}

template <class T>
void cpu_operations<T>::krylov_update(const panel<T>& r, std::span<const double> a, std::span<const double> z,
                                      std::span<const double> b, panel<T>& D, panel<T>& B) const
{
    for_each_row(threads_, B.rows, [&](std::int64_t j) {
        const auto residual = static_cast<double>(r.row(j)[0]);
        for (std::int64_t c = 0; c < B.cols; ++c) {
            const auto at = static_cast<std::size_t>(c);
            const auto direction = static_cast<double>(D.row(j)[c]);
            B.row(j)[c] = static_cast<T>(static_cast<double>(B.row(j)[c]) + a[at] * direction);
            D.row(j)[c] = static_cast<T>(z[at] * residual + b[at] * direction);
        }
    });
}

template <class T>
void cpu_operations<T>::combine(const panel<T>& V, std::span<const double> Y, panel<T>& B) const
{
    const auto k = static_cast<std::size_t>(B.cols);
    const std::int64_t pieces = parallel::pieces(B.rows, rows_per_piece);
    parallel::parallel_for(threads_, pieces, [&](std::int64_t piece) {
        std::vector<double> sums(k);
        const std::int64_t end = std::min(B.rows, (piece + 1) * rows_per_piece);
        for (std::int64_t r = piece * rows_per_piece; r < end; ++r) {
            std::fill(sums.begin(), sums.end(), 0.0);
            for (std::int64_t i = 0; i < V.cols; ++i) {
                const auto v = static_cast<double>(V.row(r)[i]);
                const double* const y = Y.data() + static_cast<std::size_t>(i) * k;
                for (std::size_t c = 0; c < k; ++c) sums[c] += v * y[c];
            }
            for (std::size_t c = 0; c < k; ++c) B.row(r)[c] = static_cast<T>(sums[c]);
        }
    });
}

#define INSTANTIATE(T)                                                                                                 \
    template void cpu_operations<T>::extrapolated_residual(const panel<T>&, const panel<T>&, const panel<T>&,          \
                                                           std::span<const double>, std::span<const double>,           \
                                                           panel<T>&) const;                                           \
    template void cpu_operations<T>::extrapolation_dots(                                                               \
        const panel<T>&, const panel<T>&, const panel<T>&, const panel<T>&, const panel<T>&, const panel<T>&,          \
        std::span<const double>, std::span<const double>, std::span<double>) const;                                    \
    template void cpu_operations<T>::column_dots(const panel<T>&, const panel<T>&, std::span<const double>,            \
                                                 std::span<double>) const;                                             \
    template void cpu_operations<T>::projections(const panel<T>&, const panel<T>&, std::span<const double>,            \
                                                 std::span<double>, std::span<double>) const;                          \
    template void cpu_operations<T>::chord_distances(const panel<T>&, const panel<T>&, const panel<T>&,                \
                                                     std::span<const double>, std::span<const double>,                 \
                                                     std::span<double>) const;                                         \
    template void cpu_operations<T>::scale_rows(std::span<const double>, panel<T>&) const;                             \
    template void cpu_operations<T>::residual_dots(const panel<T>&, const panel<T>&, std::span<const double>,          \
                                                   std::span<double>, std::span<double>) const;                        \
    template void cpu_operations<T>::penalty_sums(const panel<T>&, const panel<T>&, const penalty_view&,               \
                                                  std::span<const double>, std::span<gap_sums>) const;                 \
    template void cpu_operations<T>::krylov_update(const panel<T>&, std::span<const double>, std::span<const double>,  \
                                                   std::span<const double>, panel<T>&, panel<T>&) const;               \
    template void cpu_operations<T>::combine(const panel<T>&, std::span<const double>, panel<T>&) const;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

} // namespace proxpath::backend
