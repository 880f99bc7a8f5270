// What the CUDA backend says of machines: without driver, with one that is too old, with GPUs that can and cannot be
// used. CUDA's answers come from fake_cuda.hpp.

#include "tests/device_library/fake_cuda.hpp"

#include "host/backend/cuda/cuda_provider.hpp"

#include <proxpath/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CudaProvider : public testing::Test {
protected:
    CudaProvider() { machine() = {}; }
    /// No error of CUDA's is left for a later call to trip over.
    ~CudaProvider() override { EXPECT_EQ(machine().last_error, cudaSuccess); }

    device_survey survey() const
    {
        device_survey found = provider.survey();
        for (device_info& each : found.devices) provider.examine(each);
        return found;
    }

    const backend::device_provider& provider = backend::cuda_devices();
};

TEST_F(CudaProvider, TellsAMissingDriverFromOneThatIsTooOldAndFromNoGpu)
{
    machine().driver_version = 0;
    machine().when_counted = cudaErrorInsufficientDriver;
    EXPECT_EQ(survey().problem, "no NVIDIA driver is installed");
    EXPECT_THAT(survey().detail, AllOf(HasSubstr("CUDA says 'words of CUDA'"), HasSubstr("libcuda.so.1")));
    EXPECT_EQ(survey().driver_version, "");
    EXPECT_EQ(survey().runtime_version, "13.0");

    machine().driver_version = 12020;
    EXPECT_EQ(survey().problem, "the NVIDIA driver is too old");
    EXPECT_THAT(survey().detail, HasSubstr("it knows CUDA 12.2, this backend is made with 13.0"));

    machine().driver_version = 13010;
    machine().when_counted = cudaErrorNoDevice;
    EXPECT_EQ(survey().problem, "there is no NVIDIA GPU");
    EXPECT_THAT(survey().detail, HasSubstr("CUDA_VISIBLE_DEVICES"));
    EXPECT_EQ(survey().driver_version, "13.1");

    machine().when_counted = cudaErrorSystemNotReady;
    EXPECT_EQ(survey().problem, "CUDA does not start");
    EXPECT_THAT(survey().detail, HasSubstr("words of CUDA"));
}

TEST_F(CudaProvider, DescribesEveryGpu)
{
    machine().gpus.resize(2);
    machine().gpus[1].name = "another";
    const device_survey found = survey();
    EXPECT_EQ(found.problem, "");
    ASSERT_EQ(found.devices.size(), 2U);
    EXPECT_EQ(found.devices[0].index, 0);
    EXPECT_EQ(found.devices[0].name, "fake GPU");
    EXPECT_EQ(found.devices[0].memory_bytes, std::uint64_t{16} << 30);
    EXPECT_EQ(found.devices[0].free_bytes, std::uint64_t{12} << 30);
    EXPECT_EQ(found.devices[0].compute_major, 9);
    EXPECT_EQ(found.devices[0].compute_minor, 0);
    EXPECT_NEAR(found.devices[0].memory_bandwidth, 3352e9, 1e9); // that of an H100 with HBM3
    EXPECT_EQ(found.devices[0].problem, "");
    EXPECT_EQ(found.devices[1].index, 1);
    EXPECT_EQ(found.devices[1].name, "another");
}

TEST_F(CudaProvider, SaysWhichGpusCannotBeUsedAndWhy)
{
    machine().gpus.resize(5);
    machine().gpus[0].compute_major = 7;
    machine().gpus[0].compute_minor = 5;
    machine().gpus[0].when_code_is_sought = cudaErrorNoKernelImageForDevice;
    machine().gpus[2].when_made_current = cudaErrorDevicesUnavailable;
    machine().gpus[3].clock_khz = 0;
    machine().gpus[4].memory_pools = 0;
    const device_survey found = survey();
    EXPECT_THAT(found.devices[0].problem, HasSubstr("its compute capability is 7.5, this backend has code for 8.0"));
    EXPECT_EQ(found.devices[1].problem, "");
    EXPECT_EQ(found.devices[2].problem, "CUDA says 'words of CUDA'");
    EXPECT_EQ(found.devices[2].free_bytes, 0U);
    EXPECT_EQ(found.devices[3].problem, "");
    EXPECT_EQ(found.devices[3].memory_bandwidth, 0);
    EXPECT_EQ(found.devices[4].problem, "it has no memory pools (cudaMallocAsync)");
}

TEST_F(CudaProvider, LeavesTheCurrentDeviceAsItWas)
{
    machine().gpus.resize(3);
    machine().current = 1;
    survey();
    EXPECT_EQ(machine().current, 1);
    {
        const auto opened = provider.open(2, {});
        EXPECT_EQ(machine().current, 2);
        EXPECT_EQ(opened->make_double()->allocate(3, 2).rows, 3);
    }
    EXPECT_EQ(machine().current, 1);

    machine().gpus[0].when_made_current = cudaErrorDevicesUnavailable;
    EXPECT_THROW(provider.open(0, {}), system_error);
    EXPECT_EQ(machine().current, 1);
}

TEST_F(CudaProvider, MakesNoContextOnAGpuThatIsNotUsed)
{
    machine().gpus.resize(3);
    provider.open(2, {});
    EXPECT_THAT(machine().contexts, testing::ElementsAre(2));
    EXPECT_EQ(machine().current, -1);
}

TEST_F(CudaProvider, CapsTheMemoryOfAnOpenedGpu)
{
    machine().gpus.resize(1);
    const auto opened = provider.open(0, {.memory_limit = 4096});
    const auto ops = opened->make_float();
    EXPECT_THROW((void)ops->allocate(64, 64), out_of_memory);
    EXPECT_NO_THROW((void)ops->allocate(16, 16));
}

} // namespace
} // namespace proxpath::test
