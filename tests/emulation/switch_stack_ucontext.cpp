// Switching stacks by ucontext, for processors without a file of their own. A noted place is a ucontext_t on the stack
// that was left, or at the top of a stack that is new.

#include "tests/emulation/switch_stack.hpp"

#include <new>

#include <ucontext.h>

namespace proxpath::emulation {

void* prepare_stack(void* bottom, std::size_t bytes, void (*entry)())
{
    const std::size_t below = (bytes - sizeof(ucontext_t)) / 64 * 64;
    auto* const place = new (static_cast<char*>(bottom) + below) ucontext_t;
    getcontext(place);
    place->uc_stack.ss_sp = bottom;
    place->uc_stack.ss_size = below;
    place->uc_link = nullptr;
    makecontext(place, entry, 0);
    return place;
}

void switch_stack(void*& from, void* to)
{
    ucontext_t here;
    here.uc_stack = {}; // AddressSanitizer looks at it when the stack is switched back to
    from = &here;
    swapcontext(&here, static_cast<ucontext_t*>(to));
}

} // namespace proxpath::emulation
