// C = X̃'WX̃ of a working set. The floor is the contract's: reading the columns once for each of their rows of C. Row
// lists do less than that on sparse designs (Σ squared row lengths), so shares above 1 are possible and right.

#include "bench/support.hpp"

#include "host/backend/cpu/cpu_design.hpp"

#include <algorithm>

namespace proxpath::bench {

namespace {

struct job {
    std::unique_ptr<backend::operations<double>> cpu;
    std::shared_ptr<const backend::design> working_set;
    std::vector<double> weights;
    backend::panel<double> C;
    double V = 0; ///< bytes of a stored entry
    bool right = false;

    void run() { cpu->gram(*working_set, weights, 0, C); }
    double bytes() const
    {
        const auto p = static_cast<double>(C.rows);
        return static_cast<double>(working_set->nonzeros()) * (V + p * sizeof(double)) + p * p * sizeof(double);
    }
    /// X̃_j as n numbers, and with every entry the magnitudes of the two parts it is the difference of.
    struct dense_column {
        std::vector<double> value;
        std::vector<double> magnitude;
    };
    dense_column spread(std::int64_t j) const
    {
        const backend::column_scaling& scaling = working_set->scaling();
        const auto at = static_cast<std::size_t>(j);
        const auto& store = backend::as_cpu(*working_set).store();
        const double mean = scaling.center[at] * scaling.inverse[at];
        dense_column column{std::vector<double>(weights.size(), -mean),
                            std::vector<double>(weights.size(), std::fabs(mean))};
        const storage::column_block& block = storage::block_of(store, j);
        storage::visit_block(block, [&](auto indices, auto values) {
            const std::int64_t begin = block.offsets[j - block.first];
            const auto rows = indices.column(begin);
            for (std::int64_t i = begin; i < block.offsets[j - block.first + 1]; ++i) {
                const auto row = static_cast<std::size_t>(rows[i]);
                const double x = (static_cast<double>(values[i]) - scaling.shift[at]) * scaling.inverse[at];
                column.value[row] += x;
                column.magnitude[row] += std::fabs(x);
            }
        });
        return column;
    }
    bool matches_naive()
    {
        run();
        for (std::int64_t j = 0; j < C.rows; j += 1 + C.rows / 20) { // 20 × 100 entries: n p² would take minutes
            const dense_column left = spread(j);
            for (std::int64_t l = 0; l < C.rows; l += 1 + C.rows / 100) {
                const dense_column other = spread(l);
                judged sum;
                for (std::size_t i = 0; i < weights.size(); ++i) {
                    sum.value += weights[i] * left.value[i] * other.value[i];
                    sum.magnitude += weights[i] * left.magnitude[i] * other.magnitude[i];
                }
                sum.terms = static_cast<std::int64_t>(weights.size());
                if (!sum.agrees(C.row(j)[l]) || C.row(j)[l] != C.row(l)[j]) return false;
            }
        }
        return true;
    }
};

job make_job(const subject& on, std::int64_t p, int threads)
{
    job made;
    made.cpu = backend::make_cpu_operations<double>(threads);
    const matrix& X = on.get();
    const auto all = make_design(*made.cpu, X);
    // As in a working set, popular columns: every other one of the 2 p with most entries.
    std::vector<std::pair<std::int64_t, std::int64_t>> by_count;
    for (const storage::column_block& block : X.store().blocks)
        for (std::int64_t c = 0; c < block.count; ++c)
            by_count.emplace_back(block.offsets[c] - block.offsets[c + 1], block.first + c);
    std::sort(by_count.begin(), by_count.end());
    std::vector<std::int64_t> chosen;
    for (std::size_t j = 0; j < by_count.size() && static_cast<std::int64_t>(chosen.size()) < p; j += 2)
        chosen.push_back(by_count[j].second);
    made.working_set = made.cpu->gather_columns(*all, chosen, nullptr);
    made.weights.assign(static_cast<std::size_t>(X.rows()), 1 / static_cast<double>(X.rows()));
    made.C = made.cpu->allocate(static_cast<std::int64_t>(chosen.size()), static_cast<std::int64_t>(chosen.size()));
    made.V = entry_bytes(X) / static_cast<double>(X.nonzeros());
    made.right = made.matches_naive();
    return made;
}

void add_one(const subject& on, std::int64_t p, int threads)
{
    add("gram/" + on.name + "/p:" + std::to_string(p) + "/threads:" + std::to_string(threads),
        [&on, p, threads](benchmark::State& state, const std::string& name) {
            job& work = job_for<job>(name, [&] { return make_job(on, p, threads); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) work.run();
            report(state, work.bytes(), threads);
        });
}

} // namespace

void add_gram()
{
    for (const subject& on : subjects()) add_one(on, 500, all_threads());
}

} // namespace proxpath::bench
