// The loop over the lanes and their division among threads; see lane_descent.hpp.

#include "host/backend/cpu/lane_descent.hpp"

#include "host/backend/cpu/lane_newton.hpp"
#include "host/backend/cpu/residual_lanes.hpp"
#include "host/backend/descent_limits.hpp"
#include "host/backend/newton_pace.hpp"
#include "host/backend/stall_watch.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

namespace proxpath::backend {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
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
        : problem_(data.problem), first_(first), count_(count), stride_(stride),
          pace_(K, newton_pace(memory.lanes_newton, look_products)), form_(data),
          lambda_(lambdas(data.problem, first, count)), newton_(form_, lambda_)
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
                pace_[static_cast<std::size_t>(c)].took(newton_.products()[c]);
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
        for (int c = 0; c < K; ++c)
            in_newton_[c] = open_[c] && pace_[static_cast<std::size_t>(c)].pays(problem_.gap_tolerance);
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
        return static_cast<int>(
            std::count_if(pace_.begin(), pace_.end(), [](const newton_pace& pace) { return pace.products() > 0; }));
    }
    double newton_products() const override
    {
        double sum = 0;
        for (const newton_pace& pace : pace_) sum += pace.products();
        return sum;
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
            pace_[static_cast<std::size_t>(c)].look(now[c].gap, in_newton_[c]);
            open_[c] =
                now[c].gap > problem_.gap_tolerance && !watch_[c].stalled() && iterations_[c] < problem_.max_iterations;
        }
    }

    const residual_problem& problem_;
    std::int64_t first_;
    std::int64_t count_;
    std::int64_t stride_;
    std::vector<newton_pace> pace_;
    residual_lanes<K> form_;
    numbers lambda_;
    lane_newton<K> newton_;
    lane_set open_{};
    lane_set in_newton_{};
    std::array<std::int64_t, K> iterations_{};
    std::array<stall_watch, K> watch_{};
    numbers gap_{};
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
    memory.lanes_newton.eager = 2 * columns > k;
    if (columns > 0) memory.lanes_newton.products = products / columns;
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
