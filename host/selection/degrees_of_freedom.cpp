// The trace of a fit's hat matrix at each lambda; see include/proxpath/degrees_of_freedom.hpp. Ridge has the same
// features at every lambda, so that one reduction does for all. Otherwise the Gram matrix of all features that are
// active anywhere is made once, and each lambda factorises its block of it; where more features are active than rows
// count, it is the rows' matrix K that is factorised.

#include "host/parallel/parallel_for.hpp"
#include "host/selection/check_fitted.hpp"
#include "host/selection/ridge_system.hpp"
#include "host/selection/tridiagonal.hpp"
#include "host/selection/work_watch.hpp"

#include <proxpath/degrees_of_freedom.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <thread>

#include <Eigen/Cholesky>
#include <fmt/format.h>

namespace proxpath {

namespace selection {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Features of point k whose coefficients follow y: not 0, and not at a bound, where the fit has the caller's number.
std::vector<std::int64_t> moving_features(const path_options& options, const path_result& path, std::size_t k)
{
    std::vector<std::int64_t> features;
    const sparse_columns& B = path.coefficients;
    for (auto e = static_cast<std::size_t>(B.offsets[k]); e < static_cast<std::size_t>(B.offsets[k + 1]); ++e) {
        const auto j = static_cast<std::size_t>(B.indices[e]);
        const bool held = (!options.lower.empty() && B.values[e] == options.lower[j]) ||
                          (!options.upper.empty() && B.values[e] == options.upper[j]);
        if (!held) features.push_back(B.indices[e]);
    }
    return features;
}

std::vector<std::int64_t> common(std::span<const std::int64_t> a, std::span<const std::int64_t> b)
{
    std::vector<std::int64_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
}

std::vector<std::int64_t> either(std::span<const std::int64_t> a, std::span<const std::int64_t> b)
{
    std::vector<std::int64_t> all;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    return all;
}

/// Trace of C (C + λI)⁻¹ = m − λ tr((C + λI)⁻¹), which is ‖L⁻¹‖² of the Cholesky factor L; NaN where C + λI is singular
/// but for rounding.
double shrunk_trace(Eigen::MatrixXd C, double lambda)
{
    constexpr double six_digits = std::numeric_limits<double>::epsilon() * 0x1p20;
    const std::int64_t m = C.rows();
    if (m == 0) return 0;
    C.diagonal().array() += lambda;
    const double largest = C.diagonal().maxCoeff();
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(C);
    const double least = C.diagonal().minCoeff(); // of L, which lies there now
    if (factor.info() != Eigen::Success || !(least * least > six_digits * largest)) return unknown;
    const Eigen::MatrixXd inverse = C.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(m, m));
    return static_cast<double>(m) - lambda * inverse.squaredNorm();
}

class trace_counter {
public:
    trace_counter(const matrix& X, const path_options& options, const path_result& path)
        : options_(options), path_(path), system_(X, options, path.l2_divisor), limit_(work_limit(options)),
          df_(path.points.size())
    {}

    std::vector<double> run()
    {
        const bool bounded = !options_.lower.empty() || !options_.upper.empty();
        if (path_.alpha == 0 && !bounded)
            of_all_features();
        else
            of_active_features();
        for (std::size_t k = 0; k < df_.size(); ++k) {
            df_[k] += static_cast<double>(system_.unpenalised_rank());
            if (path_.points[k].status == column_status::interrupted) df_[k] = unknown;
        }
        return df_;
    }

private:
    /// Matrices of m × m that are alive together: a panel and the sums it is made from, or a matrix, its factor and the
    /// factor's inverse.
    static constexpr std::uint64_t squares_alive = 3;

    static std::uint64_t bytes_for(std::size_t m, std::uint64_t squares)
    {
        return squares * sizeof(double) * static_cast<std::uint64_t>(m) * static_cast<std::uint64_t>(m);
    }
    bool fits(std::size_t m) const
    {
        return m <= static_cast<std::size_t>(largest_side) && bytes_for(m, squares_alive) <= limit_;
    }

    void of_all_features()
    {
        const std::span<const std::int64_t> features = system_.penalised();
        const bool by_rows = system_.rows().size() <= features.size();
        watch_.stop_if_asked(0, df_.size());
        if (!fits(std::min(system_.rows().size(), features.size()))) {
            std::fill(df_.begin(), df_.end(), unknown);
            return;
        }
        const tridiagonal_form form(by_rows ? system_.kernel(features) : system_.gram(features), false);
        for (std::size_t k = 0; k < df_.size(); ++k) {
            const double lambda = path_.points[k].lambda;
            if (lambda == 0) continue; // the null model: what is penalised is 0
            df_[k] = form.loses(lambda) ? unknown : form.shrunk_trace(lambda);
        }
    }

    void of_active_features()
    {
        std::vector<std::vector<std::int64_t>> active;
        std::vector<std::size_t> by_features;
        std::vector<std::int64_t> all; // active at one of those
        const std::size_t n = system_.rows().size();
        for (std::size_t k = 0; k < df_.size(); ++k) {
            watch_.stop_if_asked(k, df_.size());
            active.push_back(common(moving_features(options_, path_, k), system_.penalised()));
            std::vector<std::int64_t> with = either(all, active[k]);
            if (active[k].size() > n && fits(n)) {
                of_rows(k, active[k]);
            } else if (fits(with.size())) {
                all = std::move(with);
                by_features.push_back(k);
            } else if (fits(n)) {
                of_rows(k, active[k]);
            } else {
                df_[k] = unknown;
            }
        }
        if (!all.empty()) of_features(active, by_features, all);
    }

    void of_rows(std::size_t k, const std::vector<std::int64_t>& features)
    {
        df_[k] = shrunk_trace(system_.kernel(features), path_.points[k].lambda);
    }

    void of_features(const std::vector<std::vector<std::int64_t>>& active, const std::vector<std::size_t>& points,
                     const std::vector<std::int64_t>& all)
    {
        const Eigen::MatrixXd G = system_.gram(all);
        std::size_t largest = 1;
        for (const std::size_t k : points) largest = std::max(largest, active[k].size());
        // Each lambda is by itself: how many are in work at a time is a matter of memory alone.
        const std::uint64_t room = (limit_ - bytes_for(all.size(), 1)) / bytes_for(largest, squares_alive - 1);
        const int side_by_side =
            static_cast<int>(std::clamp<std::uint64_t>(room, 1, static_cast<std::uint64_t>(system_.threads())));
        const std::thread::id caller = std::this_thread::get_id();
        std::atomic<bool> stopped{false};
        parallel::parallel_for(side_by_side, static_cast<std::int64_t>(points.size()), [&](std::int64_t at) {
            if (std::this_thread::get_id() == caller && !watch_.goes_on(static_cast<std::size_t>(at), df_.size()))
                stopped = true;
            if (stopped) return;
            const std::size_t k = points[static_cast<std::size_t>(at)];
            std::vector<std::int64_t> places;
            for (const std::int64_t j : active[k])
                places.push_back(std::lower_bound(all.begin(), all.end(), j) - all.begin());
            df_[k] = shrunk_trace(G(places, places), path_.points[k].lambda);
        });
        if (stopped) watch_.stop();
    }

    const path_options& options_;
    work_watch watch_{options_, "stopped while degrees of freedom were counted"};
    const path_result& path_;
    ridge_system system_;
    std::uint64_t limit_;
    std::vector<double> df_; // 0 at first: what the null model adds to the unpenalised features
};

} // namespace

} // namespace selection

std::vector<double> degrees_of_freedom(const matrix& X, const path_options& options, const path_result& path)
{
    selection::check_fitted(X, options, path);
    if (path.alpha < 1) {
        try {
            return selection::trace_counter(X, options, path).run();
        } catch (const std::bad_alloc&) {
            throw out_of_memory("the system refused memory for degrees of freedom; free some, or set a lower limit", 0,
                                options.memory_limit);
        }
    }
    std::vector<double> df;
    for (std::size_t k = 0; k < path.points.size(); ++k)
        df.push_back(path.points[k].status == column_status::interrupted
                         ? selection::unknown
                         : static_cast<double>(selection::moving_features(options, path, k).size()));
    return df;
}

} // namespace proxpath
