// The one thing that needs the processor: going on with another stack. Defined in switch_stack_x86_64.cpp, 10 ns a
// switch, and for other processors in switch_stack_ucontext.cpp, which asks the system each time.
#pragma once

#include <cstddef>

namespace proxpath::emulation {

/// Makes an empty stack ready: the first switch to the result calls `entry`, which must not return.
void* prepare_stack(void* bottom, std::size_t bytes, void (*entry)());

/// Leaves the calling stack, noting in `from` where it stood, and goes on with `to`: from prepare_stack, or noted here.
void switch_stack(void*& from, void* to);

} // namespace proxpath::emulation
