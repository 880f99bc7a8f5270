// The two limits; see path_limits.hpp. glmnet, too, keeps the lambda that exceeds dfmax and drops the one that exceeds
// pmax.

#include "host/path/path_limits.hpp"

#include <fmt/format.h>

namespace proxpath::path {

bool path_limits::reached(const path_recorder& recorder, std::size_t next)
{
    if ((dfmax_ == 0 && pmax_ == 0) || ended_by_ != path_end::whole) return ended_by_ != path_end::whole;
    for (; seen_ < next && recorder.known(seen_); ++seen_) {
        const auto column = recorder.column(seen_);
        if (pmax_ > 0)
            for (const auto& [feature, coefficient] : column) ever_.insert(feature);
        if (pmax_ > 0 && static_cast<std::int64_t>(ever_.size()) > pmax_) {
            ended_by_ = path_end::pmax;
            first_exceeds_ = seen_ == 0;
            kept_ = seen_ == 0 ? 1 : seen_;
            return true;
        }
        if (dfmax_ > 0 && static_cast<std::int64_t>(column.size()) > dfmax_) {
            ended_by_ = path_end::dfmax;
            kept_ = seen_ + 1;
            return true;
        }
    }
    return false;
}

std::string path_limits::note(std::int64_t lambdas_asked) const
{
    if (ended_by_ == path_end::dfmax)
        return fmt::format(
            "dfmax {} ended the path after {} of {} lambdas: the last one is the first with more non-zero "
            "coefficients",
            dfmax_, kept_, lambdas_asked);
    if (first_exceeds_)
        return fmt::format("pmax {}: more coefficients are non-zero at the first of {} lambdas; it alone is kept",
                           pmax_, lambdas_asked);
    return fmt::format("pmax {} ended the path after {} of {} lambdas: with the next one more features would have been "
                       "non-zero",
                       pmax_, kept_, lambdas_asked);
}

} // namespace proxpath::path
