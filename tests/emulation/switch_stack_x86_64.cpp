// Switching stacks on x86-64 (System V): what a function must preserve is pushed, the stack pointer exchanged. Rounding
// mode and the like are left alone, because kernels do not change them.

#include "tests/emulation/switch_stack.hpp"

#include <cstdint>

extern "C" void proxpath_emulation_switch(void** from, void* to);

asm(R"(
    .text
    .globl proxpath_emulation_switch
    .hidden proxpath_emulation_switch
    .type proxpath_emulation_switch, @function
proxpath_emulation_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size proxpath_emulation_switch, . - proxpath_emulation_switch
)");

namespace proxpath::emulation {

void* prepare_stack(void* bottom, std::size_t bytes, void (*entry)())
{
    // From the top: no return address for `entry`, which leaves the stack as at any call; `entry` itself, to which the
    // switch returns; six registers.
    auto* const slots = reinterpret_cast<std::uint64_t*>(static_cast<char*>(bottom) + bytes / 16 * 16);
    slots[-1] = 0;
    slots[-2] = reinterpret_cast<std::uint64_t>(entry);
    for (int i = 3; i <= 8; ++i) slots[-i] = 0;
    return slots - 8;
}

void switch_stack(void*& from, void* to) { proxpath_emulation_switch(&from, to); }

} // namespace proxpath::emulation
