// Multi-shift conjugate gradients; see krylov.hpp.

#include "host/solver/krylov.hpp"

#include <algorithm>
#include <numeric>

namespace proxpath::solver {

namespace {

using backend::operations;
using backend::panel;

/// The scalar recurrences of one shift σ = λ − λ_seed.
struct shift_state {
    double sigma = 0;
    double zeta = 1; // residual of this shift = ζ r
    double zeta_previous = 1;
    bool running = true;
};

/// The solutions B and directions D of all shifts. As long as the vectors r are few, they are kept with the coordinates
/// of B and D in them, and nothing of size p × k is touched until the end; after that B and D move at every step.
template <class T>
class all_shifts {
public:
    all_shifts(const operations<T>& ops, std::int64_t p, std::size_t k, std::int64_t vectors_kept)
        : ops_(ops), p_(p), k_(k), limit_(vectors_kept), short_(vectors_kept > 0)
    {
        if (short_) {
            space_.vectors = ops.allocate(p, vectors_kept);
        } else {
            B_ = ops.allocate(p, static_cast<std::int64_t>(k));
            D_ = ops.allocate(p, static_cast<std::int64_t>(k));
        }
    }

    /// For each column c: B_c += a_c D_c, then D_c = z_c r + b_c D_c.
    void move(const panel<T>& r, std::span<const double> a, std::span<const double> z, std::span<const double> b)
    {
        if (short_ && count_ == limit_) leave_space();
        if (!short_) {
            ops_.krylov_update(r, a, z, b, D_, B_);
            return;
        }
        for (std::size_t at = 0; at < directions_.size(); ++at) {
            space_.coordinates[at] += a[at % k_] * directions_[at];
            directions_[at] *= b[at % k_];
        }
        ops_.copy_column(r, 0, space_.vectors, count_++);
        directions_.insert(directions_.end(), z.begin(), z.end());
        space_.coordinates.resize(directions_.size(), 0.0);
    }

    /// @param space stays empty when it was left
    panel<T> finish(krylov_space<T>& space)
    {
        D_ = {};
        if (!short_) return std::move(B_);
        std::vector<std::int64_t> used(static_cast<std::size_t>(count_));
        std::iota(used.begin(), used.end(), 0);
        space_.vectors = ops_.compact(space_.vectors, used);
        panel<T> B = combined(space_.coordinates);
        space = std::move(space_);
        return B;
    }

private:
    panel<T> combined(std::span<const double> coordinates) const
    {
        panel<T> columns = ops_.allocate(p_, static_cast<std::int64_t>(k_));
        ops_.combine(space_.vectors, coordinates, columns);
        return columns;
    }

    void leave_space()
    {
        B_ = combined(space_.coordinates);
        D_ = combined(directions_);
        space_ = {};
        short_ = false;
    }

    const operations<T>& ops_;
    std::int64_t p_;
    std::size_t k_;
    std::int64_t limit_;
    std::int64_t count_ = 0;
    bool short_;
    krylov_space<T> space_;
    std::vector<double> directions_; // of D, as the coordinates of B
    panel<T> B_, D_;                 // once the space is left
};

template <class T>
double square(const operations<T>& ops, const panel<T>& v)
{
    double result = 0;
    ops.column_dots(v, v, {}, {&result, 1});
    return result;
}

} // namespace

template <class T>
batch_outcome krylov(const operations<T>& ops, const backend::design& X, std::span<const double> y,
                     std::span<const double> weights, std::span<const double> lambda, panel<T>& B,
                     krylov_space<T>& space, const krylov_options& options)
{
    const std::size_t k = lambda.size();
    batch_outcome outcome;
    outcome.iterations.assign(k, 0);
    outcome.gaps.assign(k, 0.0);

    const std::int64_t n = X.rows();
    const std::int64_t p = X.cols();
    const std::vector<double> zero(1, 0.0);
    const panel<T> nothing_n = ops.allocate(n, 1);
    panel<T> image = ops.allocate(n, 1);
    panel<T> r = ops.allocate(p, 1);
    panel<T> d = ops.allocate(p, 1);
    panel<T> product = ops.allocate(p, 1);
    panel<T> unused = ops.allocate(p, 1);

    // r = X̃'wỹ: the residual at 0, the first direction of the seed and of every shift.
    {
        const std::vector<T> response(y.begin(), y.end());
        ops.upload(response, image);
        ops.scale_rows(weights, image);
        ops.transpose_multiply(X, image, r);
    }
    space = {};
    all_shifts<T> columns(ops, p, k, options.vectors_kept);
    std::vector<double> a(k, 0.0);
    std::vector<double> z(k, 1.0);
    std::vector<double> b(k, 0.0);
    columns.move(r, a, z, b); // D = r for every shift
    const std::vector<double> one(1, 1.0);
    ops.krylov_update(r, zero, one, zero, d, unused);
    outcome.products = 1;

    const double seed = lambda[k - 1]; // the smallest lambda converges last
    std::vector<shift_state> shifts(k);
    for (std::size_t c = 0; c < k; ++c) shifts[c].sigma = lambda[c] - seed;
    double rr = square(ops, r);
    double alpha_previous = 1;
    double beta_previous = 0;
    const auto gap = [&](std::size_t c) { return shifts[c].zeta * shifts[c].zeta * rr / (2 * lambda[c]); };

    for (std::int64_t iteration = 0;; ++iteration) {
        bool any = false;
        for (std::size_t c = 0; c < k; ++c) {
            if (!shifts[c].running) continue;
            outcome.iterations[c] = iteration;
            outcome.gaps[c] = gap(c);
            if (outcome.gaps[c] <= options.gap_tolerance || iteration >= options.max_iterations)
                shifts[c].running = false;
            any = any || shifts[c].running;
        }
        outcome.cancelled = options.keep_going && !options.keep_going();
        if (!any || outcome.cancelled) break;

        // product = (X̃'WX̃ + λ_seed) d, in two products with X.
        ops.multiply(X, d, image);
        ops.extrapolated_residual(nothing_n, image, image, zero, weights, image); // −w X̃d
        ops.transpose_multiply(X, image, product);
        outcome.products += 2;
        double curvature = 0; // −d'X̃'WX̃d
        double dd = 0;
        ops.column_dots(d, product, {}, {&curvature, 1});
        ops.column_dots(d, d, {}, {&dd, 1});
        curvature = -curvature + seed * dd;
        if (!(curvature > 0)) break;
        const double alpha = rr / curvature;

        // r −= α (C + λ_seed) d: r += α·product, then r −= α λ_seed d.
        ops.krylov_update(product, std::vector<double>(1, -alpha * seed), zero, one, d, r);
        panel<T> scratch = product;
        ops.krylov_update(r, std::vector<double>(1, alpha), zero, one, scratch, r);
        const double rr_next = square(ops, r);
        const double beta = rr_next / rr;

        for (std::size_t c = 0; c < k; ++c) {
            shift_state& shift = shifts[c];
            if (!shift.running) {
                a[c] = z[c] = b[c] = 0;
                continue;
            }
            const double next = shift.zeta * shift.zeta_previous * alpha_previous /
                                (alpha * beta_previous * (shift.zeta_previous - shift.zeta) +
                                 shift.zeta_previous * alpha_previous * (1 + shift.sigma * alpha));
            const double ratio = next / shift.zeta;
            a[c] = alpha * ratio;
            b[c] = beta * ratio * ratio;
            z[c] = next;
            shift.zeta_previous = shift.zeta;
            shift.zeta = next;
        }
        columns.move(r, a, z, b);
        ops.krylov_update(r, zero, one, std::vector<double>(1, beta), d, unused);
        rr = rr_next;
        alpha_previous = alpha;
        beta_previous = beta;
    }
    B = columns.finish(space);
    return outcome;
}

template batch_outcome krylov(const operations<double>&, const backend::design&, std::span<const double>,
                              std::span<const double>, std::span<const double>, panel<double>&, krylov_space<double>&,
                              const krylov_options&);
template batch_outcome krylov(const operations<float>&, const backend::design&, std::span<const double>,
                              std::span<const double>, std::span<const double>, panel<float>&, krylov_space<float>&,
                              const krylov_options&);

} // namespace proxpath::solver
