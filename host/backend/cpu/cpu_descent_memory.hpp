// What both descents on the CPU keep from call to call of one growing working set, and from column to column of a call.
#pragma once

#include "host/backend/cpu/kept_factor.hpp"
#include "host/backend/cpu/newton_costs.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>

namespace proxpath::backend {

struct cpu_descent_memory final : descent_memory {
    explicit cpu_descent_memory(std::uint64_t limit_bytes) : factor(limit_bytes) {}

    kept_factor factor;
    newton_costs costs;
};

} // namespace proxpath::backend
