// Whether Newton steps are the cheaper way to the tolerance for one column of several that are solved side by side, or
// going on with sweeps at the pace they have had. By counts of products with the Hessian, never by the clock, so that
// the choice is the same everywhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace proxpath::backend {

/// What a batch learns of its Newton steps for the next one.
struct newton_experience {
    bool eager = false;   ///< most columns needed them: they are tried after every look, as long as patience lasts
    double products = 60; ///< that they took in a column
};

class newton_pace {
public:
    /// @param look_products products that take as long as the sweeps of a look and its gap
    newton_pace(const newton_experience& before, double look_products) : before_(before), look_products_(look_products)
    {}

    /// The gap now. @param after_newton Newton steps have been taken since the last look
    void look(double gap, bool after_newton)
    {
        if (after_newton) gaps_.clear(); // measured anew; until then the rate stands
        gaps_.push_back(gap);
    }
    void took(double products) { products_ += products; }
    double products() const { return products_; }

    bool pays(double gap_tolerance)
    {
        if (gaps_.size() > looks_to_measure)
            rate_ = std::log(gaps_[gaps_.size() - 1 - looks_to_measure] / gaps_.back()) /
                    (looks_to_measure * look_products_);
        if (before_.eager && products_ <= patience * before_.products) return true;
        if (std::isnan(rate_)) return false;
        const double left = std::log(gaps_.back() / gap_tolerance);
        return !(left < rate_ * std::max(before_.products, products_));
    }

private:
    static constexpr std::size_t looks_to_measure = 2;
    /// What eager Newton steps may take of what they took before: products differ from lambda to lambda, and where the
    /// steps are given up, sweeps have to start anew (wide: a fourth of the path).
    static constexpr double patience = 4;

    newton_experience before_;
    double look_products_;
    std::vector<double> gaps_;                               // at every look since the last Newton step
    double rate_ = std::numeric_limits<double>::quiet_NaN(); // fall of the gap's logarithm in the time of a product
    double products_ = 0;
};

} // namespace proxpath::backend
