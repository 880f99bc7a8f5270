// The choice between Newton steps with and without the kept factor, by counted costs alone.

#include "tests/support/gram_examples.hpp"

#include "host/backend/cpu/newton_costs.hpp"

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

namespace proxpath::backend {
namespace {

class NewtonCosts : public testing::Test {
protected:
    newton_costs::occasion with(double hessian) const { return {support_, hessian, factor_}; }

    void make_factor()
    {
        const std::vector<double> diagonal(support_.size(), 0.0);
        const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(300, 300);
        factor_.update(support_, diagonal, test::entries_of(unit), 1);
        costs_.took_factor(with(1), 2);
    }

    static std::vector<std::int64_t> first_features(std::int64_t count)
    {
        std::vector<std::int64_t> made(static_cast<std::size_t>(count));
        std::iota(made.begin(), made.end(), std::int64_t{0});
        return made;
    }

    std::vector<std::int64_t> support_ = first_features(300);
    kept_factor factor_{std::uint64_t{1} << 24};
    newton_costs costs_;
};

TEST_F(NewtonCosts, AStepGoesPlainWheneverTheFactorsOwnSolvesCostMore)
{
    costs_.took_plain(with(1), 100, false);
    make_factor();
    const double solves = costs_.with_factor(with(0)); // the factor is up to date: nothing else to pay
    // 100 products without it, 2 with it.
    EXPECT_TRUE(costs_.goes_plain(with(0.99 * solves / 98)));
    EXPECT_FALSE(costs_.goes_plain(with(1.01 * solves / 98)));
}

TEST_F(NewtonCosts, AFactorIsDueOnceStepsWithoutItHaveCostAsMuchMore)
{
    const double with_factor = costs_.with_factor(with(0)); // making it and solving with it
    const double hessian = 0.5 * with_factor / 100;         // a step of 100 products: half of that
    costs_.took_plain(with(hessian), 100, false);
    int rented = 1;
    while (costs_.goes_plain(with(hessian)) && rented < 100) {
        costs_.took_plain(with(hessian), 100, false);
        ++rented;
    }
    EXPECT_GE(rented, 3);
    EXPECT_LE(rented, 10);
    make_factor();
    EXPECT_FALSE(costs_.goes_plain(with(hessian))) << "made, it serves the steps after";
}

TEST_F(NewtonCosts, SupportsThatAlwaysChangeMakeNoFactorDue)
{
    const double with_factor = costs_.with_factor(with(0));
    const double hessian = 0.5 * with_factor / 100;
    for (int step = 0; step < 100; ++step) {
        for (std::int64_t& feature : support_) feature += 300;
        costs_.took_plain(with(hessian), 100, false);
        EXPECT_TRUE(costs_.goes_plain(with(hessian))) << step;
    }
}

TEST_F(NewtonCosts, AStepThatFailedWithoutTheFactorIsChargedTenfold)
{
    const double with_factor = costs_.with_factor(with(0));
    const double hessian = 0.5 * with_factor / 100;
    costs_.took_plain(with(hessian), 100, true);
    EXPECT_FALSE(costs_.goes_plain(with(hessian)));
}

TEST_F(NewtonCosts, ASmallerSupportPaysForAFactorMadeAnew)
{
    make_factor();
    const double solves = costs_.with_factor(with(0));
    support_.resize(200); // a third left: more than may be held
    EXPECT_NEAR(costs_.with_factor(with(0)), 200.0 * 200 * 200 / 3 + solves * 4 / 9, 1e-6 * solves);
    support_ = first_features(290);
    EXPECT_LT(costs_.with_factor(with(0)), solves) << "held, nothing is made";
}

TEST_F(NewtonCosts, AFactorWithoutRoomIsNotFree)
{
    const kept_factor none(0);
    ASSERT_EQ(none.capacity(), 0);
    costs_.took_factor({support_, 1000, none}, 100); // steps of conjugate gradients, each a product
    EXPECT_EQ(costs_.with_factor({support_, 1000, none}), 100 * 1000.0);
}

TEST_F(NewtonCosts, AStepWithNothingToSolveTeachesNothing)
{
    const double before = costs_.plain(with(1));
    costs_.took_plain(with(1), 0, false);
    EXPECT_EQ(costs_.plain(with(1)), before);
}

TEST_F(NewtonCosts, AddUpWhatColumnsHaveCost)
{
    EXPECT_EQ(costs_.spent(), 0);
    costs_.took_plain(with(10), 50, false);
    EXPECT_EQ(costs_.spent(), 500);
    costs_.spend(7);
    EXPECT_EQ(costs_.spent(), 507);
    costs_.takes_update(with(10)); // 300 features, none of them in the factor yet
    EXPECT_EQ(costs_.spent(), 507 + 300.0 * 300 * 300 / 3);
    make_factor();
    EXPECT_GT(costs_.spent(), 507 + 300.0 * 300 * 300 / 3);
}

TEST_F(NewtonCosts, KnowWhetherAnyStepWentPlain)
{
    EXPECT_FALSE(costs_.went_plain());
    costs_.took_factor(with(1), 3);
    EXPECT_FALSE(costs_.went_plain());
    costs_.took_plain(with(1), 50, false);
    EXPECT_TRUE(costs_.went_plain());
}

} // namespace
} // namespace proxpath::backend
