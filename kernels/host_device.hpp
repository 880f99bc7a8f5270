// The qualifier of functions that the host and the device both call; nothing where no CUDA compiler reads it.
#pragma once

#ifdef __CUDACC__
#define PROXPATH_HOST_DEVICE __host__ __device__
#else
#define PROXPATH_HOST_DEVICE
#endif
