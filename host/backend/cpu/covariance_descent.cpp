// The Gram form of the restricted problem: the point b and its correlations g = c0 − C b, kept up to date move by move
// (coordinate descent in covariance form, Friedman, Hastie & Tibshirani 2010, section 2.2). For features that are few
// against the rows; a move costs a row of C, whatever the rows are.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/backend/cpu/descent.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <cmath>

namespace proxpath::backend {

namespace {

/// Rows of C that one piece of work takes.
constexpr std::int64_t rows_together = 64;
/// Entries of C b that one piece of work takes.
constexpr std::int64_t entries_together = 1024;

template <class T>
class gram_form {
public:
    gram_form(const covariance_problem<T>& problem, int threads)
        : problem_(problem), threads_(threads), p_(problem.gram->rows), b_(static_cast<std::size_t>(p_), 0.0),
          g_(b_.size(), 0.0), image_(b_.size(), 0.0)
    {}

    std::span<const double> coefficients() const { return b_; }
    bool active(std::size_t j) const { return diagonal(j) > 0; }

    /// Every non-zero coefficient may move, by a row of C.
    double sweep_cost() const
    {
        const auto nonzeros =
            static_cast<double>(b_.size()) - static_cast<double>(std::count(b_.begin(), b_.end(), 0.0));
        return 2 * nonzeros * static_cast<double>(p_);
    }

    /// Rows of C in memory, as long as the products of 8 (see newton_costs).
    double hessian_cost(std::size_t support) const
    {
        return 8.0 * static_cast<double>(support) * static_cast<double>(p_);
    }

    void load(const std::vector<double>& b)
    {
        std::fill(b_.begin(), b_.end(), 0.0);
        std::copy(problem_.correlation.begin(), problem_.correlation.end(), g_.begin());
        std::vector<std::int64_t> support;
        std::vector<double> moved;
        for (std::size_t j = 0; j < b.size(); ++j)
            if (b[j] != 0) {
                support.push_back(static_cast<std::int64_t>(j));
                moved.push_back(b[j]);
            }
        make_image(support, moved);
        accept(support, moved);
    }

    void sweep(bool all, double lambda)
    {
        const penalty_view& penalty = problem_.penalty;
        for (std::size_t j = 0; j < b_.size(); ++j) {
            if (!all && b_[j] == 0) continue;
            const double q = diagonal(j);
            if (!(q > 0)) continue;
            const double next = prox(g_[j] + q * b_[j], q, lambda * penalty.l1[j], lambda * penalty.l2[j],
                                     penalty.lower[j], penalty.upper[j]);
            const double moved = next - b_[j];
            if (moved == 0) continue;
            b_[j] = next;
            const T* const row = problem_.gram->row(static_cast<std::int64_t>(j));
            for (std::size_t i = 0; i < g_.size(); ++i) g_[i] -= moved * static_cast<double>(row[i]);
        }
    }

    gap_value gap(double lambda) const
    {
        gap_sums sums;
        double linear = 0; // b'c0
        double image = 0;  // b'g
        for (std::size_t j = 0; j < b_.size(); ++j) {
            const penalty_view& penalty = problem_.penalty;
            add_gap_terms(sums, g_[j], b_[j], penalty.l1[j], penalty.l2[j], lambda, penalty.lower[j], penalty.upper[j],
                          penalty.kkt_scale[j]);
            linear += b_[j] * problem_.correlation[j];
            image += b_[j] * g_[j];
        }
        // Σ w ρ² = y'y − 2 b'c0 + b'Cb, and Cb = c0 − g. In this order, max keeps NaN.
        const double square = std::max(problem_.response_square - linear - image, 0.0);
        gap_value value = duality_gap(sums, square, problem_.response_square - linear, lambda);
        value.gap += sums.unpenalised;
        return value;
    }

    void correlations(std::span<const std::int64_t> S, std::span<double> out) const
    {
        for (std::size_t a = 0; a < S.size(); ++a) out[a] = g_[static_cast<std::size_t>(S[a])];
    }

    void hessian(std::span<const std::int64_t> S, const std::vector<double>& d, std::vector<double>& out)
    {
        std::vector<double> spread(b_.size(), 0.0);
        for (std::size_t a = 0; a < S.size(); ++a) spread[static_cast<std::size_t>(S[a])] = d[a];
        const auto s = static_cast<std::int64_t>(S.size());
        parallel::parallel_for(threads_, parallel::pieces(s, rows_together), [&](std::int64_t piece) {
            for (std::int64_t a = piece * rows_together; a < std::min(s, (piece + 1) * rows_together); ++a) {
                const T* const row = problem_.gram->row(S[static_cast<std::size_t>(a)]);
                // Whole rows in a row while the support is a good part of them, else the entries that count.
                constexpr int lanes = 8;
                double sum[lanes] = {};
                if (4 * s > p_) {
                    std::int64_t i = 0;
                    for (; i + lanes <= p_; i += lanes)
                        for (int lane = 0; lane < lanes; ++lane)
                            sum[lane] +=
                                static_cast<double>(row[i + lane]) * spread[static_cast<std::size_t>(i + lane)];
                    for (; i < p_; ++i) sum[0] += static_cast<double>(row[i]) * spread[static_cast<std::size_t>(i)];
                } else {
                    for (std::int64_t e = 0; e < s; ++e)
                        sum[e % lanes] +=
                            static_cast<double>(row[S[static_cast<std::size_t>(e)]]) * d[static_cast<std::size_t>(e)];
                }
                double total = 0;
                for (const double lane : sum) total += lane;
                out[static_cast<std::size_t>(a)] = total;
            }
        });
    }

    void gram(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns, Eigen::MatrixXd& out) const
    {
        parallel::parallel_for(threads_, static_cast<std::int64_t>(columns.size()), [&](std::int64_t e) {
            const T* const row = problem_.gram->row(columns[static_cast<std::size_t>(e)]); // symmetric
            for (std::size_t a = 0; a < rows.size(); ++a)
                out(static_cast<std::int64_t>(a), e) = static_cast<double>(row[rows[a]]);
        });
    }

    double loss_change(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        make_image(S, moved);
        double change = 0;
        for (std::size_t a = 0; a < S.size(); ++a) {
            const auto j = static_cast<std::size_t>(S[a]);
            change += moved[a] * (0.5 * image_[j] - g_[j]);
        }
        return change;
    }

    void accept(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        for (std::size_t a = 0; a < S.size(); ++a) b_[static_cast<std::size_t>(S[a])] += moved[a];
        for (std::size_t i = 0; i < g_.size(); ++i) g_[i] -= image_[i];
    }

private:
    double diagonal(std::size_t j) const
    {
        return static_cast<double>(problem_.gram->row(static_cast<std::int64_t>(j))[j]);
    }

    /// image = C times a move on S, all p entries.
    void make_image(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        parallel::parallel_for(threads_, parallel::pieces(p_, entries_together), [&](std::int64_t piece) {
            const auto first = static_cast<std::size_t>(piece * entries_together);
            const auto last = static_cast<std::size_t>(std::min(p_, (piece + 1) * entries_together));
            std::fill(image_.begin() + static_cast<std::ptrdiff_t>(first),
                      image_.begin() + static_cast<std::ptrdiff_t>(last), 0.0);
            for (std::size_t a = 0; a < S.size(); ++a) {
                if (moved[a] == 0) continue;
                const T* const row = problem_.gram->row(S[a]);
                for (std::size_t i = first; i < last; ++i) image_[i] += moved[a] * static_cast<double>(row[i]);
            }
        });
    }

    const covariance_problem<T>& problem_;
    int threads_;
    std::int64_t p_;
    std::vector<double> b_;
    std::vector<double> g_;
    std::vector<double> image_;
};

} // namespace

template <class T>
std::unique_ptr<descent_memory> cpu_operations<T>::make_descent_memory(std::uint64_t limit_bytes) const
{
    return std::make_unique<cpu_descent_memory>(limit_bytes);
}

template <class T>
void cpu_operations<T>::covariance_descent(const covariance_problem<T>& problem, panel<T>& B,
                                           std::span<std::int64_t> iterations, std::span<double> gaps) const
{
    gram_form<T> form(problem, threads_);
    descend_columns(form, problem, threads_, B, iterations, gaps);
}

template std::unique_ptr<descent_memory> cpu_operations<float>::make_descent_memory(std::uint64_t) const;
template std::unique_ptr<descent_memory> cpu_operations<double>::make_descent_memory(std::uint64_t) const;
template void cpu_operations<float>::covariance_descent(const covariance_problem<float>&, panel<float>&,
                                                        std::span<std::int64_t>, std::span<double>) const;
template void cpu_operations<double>::covariance_descent(const covariance_problem<double>&, panel<double>&,
                                                         std::span<std::int64_t>, std::span<double>) const;

} // namespace proxpath::backend
