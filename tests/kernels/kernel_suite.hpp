// What the typed tests of the kernels share: host numbers to the device and back, a launcher run in every way with the
// same bits, and its result held against the CPU operation.
//
// Bounds: a sum of m products in double is off by at most sum_error(m) Σ|products| in any order, and storing it in T
// adds one rounding (tests/support/backend_examples.hpp). CPU and device are both that near the exact sum, so they are
// within twice that of each other. Σ|products| comes from the CPU operation too, on absolute values.
#pragma once

#include "host/backend/cuda/device_design.hpp"
#include "host/backend/cuda/device_panel.hpp"
#include "kernels/launchers.hpp"
#include "tests/kernels/device_under_test.hpp"
#include "tests/support/backends.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace proxpath::test {

using backend::column_scaling;
using backend::device_buffer;
using backend::device_design;
using backend::panel;
using backend::readable;
using backend::writable;

using kernel_numbers = testing::Types<float, double>;

template <class T>
class kernel_suite : public testing::Test {
protected:
    void SetUp() override
    {
        runtime_ = make_runtime_under_test();
        if (runtime_ == nullptr) GTEST_SKIP() << "no device";
        stream_ = std::make_unique<backend::device_stream>(*runtime_);
    }

    backend::stream_view stream() const { return stream_->view(); }

    panel<T> up(const host_panel<T>& host)
    {
        panel<T> made = backend::make_device_panel<T>(host.rows, host.cols, stream(), *runtime_);
        backend::upload_panel<T>(host.values, made, stream(), *runtime_);
        runtime_->synchronize(stream());
        return made;
    }
    host_panel<T> down(const panel<T>& from)
    {
        host_panel<T> host(from.rows, from.cols);
        backend::download_panel<T>(from, host.values, stream(), *runtime_);
        runtime_->synchronize(stream());
        return host;
    }
    /// Of a vector with one number for each row or column; null for an empty one.
    device_buffer<double> up(const std::vector<double>& host)
    {
        device_buffer<double> made(static_cast<std::int64_t>(host.size()), stream(), *runtime_);
        made.upload(host);
        runtime_->synchronize(stream());
        return made;
    }
    std::vector<double> down(const device_buffer<double>& from)
    {
        std::vector<double> host(static_cast<std::size_t>(from.size()));
        from.download(host);
        runtime_->synchronize(stream());
        return host;
    }
    device_buffer<double> numbers(std::int64_t n) { return {n, stream(), *runtime_}; }

    /// Calls run() in every way; what it returns must have the same bits every time.
    template <class Run>
    auto same_in_every_way(const Run& run)
    {
        run_in_way(0);
        const auto first = run();
        for (int way = 1; way < ways_to_run(); ++way) {
            const std::string name = run_in_way(way);
            EXPECT_TRUE(run() == first) << "other bits: " << name;
        }
        run_in_way(0);
        return first;
    }

    std::unique_ptr<backend::device_runtime> runtime_;
    std::unique_ptr<backend::device_stream> stream_;
    std::unique_ptr<backend::operations<T>> cpu_ = backend::make_cpu_operations<T>(1);
};

template <class T>
host_panel<T> absolute(host_panel<T> of)
{
    for (T& value : of.values) value = std::fabs(value);
    return of;
}

/// @param size Σ|products| of every number, in T @param terms of every sum
template <class T>
void expect_agree(const std::vector<T>& device, const std::vector<T>& cpu, const std::vector<T>& size,
                  std::int64_t terms)
{
    ASSERT_EQ(device.size(), cpu.size());
    const double sums = 2 * sum_error(terms);
    for (std::size_t i = 0; i < cpu.size(); ++i) {
        const double bound = (sums + 2.1 * unit_roundoff<T>)*(1 + 4 * unit_roundoff<T>)*static_cast<double>(size[i]) +
                             2.0 * static_cast<double>(std::numeric_limits<T>::denorm_min());
        ASSERT_LE(std::fabs(static_cast<double>(device[i]) - static_cast<double>(cpu[i])), bound) << "number " << i;
    }
}

} // namespace proxpath::test
