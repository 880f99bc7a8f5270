// The kept Cholesky factor and the features held at zero in it, against a dense inverse of the matrix they stand for:
// grown in parts over several tiles, with features leaving and coming back.

#include "tests/support/dense_algebra.hpp"
#include "tests/support/gram_examples.hpp"

#include "host/backend/cpu/held_features.hpp"
#include "host/backend/cpu/support_factor.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

namespace proxpath::backend {

namespace {

using test::entries_of;
using test::random_gram;

constexpr std::uint64_t plenty = std::uint64_t{1} << 30;

class tested_factor {
public:
    tested_factor(Eigen::MatrixXd C, double diagonal, int threads)
        : C_(std::move(C)), diagonal_(diagonal), threads_(threads)
    {}

    void append(std::int64_t first, std::int64_t count)
    {
        std::vector<std::int64_t> features(static_cast<std::size_t>(count));
        std::iota(features.begin(), features.end(), first);
        const std::vector<double> diagonals(features.size(), diagonal_);
        factor_.append(features, diagonals, entries_of(C_), threads_);
    }

    bool hold(const std::set<std::int64_t>& features)
    {
        const std::vector<std::int64_t> list(features.begin(), features.end());
        return held_.hold(factor_, list, threads_);
    }

    Eigen::VectorXd solve(const Eigen::VectorXd& r) const
    {
        Eigen::MatrixXd x = r;
        factor_.forward(x, 0, threads_);
        held_.correct(x, threads_);
        factor_.backward(x.col(0), threads_);
        return x;
    }

    /// Largest difference between solve() and the dense solution on the features that are not held.
    double error(const std::set<std::int64_t>& held) const
    {
        std::vector<std::int64_t> left;
        for (const std::int64_t feature : factor_.features())
            if (held.count(feature) == 0) left.push_back(feature);
        const auto size = static_cast<std::int64_t>(left.size());
        Eigen::VectorXd r = Eigen::VectorXd::Zero(factor_.size());
        Eigen::VectorXd of_left(size);
        for (std::int64_t a = 0; a < size; ++a) {
            of_left(a) = 1.0 / static_cast<double>(a + 1);
            r(factor_.place(left[static_cast<std::size_t>(a)])) = of_left(a);
        }
        Eigen::MatrixXd A = C_(left, left);
        A.diagonal().array() += diagonal_ + support_factor::ridge;
        const Eigen::VectorXd exact = test::solve(A, of_left);
        const Eigen::VectorXd x = solve(r);
        double largest = 0;
        for (std::int64_t a = 0; a < size; ++a)
            largest = std::max(largest, std::abs(exact(a) - x(factor_.place(left[static_cast<std::size_t>(a)]))));
        for (const std::int64_t feature : held) largest = std::max(largest, std::abs(x(factor_.place(feature))));
        return largest / exact.lpNorm<Eigen::Infinity>();
    }

private:
    Eigen::MatrixXd C_;
    double diagonal_;
    int threads_;
    support_factor factor_{plenty, 64}; // many tiles from few features
    held_features held_;
};

std::set<std::int64_t> every(std::int64_t step, std::int64_t end)
{
    std::set<std::int64_t> made;
    for (std::int64_t j = step / 2; j < end; j += step) made.insert(j);
    return made;
}

} // namespace

TEST(SupportFactor, GrownInPartsItSolvesAsOneFactorOfTheWhole)
{
    tested_factor kept(random_gram(500, 450, 1), 0.01, 2);
    std::int64_t known = 0;
    for (const std::int64_t count : {1, 100, 91, 258}) {
        kept.append(known, count);
        known += count;
        EXPECT_LT(kept.error({}), 1e-10) << known << " features";
    }
}

TEST(SupportFactor, HeldFeaturesAreZeroAndTheOthersSolveWithoutThem)
{
    tested_factor kept(random_gram(600, 400, 2), 0.01, 2);
    kept.append(0, 250);
    const std::set<std::int64_t> few = every(60, 250);
    ASSERT_TRUE(kept.hold(few));
    EXPECT_LT(kept.error(few), 1e-10);
    // Some come back, others leave, while the factor grows into another tile.
    std::set<std::int64_t> others = every(9, 250);
    others.erase(others.begin());
    kept.append(250, 150);
    ASSERT_TRUE(kept.hold(others));
    EXPECT_LT(kept.error(others), 1e-10);
    const std::set<std::int64_t> more = every(5, 400);
    ASSERT_TRUE(kept.hold(more));
    EXPECT_LT(kept.error(more), 1e-10);
    ASSERT_TRUE(kept.hold({}));
    EXPECT_LT(kept.error({}), 1e-10);
}

TEST(SupportFactor, DuplicateFeaturesStaySolvable)
{
    Eigen::MatrixXd C = random_gram(50, 40, 3);
    C.col(39) = C.col(0);
    C.row(39) = C.row(0);
    C(39, 39) = 1;
    tested_factor kept(C, 0, 1);
    kept.append(0, 40);
    const std::set<std::int64_t> duplicate{39};
    ASSERT_TRUE(kept.hold(duplicate));
    EXPECT_LT(kept.error(duplicate), 1e-4); // the pair's common part is known to the ridge over rounding
}

TEST(SupportFactor, IsTheSameInEveryBitForAnyNumberOfThreads)
{
#if defined(__SANITIZE_THREAD__)
    constexpr std::int64_t first = 200, second = 100;
#else
    constexpr std::int64_t first = 400, second = 300;
#endif
    const Eigen::MatrixXd C = random_gram(400, first + second, 4);
    const auto solution = [&](int threads) {
        tested_factor kept(C, 0.1, threads);
        kept.append(0, first);
        kept.hold(every(30, first));
        kept.append(first, second);
        kept.hold(every(5, first + second));
        return kept.solve(Eigen::VectorXd::LinSpaced(first + second, -1, 1));
    };
    const Eigen::VectorXd one = solution(1);
    EXPECT_TRUE((one.array() == solution(2).array()).all());
    EXPECT_TRUE((one.array() == solution(5).array()).all());
}

} // namespace proxpath::backend
