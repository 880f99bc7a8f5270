// The certificate's pass: X̃'R with the KKT test, the gap sums and the saved correlations taken on the spot.

#include "bench/support.hpp"

#include <algorithm>

namespace proxpath::bench {

namespace {

template <class T>
struct job {
    std::unique_ptr<backend::operations<T>> cpu;
    const matrix* X = nullptr;
    std::shared_ptr<const backend::design> design;
    backend::panel<T> R;
    backend::panel<T> no_coefficients;
    std::vector<std::int64_t> position;
    std::vector<std::uint8_t> skip;
    std::vector<double> ones;
    std::vector<double> zeros;
    std::vector<double> infinite;
    std::vector<double> minus_infinite;
    std::vector<double> lambda;
    std::vector<double> saved;
    bool right = false;

    backend::correlation_result run()
    {
        backend::correlation_request<T> request;
        request.X = design.get();
        request.weighted_residual = &R;
        request.coefficients = &no_coefficients;
        request.position = position;
        request.skip = skip;
        request.penalty = {ones, zeros, minus_infinite, infinite, ones};
        request.lambda = lambda;
        request.save_column = R.cols - 1;
        return cpu->correlation_pass(request, saved);
    }
    double bytes() const { return entry_bytes(*X) + static_cast<double>(X->nonzeros() * R.cols) * sizeof(T); }
    /// With all coefficients zero: s_max_c = min_j λ_c / |u_jc|, kkt_c = max_j (|u_jc| − λ_c)+, violators |u_jc| > λ_c.
    bool matches_naive()
    {
        const backend::correlation_result result = run();
        const std::vector<judged> row_sums = naive_row_sums(R);
        const auto k = static_cast<std::size_t>(R.cols);
        std::vector<judged> column;
        std::vector<judged> largest(k);
        std::vector<std::size_t> violators_seen(k, 0);
        for (std::int64_t j = 0; j < X->cols(); ++j) {
            naive_correlation(*design, *X, j, R, row_sums, column);
            const judged& last = column[k - 1];
            if (!last.agrees(saved[static_cast<std::size_t>(j)])) return false;
            for (std::size_t c = 0; c < k; ++c) {
                column[c].value = std::fabs(column[c].value);
                if (column[c].value > largest[c].value) largest[c] = column[c];
                const auto& listed = result.violators[c];
                const bool is_listed =
                    violators_seen[c] < listed.size() && listed[violators_seen[c]] == j; // they come in order
                if (is_listed) ++violators_seen[c];
                // Within rounding of λ either answer is right.
                if (is_listed != (column[c].value > lambda[c]) && !column[c].agrees(lambda[c])) return false;
            }
        }
        for (std::size_t c = 0; c < k; ++c) {
            if (violators_seen[c] != result.violators[c].size()) return false;
            judged excess = largest[c];
            excess.value = std::max(excess.value - lambda[c], 0.0);
            excess.magnitude += lambda[c];
            if (!excess.agrees(result.sums[c].kkt) || !largest[c].agrees(lambda[c] / result.sums[c].s_max))
                return false;
        }
        return true;
    }
};

template <class T>
job<T> make_job(const subject& on, std::int64_t k, int threads)
{
    job<T> made;
    made.cpu = backend::make_cpu_operations<T>(threads);
    made.X = &on.get();
    const auto p = static_cast<std::size_t>(made.X->cols());
    made.design = make_design(*made.cpu, *made.X);
    made.R = random_panel(*made.cpu, made.X->rows(), k, 12);
    made.no_coefficients = made.cpu->allocate(0, k);
    made.position.assign(p, -1);
    made.skip.assign(p, 0);
    made.ones.assign(p, 1.0);
    made.zeros.assign(p, 0.0);
    made.infinite.assign(p, std::numeric_limits<double>::infinity());
    made.minus_infinite.assign(p, -std::numeric_limits<double>::infinity());
    made.lambda.assign(static_cast<std::size_t>(k), 1.5); // columns of unit norm against entries of variance 1/3
    made.saved.assign(p, 0.0);
    made.right = made.matches_naive();
    return made;
}

template <class T>
void add_one(const subject& on, std::int64_t k, int threads)
{
    add(name_of<T>("correlation_pass", on.name, k, threads),
        [&on, k, threads](benchmark::State& state, const std::string& name) {
            job<T>& work = job_for<job<T>>(name, [&] { return make_job<T>(on, k, threads); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) benchmark::DoNotOptimize(work.run());
            report(state, work.bytes(), threads);
        });
}

} // namespace

void add_correlation_pass()
{
    for (const subject& on : subjects())
        for (const std::int64_t k : {8, 32}) add_one<double>(on, k, all_threads());
}

} // namespace proxpath::bench
