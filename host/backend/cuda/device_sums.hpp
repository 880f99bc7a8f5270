// Sums over the rows of panels, as the host wants them.
#pragma once

#include "host/backend/cuda/device_session.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Calls launch(sums, scratch), which leaves `count` sums over `rows` rows. Waits. @return them
template <class Launch>
std::vector<double> sums_over_rows(device_session& session, std::int64_t rows, std::int64_t count, const Launch& launch)
{
    const auto sums = session.buffer<double>(count);
    const auto scratch = session.buffer<double>(kernels::scratch_numbers(rows, count));
    launch(sums.data(), scratch.data());
    std::vector<double> host(static_cast<std::size_t>(count));
    session.download(sums, std::span(host));
    return host;
}

/// The same into the host's memory. @param result as many as there are sums
template <class Launch>
void sums_over_rows(device_session& session, std::int64_t rows, std::span<double> result, const Launch& launch)
{
    const auto count = static_cast<std::int64_t>(result.size());
    const std::vector<double> sums = sums_over_rows(session, rows, count, launch);
    std::copy(sums.begin(), sums.end(), result.begin());
}

} // namespace proxpath::backend
