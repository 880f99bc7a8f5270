// The certificate's pass where every feature is in use: residuals of the whole batch and their correlations in one
// reading of X. Rows go in strips that stay in the cache from the one product to the other, so nothing of size n × k
// is ever stored; it is the p × k correlations that are, for which p must be small.

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/row_pieces.hpp"
#include "host/backend/cpu/row_strips.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

namespace {

/// Rows of a strip: its residuals (of 32 columns in sparse form, of all in dense form) take up to 128 KiB.
constexpr std::int64_t strip_rows = 512;
constexpr std::int64_t dense_strip_numbers = 16384;
/// Above this share of non-zeros, dense products are faster.
constexpr double dense_pass_from_density = 0.5;

/// One piece of rows: its share of U (p × stride), and for each column Σ w ρ, Σ w ρ² and Σ w ρ z.
struct piece_sums {
    std::vector<double> U, sum, square, product;
};

struct narrow_problem {
    const cpu_design& X;
    std::span<const double> B; ///< p × stride; in sparse form with the scale of X in it
    std::size_t stride;
    std::span<const double> taken; ///< stride, what centring adds to every residual in sparse form
    std::span<const double> y, z, weights;
};

/// ρ → wρ of rows [first, last) in K columns of a strip, and their sums.
template <int K>
void weigh(const narrow_problem& problem, std::int64_t first, std::int64_t last, double* strip, std::size_t columns,
           std::size_t from, piece_sums& piece)
{
    double square[K] = {}, product[K] = {}, sum[K] = {};
    for (std::int64_t i = first; i < last; ++i) {
        const auto row = static_cast<std::size_t>(i);
        const double w = problem.weights[row];
        const double other = problem.z[row];
        double* const r = strip + (row - static_cast<std::size_t>(first)) * columns;
        for (int c = 0; c < K; ++c) {
            const double weighted = w * r[c];
            square[c] += weighted * r[c];
            product[c] += weighted * other;
            sum[c] += weighted;
            r[c] = weighted;
        }
    }
    for (std::size_t c = 0; c < K; ++c) {
        piece.square[from + c] += square[c];
        piece.product[from + c] += product[c];
        piece.sum[from + c] += sum[c];
    }
}

/// The entries of each column in a strip of rows.
struct strip_entries {
    std::int64_t first, last; ///< rows
    std::vector<std::int64_t> begin, end;
};

template <class F>
void for_each_column(const cpu_design& X, const F& f)
{
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t local = 0; local < block.count; ++local)
                f(static_cast<std::size_t>(block.first + local), indices.column(block.offsets[local]), values);
        });
}

/// K columns of the batch, from column `from` on: each entry of X meets a row of the strip twice, once with the
/// coefficients and once with the sums in registers.
template <int K>
void add_sparse(const narrow_problem& problem, const strip_entries& entries, std::size_t from,
                std::vector<double>& strip, piece_sums& piece)
{
    using detail::four_doubles;
    using memory = detail::four_in_memory<double>::type;
    for (std::int64_t i = entries.first; i < entries.last; ++i)
        for (std::size_t c = 0; c < K; ++c)
            strip[static_cast<std::size_t>(i - entries.first) * K + c] =
                problem.y[static_cast<std::size_t>(i)] + problem.taken[from + c];
    for_each_column(problem.X, [&](std::size_t j, const auto& rows, const auto& values) {
        const double* const coefficients = problem.B.data() + j * problem.stride + from;
        // Coefficients enter along the path: those of large lambdas are often all zero.
        if (std::all_of(coefficients, coefficients + K, [](double value) { return value == 0; })) return;
        four_doubles b[K / 4];
        std::memcpy(b, coefficients, sizeof b);
        const double shift = problem.X.scaling().shift[j];
        for (std::int64_t i = entries.begin[j]; i < entries.end[j]; ++i) {
            const double x = static_cast<double>(values[i]) - shift;
            memory* const r =
                reinterpret_cast<memory*>(strip.data() + (static_cast<std::int64_t>(rows[i]) - entries.first) * K);
#pragma GCC unroll 8
            for (int c = 0; c < K / 4; ++c) r[c] -= x * b[c];
        }
    });
    weigh<K>(problem, entries.first, entries.last, strip.data(), K, from, piece);
    for_each_column(problem.X, [&](std::size_t j, const auto& rows, const auto& values) {
        const double shift = problem.X.scaling().shift[j];
        four_doubles u[K / 4] = {};
        for (std::int64_t i = entries.begin[j]; i < entries.end[j]; ++i) {
            const double x = static_cast<double>(values[i]) - shift;
            const memory* const r = reinterpret_cast<const memory*>(
                strip.data() + (static_cast<std::int64_t>(rows[i]) - entries.first) * K);
#pragma GCC unroll 8
            for (int c = 0; c < K / 4; ++c) u[c] += x * r[c];
        }
        memory* const total = reinterpret_cast<memory*>(piece.U.data() + j * problem.stride + from);
#pragma GCC unroll 8
        for (int c = 0; c < K / 4; ++c) total[c] += u[c];
    });
}

void add_sparse_rows(const narrow_problem& problem, std::int64_t piece_first, std::int64_t piece_last,
                     piece_sums& piece)
{
    const auto p = static_cast<std::size_t>(problem.X.cols());
    row_strips strips(problem.X, piece_first);
    strip_entries entries;
    entries.begin.resize(p);
    entries.end.resize(p);
    std::vector<double> strip(static_cast<std::size_t>(strip_rows * widest_tile));
    for (std::int64_t first = piece_first; first < piece_last; first += strip_rows) {
        entries.first = first;
        entries.last = std::min(piece_last, first + strip_rows);
        strips.next(0, problem.X.cols(), entries.last,
                    [&](std::int64_t j, const auto&, const auto&, std::int64_t begin, std::int64_t end) {
                        entries.begin[static_cast<std::size_t>(j)] = begin;
                        entries.end[static_cast<std::size_t>(j)] = end;
                    });
        std::size_t from = 0;
        for (; from + 32 <= problem.stride; from += 32) add_sparse<32>(problem, entries, from, strip, piece);
        for (; from + 16 <= problem.stride; from += 16) add_sparse<16>(problem, entries, from, strip, piece);
        for (; from < problem.stride; from += 8) add_sparse<8>(problem, entries, from, strip, piece);
    }
}

/// Strips spread out, with centre and scale, and multiplied as dense matrices.
void add_dense(const narrow_problem& problem, std::int64_t piece_first, std::int64_t piece_last, piece_sums& piece)
{
    using matrix = Eigen::MatrixXd; // by columns: a column holds what belongs to one row of X, or one feature
    const std::int64_t p = problem.X.cols();
    const auto k = static_cast<std::int64_t>(problem.stride);
    const std::int64_t rows = std::clamp<std::int64_t>(dense_strip_numbers / std::max(k, p), 16, strip_rows);
    // In Eigen's own memory: where numbers lie decides which of them meet in a vector, and so the last bits.
    const matrix B = Eigen::Map<const matrix>(problem.B.data(), k, p);
    matrix U = matrix::Zero(k, p);
    row_strips strips(problem.X, piece_first);
    matrix X(rows, p);
    matrix residual(k, rows);
    for (std::int64_t first = piece_first; first < piece_last; first += rows) {
        const std::int64_t last = std::min(piece_last, first + rows);
        const std::int64_t count = last - first;
        strips.spread(0, p, first, last, X.data(), rows);
        for (std::int64_t i = first; i < last; ++i)
            residual.col(i - first).setConstant(problem.y[static_cast<std::size_t>(i)]);
        residual.leftCols(count).noalias() -= B * X.topRows(count).transpose();
        for (std::size_t from = 0; from < problem.stride; from += 8)
            weigh<8>(problem, first, last, residual.data() + from, problem.stride, from, piece);
        U.noalias() += residual.leftCols(count) * X.topRows(count);
    }
    Eigen::Map<matrix>(piece.U.data(), k, p) = U;
}

} // namespace

template <class T>
void cpu_operations<T>::residual_correlations(const design& X, const panel<T>& B, const panel<T>& y, const panel<T>& z,
                                              std::span<const double> weights, panel<T>& U, std::span<double> square,
                                              std::span<double> product) const
{
    const cpu_design& columns = as_cpu(X);
    const column_scaling& scaling = columns.scaling();
    const auto p = static_cast<std::size_t>(X.cols());
    const std::size_t stride = (square.size() + 7) / 8 * 8;
    const std::int64_t n = X.rows();
    const bool dense =
        static_cast<double>(X.nonzeros()) >= dense_pass_from_density * static_cast<double>(n) * static_cast<double>(p);

    std::vector<double> coefficients(p * stride, 0.0);
    std::vector<double> taken(stride, 0.0);
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t c = 0; c < square.size(); ++c) {
            double& b = coefficients[j * stride + c];
            b = static_cast<double>(B.row(static_cast<std::int64_t>(j))[c]) * (dense ? 1.0 : scaling.inverse[j]);
            taken[c] += scaling.center[j] * b;
        }
    const auto vector_of = [&](const panel<T>& from) {
        std::vector<double> made(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = static_cast<double>(from.row(static_cast<std::int64_t>(i))[0]);
        return made;
    };
    const std::vector<double> response = vector_of(y);
    const std::vector<double> other = vector_of(z);
    const narrow_problem problem{columns, coefficients, stride, taken, response, other, weights};

    const few_row_pieces cut(n);
    std::vector<piece_sums> pieces(static_cast<std::size_t>(cut.count));
    parallel::parallel_for(threads_, cut.count, [&](std::int64_t number) {
        piece_sums& piece = pieces[static_cast<std::size_t>(number)];
        piece.U.assign(p * stride, 0.0);
        for (std::vector<double>* each : {&piece.sum, &piece.square, &piece.product}) each->assign(stride, 0.0);
        if (dense)
            add_dense(problem, cut.first(number), cut.last(number), piece);
        else
            add_sparse_rows(problem, cut.first(number), cut.last(number), piece);
    });

    std::vector<double> sum(stride, 0.0);
    std::fill(square.begin(), square.end(), 0.0);
    std::fill(product.begin(), product.end(), 0.0);
    for (const piece_sums& piece : pieces)
        for (std::size_t c = 0; c < square.size(); ++c) {
            sum[c] += piece.sum[c];
            square[c] += piece.square[c];
            product[c] += piece.product[c];
        }
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t c = 0; c < square.size(); ++c) {
            double u = 0;
            for (const piece_sums& piece : pieces) u += piece.U[j * stride + c];
            if (!dense) u = scaling.inverse[j] * (u - scaling.center[j] * sum[c]);
            U.row(static_cast<std::int64_t>(j))[c] = static_cast<T>(u);
        }
}

template void cpu_operations<float>::residual_correlations(const design&, const panel<float>&, const panel<float>&,
                                                           const panel<float>&, std::span<const double>, panel<float>&,
                                                           std::span<double>, std::span<double>) const;
template void cpu_operations<double>::residual_correlations(const design&, const panel<double>&, const panel<double>&,
                                                            const panel<double>&, std::span<const double>,
                                                            panel<double>&, std::span<double>, std::span<double>) const;

} // namespace proxpath::backend
