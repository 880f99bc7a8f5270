// One long memcpy a thread, which the C library does with streaming stores: nothing is read but the source.

#include "bench/bandwidth.hpp"

#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>

namespace proxpath::bench {

namespace {

constexpr std::int64_t array_bytes = std::int64_t{256} << 20;
constexpr int copies = 12;

double measure(int threads)
{
    const auto bytes = static_cast<std::size_t>(array_bytes);
    const auto from = std::make_unique<char[]>(bytes); // zeroed: every page is there before it is timed
    const auto to = std::make_unique<char[]>(bytes);
    double best = 0;
    for (int copy = 0; copy < copies; ++copy) {
        const auto begin = std::chrono::steady_clock::now();
        parallel::parallel_for(threads, threads, [&](std::int64_t piece) {
            const auto first = static_cast<std::size_t>(array_bytes * piece / threads);
            const auto last = static_cast<std::size_t>(array_bytes * (piece + 1) / threads);
            std::memcpy(to.get() + first, from.get() + first, last - first);
        });
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        best = std::max(best, 2.0 * static_cast<double>(array_bytes) / taken.count());
    }
    return best;
}

} // namespace

double copy_bandwidth(int threads)
{
    static std::map<int, double> measured;
    auto found = measured.find(threads);
    if (found == measured.end()) found = measured.emplace(threads, measure(threads)).first;
    return found->second;
}

} // namespace proxpath::bench
