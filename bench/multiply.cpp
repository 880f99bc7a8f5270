// V = X̃B with every row of B in use.

#include "bench/support.hpp"

#include "host/matrix/column_store.hpp"

namespace proxpath::bench {

namespace {

template <class T>
struct job {
    std::unique_ptr<backend::operations<T>> cpu;
    const matrix* X = nullptr;
    std::shared_ptr<const backend::design> design;
    backend::panel<T> B;
    backend::panel<T> V;
    bool right = false;

    void run() { cpu->multiply(*design, B, V); }
    double bytes() const { return entry_bytes(*X) + 2 * static_cast<double>(X->nonzeros() * B.cols) * sizeof(T); }
    bool matches_naive()
    {
        run();
        const auto k = static_cast<std::size_t>(B.cols);
        std::vector<judged> sums(static_cast<std::size_t>(X->rows()) * k);
        std::vector<judged> taken(k);
        const backend::column_scaling& scaling = design->scaling();
        for (const storage::column_block& block : X->store().blocks)
            storage::visit_block(block, [&](auto indices, auto values) {
                for (std::int64_t local = 0; local < block.count; ++local) {
                    const std::int64_t j = block.first + local;
                    const auto at = static_cast<std::size_t>(j);
                    const auto rows = indices.column(block.offsets[local]);
                    for (std::size_t c = 0; c < k; ++c)
                        taken[c].add(scaling.center[at] * scaling.inverse[at] * static_cast<double>(B.row(j)[c]));
                    for (std::int64_t i = block.offsets[local]; i < block.offsets[local + 1]; ++i)
                        for (std::size_t c = 0; c < k; ++c)
                            sums[static_cast<std::size_t>(rows[i]) * k + c].add(static_cast<double>(values[i]) *
                                                                                scaling.inverse[at] *
                                                                                static_cast<double>(B.row(j)[c]));
                }
            });
        for (std::int64_t i = 0; i < X->rows(); ++i)
            for (std::size_t c = 0; c < k; ++c) {
                judged sum = sums[static_cast<std::size_t>(i) * k + c];
                sum.value -= taken[c].value;
                sum.magnitude += taken[c].magnitude;
                sum.terms += taken[c].terms;
                if (!sum.agrees(V.row(i)[c])) return false;
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
    made.B = random_panel(*made.cpu, made.X->cols(), k, 13);
    made.V = made.cpu->allocate(made.X->rows(), k);
    made.right = made.matches_naive();
    return made;
}

template <class T>
void add_one(const subject& on, std::int64_t k, int threads)
{
    add(name_of<T>("multiply", on.name, k, threads),
        [&on, k, threads](benchmark::State& state, const std::string& name) {
            job<T>& work = job_for<job<T>>(name, [&] { return make_job<T>(on, k, threads); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) work.run();
            report(state, work.bytes(), threads);
        });
}

} // namespace

void add_multiply()
{
    for (const subject& on : subjects()) {
        for (const std::int64_t k : {1, 8, 32}) add_one<double>(on, k, all_threads());
        add_one<float>(on, 32, all_threads());
    }
}

} // namespace proxpath::bench
