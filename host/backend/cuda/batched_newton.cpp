// See batched_newton.hpp.

#include "host/backend/cuda/batched_newton.hpp"

#include "host/backend/cuda/device_panel.hpp"
#include "host/backend/support_ridge.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>

namespace proxpath::backend {

namespace {

/// Steps of conjugate gradients between two looks of the host.
constexpr int steps_per_look = 8;

bool any(const std::vector<int>& flags)
{
    return std::any_of(flags.begin(), flags.end(), [](int flag) { return flag != 0; });
}

} // namespace

/// Device memory of a run, for as long as it lasts.
struct batched_newton::workspace {
    workspace(device_session& session, const kernels::restricted_view& of, batch_point point)
        : problem(of), at(point), p(point.B.rows), k(point.B.cols), x(passing_panel(session, p, k)),
          r(passing_panel(session, p, k)), d(passing_panel(session, p, k)), image(passing_panel(session, p, k)),
          scratch(session.buffer<double>(kernels::scratch_numbers(p, 3 * k))), numbers(session.buffer<double>(8 * k)),
          flags(session.buffer<int>(2 * k)), lengths(session.buffer<double>(p * k)),
          counts(session.buffer<std::int64_t>(k))
    {}

    kernels::newton_systems systems(const int* limit) const
    {
        double* const of = numbers.data();
        return {writable(x), writable(r), writable(d),  support_ridge,    of,   of + k, of + 2 * k, of + 3 * k,
                of + 4 * k,  of + 5 * k,  flags.data(), flags.data() + k, limit};
    }

    kernels::restricted_view problem;
    batch_point at;
    std::int64_t p;
    std::int64_t k;
    panel<double> x;
    panel<double> r;
    panel<double> d;
    panel<double> image;
    device_buffer<double> scratch;
    device_buffer<double> numbers;
    device_buffer<int> flags;
    device_buffer<double> lengths;
    device_buffer<std::int64_t> counts;
};

bool batched_newton::run(const kernels::restricted_view& problem, batch_point at, std::span<newton_column> columns)
{
    const std::size_t k = columns.size();
    std::vector<int> running(k);
    std::vector<int> clipped(k, 0);
    std::vector<double> residual_share(k, descent_limits::residual_share);
    for (std::size_t c = 0; c < k; ++c) {
        columns[c].taken = 0;
        columns[c].products = 0;
        columns[c].most = std::min(columns[c].most, descent_limits::most_at_once);
        running[c] = columns[c].most > 0 ? 1 : 0;
    }
    if (!any(running)) return true;
    workspace work(session_, problem, at);
    while (any(running)) {
        const auto outcomes = take(work, running, columns, residual_share);
        for (std::size_t c = 0; c < k; ++c) {
            if (running[c] == 0) continue;
            residual_share[c] =
                outcomes[c] == outcome::shortened
                    ? std::min(descent_limits::loosest, descent_limits::loosening * residual_share[c])
                    : std::max(descent_limits::residual_share, residual_share[c] / descent_limits::loosening);
            if (outcomes[c] != outcome::none) ++columns[c].taken;
            clipped[c] += outcomes[c] == outcome::clipped ? 1 : 0;
            const bool goes_on = outcomes[c] != outcome::none && outcomes[c] != outcome::whole &&
                                 columns[c].taken < columns[c].most && clipped[c] < descent_limits::most_clipped;
            running[c] = goes_on ? 1 : 0;
        }
        if (keep_going_ && !keep_going_()) return false;
    }
    return true;
}

void batched_newton::extrapolate(const kernels::restricted_view& problem, batch_point at, std::span<const double> step,
                                 const std::vector<int>& part)
{
    workspace work(session_, problem, at);
    copies_under_way copies(session_.stream(), session_.runtime());
    upload_panel(step, work.x, session_.stream(), session_.runtime());
    const std::vector<double> whole(part.size(), 1.0);
    const auto length = session_.upload(std::span(whole));
    (void)take_projected(work, length, part, true);
    copies.wait();
}

std::vector<batched_newton::outcome> batched_newton::take(workspace& work, const std::vector<int>& part,
                                                          std::span<newton_column> columns,
                                                          std::span<const double> residual_share)
{
    const std::size_t k = part.size();
    std::vector<outcome> outcomes(k, outcome::none);
    const std::vector<int> limited = solve(work, part, columns, residual_share);

    const auto device_part = session_.upload(std::span(part));
    const auto device_fall = session_.buffer<double>(work.k);
    kernels::find_stops(work.problem, readable(work.x), device_part.data(), readable(work.at.U), readable(work.at.B),
                        work.lengths.data(), work.counts.data(), device_fall.data(), work.scratch.data(),
                        session_.stream());
    std::vector<double> fall(k);
    std::vector<std::int64_t> stops(k);
    session_.download(device_fall, std::span(fall));
    session_.download(work.counts, std::span(stops));
    std::vector<int> open(k);
    for (std::size_t c = 0; c < k; ++c) open[c] = part[c] != 0 && fall[c] > 0 ? 1 : 0;

    const std::vector<double> whole(k, 1.0);
    const auto length = session_.upload(std::span(whole));
    std::vector<int> taken = take_projected(work, length, open, false);
    std::vector<std::int64_t> left(k, 0);
    for (std::size_t c = 0; c < k; ++c) {
        if (open[c] == 0) continue;
        columns[c].products += 1;
        if (taken[c] == 0) {
            // Nearly dependent columns of wrong signs make steps of any length; what counts is where coefficients stop.
            left[c] = stops[c];
            continue;
        }
        outcomes[c] = stops[c] == 0 ? outcome::whole : outcome::clipped;
        if (limited[c] != 0)
            columns[c].plain_limit = std::min(descent_limits::longest_plain,
                                              static_cast<int>(descent_limits::limit_growth * columns[c].plain_limit));
        open[c] = 0;
    }
    for (;;) {
        for (std::size_t c = 0; c < k; ++c) open[c] = open[c] != 0 && left[c] > 0 ? 1 : 0;
        if (!any(open)) return outcomes;
        const auto rank = session_.upload(std::span(left));
        const auto device_open = session_.upload(std::span(open));
        kernels::select_stops(work.lengths.data(), work.counts.data(), rank.data(), work.p, work.k, device_open.data(),
                              length.data(), session_.stream());
        taken = take_projected(work, length, open, false);
        for (std::size_t c = 0; c < k; ++c) {
            left[c] /= 2;
            if (open[c] == 0) continue;
            columns[c].products += 1;
            if (taken[c] == 0) continue;
            outcomes[c] = outcome::shortened;
            columns[c].plain_limit = std::max(descent_limits::first_plain,
                                              static_cast<int>(descent_limits::limit_fall * columns[c].plain_limit));
            open[c] = 0;
        }
    }
}

/// work.x = the step of every column of `part`. @return the columns that were ended by their limit
std::vector<int> batched_newton::solve(workspace& work, const std::vector<int>& part, std::span<newton_column> columns,
                                       std::span<const double> residual_share)
{
    const std::size_t k = part.size();
    std::vector<int> limit(k);
    int longest = 0;
    for (std::size_t c = 0; c < k; ++c) {
        limit[c] = columns[c].plain_limit;
        if (part[c] != 0) longest = std::max(longest, limit[c]);
    }
    const auto device_limit = session_.upload(std::span(limit));
    const auto device_part = session_.upload(std::span(part));
    const auto share = session_.upload(residual_share);
    const kernels::newton_systems systems = work.systems(device_limit.data());
    kernels::begin_newton(work.problem, systems, device_part.data(), descent_limits::share_of_gap * gap_tolerance_,
                          share.data(), descent_limits::enough, readable(work.at.U), readable(work.at.B),
                          work.scratch.data(), session_.stream());
    std::vector<int> flags(2 * k); // open, then steps
    session_.download(work.flags, std::span(flags));
    const auto open = [&] { return std::any_of(flags.begin(), flags.begin() + work.k, [](int f) { return f != 0; }); };
    for (int step = 0; step < longest && open();) {
        for (int i = 0; i < steps_per_look && step < longest; ++i, ++step) {
            form_.product(work.d, work.image);
            kernels::step_newton(work.problem, systems, readable(work.at.B), readable(work.image), work.scratch.data(),
                                 session_.stream());
        }
        session_.download(work.flags, std::span(flags));
    }
    std::vector<int> limited(k);
    for (std::size_t c = 0; c < k; ++c) {
        columns[c].products += flags[k + c];
        limited[c] = part[c] != 0 && flags[k + c] == limit[c] ? 1 : 0;
    }
    return limited;
}

/// Moves the columns of `part` by `length` times work.x; coefficients stop at zero or their bound.
/// @param must_fall whether only a fall of the objective will do, for steps that do not minimise anything
/// @return those in which the move was taken
std::vector<int> batched_newton::take_projected(workspace& work, const device_buffer<double>& length,
                                                const std::vector<int>& part, bool must_fall)
{
    const std::size_t k = part.size();
    const auto device_part = session_.upload(std::span(part));
    const auto sums = session_.buffer<double>(4 * work.k);
    // d is free: the system is solved.
    panel<double>& moves = work.d;
    kernels::projected_moves(work.problem, readable(work.x), length.data(), device_part.data(), readable(work.at.B),
                             writable(moves), sums.data(), work.scratch.data(), session_.stream());
    form_.product(moves, work.image);
    kernels::loss_changes(readable(moves), readable(work.image), readable(work.at.U), sums.data() + 3 * work.k,
                          work.scratch.data(), session_.stream());
    std::vector<double> host(4 * k);
    session_.download(sums, std::span(host));
    std::vector<int> taken(k, 0);
    for (std::size_t c = 0; c < k; ++c) {
        const double change = host[c] + host[3 * k + c];
        const bool stops = host[k + c] > 0;
        const bool finite = host[2 * k + c] == 0;
        // Without a stop the objective is the quadratic that a Newton step minimises: the last digits of the gap, which
        // is linear in the error where the objective is quadratic, come from steps whose gain is below rounding.
        taken[c] = part[c] != 0 && finite && (change < 0 || (!stops && !must_fall)) ? 1 : 0;
    }
    const auto device_taken = session_.upload(std::span(taken));
    kernels::accept_moves(work.problem, device_taken.data(), readable(moves), readable(work.image), writable(work.at.B),
                          writable(work.at.U), session_.stream());
    return taken;
}

} // namespace proxpath::backend
