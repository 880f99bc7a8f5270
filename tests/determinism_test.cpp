// The same bits for any number of threads and from run to run: every solver and form, on a problem with several blocks
// of columns and enough rows that each operation cuts its work into pieces.

#include "tests/support/checks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

/// 2500 rows are two pieces of rows; full columns among the others make several blocks.
const regression& shared_problem()
{
    static const regression problem = [] {
        random_numbers random(41);
        regression made;
        made.X = dense_matrix(2500, 40);
        for (std::int64_t j = 0; j < made.X.p; ++j) {
            const double density = j % 6 == 0 ? 1.0 : random.uniform(0.1, 0.9);
            for (std::int64_t i = 0; i < made.X.n; ++i)
                if (random.chance(density)) made.X.at(i, j) = random.normal();
        }
        for (std::int64_t i = 0; i < made.X.n; ++i) {
            double mean = 1;
            for (std::int64_t j = 0; j < 8; ++j) mean += 0.3 * made.X.at(i, 5 * j);
            made.y.push_back(mean + random.normal());
            made.weights.push_back(random.uniform(0.5, 1.5));
        }
        made.settings.n_lambda = 6;
        made.settings.lambda_min_ratio = 0.01;
        return made;
    }();
    return problem;
}

struct way {
    double alpha;
    solver_kind solver;
    form_kind form;
    screening_kind screening;
    precision_kind precision;
};

class SameBits : public testing::TestWithParam<way> {};

TEST_P(SameBits, ForAnyNumberOfThreadsAndFromRunToRun)
{
    regression problem = shared_problem();
    path_options& settings = problem.settings;
    settings.alpha = GetParam().alpha;
    settings.solver = GetParam().solver;
    settings.form = GetParam().form;
    settings.screening = GetParam().screening;
    settings.precision = GetParam().precision;
    const compressed_matrix<std::int32_t, double> rows(problem.X, storage_order::csr);
    const auto fit = [&](int threads) {
        settings.threads = threads;
        return fit_path(rows.view(), problem.y, problem.options());
    };
    const path_result first = fit(1);
    EXPECT_TRUE(first.all_converged());
    for (const int threads : {1, 2, 5}) {
        SCOPED_TRACE(fmt::format("{} threads, {}", threads, first.solver));
        expect_same_bits(first, fit(threads));
    }
}

std::vector<way> ways()
{
    std::vector<way> list;
    for (const double alpha : {1.0, 0.4, 0.0})
        for (const solver_kind solver :
             {solver_kind::automatic, solver_kind::ista, solver_kind::fista, solver_kind::cd})
            for (const form_kind form : {form_kind::gram, form_kind::residual}) {
                list.push_back({alpha, solver, form, screening_kind::automatic, precision_kind::float64});
                if (alpha == 1) list.push_back({alpha, solver, form, screening_kind::none, precision_kind::float64});
                if (alpha == 1 && solver == solver_kind::fista)
                    list.push_back({alpha, solver, form, screening_kind::automatic, precision_kind::float32});
            }
    list.push_back({0, solver_kind::krylov, form_kind::automatic, screening_kind::automatic, precision_kind::float64});
    return list;
}

std::string name(const testing::TestParamInfo<way>& info)
{
    constexpr const char* solvers[] = {"automatic", "ista", "fista", "cd", "krylov"};
    constexpr const char* forms[] = {"automatic", "gram", "residual"};
    return fmt::format("alpha{}_{}_{}{}{}",
                       info.param.alpha == 1   ? "1"
                       : info.param.alpha == 0 ? "0"
                                               : "04",
                       solvers[static_cast<int>(info.param.solver)], forms[static_cast<int>(info.param.form)],
                       info.param.screening == screening_kind::none ? "_unscreened" : "",
                       info.param.precision == precision_kind::float32 ? "_float" : "");
}

INSTANTIATE_TEST_SUITE_P(Determinism, SameBits, testing::ValuesIn(ways()), name);

TEST(Determinism, PredictionsAndChecksumsDoNotDependOnThreads)
{
    const regression& problem = shared_problem();
    const compressed_matrix<std::int64_t, double> rows(problem.X, storage_order::csr);
    const matrix one = matrix::from_view(rows.view(), 1);
    path_options options = problem.options();
    options.threads = 1;
    const path_result result = fit_path(one, problem.y, options);
    std::vector<double> intercepts;
    for (const path_point& point : result.points) intercepts.push_back(point.intercept);
    const std::vector<double> expected = predict(one, result.coefficients, intercepts, 1);
    for (const int threads : {2, 5}) {
        const matrix other = matrix::from_view(rows.view(), threads);
        EXPECT_EQ(other.checksum(threads), one.checksum(1));
        EXPECT_EQ(predict(other, result.coefficients, intercepts, threads), expected);
    }
}

TEST(Determinism, TheMemoryLimitDoesNotChangeWhatIsCertified)
{
    // A small limit means smaller blocks and another form: other bits, the same optimum.
    regression problem = shared_problem();
    const dense_reference reference(problem.X, problem.y, problem.options());
    problem.settings.threads = 2;
    const path_result roomy = problem.fit();
    problem.settings.memory_limit = 2 << 20;
    const path_result tight = problem.fit();
    EXPECT_LT(tight.memory.limit_bytes, roomy.memory.limit_bytes);
    EXPECT_TRUE(tight.all_converged());
    expect_same_optimum(reference, roomy, tight);
}

} // namespace
} // namespace proxpath::test
