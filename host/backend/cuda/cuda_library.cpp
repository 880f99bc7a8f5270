// The one function of libproxpath_cuda.so; see host/backend/device_interface.hpp.

#include "host/backend/cuda/cuda_provider.hpp"
#include "host/backend/device_interface.hpp"

extern "C" __attribute__((visibility("default"))) const proxpath::backend::device_library* proxpath_device_library()
{
    static constexpr proxpath::backend::device_library library{proxpath::backend::this_build,
                                                               &proxpath::backend::cuda_devices};
    return &library;
}
