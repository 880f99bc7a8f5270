// The backends that the typed suites run, and the way from host memory to a panel and back. A new backend is one more
// line in `backends_times_types`.
#pragma once

#include "host/backend/operations.hpp"

#include "tests/support/device_backend.hpp"
#include "tests/support/problems.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {

template <class T>
struct cpu_backend {
    using value_type = T;
    static std::unique_ptr<backend::operations<T>> make(int threads = 1)
    {
        return backend::make_cpu_operations<T>(threads);
    }
};

#if defined(__SANITIZE_THREAD__)
// Without devices, where this takes minutes: ThreadSanitizer sees what their kernels do in tests/kernels.
using backends_times_types = testing::Types<cpu_backend<float>, cpu_backend<double>>;
using readers_times_types = backends_times_types;
#elif defined(__SANITIZE_ADDRESS__)
// In float on a device, and X in parts in double: there tests/kernels runs every kernel in double only.
using backends_times_types = testing::Types<cpu_backend<float>, cpu_backend<double>, device_backend<float>>;
using readers_times_types =
    testing::Types<cpu_backend<float>, cpu_backend<double>, device_backend<float>, streaming_backend<double>>;
#else
using backends_times_types =
    testing::Types<cpu_backend<float>, cpu_backend<double>, device_backend<float>, device_backend<double>>;
/// The same for operations that read X, which may be resident or not.
using readers_times_types = testing::Types<cpu_backend<float>, cpu_backend<double>, device_backend<float>,
                                           device_backend<double>, streaming_backend<float>, streaming_backend<double>>;
#endif

/// The same for solvers, which call nothing but operations: with AddressSanitizer without devices, whose operations
/// have suites of their own, and on which a solver takes six minutes.
#ifdef __SANITIZE_ADDRESS__
using solvers_times_types = testing::Types<cpu_backend<float>, cpu_backend<double>>;
#else
using solvers_times_types = backends_times_types;
#endif

/// Random problems that a whole descent or solver is tried on, of `many`: with sanitizers, and where it calls nothing
/// but what has been tried on the CPU with all of them, a few go every way that there is.
template <class Backend>
constexpr std::uint64_t problems_of([[maybe_unused]] std::uint64_t many)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 2;
#else
    return std::is_same_v<Backend, cpu_backend<typename Backend::value_type>> ? many : 3;
#endif
}

/// Row-major rows × cols numbers in host memory.
template <class T>
struct host_panel {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<T> values;

    host_panel() = default;
    host_panel(std::int64_t r, std::int64_t c) : rows(r), cols(c), values(static_cast<std::size_t>(r * c)) {}
    T& at(std::int64_t i, std::int64_t c) { return values[static_cast<std::size_t>(i * cols + c)]; }
    T at(std::int64_t i, std::int64_t c) const { return values[static_cast<std::size_t>(i * cols + c)]; }
};

template <class T>
host_panel<T> random_panel(random_numbers& random, std::int64_t rows, std::int64_t cols)
{
    host_panel<T> made(rows, cols);
    for (T& value : made.values) value = random.chance(0.1) ? T(0) : static_cast<T>(random.normal());
    return made;
}

inline std::vector<double> random_vector(random_numbers& random, std::int64_t length, double low, double high)
{
    std::vector<double> made(static_cast<std::size_t>(length));
    for (double& value : made) value = random.uniform(low, high);
    return made;
}

template <class T>
backend::panel<T> to_backend(const backend::operations<T>& ops, const host_panel<T>& host)
{
    backend::panel<T> panel = ops.allocate(host.rows, host.cols);
    ops.upload(host.values, panel);
    return panel;
}

template <class T>
host_panel<T> to_host(const backend::operations<T>& ops, const backend::panel<T>& panel)
{
    host_panel<T> host(panel.rows, panel.cols);
    ops.download(panel, host.values);
    return host;
}

/// The penalty of p features as a backend and the solvers take it, with the memory it lies in.
struct penalty_vectors {
    std::vector<double> l1, l2, lower, upper, kkt_scale;

    backend::penalty_view view() const { return {l1, l2, lower, upper, kkt_scale}; }
};

/// Scaling that leaves p columns as they are.
inline backend::column_scaling no_scaling(std::size_t p)
{
    const std::vector<double> zero(p, 0.0);
    return {zero, zero, std::vector<double>(p, 1.0)};
}

/// Half the distance from 1 to the next T: the largest relative error of one rounding.
template <class T>
constexpr double unit_roundoff = std::numeric_limits<T>::epsilon() / 2.0;

/// Error of a sum of `terms` products in double, in units of Σ |products|, whatever the order (Higham 2002, §3.1), with
/// a few more roundings for what happens to each term.
inline double sum_error(std::int64_t terms) { return static_cast<double>(terms + 10) * 1.01 * unit_roundoff<double>; }

} // namespace proxpath::test
