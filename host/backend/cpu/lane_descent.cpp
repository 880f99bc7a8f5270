// The loop over the lanes and their division among threads; see lane_descent.hpp.

#include "host/backend/cpu/lane_descent.hpp"

#include "host/backend/cpu/descent_limits.hpp"
#include "host/backend/cpu/lane_newton.hpp"
#include "host/backend/cpu/residual_lanes.hpp"
#include "host/backend/cpu/stall_watch.hpp"
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
constexpr std::size_t looks_to_measure = 2;
/// Products with C_SS that take as long as the sweeps of a look and its gap.
constexpr double look_products = 3.5;

/// By the columns alone, never by the threads, so that the bits do not depend on these.
std::int64_t lane_width(std::int64_t k) { return k > 8 ? 8 : 4; }

/// Up to K columns that are solved in step by one thread.
class lane_group {
public:
    virtual ~lane_group() = default;
    /// Whether any lane is not done.
    virtual bool open() const = 0;
    /// A round of sweeps or a Newton step in all lanes that are open.
    virtual void advance() = 0;
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
        look();
    }

    bool open() const override
    {
        return std::any_of(open_.begin(), open_.end(), [](bool lane) { return lane; });
    }

    void advance() override
    {
        if (newton_.running()) {
            newton_.step();
            if (newton_.running()) return;
            for (int c = 0; c < K; ++c) {
                if (!in_newton_[c]) continue;
                iterations_[c] += newton_.taken()[c];
                newton_products_[c] += newton_.products()[c];
            }
            look();
            return;
        }
        form_.sweep(true, lambda_, open_);
        for (int i = 1; i < descent_limits::sweeps_per_look; ++i) form_.sweep(false, lambda_, open_);
        std::array<std::int64_t, K> most{};
        for (int c = 0; c < K; ++c) {
            if (!open_[c]) continue;
            iterations_[c] += descent_limits::sweeps_per_look;
            most[c] = problem_.max_iterations - iterations_[c];
        }
        for (int c = 0; c < K; ++c) in_newton_[c] = open_[c] && newton_pays(c);
        newton_.begin(in_newton_, most);
        if (!newton_.running()) look();
    }

    void store(std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps) const override
    {
        for (std::size_t j = 0; j < B.size() / static_cast<std::size_t>(stride_); ++j)
            std::copy_n(form_.coefficients(j), count_,
                        B.data() + j * static_cast<std::size_t>(stride_) + static_cast<std::size_t>(first_));
        for (std::int64_t c = 0; c < count_; ++c) {
            const auto lane = static_cast<std::size_t>(c);
            const bool cut_short = newton_.running() && in_newton_[lane];
            iterations[static_cast<std::size_t>(first_ + c)] =
                iterations_[lane] + (cut_short ? newton_.taken()[lane] : 0);
            gaps[static_cast<std::size_t>(first_ + c)] = cut_short ? infinity : gap_[lane];
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

    /// The gaps now; lanes that are done or come no further close.
    void look()
    {
        const auto now = form_.gaps(lambda_, open_);
        for (int c = 0; c < K; ++c) {
            if (!open_[c]) continue;
            gap_[c] = now[c].gap;
            watch_[c].look(now[c]);
            if (in_newton_[c]) pace_[c].clear(); // measured anew; until then sweep_rate_ stands
            pace_[c].push_back(now[c].gap);
            open_[c] =
                now[c].gap > problem_.gap_tolerance && !watch_[c].stalled() && iterations_[c] < problem_.max_iterations;
        }
    }

    /// Whether Newton steps are the cheaper way to the tolerance than going on with sweeps at the pace they have had.
    bool newton_pays(int c)
    {
        const std::vector<double>& gaps = pace_[c];
        if (gaps.size() > looks_to_measure)
            sweep_rate_[c] =
                std::log(gaps[gaps.size() - 1 - looks_to_measure] / gaps.back()) / (looks_to_measure * look_products);
        if (eager_ && newton_products_[c] <= patience * newton_before_) return true;
        if (std::isnan(sweep_rate_[c])) return false;
        const double left = std::log(gaps.back() / problem_.gap_tolerance);
        return !(left < sweep_rate_[c] * std::max(newton_before_, newton_products_[c]));
    }

    /// What eager Newton steps may take of what they took before: products differ from lambda to lambda, and where the
    /// steps are given up, sweeps have to start anew (wide: a fourth of the path).
    static constexpr double patience = 4;

    const residual_problem& problem_;
    std::int64_t first_;
    std::int64_t count_;
    std::int64_t stride_;
    bool eager_;           // Newton steps after every look, as long as their patience lasts
    double newton_before_; // products that they took in a column of the call before
    residual_lanes<K> form_;
    numbers lambda_;
    lane_newton<K> newton_;
    lane_set open_{};
    lane_set in_newton_{};
    std::array<std::int64_t, K> iterations_{};
    std::array<stall_watch, K> watch_{};
    numbers gap_{};
    std::array<std::vector<double>, K> pace_; // gaps at every look since the last Newton step
    numbers sweep_rate_{};                    // fall of the gap's logarithm in the time of a product; NaN: not known
    numbers newton_products_{};
};

} // namespace

std::uint64_t lane_bytes(const cpu_design& X, std::int64_t k)
{
    constexpr std::uint64_t row_panels = 3;      // residual, image, known residual
    constexpr std::uint64_t feature_panels = 14; // point, correlations, and what conjugate gradients keep
    const std::int64_t width = lane_width(k);
    const auto groups = static_cast<std::uint64_t>(parallel::pieces(k, width));
    const std::uint64_t panel_numbers =
        row_panels * static_cast<std::uint64_t>(X.rows()) + feature_panels * static_cast<std::uint64_t>(X.cols());
    const std::uint64_t list_bytes = 12 * static_cast<std::uint64_t>(X.nonzeros());
    return groups * (panel_numbers * static_cast<std::uint64_t>(width) * sizeof(double) + list_bytes);
}

bool descend_in_lanes(residual_data& data, cpu_descent_memory& memory, int threads, double limit,
                      std::vector<double>& B, std::span<std::int64_t> iterations, std::span<double> gaps)
{
    const residual_problem& problem = data.problem;
    const auto k = static_cast<std::int64_t>(problem.lambda.size());
    const auto p = static_cast<std::size_t>(data.X.cols());
    memory.solutions.grow(p);
    const std::int64_t width = lane_width(k);
    std::vector<std::unique_ptr<lane_group>> groups(static_cast<std::size_t>(parallel::pieces(k, width)));
    const auto count = static_cast<std::int64_t>(groups.size());
    parallel::parallel_for(threads, count, [&](std::int64_t g) {
        const std::int64_t columns = std::min(width, k - g * width);
        if (width == 8)
            groups[static_cast<std::size_t>(g)] = std::make_unique<group_of<8>>(data, memory, B, g * width, columns, k);
        else
            groups[static_cast<std::size_t>(g)] = std::make_unique<group_of<4>>(data, memory, B, g * width, columns, k);
    });
    const auto spent = [&] {
        double sum = 0;
        for (const auto& group : groups) sum += group->spent();
        return sum / static_cast<double>(k);
    };
    bool cancelled = false;
    bool over = false;
    for (;;) {
        std::vector<lane_group*> at_work;
        for (const auto& group : groups)
            if (group->open()) at_work.push_back(group.get());
        if (at_work.empty()) break;
        over = spent() > limit;
        cancelled = problem.keep_going && !problem.keep_going();
        if (over || cancelled) break;
        parallel::parallel_for(threads, static_cast<std::int64_t>(at_work.size()),
                               [&](std::int64_t e) { at_work[static_cast<std::size_t>(e)]->advance(); });
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
