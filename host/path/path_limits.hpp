// Where a path ends early: limits on the number of coefficients that are not zero, looked at after every block of
// lambdas, in the order of the lambdas. What ends it does not depend on how lambdas were grouped into blocks.
#pragma once

#include "host/path/path_recorder.hpp"

#include <proxpath/result.hpp>

#include <cstdint>
#include <string>
#include <unordered_set>

namespace proxpath::path {

class path_limits {
public:
    /// @param dfmax, pmax as in path_options
    path_limits(std::int64_t dfmax, std::int64_t pmax) : dfmax_(dfmax), pmax_(pmax) {}

    /// Looks at the columns before `next` that it has not seen yet. True once a limit is reached.
    bool reached(const path_recorder& recorder, std::size_t next);

    path_end ended_by() const { return ended_by_; }
    /// Lambdas of the path, when it has ended.
    std::size_t kept() const { return kept_; }
    /// For the reader, when it has ended.
    std::string note(std::int64_t lambdas_asked) const;

private:
    std::int64_t dfmax_;
    std::int64_t pmax_;
    std::size_t seen_ = 0;
    std::unordered_set<std::int64_t> ever_; // features that were not 0, where pmax asks for them
    path_end ended_by_ = path_end::whole;
    std::size_t kept_ = 0;
    bool first_exceeds_ = false; // pmax, at the first lambda already
};

} // namespace proxpath::path
