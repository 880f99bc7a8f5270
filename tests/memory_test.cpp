// Memory: what is planned follows from shape and options, limits are kept by taking smaller blocks, and where even
// these do not fit the refusal says how many bytes are missing. Shapes beyond 32 bits are planned without being stored.

#include "tests/support/checks.hpp"

#include "host/io/memory_guard.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/proxpath.hpp>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace proxpath::test {
namespace {

using testing::HasSubstr;

/// A matrix that claims a shape and stores nothing; only plans may look at it.
matrix claimed(std::int64_t n, std::int64_t p, std::int64_t nonzeros, std::uint64_t bytes)
{
    auto store = std::make_shared<storage::column_store>();
    store->n = n;
    store->p = p;
    store->nonzeros = nonzeros;
    store->stored_bytes = bytes;
    return matrix(std::shared_ptr<const storage::column_store>(std::move(store)));
}

regression wide_problem()
{
    random_numbers random(12);
    regression problem;
    problem.X = random_matrix(random, 150, 450, 0.3);
    for (std::int64_t i = 0; i < 150; ++i)
        problem.y.push_back(problem.X.at(i, 3) - problem.X.at(i, 9) + random.normal());
    problem.settings.n_lambda = 20;
    problem.settings.threads = 1;
    return problem;
}

TEST(Memory, ThePlanCountsWhatIsStoredAndKeepsTheLimit)
{
    const regression problem = wide_problem();
    const matrix X = matrix::from_view(problem.X.view());
    for (const double alpha : {1.0, 0.0})
        for (const std::uint64_t limit : {std::uint64_t{2} << 20, std::uint64_t{64} << 20}) {
            path_options options;
            options.alpha = alpha;
            options.memory_limit = limit;
            const memory_plan plan = plan_memory(X, options);
            EXPECT_EQ(plan.matrix_bytes, X.stored_bytes());
            EXPECT_EQ(plan.limit_bytes, limit);
            EXPECT_LE(plan.vectors_bytes, limit);
            EXPECT_GT(plan.vectors_bytes, std::uint64_t{450} * 8 * 5);
            EXPECT_GE(plan.lambda_block, 1);
            EXPECT_EQ(plan.total(), plan.matrix_bytes + plan.vectors_bytes + plan.working_bytes);
        }
}

TEST(Memory, AnAutomaticLimitIsHalfOfWhatIsFree)
{
    const matrix X = matrix::from_view(wide_problem().X.view());
    const std::uint64_t before = io::available_memory();
    const memory_plan plan = plan_memory(X);
    EXPECT_GT(before, std::uint64_t{1} << 20);
    // Others on the machine take and give memory meanwhile.
    EXPECT_GT(plan.limit_bytes, before / 8);
    EXPECT_LT(plan.limit_bytes, before * 2);
}

/// The smallest limit that the fit does not refuse, as the refusal of one byte names it.
std::uint64_t least_memory(const matrix& X, path_options options)
{
    options.memory_limit = 1;
    try {
        (void)plan_memory(X, options);
    } catch (const out_of_memory& error) {
        return error.needed_bytes();
    }
    throw std::logic_error("a fit was planned in one byte");
}

TEST(Memory, ALimitThatIsTooSmallIsRefusedWithTheBytesThatAreNeeded)
{
    const regression problem = wide_problem();
    const matrix X = matrix::from_view(problem.X.view());
    for (const double alpha : {1.0, 0.5, 0.0})
        for (const screening_kind screening : {screening_kind::automatic, screening_kind::none}) {
            path_options options;
            options.alpha = alpha;
            options.screening = screening;
            options.n_lambda = 8;
            options.memory_limit = 10000;
            std::uint64_t needed = 0;
            try {
                fit_path(X, problem.y, options);
                ADD_FAILURE() << "a fit of 150 × 450 in 10000 bytes";
            } catch (const out_of_memory& error) {
                needed = error.needed_bytes();
                EXPECT_EQ(error.limit_bytes(), 10000u);
                EXPECT_GT(needed, 10000u);
                EXPECT_THAT(error.what(), HasSubstr("150 x 450"));
                EXPECT_THAT(error.what(), HasSubstr("raise the limit"));
            }
            // What it asks for is enough, and one byte less is not.
            options.memory_limit = needed - 1;
            EXPECT_THROW(plan_memory(X, options), out_of_memory);
            options.memory_limit = needed;
            EXPECT_TRUE(fit_path(X, problem.y, options).all_converged());
        }
}

TEST(Memory, ASmallLimitTakesFewerLambdasAtATimeAndCertifiesTheSame)
{
    const regression problem = wide_problem();
    const matrix X = matrix::from_view(problem.X.view());
    for (const double alpha : {1.0, 0.0}) {
        path_options options = problem.options();
        options.alpha = alpha;
        options.memory_limit = std::uint64_t{256} << 20;
        const path_result roomy = fit_path(X, problem.y, options);
        options.memory_limit = least_memory(X, options);
        const path_result tight = fit_path(X, problem.y, options);
        EXPECT_LT(tight.memory.lambda_block, roomy.memory.lambda_block);
        EXPECT_TRUE(tight.all_converged());
        const regression same = [&] {
            regression copy = problem;
            copy.settings.alpha = alpha;
            return copy;
        }();
        expect_same_optimum(dense_reference(same.X, same.y, same.options()), roomy, tight);
    }
}

TEST(Memory, APlanChecksItsOptionsAsAFitDoes)
{
    const matrix X = matrix::from_view(wide_problem().X.view());
    path_options options;
    options.alpha = 2;
    EXPECT_THROW(plan_memory(X, options), invalid_input);
    EXPECT_THROW(plan_memory(matrix(), path_options{}), invalid_input);
}

TEST(Memory, ShapesBeyond32BitsArePlannedExactly)
{
    // 2³² − 1 rows, 2³³ columns, 2⁴⁰ entries: nothing of it is stored.
    const std::int64_t n = (std::int64_t{1} << 32) - 1;
    const std::int64_t p = std::int64_t{1} << 33;
    const matrix X = claimed(n, p, std::int64_t{1} << 40, std::uint64_t{6} << 40);
    EXPECT_EQ(X.nonzeros(), std::int64_t{1} << 40);
    path_options options;
    options.memory_limit = std::uint64_t{1} << 62;
    const memory_plan plan = plan_memory(X, options);
    EXPECT_EQ(plan.matrix_bytes, std::uint64_t{6} << 40);
    // At least ten vectors of p doubles and a panel of n for each lambda of a block.
    EXPECT_GT(plan.vectors_bytes, std::uint64_t{10} * 8 * static_cast<std::uint64_t>(p));
    EXPECT_GT(plan.vectors_bytes, std::uint64_t{8} * 8 * static_cast<std::uint64_t>(n));
    EXPECT_LT(plan.vectors_bytes, std::uint64_t{1} << 45);
    EXPECT_EQ(plan.lambda_block, 16);

    options.memory_limit = std::uint64_t{1} << 33; // 8 GiB
    try {
        plan_memory(X, options);
        ADD_FAILURE() << "2³³ features in 8 GiB";
    } catch (const out_of_memory& error) {
        EXPECT_GT(error.needed_bytes(), std::uint64_t{10} * 8 * static_cast<std::uint64_t>(p));
        EXPECT_EQ(error.limit_bytes(), std::uint64_t{1} << 33);
    }
}

TEST(Memory, AGramMatrixThatOutgrowsItsMemoryLosesNoLambdas)
{
    const regression problem = wide_problem();
    const matrix X = matrix::from_view(problem.X.view());
    path_options options;
    options.threads = 1;
    options.form = form_kind::gram;
    options.memory_limit = least_memory(X, options) + 150000; // for some 65 features
    const path_result result = fit_path(X, problem.y, options);
    EXPECT_TRUE(result.all_converged());
    EXPECT_GT(result.points.back().df, 100);
    options.screening = screening_kind::none; // too large from the start
    EXPECT_THROW((void)fit_path(X, problem.y, options), out_of_memory);
}

TEST(Memory, ASupportLargerThanTheFactorMayBeIsSolvedAllTheSame)
{
    regression problem;
    random_numbers random(7);
    problem.X = random_matrix(random, 120, 90, 1.0);
    for (std::int64_t i = 0; i < 120; ++i) problem.y.push_back(random.normal());
    const matrix X = matrix::from_view(problem.X.view());
    path_options options;
    options.lambda_min_ratio = 1e-3;
    options.n_lambda = 5;
    options.threads = 1;
    options.form = form_kind::residual;
    options.solver = solver_kind::cd;
    options.memory_limit = least_memory(X, options) + 5000; // a factor of some 15 features
    const path_result tight = fit_path(X, problem.y, options);
    EXPECT_TRUE(tight.all_converged());
    EXPECT_GT(tight.points.back().df, 70);

    options.memory_limit = std::uint64_t{1} << 30;
    const path_result wide = fit_path(X, problem.y, options);
    EXPECT_TRUE(wide.all_converged());
    for (std::size_t k = 0; k < wide.points.size(); ++k)
        EXPECT_NEAR(tight.points[k].primal, wide.points[k].primal, wide.points[k].gap + tight.points[k].gap);
}

TEST(Memory, AGridThatEndsEarlierIsExpectedToNeedSmallerWorkingSets)
{
    const matrix X = claimed(100000, 2000000, 40000000, 500000000);
    path_options options;
    options.memory_limit = std::uint64_t{1} << 40;
    const memory_plan whole = plan_memory(X, options); // to 0.01: half of 32768 features
    EXPECT_EQ(whole.factor_bytes, std::uint64_t{16384} * 16384 * 8 / 3 * 2);
    options.lambda_min_ratio = 0.05; // a twenty-fifth of that, which 1024 exceeds
    const memory_plan early = plan_memory(X, options);
    EXPECT_EQ(early.factor_bytes, std::uint64_t{1024} * 1024 * 8 / 3 * 2);
    EXPECT_LT(early.working_bytes, whole.working_bytes);
    options.lambda_min_ratio.reset();
    for (int k = 0; k < 100; ++k) options.lambda.push_back(1 - 0.95 * k / 99); // a list says the same
    EXPECT_EQ(plan_memory(X, options).working_bytes, early.working_bytes);
    EXPECT_EQ(plan_memory(X, options).factor_bytes, early.factor_bytes);
}

TEST(Memory, ShapesBeyondWhatBytesCanCountAreRefusedNotWrappedAround)
{
    // So many features that 17 vectors of them still fit 64 bits, and a million ridge solutions do not.
    const std::int64_t p = std::numeric_limits<std::int64_t>::max() / 128;
    const matrix X = claimed(1000, p, 0, 0);
    path_options options;
    options.memory_limit = std::numeric_limits<std::uint64_t>::max();
    options.n_lambda = 1000000;
    EXPECT_GT(plan_memory(X, options).vectors_bytes, std::uint64_t{100} * static_cast<std::uint64_t>(p));
    options.alpha = 0;
    EXPECT_THROW(plan_memory(X, options), out_of_memory);
    options.alpha = 1;
    options.screening = screening_kind::none; // six panels of sixteen lambdas
    EXPECT_THROW(plan_memory(X, options), out_of_memory);
}

// Sanitizers end the process where the system would refuse memory, and reserve terabytes of addresses themselves: a
// limit on these stops their own work.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Memory, AViewOfMoreColumnsThanMemoryHoldsIsRefused)
{
    const std::int64_t p = std::int64_t{1} << 50; // 8 PiB of offsets alone
    const std::vector<std::int64_t> offsets{0, 1};
    const std::vector<std::int64_t> indices{p - 1};
    const std::vector<double> values{1};
    for (const matrix_view& view : {csr_view(1, p, std::span(offsets), std::span(indices), std::span(values)),
                                    dense_view<double>(0, p, nullptr, 0)}) {
        try {
            matrix::from_view(view);
            ADD_FAILURE() << "a matrix of 2⁵⁰ columns";
        } catch (const out_of_memory& error) {
            EXPECT_GE(error.needed_bytes(), std::uint64_t{8} << 50);
            EXPECT_THAT(error.what(), HasSubstr("1125899906842624"));
        }
    }
}

TEST(MemoryDeathTest, MemoryThatTheSystemRefusesIsReportedAndTheLibraryStaysUsable)
{
    const regression problem = wide_problem();
    const auto run = [&] {
        const matrix X = matrix::from_view(problem.X.view());
        path_options options;
        options.alpha = 0.5;
        options.n_lambda = 3;
        options.threads = 1;
        options.form = form_kind::gram;
        options.screening = screening_kind::none; // a Gram matrix of 900 × 900: 6.5 MB
        options.memory_limit = std::uint64_t{1} << 30;
        std::ifstream pages("/proc/self/statm");
        std::uint64_t addresses = 0;
        pages >> addresses;
        const rlim_t now = addresses * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
        const struct rlimit limit = {now + (1 << 20), RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
        int reported = 0;
        try {
            fit_path(X, problem.y, options);
        } catch (const out_of_memory& error) {
            reported = error.needed_bytes() > (std::uint64_t{1} << 20) ? 1 : 0;
        }
        const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &none);
        const bool usable = fit_path(X, problem.y, options).all_converged();
        std::_Exit(reported == 1 && usable ? 42 : 1);
    };
    EXPECT_EXIT(run(), testing::ExitedWithCode(42), "");
}
#endif

} // namespace
} // namespace proxpath::test
