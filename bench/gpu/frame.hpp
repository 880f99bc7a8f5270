// The frame of the device benchmarks: the device, a clock on its stream, and jobs whose answer is checked before they
// are timed. proxpath_gpu_bench runs them on a GPU, proxpath_emulated_bench on the emulated device, where figures mean
// nothing but the code does.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"
#include "host/backend/cuda/device_session.hpp"
#include "host/backend/operations.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace proxpath::bench {

/// Time between two points of a stream, as the device sees it.
class stream_clock {
public:
    virtual ~stream_clock() = default;
    virtual void start(backend::stream_view stream) = 0;
    /// Waits for the stream. @return seconds since `start`
    virtual double stop(backend::stream_view stream) = 0;
};

struct measured_device {
    std::string name;
    std::unique_ptr<backend::device_runtime> runtime;
    std::unique_ptr<stream_clock> clock;
};

/// The GPU that is current (cuda_device.cpp), or the emulated device (emulated_device.cpp).
/// @throws an exception that says why there is none
measured_device open_measured_device();

/// Work on the stream of a laboratory, with all that it needs.
struct stream_job {
    std::function<void()> run;
    double bytes = 0; ///< that one run cannot avoid to move: the table of host/backend/operations.hpp
    bool right = false;
};

/// The device at work, and the CPU that judges its answers.
struct laboratory {
    explicit laboratory(measured_device device, bool small_sizes);

    template <class T>
    const backend::operations<T>& on_device() const;
    template <class T>
    const backend::operations<T>& on_host() const;
    backend::stream_view stream() const { return session->stream(); }
    backend::device_runtime& runtime() const { return session->runtime(); }
    /// n numbers in device memory, kept by whoever holds the pointer.
    std::shared_ptr<backend::device_buffer<double>> numbers(std::int64_t n) const;
    std::shared_ptr<backend::device_buffer<double>> numbers(const std::vector<double>& host) const;
    /// A size of the full run, or one that the emulated device copes with.
    std::int64_t size(std::int64_t full, std::int64_t small) const { return tiny ? small : full; }

    std::string name;
    bool tiny;
    std::unique_ptr<stream_clock> clock;
    std::shared_ptr<backend::device_session> session;
    std::unique_ptr<backend::operations<float>> device_float, host_float;
    std::unique_ptr<backend::operations<double>> device_double, host_double;

    // Large, and on the device: one of each at a time, gone before the session is.
    std::string subject_name;
    std::shared_ptr<const void> subject;
    std::string job_name;
    stream_job job;
};

template <>
inline const backend::operations<float>& laboratory::on_device<float>() const
{
    return *device_float;
}
template <>
inline const backend::operations<double>& laboratory::on_device<double>() const
{
    return *device_double;
}
template <>
inline const backend::operations<float>& laboratory::on_host<float>() const
{
    return *host_float;
}
template <>
inline const backend::operations<double>& laboratory::on_host<double>() const
{
    return *host_double;
}

/// Registers a benchmark; `make` is called when its turn comes, and what it makes is gone before the next one's.
void add_job(laboratory& lab, const std::string& name, std::function<stream_job()> make);

/// `count` numbers in [-1, 1), the same everywhere.
template <class T>
std::vector<T> random_numbers(std::int64_t count, std::uint64_t seed);

/// Row-major host numbers to the device and back.
template <class T>
backend::panel<T> to_panel(const backend::operations<T>& ops, std::int64_t rows, std::int64_t cols,
                           const std::vector<T>& host);
template <class T>
std::vector<T> from_panel(const backend::operations<T>& ops, const backend::panel<T>& panel);

/// Whether sums of at most `terms` products, made in double in any order and stored as T, are as near to each other as
/// they must be (Higham 2002, section 3.1: each is off by at most terms · u · Σ|products|, and one rounding to T).
/// @param sizes Σ|products| of each
template <class T>
bool sums_agree(const std::vector<T>& one, const std::vector<T>& other, const std::vector<T>& sizes, double terms);

/// Symmetric in bits, positive definite: 1 on the diagonal, little beside it.
std::vector<double> tame_matrix(std::int64_t p);

/// What the programs' main functions do: opens the device, registers what `add` adds, runs it.
/// @param tiny sizes that the emulated device copes with
/// @return the exit code
int run_benchmarks(int argc, char** argv, bool tiny, const std::function<void(laboratory&)>& add);

void add_bandwidths(laboratory& lab);
void add_products(laboratory& lab);
void add_working_sets(laboratory& lab);
void add_steps(laboratory& lab);
/// By NVIDIA's libraries, which only proxpath_peers_bench is linked with.
void add_cusparse(laboratory& lab);
void add_cublas(laboratory& lab);

} // namespace proxpath::bench
