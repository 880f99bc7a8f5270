// See cuda_driver.hpp. Not linked with the driver, without which the file must load: its functions are looked up where
// CUDA's runtime has loaded it.

#include "host/backend/cuda/cuda_driver.hpp"

#include <cuda.h>
#include <dlfcn.h>

namespace proxpath::backend {

namespace {

/// Null where the driver is not loaded.
template <class Function>
Function* driver_function(const char* name)
{
    void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (driver == nullptr) return nullptr;
    auto* const found = reinterpret_cast<Function*>(dlsym(driver, name));
    dlclose(driver); // the runtime still holds it
    return found;
}

} // namespace

void* current_context()
{
    CUcontext context = nullptr;
    auto* const get = driver_function<decltype(cuCtxGetCurrent)>("cuCtxGetCurrent");
    if (get == nullptr || get(&context) != CUDA_SUCCESS) return nullptr;
    return context;
}

void make_current(void* context)
{
    if (auto* const set = driver_function<decltype(cuCtxSetCurrent)>("cuCtxSetCurrent"))
        set(static_cast<CUcontext>(context));
}

} // namespace proxpath::backend
