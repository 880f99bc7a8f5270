// The factor that Newton steps keep, against dense solutions of the support of the day: features come and go, the
// diagonal changes, the memory runs out.

#include "tests/support/dense_algebra.hpp"
#include "tests/support/gram_examples.hpp"

#include "host/backend/cpu/kept_factor.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

namespace proxpath::backend {
namespace {

constexpr std::int64_t feature_count = 60;

/// Correlations of 60 features seen in 80 rows, and what the kept factor makes of them.
class KeptFactor : public testing::Test {
protected:
    static std::vector<std::int64_t> range(std::int64_t first, std::int64_t end, std::int64_t step = 1)
    {
        std::vector<std::int64_t> made;
        for (std::int64_t j = first; j < end; j += step) made.push_back(j);
        return made;
    }

    void update(kept_factor& factor, std::span<const std::int64_t> support, double diagonal) const
    {
        const std::vector<double> diagonals(support.size(), diagonal);
        factor.update(support, diagonals, test::entries_of(C_), 1);
    }

    static std::vector<double> right_side(std::size_t size)
    {
        std::vector<double> r(size);
        for (std::size_t a = 0; a < size; ++a) r[a] = 1 / static_cast<double>(a + 1);
        return r;
    }

    static std::vector<double> solve(const kept_factor& factor, std::span<const std::int64_t> support, double diagonal)
    {
        const std::vector<double> diagonals(support.size(), diagonal);
        std::vector<double> z(support.size());
        factor.solve(support, diagonals, right_side(support.size()), z, 1);
        return z;
    }

    std::vector<double> exact(const std::vector<std::int64_t>& support, double diagonal) const
    {
        Eigen::MatrixXd A = C_(support, support);
        A.diagonal().array() += diagonal;
        const std::vector<double> r = right_side(support.size());
        const Eigen::VectorXd x =
            test::solve(A, Eigen::Map<const Eigen::VectorXd>(r.data(), static_cast<std::int64_t>(r.size())));
        return {x.data(), x.data() + x.size()};
    }

    static void expect_close(const std::vector<double>& x, const std::vector<double>& y)
    {
        ASSERT_EQ(x.size(), y.size());
        for (std::size_t a = 0; a < x.size(); ++a) EXPECT_NEAR(x[a], y[a], 1e-7) << "at " << a;
    }

    Eigen::MatrixXd C_ = test::random_gram(80, feature_count, 7);
};

TEST_F(KeptFactor, SolvesOnTheSupportWhateverLeftAndCame)
{
    kept_factor factor(std::uint64_t{1} << 20);
    // A few leave and are held; some of them come back with new ones; then too many leave, and it is made anew.
    const std::vector<std::vector<std::int64_t>> supports{range(0, 40), range(3, 40), range(2, 50), range(0, 60, 3)};
    const std::vector<std::int64_t> sizes{40, 40, 50, 20};
    for (std::size_t i = 0; i < supports.size(); ++i) {
        update(factor, supports[i], 0.01);
        EXPECT_EQ(factor.size(), sizes[i]);
        EXPECT_TRUE(factor.complete(supports[i].size()));
        expect_close(solve(factor, supports[i], 0.01), exact(supports[i], 0.01));
    }
}

TEST_F(KeptFactor, KeepsTheDiagonalItWasMadeWithUntilItIsOutdated)
{
    kept_factor factor(std::uint64_t{1} << 20);
    const std::vector<std::int64_t> support = range(0, 30);
    update(factor, support, 1.0);
    update(factor, support, 0.5);
    expect_close(solve(factor, support, 0.5), exact(support, 1.0));
    factor.mark_outdated();
    update(factor, support, 0.5);
    EXPECT_FALSE(factor.outdated());
    expect_close(solve(factor, support, 0.5), exact(support, 0.5));
}

TEST_F(KeptFactor, FeaturesWithoutRoomHaveOnlyTheirOwnDiagonal)
{
    kept_factor factor(10000);
    ASSERT_GT(factor.capacity(), 0);
    ASSERT_LT(factor.capacity(), feature_count);
    const std::vector<std::int64_t> support = range(0, feature_count);
    update(factor, support, 0.1);
    EXPECT_EQ(factor.size(), factor.capacity());
    EXPECT_FALSE(factor.complete(support.size()));
    const std::vector<double> z = solve(factor, support, 0.1);
    std::vector<double> expected = exact(range(0, factor.capacity()), 0.1);
    const std::vector<double> r = right_side(support.size());
    for (std::size_t a = expected.size(); a < r.size(); ++a) expected.push_back(r[a] / 1.1);
    expect_close(z, expected);
}

} // namespace
} // namespace proxpath::backend
