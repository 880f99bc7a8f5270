// C = X̃'R, the pass over all of X that a path is made of.

#include "bench/support.hpp"

namespace proxpath::bench {

namespace {

template <class T>
struct job {
    std::unique_ptr<backend::operations<T>> cpu;
    const matrix* X = nullptr;
    std::shared_ptr<const backend::design> design;
    backend::panel<T> R;
    backend::panel<T> C;
    bool right = false;

    void run() { cpu->transpose_multiply(*design, R, C); }
    double bytes() const
    {
        const auto row = static_cast<double>(R.cols) * sizeof(T);
        return entry_bytes(*X) + static_cast<double>(X->nonzeros()) * row + static_cast<double>(X->cols()) * row;
    }
    bool matches_naive()
    {
        run();
        const std::vector<judged> row_sums = naive_row_sums(R);
        std::vector<judged> column;
        for (std::int64_t j = 0; j < X->cols(); ++j) {
            naive_correlation(*design, *X, j, R, row_sums, column);
            for (std::int64_t c = 0; c < R.cols; ++c)
                if (!column[static_cast<std::size_t>(c)].agrees(C.row(j)[c])) return false;
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
    made.design = make_design(*made.cpu, *made.X);
    made.R = random_panel(*made.cpu, made.X->rows(), k, 11);
    made.C = made.cpu->allocate(made.X->cols(), k);
    made.right = made.matches_naive();
    return made;
}

template <class T>
void add_one(const subject& on, std::int64_t k, int threads)
{
    add(name_of<T>("transpose_multiply", on.name, k, threads),
        [&on, k, threads](benchmark::State& state, const std::string& name) {
            job<T>& work = job_for<job<T>>(name, [&] { return make_job<T>(on, k, threads); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) work.run();
            report(state, work.bytes(), threads);
        });
}

} // namespace

void add_transpose_multiply()
{
    for (const subject& on : subjects()) {
        for (const std::int64_t k : {1, 8, 32, 128}) add_one<double>(on, k, all_threads());
        if (all_threads() > 1) add_one<double>(on, 32, 1);
        add_one<float>(on, 32, all_threads());
    }
}

} // namespace proxpath::bench
