// The loop over the lanes and their division among threads; see lane_descent.hpp.

#include "host/backend/cpu/lane_descent.hpp"

#include "host/backend/cpu/lane_newton.hpp"
#include "host/backend/cpu/residual_lanes.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

namespace proxpath::backend {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int sweeps_per_look = 3;
constexpr std::size_t looks_to_measure = 2;
constexpr int patience = 20;
/// Relative fall of the objective that is more than rounding.
constexpr double smallest_fall = 1e-13;
/// Products with C_SS that take as long as the sweeps of a look and its gap.
constexpr double look_products = 3.5;

/// Up to K columns that are solved in step by one thread.
class lane_group {
public:
    virtual ~lane_group() = default;
    /// A round of sweeps or a Newton step in all lanes that are open. @return whether any still is
    virtual bool advance() = 0;
    virtual void store(std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps) const = 0;
    /// See residual_lanes.
    virtual double spent() const = 0;
    /// Columns that Newton steps were taken in, and the products these took.
    virtual int newton_columns() const = 0;
    virtual double newton_products() const = 0;
};

template <int K>
class group_of final : public lane_group {
public:
    using numbers = typename residual_lanes<K>::numbers;
    using lane_set = typename residual_lanes<K>::lane_set;

    /// @param first, count columns of the batch, which has `stride` of them
    group_of(const residual_data& data, const cpu_descent_memory& memory, const std::vector<double>& B,
             std::int64_t first, std::int64_t count, std::int64_t stride)
        : problem_(data.problem), first_(first), count_(count), stride_(stride), eager_(memory.lanes_need_newton),
          newton_before_(memory.lane_newton_products), form_(data), lambda_(lambdas(data.problem, first, count)),
          newton_(form_, lambda_)
    {
        const auto p = static_cast<std::size_t>(data.X.cols());
        std::vector<double> starts(p * K, 0.0);
        lane_set goes_on{};
        numbers share{};
        const last_solutions& last = memory.solutions;
        const bool known = last.lambda_before > last.lambda;
        for (int c = 0; c < count; ++c) {
            open_[c] = true;
            bool same = known && last.lambda > lambda_[c];
            for (std::size_t j = 0; j < p; ++j) {
                const double b = B[j * static_cast<std::size_t>(stride) + static_cast<std::size_t>(first + c)];
                starts[j * K + c] = b;
                same = same && b == last.latest[j];
            }
            goes_on[c] = same;
            if (same) share[c] = (lambda_[c] - last.lambda) / (last.lambda - last.lambda_before);
        }
        form_.load(starts);
        newton_.extrapolate(last.before, share, goes_on);
        sweep_rate_.fill(std::numeric_limits<double>::quiet_NaN());
        best_gap_.fill(infinity);
        best_primal_.fill(infinity);
        look();
    }

    bool advance() override
    {
        if (newton_.running()) {
            newton_.step();
            if (newton_.running()) return true;
            for (int c = 0; c < K; ++c) {
                if (!in_newton_[c]) continue;
                iterations_[c] += newton_.taken()[c];
                newton_products_[c] += newton_.products()[c];
            }
            return look();
        }
        form_.sweep(true, lambda_, open_);
        for (int i = 1; i < sweeps_per_look; ++i) form_.sweep(false, lambda_, open_);
        std::array<std::int64_t, K> most{};
        for (int c = 0; c < K; ++c) {
            if (!open_[c]) continue;
            iterations_[c] += sweeps_per_look;
            most[c] = problem_.max_iterations - iterations_[c];
        }
        for (int c = 0; c < K; ++c) in_newton_[c] = open_[c] && newton_pays(c);
        newton_.begin(in_newton_, most);
        return newton_.running() ? true : look();
    }

    void store(std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps) const override
    {
        for (std::size_t j = 0; j < B.size() / static_cast<std::size_t>(stride_); ++j)
            std::copy_n(form_.coefficients(j), count_,
                        B.data() + j * static_cast<std::size_t>(stride_) + static_cast<std::size_t>(first_));
        for (std::int64_t c = 0; c < count_; ++c) {
            iterations[static_cast<std::size_t>(first_ + c)] = iterations_[static_cast<std::size_t>(c)];
            gaps[static_cast<std::size_t>(first_ + c)] = gap_[static_cast<std::size_t>(c)];
        }
    }

    double spent() const override { return form_.spent(); }
    int newton_columns() const override
    {
        return static_cast<int>(std::count_if(newton_products_.begin(), newton_products_.end(),
                                              [](double products) { return products > 0; }));
    }
    double newton_products() const override
    {
        return std::accumulate(newton_products_.begin(), newton_products_.end(), 0.0);
    }

private:
    static numbers lambdas(const residual_problem& problem, std::int64_t first, std::int64_t count)
    {
        numbers values;
        values.fill(problem.lambda[static_cast<std::size_t>(first)]);
        std::copy_n(problem.lambda.begin() + first, count, values.begin());
        return values;
    }

    /// The gaps now; lanes that are done or come no further close. @return whether any is still open
    bool look()
    {
        const auto now = form_.gaps(lambda_, open_);
        bool any = false;
        for (int c = 0; c < K; ++c) {
            if (!open_[c]) continue;
            gap_[c] = now[c].gap;
            const bool gained =
                now[c].gap < 0.999 * best_gap_[c] || now[c].primal < (1 - smallest_fall) * best_primal_[c];
            stalled_[c] = gained ? 0 : stalled_[c] + 1;
            best_gap_[c] = std::min(best_gap_[c], now[c].gap);
            best_primal_[c] = std::min(best_primal_[c], now[c].primal);
            if (in_newton_[c]) pace_[c].clear(); // the pace of the sweeps is measured anew
            pace_[c].push_back(now[c].gap);
            open_[c] = now[c].gap > problem_.gap_tolerance && stalled_[c] < patience &&
                       iterations_[c] < problem_.max_iterations;
            any = any || open_[c];
        }
        return any;
    }

    /// Whether Newton steps are the cheaper way to the tolerance than going on with sweeps at the pace they have had.
    bool newton_pays(int c)
    {
        const std::vector<double>& gaps = pace_[c];
        if (gaps.size() > looks_to_measure)
            sweep_rate_[c] =
                std::log(gaps[gaps.size() - 1 - looks_to_measure] / gaps.back()) / (looks_to_measure * look_products);
        if (eager_ && newton_products_[c] <= 2 * newton_before_) return true;
        if (std::isnan(sweep_rate_[c])) return false;
        const double left = std::log(gaps.back() / problem_.gap_tolerance);
        return !(left < sweep_rate_[c] * std::max(newton_before_, newton_products_[c]));
    }

    const residual_problem& problem_;
    std::int64_t first_;
    std::int64_t count_;
    std::int64_t stride_;
    bool eager_;           // Newton steps after every look, as long as they do not take much more than before
    double newton_before_; // products that they took in a column of the call before
    residual_lanes<K> form_;
    numbers lambda_;
    lane_newton<K> newton_;
    lane_set open_{};
    lane_set in_newton_{};
    std::array<std::int64_t, K> iterations_{};
    std::array<int, K> stalled_{};
    numbers gap_{};
    numbers best_gap_{};
    numbers best_primal_{};
    std::array<std::vector<double>, K> pace_; // gaps at every look since the last Newton step
    numbers sweep_rate_{};                    // fall of the gap's logarithm in the time of a product; NaN: not known
    numbers newton_products_{};
};

} // namespace

bool descend_in_lanes(residual_data& data, cpu_descent_memory& memory, int threads, double limit,
                      std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps)
{
    const residual_problem& problem = data.problem;
    const auto k = static_cast<std::int64_t>(problem.lambda.size());
    const auto p = static_cast<std::size_t>(data.X.cols());
    memory.solutions.grow(p);
    // By the columns alone, never by the threads, so that the bits do not depend on these.
    const std::int64_t width = k > 8 ? 8 : 4;
    std::vector<std::unique_ptr<lane_group>> groups(static_cast<std::size_t>(parallel::pieces(k, width)));
    const auto count = static_cast<std::int64_t>(groups.size());
    parallel::parallel_for(threads, count, [&](std::int64_t g) {
        const std::int64_t columns = std::min(width, k - g * width);
        if (width == 8)
            groups[static_cast<std::size_t>(g)] = std::make_unique<group_of<8>>(data, memory, B, g * width, columns, k);
        else
            groups[static_cast<std::size_t>(g)] = std::make_unique<group_of<4>>(data, memory, B, g * width, columns, k);
    });
    std::vector<std::int64_t> at_work(groups.size());
    for (std::int64_t g = 0; g < count; ++g) at_work[static_cast<std::size_t>(g)] = g;
    const auto spent = [&] {
        double sum = 0;
        for (const auto& group : groups) sum += group->spent();
        return sum / static_cast<double>(k);
    };
    bool cancelled = false;
    bool over = false;
    while (!at_work.empty()) {
        over = spent() > limit;
        if (over) break;
        cancelled = problem.keep_going && !problem.keep_going();
        if (cancelled) break;
        std::vector<char> goes_on(at_work.size(), 0);
        parallel::parallel_for(threads, static_cast<std::int64_t>(at_work.size()), [&](std::int64_t e) {
            const auto at = static_cast<std::size_t>(e);
            goes_on[at] = groups[static_cast<std::size_t>(at_work[at])]->advance() ? 1 : 0;
        });
        std::vector<std::int64_t> left;
        for (std::size_t e = 0; e < at_work.size(); ++e)
            if (goes_on[e] != 0) left.push_back(at_work[e]);
        at_work = std::move(left);
    }
    int columns = 0;
    double products = 0;
    for (const auto& group : groups) {
        group->store(B, iterations, gaps);
        columns += group->newton_columns();
        products += group->newton_products();
    }
    if (cancelled) {
        std::fill(gaps.begin(), gaps.end(), infinity);
        return true;
    }
    memory.ways.measured(ways_of_columns::side_by_side, spent(), data.X.cols());
    memory.lanes_need_newton = 2 * columns > k;
    if (columns > 0) memory.lane_newton_products = products / columns;
    if (over) return false;
    std::vector<double> solution(p);
    for (std::int64_t c = std::max<std::int64_t>(0, k - 2); c < k; ++c) {
        for (std::size_t j = 0; j < p; ++j)
            solution[j] = B[j * static_cast<std::size_t>(k) + static_cast<std::size_t>(c)];
        memory.solutions.take(problem.lambda[static_cast<std::size_t>(c)], solution);
    }
    return true;
}

} // namespace proxpath::backend
