// See batched_descent.hpp.

#include "host/backend/cuda/batched_descent.hpp"

#include "host/backend/cuda/batched_newton.hpp"
#include "host/backend/cuda/device_gap_sums.hpp"
#include "host/backend/cuda/device_panel.hpp"
#include "host/backend/cuda/device_penalty.hpp"
#include "host/backend/descent_limits.hpp"
#include "host/backend/stall_watch.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace proxpath::backend {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class batch {
public:
    batch(device_session& session, restricted_form& form, const restricted_problem& problem,
          device_descent_memory& memory, panel<double>& B)
        : session_(session), form_(form), problem_(problem), memory_(memory), result_(B), B_(B),
          U_(passing_panel(session, B.rows, B.cols)), penalty_(problem.penalty, session),
          newton_(session, form, problem.gap_tolerance, problem.keep_going)
    {
        for (std::size_t c = 0; c < problem.lambda.size(); ++c)
            columns_.push_back({c, newton_pace(memory.newton, form.look_products())});
    }

    /// @return false when the caller stopped it
    bool solve()
    {
        go_on_from_last_solutions();
        for (;;) {
            look();
            leave_out_the_done();
            if (columns_.empty()) return true;
            if (problem_.keep_going && !problem_.keep_going()) break;
            sweep();
            if (!take_newton_steps()) break;
        }
        for (column& each : columns_) each.gap = infinity;
        std::vector<std::int64_t> places(columns_.size());
        std::iota(places.begin(), places.end(), std::int64_t{0});
        store(columns_, places);
        return false;
    }

    void report(std::span<std::int64_t> iterations, std::span<double> gaps) const
    {
        const auto report_of = [&](const column& each) {
            iterations[each.index] = each.iterations;
            gaps[each.index] = each.gap;
        };
        std::for_each(done_.begin(), done_.end(), report_of);
        std::for_each(columns_.begin(), columns_.end(), report_of);
    }

    /// For the next batch.
    void learn()
    {
        std::int64_t needed = 0;
        double products = 0;
        for (const column& each : done_) {
            needed += each.pace.products() > 0 ? 1 : 0;
            products += each.pace.products();
        }
        memory_.newton.eager = 2 * needed > static_cast<std::int64_t>(problem_.lambda.size());
        if (needed > 0) memory_.newton.products = products / static_cast<double>(needed);

        const auto p = static_cast<std::size_t>(result_.rows);
        const auto k = static_cast<std::size_t>(result_.cols);
        const std::vector<double> host = downloaded(result_);
        std::vector<double> solution(p);
        for (std::size_t c = k - std::min<std::size_t>(k, 2); c < k; ++c) {
            for (std::size_t j = 0; j < p; ++j) solution[j] = host[j * k + c];
            memory_.solutions.take(problem_.lambda[c], solution);
        }
    }

private:
    /// One that is not done. Its place in the batch is its place in columns_.
    struct column {
        std::size_t index = 0; ///< in the problem
        newton_pace pace;
        stall_watch watch = {};
        int plain_limit = descent_limits::first_plain;
        bool after_newton = false;
        std::int64_t iterations = 0;
        double gap = infinity;
    };

    std::vector<double> lambdas() const
    {
        std::vector<double> values;
        for (const column& each : columns_) values.push_back(problem_.lambda[each.index]);
        return values;
    }
    /// @param lambda in device memory
    kernels::restricted_view view(const device_buffer<double>& lambda) const
    {
        return {penalty_.view(), form_.curvature(), lambda.data()};
    }
    std::vector<double> downloaded(const panel<double>& from) const
    {
        std::vector<double> host(static_cast<std::size_t>(from.rows * from.cols));
        download_panel(from, std::span(host), session_.stream(), session_.runtime());
        session_.wait();
        return host;
    }

    /// Columns that start at the latest solution move on along the line from the one before.
    void go_on_from_last_solutions()
    {
        const last_solutions& last = memory_.solutions;
        if (!(last.lambda_before > last.lambda)) return;
        const auto k = static_cast<std::size_t>(B_.cols);
        const auto p = static_cast<std::size_t>(B_.rows);
        std::vector<double> step = downloaded(B_);
        std::vector<int> part(k, 0);
        for (std::size_t c = 0; c < k; ++c) {
            const double lambda = problem_.lambda[c];
            bool same = last.lambda > lambda;
            for (std::size_t j = 0; same && j < p; ++j) same = step[j * k + c] == last.latest[j];
            part[c] = same ? 1 : 0;
            const double share = same ? (lambda - last.lambda) / (last.lambda - last.lambda_before) : 0;
            for (std::size_t j = 0; j < p; ++j) step[j * k + c] = share * (step[j * k + c] - last.before[j]);
        }
        std::vector<double> square(k), dot(k);
        form_.gradient(B_, U_, square, dot);
        const std::vector<double> host = lambdas();
        const auto lambda = session_.upload(std::span(host));
        newton_.extrapolate(view(lambda), {B_, U_}, step, part);
    }

    /// Gradient and gap of all columns.
    void look()
    {
        const std::size_t k = columns_.size();
        std::vector<double> square(k), dot(k);
        form_.gradient(B_, U_, square, dot);
        std::vector<gap_sums> sums(k);
        device_gap_sums(session_, U_, B_, penalty_.view(), lambdas(), sums);
        for (std::size_t c = 0; c < k; ++c) {
            column& each = columns_[c];
            gap_value now = duality_gap(sums[c], square[c], dot[c], problem_.lambda[each.index]);
            now.gap += sums[c].unpenalised;
            each.gap = now.gap;
            each.watch.look(now);
            each.pace.look(now.gap, each.after_newton);
            each.after_newton = false;
        }
    }

    bool done(const column& each) const
    {
        return !(each.gap > problem_.gap_tolerance) || each.watch.stalled() ||
               each.iterations >= problem_.max_iterations;
    }

    /// Stores the columns that are done and packs the others closer.
    void leave_out_the_done()
    {
        std::vector<column> leaving;
        std::vector<column> staying;
        std::vector<std::int64_t> places;
        std::vector<std::int64_t> leaving_places;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const bool leaves = done(columns_[c]);
            (leaves ? leaving : staying).push_back(columns_[c]);
            (leaves ? leaving_places : places).push_back(static_cast<std::int64_t>(c));
        }
        if (leaving.empty()) return;
        store(leaving, leaving_places);
        done_.insert(done_.end(), leaving.begin(), leaving.end());
        columns_ = std::move(staying);
        if (columns_.empty()) return;
        B_ = packed(B_, places);
        U_ = packed(U_, places);
    }

    panel<double> packed(const panel<double>& from, const std::vector<std::int64_t>& places) const
    {
        panel<double> to = passing_panel(session_, from.rows, static_cast<std::int64_t>(places.size()));
        const auto columns = session_.upload(std::span(places));
        kernels::compact(readable(from), columns.data(), writable(to), session_.stream());
        return to;
    }
    /// @param places of these columns in the batch
    void store(const std::vector<column>& which, const std::vector<std::int64_t>& places)
    {
        if (B_.data == result_.data) return; // they are there
        std::vector<std::int64_t> home;
        for (const column& each : which) home.push_back(static_cast<std::int64_t>(each.index));
        const auto from = session_.upload(std::span(places));
        const auto to = session_.upload(std::span(home));
        kernels::put_columns(readable(B_), from.data(), writable(result_), to.data(),
                             static_cast<std::int64_t>(places.size()), session_.stream());
    }

    void sweep()
    {
        const std::vector<double> host = lambdas();
        const auto lambda = session_.upload(std::span(host));
        const std::vector<int> all(columns_.size(), 1);
        const auto open = session_.upload(std::span(all));
        form_.sweep(view(lambda), descent_limits::sweeps_per_look, open.data(), U_, B_);
        for (column& each : columns_) each.iterations += descent_limits::sweeps_per_look;
    }

    /// In the columns where they pay. @return false when the caller wants to stop
    bool take_newton_steps()
    {
        std::vector<newton_column> steps(columns_.size());
        bool any = false;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            column& each = columns_[c];
            each.after_newton = each.iterations < problem_.max_iterations && each.pace.pays(problem_.gap_tolerance);
            steps[c].plain_limit = each.plain_limit;
            steps[c].most = each.after_newton ? problem_.max_iterations - each.iterations : 0;
            any = any || each.after_newton;
        }
        if (!any) return true;
        std::vector<double> square(columns_.size()), dot(columns_.size());
        form_.gradient(B_, U_, square, dot); // where the sweeps have led
        const std::vector<double> host = lambdas();
        const auto lambda = session_.upload(std::span(host));
        const bool goes_on = newton_.run(view(lambda), {B_, U_}, steps);
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            columns_[c].iterations += steps[c].taken;
            columns_[c].plain_limit = steps[c].plain_limit;
            columns_[c].pace.took(steps[c].products);
        }
        return goes_on;
    }

    device_session& session_;
    restricted_form& form_;
    const restricted_problem& problem_;
    device_descent_memory& memory_;
    panel<double>& result_; // all columns, where they stood when they were done
    panel<double> B_;       // the open ones; result_ itself until one leaves
    panel<double> U_;
    device_penalty penalty_;
    batched_newton newton_;
    std::vector<column> columns_;
    std::vector<column> done_;
};

} // namespace

void descend_batch(device_session& session, restricted_form& form, const restricted_problem& problem,
                   device_descent_memory* memory, panel<double>& B, std::span<std::int64_t> iterations,
                   std::span<double> gaps)
{
    if (B.cols == 0) return;
    device_descent_memory passing;
    device_descent_memory& kept = memory != nullptr ? *memory : passing;
    kept.solutions.grow(static_cast<std::size_t>(B.rows));
    batch work(session, form, problem, kept, B);
    const bool whole = work.solve();
    work.report(iterations, gaps);
    if (whole) work.learn();
}

} // namespace proxpath::backend
