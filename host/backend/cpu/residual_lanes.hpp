// The residual form for K columns of the batch side by side: points and residuals as row-major panels of K numbers a
// row, so that one reading of a column of X serves K lambdas and every number of it meets K others in the processor's
// vectors. The single column is in coordinate_descent.cpp; lane_descent.hpp decides what to do with the lanes.
#pragma once

#include "host/backend/cpu/column_kernels.hpp"
#include "host/backend/cpu/residual_data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace proxpath::backend {

template <int K>
class residual_lanes {
public:
    using numbers = std::array<double, K>;
    using lane_set = std::array<bool, K>;

    explicit residual_lanes(const residual_data& data)
        : data_(data), by_rows_(data.sparse()),
          spread_(by_rows_ ? static_cast<std::size_t>(data.X.cols() * K) : 0, 0.0),
          b_(static_cast<std::size_t>(data.X.cols() * K), 0.0), q_(static_cast<std::size_t>(data.X.rows() * K), 0.0),
          image_(q_.size(), 0.0), correlation_(b_.size(), 0.0)
    {}

    const residual_data& data() const { return data_; }
    /// What has been done so far, in products of a large matrix product (newton_costs.hpp). An entry of X that meets a
    /// row of the panel takes 3 ns for eight lanes and 2 ns for four, with all that is done beside, and a little more
    /// where the row is written.
    double spent() const
    {
        constexpr double read = K == 8 ? 64 : 44;
        constexpr double write = K == 8 ? 76 : 52;
        return read * static_cast<double>(entries_read_) + write * static_cast<double>(entries_written_);
    }
    /// K coefficients of feature j.
    const double* coefficients(std::size_t j) const { return b_.data() + j * K; }

    /// All lanes at the points B, p × K.
    void load(const std::vector<double>& B)
    {
        std::vector<std::int64_t> used;
        std::vector<double> moved;
        for (std::size_t j = 0; j < B.size() / K; ++j) {
            if (std::all_of(B.data() + j * K, B.data() + (j + 1) * K, [](double b) { return b == 0; })) continue;
            used.push_back(static_cast<std::int64_t>(j));
            moved.insert(moved.end(), B.data() + j * K, B.data() + (j + 1) * K);
        }
        std::fill(b_.begin(), b_.end(), 0.0);
        offset_.fill(0);
        known_ = false;
        for (std::size_t i = 0; i < data_.problem.response.size(); ++i)
            std::fill_n(q_.data() + i * K, K, data_.problem.weights[i] * data_.problem.response[i]);
        image_offset_ = make_image(used, moved, image_);
        lane_set all;
        all.fill(true);
        accept(used, moved, all);
    }

    /// One pass of coordinate descent over all features, or over those that any lane has in use.
    void sweep(bool all, const numbers& lambda, const lane_set& open)
    {
        if (data_.equal_weights) {
            const double w = data_.problem.weights.empty() ? 0 : data_.problem.weights[0];
            sweep_with([w](std::size_t) { return w; }, all, lambda, open);
        } else {
            sweep_with([this](std::size_t row) { return data_.problem.weights[row]; }, all, lambda, open);
        }
    }

    /// Makes products with these features fast, of which several are to come: their entries are listed by rows, unless
    /// the lists of an earlier call will nearly do.
    void prepare_products(std::span<const std::int64_t> S)
    {
        if (!by_rows_) return;
        constexpr double slack = 1.25;  // entries more than needed
        constexpr double missing = 0.1; // share of them that may be added by columns
        std::int64_t needed = 0;
        std::int64_t listed = 0;
        for (const std::int64_t j : S) {
            const std::int64_t entries = count_entries(j);
            needed += entries;
            listed += is_listed(j) ? entries : 0;
        }
        if (static_cast<double>(needed - listed) <= missing * static_cast<double>(needed) &&
            static_cast<double>(lists_.values.size()) <= slack * static_cast<double>(needed))
            return;
        listed_.assign(b_.size() / K, 0);
        for (const std::int64_t j : S) listed_[static_cast<std::size_t>(j)] = 1;
        lists_ = make_row_lists(data_.X, 0, listed_);
    }

    /// Gap of the restricted problem of every open lane, with what is left of unpenalised features in it.
    std::array<gap_value, K> gaps(const numbers& lambda, const lane_set& open)
    {
        numbers square{};
        numbers dot{};
        sum_rows(square, dot);
        entries_read_ += 2 * data_.X.rows(); // and the drift
        measure_drift(square);
        find_correlations(lambda, open, square, dot);
        std::array<gap_sums, K> sums{};
        const penalty_view& penalty = data_.problem.penalty;
        for (std::size_t j = 0; j < looked_at_.size(); ++j) {
            if (looked_at_[j] == 0) continue;
            for (int c = 0; c < K; ++c)
                add_gap_terms(sums[c], correlation_[j * K + c], b_[j * K + c], penalty.l1[j], penalty.l2[j], lambda[c],
                              penalty.lower[j], penalty.upper[j], penalty.kkt_scale[j]);
        }
        std::array<gap_value, K> values;
        for (int c = 0; c < K; ++c) {
            values[c] = duality_gap(sums[c], square[c], dot[c], lambda[c]);
            values[c].gap += sums[c].unpenalised;
        }
        return values;
    }

    /// out (|S| × K) = x̃_j'wρ on S.
    void correlations(std::span<const std::int64_t> S, std::vector<double>& out) const
    {
        correlate(S, q_, offset_, out);
    }

    /// out (|S| × K) = C_SS D.
    void hessian(std::span<const std::int64_t> S, const std::vector<double>& D, std::vector<double>& out)
    {
        const numbers offset = make_image(S, D, image_);
        correlate(S, image_, offset, out);
    }

    /// Change of the loss of every lane by its move on S (|S| × K), kept for accept().
    numbers loss_change(std::span<const std::int64_t> S, const std::vector<double>& moved)
    {
        image_offset_ = make_image(S, moved, image_);
        // With δ = X̃ moved: Σ w δ (δ/2 − ρ); no difference of two large sums.
        entries_read_ += data_.X.rows();
        numbers change{};
        for (std::size_t i = 0; i < data_.inverse_weights.size(); ++i) {
            const double w = data_.problem.weights[i];
            for (int c = 0; c < K; ++c) {
                const double delta = image_[i * K + c] * data_.inverse_weights[i] + image_offset_[c];
                const double residual = q_[i * K + c] * data_.inverse_weights[i] + offset_[c];
                change[c] += w * delta * (0.5 * delta - residual);
            }
        }
        return change;
    }

    /// Takes the move of the last loss_change in some lanes.
    void accept(std::span<const std::int64_t> S, const std::vector<double>& moved, const lane_set& lanes)
    {
        for (std::size_t a = 0; a < S.size(); ++a)
            for (int c = 0; c < K; ++c)
                if (lanes[c]) b_[static_cast<std::size_t>(S[a]) * K + c] += moved[a * K + c];
        for (std::size_t i = 0; i < q_.size() / K; ++i)
            for (int c = 0; c < K; ++c) q_[i * K + c] = lanes[c] ? q_[i * K + c] - image_[i * K + c] : q_[i * K + c];
        for (int c = 0; c < K; ++c)
            if (lanes[c]) offset_[c] -= image_offset_[c];
    }

private:
    /// The lanes of a row in registers, four at a time.
    static constexpr int parts = K / 4;
    using four = detail::four_doubles;
    /// By reference: without AVX there is no agreed way to return one.
    static void load_four(const double* from, four& to) { std::memcpy(&to, from, sizeof to); }

    bool used(std::size_t j) const
    {
        bool any = false;
        for (int c = 0; c < K; ++c) any = any || b_[j * K + c] != 0;
        return any;
    }

    /// Whether a feature in no use provably stays so: columns have unit norm, so no correlation has moved by more than
    /// the residual (docs/certificate.md, features that need not be looked at).
    bool stays_zero(std::size_t j, const numbers& lambda, const lane_set& open) const
    {
        if (!known_) return false;
        bool stays = true;
        for (int c = 0; c < K; ++c)
            stays = stays && (!open[c] || std::fabs(known_correlation_[j * K + c]) + drift_[c] <=
                                              lambda[c] * data_.problem.penalty.l1[j]);
        return stays;
    }

    /// Σ w ρ² and Σ w ỹ ρ.
    void sum_rows(numbers& square, numbers& dot) const
    {
        for (std::size_t i = 0; i < data_.inverse_weights.size(); ++i) {
            const double w = data_.problem.weights[i];
            if (w == 0) continue;
            for (int c = 0; c < K; ++c) {
                const double residual = q_[i * K + c] * data_.inverse_weights[i] + offset_[c];
                square[c] += w * residual * residual;
                dot[c] += w * data_.problem.response[i] * residual;
            }
        }
    }

    /// What rounding may add to how far a correlation has moved: as in the certificate's pass.
    double rounding(int c, const numbers& square) const
    {
        return rounding_of_correlations * (data_.response_norm + std::sqrt(square[c]) + known_norm_[c]);
    }

    /// How far the residuals are from those whose correlations are known.
    void measure_drift(const numbers& square)
    {
        if (!known_) return;
        drift_.fill(0);
        for (std::size_t i = 0; i < data_.inverse_weights.size(); ++i)
            for (int c = 0; c < K; ++c) {
                const double way =
                    (q_[i * K + c] - known_q_[i * K + c]) * data_.inverse_weights[i] + offset_[c] - known_offset_[c];
                drift_[c] += data_.problem.weights[i] * way * way;
            }
        for (int c = 0; c < K; ++c) drift_[c] = std::sqrt(drift_[c]) + rounding(c, square);
    }

    /// The correlations of all features but those that provably add nothing to any open lane's gap: in no use, below
    /// their threshold, and no limit to the dual scaling.
    void find_correlations(const numbers& lambda, const lane_set& open, const numbers& square, const numbers& dot)
    {
        looked_at_.assign(b_.size() / K, 0);
        const penalty_view& penalty = data_.problem.penalty;
        numbers scale; // what the best dual scaling is at most
        for (int c = 0; c < K; ++c)
            scale[c] = square[c] > 0 ? std::max(1.0, dot[c] / square[c]) : std::numeric_limits<double>::infinity();
        const auto look = [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin,
                              std::int64_t end) {
            looked_at_[j] = 1;
            correlation(j, rows, values, begin, end, q_, offset_, correlation_.data() + j * K);
        };
        if (known_)
            data_.for_each_column(
                [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    if (!used(j) && penalty.l1[j] > 0) return;
                    look(j, rows, values, begin, end);
                    for (int c = 0; c < K; ++c) {
                        const double b = b_[j * K + c];
                        const double pull = correlation_[j * K + c] - lambda[c] * penalty.l2[j] * b;
                        const double room = pull > 0 ? penalty.upper[j] : -penalty.lower[j];
                        if (std::isinf(room) && std::fabs(pull) * scale[c] > lambda[c] * penalty.l1[j])
                            scale[c] = std::max(1.0, lambda[c] * penalty.l1[j] / std::fabs(pull));
                    }
                });
        std::int64_t passed_over = 0;
        std::int64_t near = 0;
        data_.for_each_column(
            [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                if (looked_at_[j] != 0) return;
                bool passed = known_;
                for (int c = 0; c < K; ++c)
                    passed = passed && (!open[c] || (std::fabs(known_correlation_[j * K + c]) + drift_[c]) * scale[c] <=
                                                        lambda[c] * penalty.l1[j]);
                if (passed) {
                    ++passed_over;
                    return;
                }
                ++near;
                look(j, rows, values, begin, end);
            });
        // Where the residuals have gone too far for the bound to be of use, these correlations are the next ones known.
        if (known_ && near <= passed_over) return;
        if (passed_over > 0)
            data_.for_each_column(
                [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                    if (looked_at_[j] == 0) look(j, rows, values, begin, end);
                });
        known_ = true;
        known_correlation_ = correlation_;
        known_q_ = q_;
        known_offset_ = offset_;
        for (int c = 0; c < K; ++c) {
            known_norm_[c] = std::sqrt(square[c]);
            drift_[c] = rounding(c, square);
        }
    }

    /// out[0 … K) = Σ (x − shift) panel[row][0 … K), every second entry in a sum of its own: one would wait for itself.
    template <class Rows, class Values>
    static void dot(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, double shift,
                    const double* panel, double* out)
    {
        four sum[2][parts] = {};
        const auto add = [&](std::int64_t i, four* to) {
            const std::int64_t ahead = std::min(i + prefetch_distance, end - 1);
            __builtin_prefetch(panel + static_cast<std::size_t>(rows[ahead]) * K, 0, 3);
            const double x = static_cast<double>(values[i]) - shift;
            const double* const row = panel + static_cast<std::size_t>(rows[i]) * K;
#pragma GCC unroll 2
            for (int part = 0; part < parts; ++part) {
                four numbers_of_row;
                load_four(row + 4 * part, numbers_of_row);
                to[part] += x * numbers_of_row;
            }
        };
        std::int64_t i = begin;
        for (; i + 1 < end; i += 2) {
            add(i, sum[0]);
            add(i + 1, sum[1]);
        }
        if (i < end) add(i, sum[0]);
        for (int part = 0; part < parts; ++part) sum[0][part] += sum[1][part];
        std::memcpy(out, sum[0], sizeof sum[0]);
    }

    /// u[0 … K) = x̃_j'v for v = q + w offset. Centred columns leave Σ v at zero, so the centre itself drops out.
    template <class Rows, class Values>
    void correlation(std::size_t j, const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end,
                     const std::vector<double>& q, const numbers& offset, double* u) const
    {
        dot(rows, values, begin, end, data_.X.scaling().shift[j], q.data(), u);
        entries_read_ += end - begin;
        const double inverse = data_.X.scaling().inverse[j];
        for (int c = 0; c < K; ++c) u[c] = inverse * (u[c] + offset[c] * data_.stored_sum[j]);
    }

    void correlate(std::span<const std::int64_t> S, const std::vector<double>& q, const numbers& offset,
                   std::vector<double>& out) const
    {
        for (std::size_t a = 0; a < S.size(); ++a) {
            const auto j = static_cast<std::size_t>(S[a]);
            if (!data_.active(j)) {
                std::fill_n(out.data() + a * K, K, 0.0);
                continue;
            }
            data_.with_column(S[a], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                correlation(j, rows, values, begin, end, q, offset, out.data() + a * K);
            });
        }
    }

    /// to[row] += length x[row] factor(row) in all lanes.
    template <class Rows, class Values, class Factor>
    static void add_column(const Rows& rows, const Values& values, std::int64_t begin, std::int64_t end, double shift,
                           const double* length, const Factor& factor, double* to)
    {
        four lengths[parts];
        std::memcpy(lengths, length, sizeof lengths);
        for (std::int64_t i = begin; i < end; ++i) {
            const auto row = static_cast<std::size_t>(rows[i]);
            const double x = (static_cast<double>(values[i]) - shift) * factor(row);
            double* const at = to + row * K;
#pragma GCC unroll 2
            for (int part = 0; part < parts; ++part) {
                // Four at a time: processors forward no two stores to one wider load.
                four sum;
                load_four(at + 4 * part, sum);
                sum += x * lengths[part];
                std::memcpy(at + 4 * part, &sum, sizeof sum);
            }
        }
    }

    template <class Weight>
    void sweep_with(const Weight& weight, bool all, const numbers& lambda, const lane_set& open)
    {
        const penalty_view& penalty = data_.problem.penalty;
        const column_scaling& scaling = data_.X.scaling();
        data_.for_each_column(
            [&](std::size_t j, const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                double* const b = b_.data() + j * K;
                if (!used(j) && (!all || stays_zero(j, lambda, open))) return;
                double u[K];
                correlation(j, rows, values, begin, end, q_, offset_, u);
                double length[K];
                bool moves = false;
                for (int c = 0; c < K; ++c) {
                    const double next = prox(u[c] + b[c], 1.0, lambda[c] * penalty.l1[j], lambda[c] * penalty.l2[j],
                                             penalty.lower[j], penalty.upper[j]);
                    const bool takes = open[c] && (all || b[c] != 0);
                    drift_[c] += takes ? std::fabs(next - b[c]) : 0.0; // of a column of unit norm
                    length[c] = takes ? (next - b[c]) * scaling.inverse[j] : 0.0;
                    b[c] = takes ? next : b[c];
                    moves = moves || length[c] != 0;
                }
                if (!moves) return;
                for (int c = 0; c < K; ++c) offset_[c] += length[c] * scaling.center[j];
                for (int c = 0; c < K; ++c) length[c] = -length[c];
                add_column(rows, values, begin, end, scaling.shift[j], length, weight, q_.data());
                entries_written_ += end - begin;
            });
    }

    std::int64_t count_entries(std::int64_t j) const
    {
        const storage::column_block& block = storage::block_of(data_.X.store(), j);
        return block.offsets[j - block.first + 1] - block.offsets[j - block.first];
    }
    bool is_listed(std::int64_t j) const { return !listed_.empty() && listed_[static_cast<std::size_t>(j)] != 0; }

    /// image = stored part of w X̃D. @return its offset, which acts on all rows alike
    numbers make_image(std::span<const std::int64_t> S, const std::vector<double>& D, std::vector<double>& image)
    {
        if (listed_.empty())
            std::fill(image.begin(), image.end(), 0.0);
        else
            make_image_by_rows(S, D, image);
        add_unlisted_columns(S, D, image);
        for (std::size_t i = 0; i < image.size() / K; ++i)
            for (int c = 0; c < K; ++c) image[i * K + c] *= data_.problem.weights[i];
        entries_read_ += data_.X.rows();
        numbers offset{};
        for (std::size_t a = 0; a < S.size(); ++a)
            for (int c = 0; c < K; ++c) offset[c] -= D[a * K + c] * data_.centre(static_cast<std::size_t>(S[a]));
        return offset;
    }

    /// One write for each row, where columns read and write one for each entry.
    void make_image_by_rows(std::span<const std::int64_t> S, const std::vector<double>& D, std::vector<double>& image)
    {
        for (std::size_t a = 0; a < S.size(); ++a)
            if (is_listed(S[a])) std::copy_n(D.data() + a * K, K, spread_.data() + static_cast<std::size_t>(S[a]) * K);
        for (std::size_t i = 0; i < image.size() / K; ++i)
            dot(lists_.columns.data(), lists_.values.data(), lists_.offsets[i], lists_.offsets[i + 1], 0.0,
                spread_.data(), image.data() + i * K);
        entries_read_ += lists_.offsets.back();
        for (const std::int64_t j : S) std::fill_n(spread_.data() + static_cast<std::size_t>(j) * K, K, 0.0);
    }

    void add_unlisted_columns(std::span<const std::int64_t> S, const std::vector<double>& D,
                              std::vector<double>& image) const
    {
        const column_scaling& scaling = data_.X.scaling();
        for (std::size_t a = 0; a < S.size(); ++a) {
            if (is_listed(S[a])) continue;
            const auto j = static_cast<std::size_t>(S[a]);
            double length[K];
            bool moves = false;
            for (int c = 0; c < K; ++c) {
                length[c] = D[a * K + c] * scaling.inverse[j];
                moves = moves || length[c] != 0;
            }
            if (!moves) continue;
            data_.with_column(S[a], [&](const auto& rows, const auto& values, std::int64_t begin, std::int64_t end) {
                add_column(
                    rows, values, begin, end, scaling.shift[j], length, [](std::size_t) { return 1.0; }, image.data());
                entries_written_ += end - begin;
            });
        }
    }

    const residual_data& data_;
    bool by_rows_;
    row_lists lists_;                  // of the features in listed_
    std::vector<std::uint8_t> listed_; // p, or empty
    std::vector<double> spread_;       // p × K, zero between products by rows
    std::vector<double> b_;            // p × K
    std::vector<double> q_;            // n × K, w (ρ − offset)
    numbers offset_{};                 // what centring adds to every residual
    std::vector<double> image_;
    numbers image_offset_{};
    std::vector<std::uint8_t> looked_at_;   // p, by the last gaps()
    std::vector<double> correlation_;       // p × K, of those
    bool known_ = false;                    // whether there are correlations of all features, as below
    std::vector<double> known_correlation_; // p × K
    std::vector<double> known_q_;           // n × K
    numbers known_offset_{};
    mutable std::int64_t entries_read_ = 0;
    mutable std::int64_t entries_written_ = 0;
    numbers known_norm_{};
    numbers drift_{}; // how far the residuals are from there, at most
};

} // namespace proxpath::backend
