// One block of a kernel run on the CPU: a stack for each thread, switched where the thread has to wait for others. The
// rules are CUDA's, read strictly: a barrier is for all threads of the block, at one place of the source; a warp
// operation is for the lanes of its mask, all alive, with one mask, at one place. What breaks them, or waits for ever,
// ends the launch with a kernel_fault that says kernel, block, thread and place.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace proxpath::emulation {

/// A kernel broke the rules.
class kernel_fault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The order in which threads that could run do, and blocks too. Results may not depend on it.
struct thread_order {
    enum class kind : std::uint8_t { forward, reverse, random };
    kind is = kind::forward;
    std::uint64_t seed = 0;
};

struct grid_shape {
    std::array<unsigned, 3> blocks = {1, 1, 1};
    std::array<unsigned, 3> threads = {1, 1, 1};
    std::size_t shared_bytes = 0; ///< dynamic
    const char* operation = "";
};

/// Runs body() for every thread of the grid, block after block. Calls may not nest.
/// @throws kernel_fault
void run_grid(const grid_shape& grid, const thread_order& order, const std::function<void()>& body);

/// What the calling thread of a block does; each is only for use inside run_grid.

/// Waits for all threads of the block.
void block_barrier(const std::source_location& where);

enum class warp_operation : std::uint8_t { barrier, shuffle, vote };

/// Waits for the lanes of the mask.
/// @param bits   what this lane brings
/// @param source the lane whose bits are wanted
/// @return these, or for a vote the lanes whose bits are not 0
std::uint64_t warp_exchange(warp_operation operation, unsigned mask, std::uint64_t bits, int source,
                            const std::source_location& where);

/// Lane of the calling thread in its warp.
int lane();

/// The block's array of this name, made at the first call and the same for all its threads; full of NaN at first.
/// @param name any address; one array for each
void* shared_memory(const void* name, std::size_t bytes);

/// The block's dynamic shared memory.
void* dynamic_shared_memory();

} // namespace proxpath::emulation
