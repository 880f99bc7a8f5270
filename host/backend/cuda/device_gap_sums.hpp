// Gap sums of correlations that are kept on the device, for the host: what penalty_sums of the contract and the looks
// of the descents take.
#pragma once

#include "host/backend/cuda/device_panel.hpp"
#include "host/backend/cuda/device_session.hpp"
#include "host/backend/penalty.hpp"

#include "kernels/gap_numbers.hpp"
#include "kernels/launchers.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace proxpath::backend {

/// Waits. @param U, B p × k @param penalty p features, on the device @param lambda, sums k
template <class T>
void device_gap_sums(device_session& session, const panel<T>& U, const panel<T>& B,
                     const kernels::penalty_arrays& penalty, std::span<const double> lambda, std::span<gap_sums> sums)
{
    const auto device_lambda = session.upload(lambda);
    const auto numbers = session.buffer<double>(kernels::gap_numbers * U.cols);
    const auto work = session.buffer<double>(kernels::gap_scratch_numbers(U.rows, U.cols));
    kernels::penalty_sums(readable(U), readable(B), penalty, device_lambda.data(), numbers.data(), work.data(),
                          session.stream());
    std::vector<double> host(static_cast<std::size_t>(numbers.size()));
    session.download(numbers, std::span(host));
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] = kernels::get_gap_sums(host.data() + c, U.cols);
}

} // namespace proxpath::backend
