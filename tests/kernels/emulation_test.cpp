// The emulated device itself: that it runs what is right and reports what is wrong, always, and in which words.

#include "kernels/device.cuh"
#include "kernels/device_error.hpp"
#include "tests/emulation/emulated_runtime.hpp"
#include "tests/support/random.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using emulation::__ballot_sync;
using emulation::__shfl_down_sync;
using emulation::__shfl_sync;
using emulation::__shfl_xor_sync;
using emulation::__syncthreads;
using emulation::__syncwarp;
using emulation::blockDim;
using emulation::blockIdx;
using emulation::gridDim;
using emulation::kernel_fault;
using emulation::thread_order;
using emulation::threadIdx;
using kernels::dynamic_shared;
using kernels::launch_config;
using kernels::shared_array;
using testing::AllOf;
using testing::HasSubstr;

std::vector<thread_order> orders()
{
    std::vector<thread_order> all{{thread_order::kind::forward, 0}, {thread_order::kind::reverse, 0}};
    for (std::uint64_t seed = 0; seed < 8; ++seed) all.push_back({thread_order::kind::random, seed});
    return all;
}

class Emulation : public testing::Test {
protected:
    void TearDown() override { emulation::settings() = {}; }

    template <class Kernel, class... Arguments>
    void run(Kernel kernel, launch_config config, const Arguments&... arguments)
    {
        kernels::launch(kernel, config, arguments...);
        emulation::synchronize(static_cast<emulation::stream*>(nullptr));
    }

    /// The message of the fault that the kernel ends with, in every order.
    template <class Kernel, class... Arguments>
    void expect_fault(const testing::Matcher<std::string>& message, Kernel kernel, int threads,
                      const Arguments&... arguments)
    {
        for (const thread_order& order : orders()) {
            emulation::settings().order = order;
            try {
                run(kernel, {"broken", 2, 1, threads, {}}, arguments...);
                ADD_FAILURE() << "no fault";
            } catch (const kernel_fault& fault) {
                EXPECT_THAT(std::string(fault.what()), message);
            }
        }
    }
};

struct tag;
struct other_tag;

void reverse_block(const int* from, int* to)
{
    int* const shared = shared_array<int, 96, tag>();
    const unsigned t = threadIdx.x;
    shared[t] = from[blockIdx.x * blockDim.x + t];
    __syncthreads();
    to[blockIdx.x * blockDim.x + t] = shared[blockDim.x - 1 - t];
}

TEST_F(Emulation, BarriersMakeSharedMemoryCommonInEveryOrder)
{
    std::vector<int> from(3 * 96);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<int>(i);
    for (const thread_order& order : orders()) {
        emulation::settings().order = order;
        std::vector<int> to(from.size(), -1);
        run(reverse_block, {"reverse_block", 3, 1, 96, {}}, from.data(), to.data());
        for (int b = 0; b < 3; ++b)
            for (int t = 0; t < 96; ++t) EXPECT_EQ(to[static_cast<std::size_t>(b * 96 + t)], b * 96 + 95 - t);
    }
}

void all_shuffles(double* sum, int* next, int* first, unsigned* votes)
{
    const int t = static_cast<int>(threadIdx.x);
    double value = t;
    for (int reach = 1; reach < 32; reach *= 2) value += __shfl_xor_sync(0xffffffffu, value, reach);
    sum[t] = value;
    next[t] = __shfl_down_sync(0xffffffffu, t, 1u);
    first[t] = __shfl_sync(0xffffffffu, t, 0, 8);
    votes[t] = __ballot_sync(0xffffffffu, t % 2);
    if (t % 32 < 16) __syncwarp(0xffffu); // half a warp by itself
}

TEST_F(Emulation, WarpOperationsAnswerAsTheDeviceDoes)
{
    for (const thread_order& order : orders()) {
        emulation::settings().order = order;
        std::vector<double> sum(64);
        std::vector<int> next(64), first(64);
        std::vector<unsigned> votes(64);
        run(all_shuffles, {"all_shuffles", 1, 1, 64, {}}, sum.data(), next.data(), first.data(), votes.data());
        for (int t = 0; t < 64; ++t) {
            const auto at = static_cast<std::size_t>(t);
            EXPECT_EQ(sum[at], t < 32 ? 496 : 496 + 32 * 32);
            EXPECT_EQ(next[at], t % 32 == 31 ? t : t + 1);
            EXPECT_EQ(first[at], t / 8 * 8);
            EXPECT_EQ(votes[at], 0xaaaaaaaau);
        }
    }
}

void look_at_shared(double* seen)
{
    double* const fixed = shared_array<double, 4, tag>();
    double* const other = shared_array<double, 4, other_tag>();
    double* const dynamic = dynamic_shared<double>();
    const std::size_t at = (blockIdx.x * blockDim.x + threadIdx.x) * 3;
    seen[at] = fixed[threadIdx.x];
    seen[at + 1] = other[threadIdx.x];
    seen[at + 2] = dynamic[threadIdx.x];
    __syncthreads();
    fixed[threadIdx.x] = other[threadIdx.x] = dynamic[threadIdx.x] = 1;
}

TEST_F(Emulation, SharedMemoryIsFullOfNaNBeforeEveryBlock)
{
    std::vector<double> seen(3 * 4 * 3, 0.0);
    launch_config config{"look_at_shared", 3, 1, 4, {}};
    config.shared_bytes = 4 * sizeof(double);
    run(look_at_shared, config, seen.data());
    for (const double value : seen) EXPECT_TRUE(std::isnan(value)) << value;
}

void note_indices(std::int64_t* count, unsigned* grid)
{
    ++count[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x];
    if (threadIdx.x != 0) return;
    grid[0] = gridDim.x;
    grid[1] = gridDim.y;
}

TEST_F(Emulation, EveryThreadOfEveryBlockRunsOnce)
{
    for (const thread_order& order : orders()) {
        emulation::settings().order = order;
        std::vector<std::int64_t> count(5 * 3 * 33, 0);
        std::vector<unsigned> grid(2);
        run(note_indices, {"note_indices", 5, 3, 33, {}}, count.data(), grid.data());
        for (const std::int64_t times : count) EXPECT_EQ(times, 1);
        EXPECT_EQ(grid, (std::vector<unsigned>{5, 3}));
    }
}

void barrier_for_some(int below)
{
    if (static_cast<int>(threadIdx.x) < below) __syncthreads();
}

void two_barriers()
{
    if (threadIdx.x == 7)
        __syncthreads();
    else
        __syncthreads();
}

void shuffle_for_some(int below)
{
    if (static_cast<int>(threadIdx.x) < below) __shfl_xor_sync(0xffffffffu, 1, 1);
}

void shuffle_before_barrier()
{
    if (threadIdx.x == 40)
        __syncthreads();
    else
        __shfl_xor_sync(0xffffffffu, 1, 1);
    __syncthreads();
}

void masks_differ() { __syncwarp(threadIdx.x == 3 ? 0xfu : 0xffffffffu); }
void mask_without_self() { __syncwarp(0xfffffffeu); }
void source_outside_mask()
{
    if (threadIdx.x < 4) __shfl_sync(0xfu, 1, 9);
}

TEST_F(Emulation, BarrierThatSomeThreadsNeverReachIsReported)
{
    expect_fault(AllOf(HasSubstr("broken: block ("), HasSubstr("thread (0, 0, 0): waits at the block barrier at emul"),
                       HasSubstr("but thread 40 of the block has ended")),
                 barrier_for_some, 64, 40);
}

TEST_F(Emulation, BarriersAtDifferentPlacesAreReported)
{
    expect_fault(AllOf(HasSubstr("thread (0, 0, 0): waits at the block barrier"),
                       HasSubstr("but thread 7 of the block waits at the block barrier")),
                 two_barriers, 64);
}

TEST_F(Emulation, LaneThatAWarpOperationWaitsForInVainIsReported)
{
    expect_fault(AllOf(HasSubstr("with mask 0xffffffff, but lane 20 has ended")), shuffle_for_some, 64, 20);
    expect_fault(HasSubstr("but lane 8 does not exist"), shuffle_for_some, 40, 40);
    expect_fault(AllOf(HasSubstr("thread (32, 0, 0): waits for ever: waits at the warp operation"),
                       HasSubstr("while lane 8 waits at the block barrier")),
                 shuffle_before_barrier, 64);
}

TEST_F(Emulation, WrongMasksAreReported)
{
    expect_fault(HasSubstr("but lane "), masks_differ, 32);
    expect_fault(HasSubstr("thread (0, 0, 0): is not in the mask of its own warp operation"), mask_without_self, 1);
    expect_fault(HasSubstr("reads lane 9, which is not in the mask"), source_outside_mask, 32);
}

TEST_F(Emulation, RunsOnAfterAFault)
{
    EXPECT_THROW(run(two_barriers, {"two_barriers", 1, 1, 64, {}}), kernel_fault);
    std::vector<int> from(96, 5), to(96, 0);
    run(reverse_block, {"reverse_block", 1, 1, 96, {}}, from.data(), to.data());
    EXPECT_EQ(to, from);
}

#ifdef __SANITIZE_ADDRESS__

void write_behind(double* numbers) { numbers[threadIdx.x] = 1; }
void write_behind_shared() { shared_array<double, 4, tag>()[threadIdx.x] = 1; }

TEST_F(Emulation, AddressSanitizerSeesWritesBehindMemory)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    std::vector<double> numbers(32);
    EXPECT_DEATH(run(write_behind, {"write_behind", 1, 1, 33, {}}, numbers.data()), "heap-buffer-overflow");
    EXPECT_DEATH(run(write_behind_shared, {"write_behind_shared", 1, 1, 5, {}}), "heap-buffer-overflow");
}

#endif

#ifdef __SANITIZE_THREAD__

void sum_block(int* sum, bool wait_for_others)
{
    int* const shared = shared_array<int, 32, tag>();
    shared[threadIdx.x] = 1;
    if (wait_for_others) __syncwarp();
    if (threadIdx.x == 0)
        for (int t = 0; t < 32; ++t) *sum += shared[t];
}

TEST_F(Emulation, ThreadSanitizerSeesMissingBarriers)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    int sum = 0;
    run(sum_block, {"sum_block", 2, 1, 32, {}}, &sum, true);
    EXPECT_EQ(sum, 64);
    EXPECT_DEATH(
        {
            run(sum_block, {"sum_block", 1, 1, 32, {}}, &sum, false);
            std::exit(1);
        },
        "data race");
}

#endif

TEST_F(Emulation, LaunchesThatTheDeviceRefusesAreRefused)
{
    for (const launch_config& config : {launch_config{"empty", 0, 1, 32, {}}, launch_config{"tall", 1, 65536, 32, {}},
                                        launch_config{"wide", 1, 1, 1025, {}}, launch_config{"none", 1, 1, 0, {}}})
        EXPECT_THROW(run(two_barriers, config), kernels::device_error) << config.operation;
}

TEST_F(Emulation, WorkRunsAsLateAsItMayAndInOrder)
{
    const auto runtime = emulation::make_emulated_runtime(1024);
    const auto first = runtime->make_stream();
    const auto second = runtime->make_stream();
    auto* const memory = static_cast<double*>(runtime->allocate(8, first));
    EXPECT_TRUE(std::isnan(*memory)) << "uninitialised memory must look so";
    double from = 1;
    double to = 0;
    runtime->copy({.to = memory, .from = &from, .row_bytes = 8}, first);
    const auto written = runtime->make_event();
    runtime->record(written, first);
    from = 2; // too early: this is what is copied
    runtime->copy({.to = &to, .from = memory, .row_bytes = 8}, second);
    runtime->synchronize(second);
    EXPECT_TRUE(std::isnan(to)) << "nothing ordered the second stream behind the first";
    runtime->wait(second, written);
    runtime->copy({.to = &to, .from = memory, .row_bytes = 8}, second);
    runtime->synchronize(second);
    EXPECT_EQ(to, 2);
    runtime->deallocate(memory, 8, first);
    runtime->destroy_event(written);
    runtime->destroy_stream(first);
    runtime->destroy_stream(second);
}

TEST_F(Emulation, MemoryIsOfTheSizeThatWasSet)
{
    const auto runtime = emulation::make_emulated_runtime(1024);
    EXPECT_THROW(runtime->allocate(1025, {}), out_of_memory);
    void* const memory = runtime->allocate(1000, {});
    EXPECT_THROW(runtime->allocate(25, {}), out_of_memory);
    runtime->deallocate(memory, 1000, {});
    runtime->synchronize(kernels::stream_view{});
    runtime->deallocate(runtime->allocate(1024, {}), 1024, {});
    runtime->synchronize(kernels::stream_view{});
}

} // namespace
} // namespace proxpath::test
