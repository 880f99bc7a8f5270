// The CUDA names that kernels use, for the host's compiler: qualifiers that say nothing here, the indices, barriers and
// warp operations. Kernels keep to this subset; what is missing does not compile.
#pragma once

#include "tests/emulation/block.hpp"

#include <bit>
#include <cmath> // fabs, which is global on the device
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)

namespace proxpath::emulation {

struct thread_index {
    unsigned x = 0;
    unsigned y = 0;
    unsigned z = 0;
};

// Of the thread that runs.
extern constinit thread_local thread_index threadIdx;
extern constinit thread_local thread_index blockIdx;
extern constinit thread_local thread_index blockDim;
extern constinit thread_local thread_index gridDim;

inline void __syncthreads(const std::source_location where = std::source_location::current()) { block_barrier(where); }

inline void __syncwarp(unsigned mask = 0xffffffffu, const std::source_location where = std::source_location::current())
{
    warp_exchange(warp_operation::barrier, mask, 0, 0, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              const std::source_location where = std::source_location::current())
{
    return static_cast<unsigned>(warp_exchange(warp_operation::vote, mask, predicate != 0, 0, where));
}

inline double __longlong_as_double(long long bits) { return std::bit_cast<double>(bits); }
inline long long __double_as_longlong(double value) { return std::bit_cast<long long>(value); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline int __popc(unsigned bits) { return std::popcount(bits); }

/// Place of the lowest bit that is set, from 1; 0 if none is.
inline int __ffs(unsigned bits) { return bits == 0 ? 0 : std::countr_zero(bits) + 1; }

/// What lane `source` brings.
template <class T>
T shuffle(unsigned mask, T value, int source, const std::source_location& where)
{
    static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = warp_exchange(warp_operation::shuffle, mask, bits, source, where);
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              const std::source_location where = std::source_location::current())
{
    return shuffle(mask, value, (lane() & ~(width - 1)) + (source & (width - 1)), where);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   const std::source_location where = std::source_location::current())
{
    const int last = lane() | (width - 1);
    const int source = lane() + static_cast<int>(delta);
    return shuffle(mask, value, source > last ? lane() : source, where);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32,
                  const std::source_location where = std::source_location::current())
{
    const int last = lane() | (width - 1);
    const int source = lane() ^ bits;
    return shuffle(mask, value, source > last ? lane() : source, where);
}

} // namespace proxpath::emulation
