// Tells the sanitizers about stacks that are switched, and ThreadSanitizer about what orders the threads of a block:
// it sees each CUDA thread as a thread of its own and reports what a missing barrier leaves unordered. Without
// sanitizers these are empty.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PROXPATH_EMULATION_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace proxpath::emulation {

/// What a stack has to remember while it is not running.
struct sanitizer_stack {
    const void* bottom = nullptr; ///< null until known: the stack that the emulation was called on
    std::size_t bytes = 0;
    void* address_sanitizer = nullptr;
    void* thread_sanitizer = nullptr;
};

#ifdef __SANITIZE_ADDRESS__

inline void before_switch(sanitizer_stack& from, const sanitizer_stack& to)
{
    __sanitizer_start_switch_fiber(&from.address_sanitizer, to.bottom, to.bytes);
}
/// On the stack that now runs. @param from where it came from: its extent is learnt
inline void after_switch(sanitizer_stack& now, sanitizer_stack& from)
{
    __sanitizer_finish_switch_fiber(now.address_sanitizer, &from.bottom, &from.bytes);
}
/// The frames that are left on a stack are given up.
inline void stack_abandoned(sanitizer_stack& stack)
{
    __asan_unpoison_memory_region(stack.bottom, stack.bytes);
    stack.address_sanitizer = nullptr;
}
inline void make_known(sanitizer_stack&) {}
inline void running_now(sanitizer_stack&) {}
inline void forget(sanitizer_stack&) {}
inline void release(void*) {}
inline void acquire(void*) {}

#elif defined(PROXPATH_EMULATION_TSAN)

inline void before_switch(sanitizer_stack&, const sanitizer_stack& to)
{
    __tsan_switch_to_fiber(to.thread_sanitizer, __tsan_switch_to_fiber_no_sync);
}
inline void after_switch(sanitizer_stack&, sanitizer_stack&) {}
inline void stack_abandoned(sanitizer_stack& stack)
{
    __tsan_destroy_fiber(stack.thread_sanitizer);
    stack.thread_sanitizer = __tsan_create_fiber(0);
}
inline void make_known(sanitizer_stack& stack) { stack.thread_sanitizer = __tsan_create_fiber(0); }
inline void running_now(sanitizer_stack& stack) { stack.thread_sanitizer = __tsan_get_current_fiber(); }
inline void forget(sanitizer_stack& stack) { __tsan_destroy_fiber(stack.thread_sanitizer); }
inline void release(void* key) { __tsan_release(key); }
inline void acquire(void* key) { __tsan_acquire(key); }

#else

inline void before_switch(sanitizer_stack&, const sanitizer_stack&) {}
inline void after_switch(sanitizer_stack&, sanitizer_stack&) {}
inline void stack_abandoned(sanitizer_stack&) {}
inline void make_known(sanitizer_stack&) {}
inline void running_now(sanitizer_stack&) {}
inline void forget(sanitizer_stack&) {}
inline void release(void*) {}
inline void acquire(void*) {}

#endif

} // namespace proxpath::emulation
