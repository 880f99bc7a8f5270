// Soft-threshold, scale and clip of a whole batch, and the two sums that step control and restart need.

#include "bench/support.hpp"

#include <algorithm>

namespace proxpath::bench {

namespace {

template <class T>
struct job {
    std::unique_ptr<backend::operations<T>> cpu;
    backend::panel<T> B;
    backend::panel<T> B_previous;
    backend::panel<T> N;
    backend::panel<T> out;
    std::vector<double> l1;
    std::vector<double> l2;
    std::vector<double> lower;
    std::vector<double> upper;
    std::vector<double> lambda;
    std::vector<double> theta;
    std::vector<double> step;
    std::vector<double> step_square;
    std::vector<double> restart_dot;
    bool right = false;

    void run()
    {
        const backend::penalty_view penalty{l1, l2, lower, upper, l1};
        cpu->prox_step(B, B_previous, N, penalty, lambda, theta, step, out, step_square, restart_dot);
    }
    double bytes() const { return 4.0 * static_cast<double>(B.rows * B.cols) * sizeof(T); }
    bool matches_naive()
    {
        run();
        const auto k = static_cast<std::size_t>(B.cols);
        std::vector<judged> square(k);
        std::vector<judged> dot(k);
        for (std::int64_t j = 0; j < B.rows; ++j)
            for (std::size_t c = 0; c < k; ++c) {
                const auto at = static_cast<std::size_t>(j);
                const auto b = static_cast<double>(B.row(j)[c]);
                const double v = b + theta[c] * (b - static_cast<double>(B_previous.row(j)[c]));
                const double z = v + step[c] * static_cast<double>(N.row(j)[c]);
                const double t = step[c] * lambda[c] * l1[at];
                double x = std::max(std::fabs(z) - t, 0.0) * (z < 0 ? -1 : 1);
                x = std::clamp(x / (1 + step[c] * lambda[c] * l2[at]), lower[at], upper[at]);
                const auto got = static_cast<double>(out.row(j)[c]);
                // Six roundings of numbers below 4, then one to T: exact zeros and bounds come out of both the same
                // unless they are that near to the threshold.
                if (std::fabs(got - x) > 24 * std::numeric_limits<double>::epsilon() +
                                             static_cast<double>(std::numeric_limits<T>::epsilon()) * std::fabs(x))
                    return false;
                square[c].add((got - v) * (got - v));
                dot[c].add((v - got) * (got - b));
            }
        for (std::size_t c = 0; c < k; ++c)
            if (!square[c].agrees(step_square[c]) || !dot[c].agrees(restart_dot[c])) return false;
        return true;
    }
};

template <class T>
job<T> make_job(std::int64_t p, std::int64_t k, int threads)
{
    job<T> made;
    made.cpu = backend::make_cpu_operations<T>(threads);
    made.B = random_panel(*made.cpu, p, k, 21);
    made.B_previous = random_panel(*made.cpu, p, k, 22);
    made.N = random_panel(*made.cpu, p, k, 23);
    made.out = made.cpu->allocate(p, k);
    made.l1.assign(static_cast<std::size_t>(p), 0.9);
    made.l2.assign(static_cast<std::size_t>(p), 0.1);
    for (std::int64_t j = 0; j < p; ++j) {
        made.lower.push_back(j % 5 == 0 ? 0.0 : -std::numeric_limits<double>::infinity());
        made.upper.push_back(j % 7 == 0 ? 0.25 : std::numeric_limits<double>::infinity());
    }
    for (std::int64_t c = 0; c < k; ++c) {
        const double share = static_cast<double>(c + 1) / static_cast<double>(k);
        made.lambda.push_back(0.8 * share);
        made.theta.push_back(0.9 * share);
        made.step.push_back(1 - 0.5 * share);
    }
    made.step_square.resize(static_cast<std::size_t>(k));
    made.restart_dot.resize(static_cast<std::size_t>(k));
    made.right = made.matches_naive();
    return made;
}

template <class T>
void add_one(std::int64_t p, std::int64_t k, int threads)
{
    add(name_of<T>("prox_step", "p:" + std::to_string(p), k, threads),
        [p, k, threads](benchmark::State& state, const std::string& name) {
            job<T>& work = job_for<job<T>>(name, [&] { return make_job<T>(p, k, threads); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) work.run();
            report(state, work.bytes(), threads);
        });
}

} // namespace

void add_prox_step()
{
    add_one<double>(1'000, 32, all_threads()); // in the caches
    add_one<double>(200'000, 32, all_threads());
    add_one<float>(200'000, 32, all_threads());
}

} // namespace proxpath::bench
