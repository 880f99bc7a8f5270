// The scheduler of a block's threads; see block.hpp. It is a stack of its own: threads run one at a time until they
// wait or end, then it looks whose waiting is over. Nothing here is instrumented for ThreadSanitizer, to which all this
// is the machine and not the program.

#include "tests/emulation/block.hpp"

#include "tests/emulation/cuda_names.hpp"
#include "tests/emulation/sanitizer_fibers.hpp"
#include "tests/emulation/switch_stack.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <sstream>

#include <sys/mman.h>

namespace proxpath::emulation {

constinit thread_local thread_index threadIdx;
constinit thread_local thread_index blockIdx;
constinit thread_local thread_index blockDim;
constinit thread_local thread_index gridDim;

namespace {

constexpr std::size_t lanes = 32;
constexpr std::size_t largest_block = 1024;                 // what a launch may ask for
constexpr std::size_t stack_bytes = std::size_t{256} << 10; // sanitized frames are large
constexpr std::size_t guard_bytes = 4096;

enum class state : std::uint8_t { ready, at_barrier, at_warp, done };

/// One CUDA thread and its stack, which serves one block after another.
struct thread {
    state is = state::done;
    thread_index index;
    std::source_location where;
    warp_operation operation = warp_operation::barrier;
    unsigned mask = 0;
    std::uint64_t bits = 0;
    std::uint64_t answer = 0;
    int source = 0;
    void* place = nullptr; ///< where its stack stands
    void* stack = nullptr;
    sanitizer_stack sanitizer;
};

struct shared_array_entry {
    const void* name = nullptr;
    std::size_t bytes = 0;
    std::unique_ptr<unsigned char[]> memory; // of the heap, so that AddressSanitizer guards its ends
};

class scheduler {
public:
    ~scheduler();
    void run(const grid_shape& grid, const thread_order& order, const std::function<void()>& body);

    thread& current() { return threads_[current_]; }
    std::size_t current_index() const { return current_; }
    void* shared(const void* name, std::size_t bytes);
    void wait();
    void note_fault(const std::string& what);
    [[noreturn]] void stop();
    [[noreturn]] void thread_main();

private:
    void make_threads(std::size_t count);
    void run_block(const thread_order& order, std::mt19937_64& random);
    void resume(std::size_t i);
    void make_shared_array();
    std::string stuck() const;
    bool open_warps();
    bool open_barrier();
    void answer(std::size_t warp, unsigned mask);
    std::string describe(std::size_t i, const std::string& what) const;
    std::string waiting_text(std::size_t i) const;

    std::vector<thread> threads_; ///< stays where it is: stacks that wait refer to their own
    std::size_t count_ = 0;       ///< threads of a block
    std::size_t current_ = 0;
    void* place_ = nullptr;
    sanitizer_stack sanitizer_;
    const std::function<void()>* body_ = nullptr;
    const grid_shape* grid_ = nullptr;
    std::vector<shared_array_entry> shared_;
    shared_array_entry wanted_; ///< by the thread that has just stopped; no name: nothing
    std::unique_ptr<unsigned char[]> dynamic_;
    std::string fault_;
    char start_key_ = 0, end_key_ = 0;
    char barrier_keys_[2] = {};
    unsigned barriers_opened_ = 0; // two keys in turn: who arrives at the next may not order who leaves this one
    friend void* proxpath::emulation::dynamic_shared_memory();
    friend void proxpath::emulation::block_barrier(const std::source_location&);
    friend std::uint64_t proxpath::emulation::warp_exchange(warp_operation, unsigned, std::uint64_t, int,
                                                            const std::source_location&);
    std::vector<std::array<char, 2>> warp_keys_;
    std::vector<unsigned> warps_opened_;
};

thread_local scheduler* running = nullptr;

scheduler& here()
{
    if (running == nullptr) throw std::logic_error("a device function was called outside a kernel");
    return *running;
}

std::string text(const std::source_location& where)
{
    std::ostringstream out;
    const std::string file = where.file_name();
    out << file.substr(file.rfind('/') + 1) << ':' << where.line();
    return out.str();
}

bool same(const std::source_location& a, const std::source_location& b)
{
    return a.line() == b.line() && a.column() == b.column() &&
           (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

void thread_entry() { running->thread_main(); }

/// Bytes that a stack leaves free at its top. Stacks lie a power of two apart: with their tops at one place each, all
/// would fall into the same few sets of the caches, and every switch would miss them.
std::size_t colour_of(std::size_t thread)
{
    constexpr std::size_t line = 64;
    return thread * 13 % 256 * line;
}

/// Where the thread begins.
void* fresh_place(const thread& of)
{
    return prepare_stack(static_cast<char*>(of.stack) + guard_bytes, of.sanitizer.bytes, thread_entry);
}

scheduler::~scheduler()
{
    for (thread& one : threads_) {
        forget(one.sanitizer);
        munmap(one.stack, stack_bytes);
    }
}

void scheduler::make_threads(std::size_t count)
{
    threads_.reserve(largest_block);
    while (threads_.size() < count) {
        void* const stack =
            mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED) throw std::bad_alloc();
        mprotect(stack, guard_bytes, PROT_NONE);
        thread one;
        one.stack = stack;
        one.sanitizer.bottom = static_cast<char*>(stack) + guard_bytes;
        one.sanitizer.bytes = stack_bytes - guard_bytes - colour_of(threads_.size());
        make_known(one.sanitizer);
        one.place = fresh_place(one);
        threads_.push_back(one);
    }
}

void scheduler::thread_main()
{
    after_switch(current().sanitizer, sanitizer_);
    for (;;) {
        acquire(&start_key_);
        (*body_)();
        current().is = state::done;
        wait();
    }
}

/// Hands over to the scheduler, which has been told why in the thread's state.
void scheduler::wait()
{
    thread& me = current();
    release(&end_key_); // whatever becomes of the launch, its end comes after
    before_switch(me.sanitizer, sanitizer_);
    switch_stack(me.place, place_);
    after_switch(me.sanitizer, sanitizer_);
}

void scheduler::resume(std::size_t i)
{
    current_ = i;
    thread& next = threads_[i];
    threadIdx = next.index;
    before_switch(sanitizer_, next.sanitizer);
    switch_stack(place_, next.place);
    // The thread's extent is known; what is learnt here is the same.
    sanitizer_stack came_from = next.sanitizer;
    after_switch(sanitizer_, came_from);
}

std::string scheduler::waiting_text(std::size_t i) const
{
    const thread& one = threads_[i];
    std::ostringstream out;
    switch (one.is) {
    case state::done:
        out << "has ended";
        break;
    case state::at_barrier:
        out << "waits at the block barrier at " << text(one.where);
        break;
    case state::at_warp:
        out << "waits at the warp operation at " << text(one.where) << " with mask 0x" << std::hex << one.mask;
        break;
    case state::ready:
        out << "runs";
        break;
    }
    return out.str();
}

std::string scheduler::describe(std::size_t i, const std::string& what) const
{
    const thread_index& t = threads_[i].index;
    std::ostringstream out;
    out << grid_->operation << ": block (" << blockIdx.x << ", " << blockIdx.y << ", " << blockIdx.z << "), thread ("
        << t.x << ", " << t.y << ", " << t.z << "): " << what;
    return out.str();
}

/// Called by a thread, which then stops; the scheduler throws.
void scheduler::note_fault(const std::string& what) { fault_ = describe(current_, what); }

/// The stack is given up as it is: nothing on it may own memory.
void scheduler::stop()
{
    for (;;) wait();
}

/// Gives the waiting lanes of the mask what they came for.
void scheduler::answer(std::size_t warp, unsigned mask)
{
    const std::size_t first = warp * lanes;
    unsigned votes = 0;
    for (std::size_t l = 0; l < lanes; ++l)
        if ((mask >> l & 1u) != 0 && threads_[first + l].bits != 0) votes |= 1u << l;
    for (std::size_t l = 0; l < lanes; ++l) {
        if ((mask >> l & 1u) == 0) continue;
        thread& one = threads_[first + l];
        one.answer =
            one.operation == warp_operation::vote ? votes : threads_[first + static_cast<std::size_t>(one.source)].bits;
        one.is = state::ready;
    }
    ++warps_opened_[warp];
}

/// True when some lanes may go on. Sets fault_ where lanes can never meet.
bool scheduler::open_warps()
{
    bool opened = false;
    for (std::size_t i = 0; i < count_ && fault_.empty(); ++i) {
        const thread& one = threads_[i];
        if (one.is != state::at_warp) continue;
        const std::size_t warp = i / lanes;
        bool all_here = true;
        for (std::size_t l = 0; l < lanes && fault_.empty(); ++l) {
            if ((one.mask >> l & 1u) == 0) continue;
            const std::size_t other = warp * lanes + l;
            if (other >= count_ || threads_[other].is == state::done) {
                std::ostringstream what;
                what << waiting_text(i) << ", but lane " << l << (other >= count_ ? " does not exist" : " has ended");
                fault_ = describe(i, what.str());
            } else if (threads_[other].is != state::at_warp) {
                all_here = false;
            } else if (threads_[other].mask != one.mask || !same(threads_[other].where, one.where) ||
                       threads_[other].operation != one.operation) {
                std::ostringstream what;
                what << waiting_text(i) << ", but lane " << l << ' ' << waiting_text(other);
                fault_ = describe(i, what.str());
            }
        }
        if (all_here && fault_.empty()) {
            answer(warp, one.mask);
            opened = true;
        }
    }
    return opened;
}

/// True when all threads are at the barrier and may go on.
bool scheduler::open_barrier()
{
    const auto first = std::find_if(threads_.begin(), threads_.begin() + static_cast<std::ptrdiff_t>(count_),
                                    [](const thread& one) { return one.is == state::at_barrier; });
    const auto waiting = static_cast<std::size_t>(first - threads_.begin());
    if (waiting == count_) return false;
    for (std::size_t i = 0; i < count_; ++i) {
        const bool meets = threads_[i].is == state::at_barrier && same(threads_[i].where, first->where);
        if (!meets && (threads_[i].is == state::done || threads_[i].is == state::at_barrier)) {
            std::ostringstream what;
            what << waiting_text(waiting) << ", but thread " << i << " of the block " << waiting_text(i);
            fault_ = describe(waiting, what.str());
            return false;
        }
        if (!meets) return false;
    }
    for (std::size_t i = 0; i < count_; ++i) threads_[i].is = state::ready;
    ++barriers_opened_;
    return true;
}

/// Why nobody goes on, or nothing where all have ended. A warp operation is named first, with a lane that it waits for;
/// else all are at barriers, and open_barrier has told.
std::string scheduler::stuck() const
{
    for (std::size_t i = 0; i < count_; ++i) {
        if (threads_[i].is != state::at_warp) continue;
        std::size_t other = i / lanes * lanes;
        while (threads_[other].is == state::at_warp || (threads_[i].mask >> other % lanes & 1u) == 0) ++other;
        std::ostringstream what;
        what << "waits for ever: " << waiting_text(i) << ", while lane " << other % lanes << ' ' << waiting_text(other);
        return describe(i, what.str());
    }
    return {};
}

void scheduler::run_block(const thread_order& order, std::mt19937_64& random)
{
    shared_.clear();
    dynamic_.reset(new unsigned char[grid_->shared_bytes]);
    std::memset(dynamic_.get(), 0xff, grid_->shared_bytes);
    for (std::size_t i = 0; i < count_; ++i) threads_[i].is = state::ready;
    release(&start_key_);
    std::vector<std::size_t> sequence(count_);
    std::iota(sequence.begin(), sequence.end(), std::size_t{0});
    if (order.is == thread_order::kind::reverse) std::reverse(sequence.begin(), sequence.end());
    for (;;) {
        if (order.is == thread_order::kind::random) std::shuffle(sequence.begin(), sequence.end(), random);
        for (const std::size_t i : sequence) {
            if (threads_[i].is != state::ready) continue;
            resume(i);
            while (wanted_.name != nullptr) {
                make_shared_array();
                resume(i);
            }
            if (!fault_.empty()) return;
        }
        const bool warps = open_warps();
        const bool barrier = fault_.empty() && open_barrier();
        if (!fault_.empty()) return;
        if (warps || barrier) continue;
        fault_ = stuck();
        acquire(&end_key_);
        return;
    }
}

void scheduler::run(const grid_shape& grid, const thread_order& order, const std::function<void()>& body)
{
    grid_ = &grid;
    body_ = &body;
    const auto& [bx, by, bz] = grid.blocks;
    const auto& [tx, ty, tz] = grid.threads;
    count_ = std::size_t{tx} * ty * tz;
    make_threads(count_);
    warp_keys_.resize((count_ + lanes - 1) / lanes);
    warps_opened_.assign(warp_keys_.size(), 0);
    for (std::size_t i = 0; i < count_; ++i)
        threads_[i].index = {static_cast<unsigned>(i % tx), static_cast<unsigned>(i / tx % ty),
                             static_cast<unsigned>(i / tx / ty)};
    blockDim = {tx, ty, tz};
    gridDim = {bx, by, bz};
    running_now(sanitizer_);
    std::mt19937_64 random(order.seed);
    std::vector<std::size_t> blocks(std::size_t{bx} * by * bz);
    std::iota(blocks.begin(), blocks.end(), std::size_t{0});
    if (order.is == thread_order::kind::reverse) std::reverse(blocks.begin(), blocks.end());
    if (order.is == thread_order::kind::random) std::shuffle(blocks.begin(), blocks.end(), random);
    for (const std::size_t b : blocks) {
        blockIdx = {static_cast<unsigned>(b % bx), static_cast<unsigned>(b / bx % by),
                    static_cast<unsigned>(b / bx / by)};
        run_block(order, random);
        if (!fault_.empty()) break;
    }
    acquire(&end_key_);
    shared_.clear();
    if (fault_.empty()) return;
    // Threads stand anywhere in the kernel: their stacks start anew. Kernels own nothing that would have to be freed.
    for (thread& one : threads_) {
        stack_abandoned(one.sanitizer);
        one.place = fresh_place(one);
    }
    std::string fault;
    fault.swap(fault_);
    throw kernel_fault(fault);
}

/// Arrays are made by the scheduler, so that no thread of the block is the first to have written them.
void scheduler::make_shared_array()
{
    wanted_.memory.reset(new unsigned char[wanted_.bytes]);
    std::memset(wanted_.memory.get(), 0xff, wanted_.bytes);
    shared_.push_back(std::move(wanted_));
    wanted_ = {};
    release(&start_key_);
}

void* scheduler::shared(const void* name, std::size_t bytes)
{
    for (;;) {
        for (const shared_array_entry& one : shared_)
            if (one.name == name) {
                acquire(&start_key_);
                return one.memory.get();
            }
        wanted_.name = name;
        wanted_.bytes = bytes;
        wait();
    }
}

} // namespace

void run_grid(const grid_shape& grid, const thread_order& order, const std::function<void()>& body)
{
    thread_local scheduler threads;
    if (running != nullptr) throw std::logic_error("kernels do not launch kernels");
    running = &threads;
    try {
        threads.run(grid, order, body);
    } catch (...) {
        running = nullptr;
        throw;
    }
    running = nullptr;
}

void block_barrier(const std::source_location& where)
{
    scheduler& block = here();
    thread& me = block.current();
    me.is = state::at_barrier;
    me.where = where;
    char* const key = &block.barrier_keys_[block.barriers_opened_ % 2];
    release(key);
    block.wait();
    acquire(key);
}

std::uint64_t warp_exchange(warp_operation operation, unsigned mask, std::uint64_t bits, int source,
                            const std::source_location& where)
{
    scheduler& block = here();
    thread& me = block.current();
    me.is = state::at_warp;
    me.where = where;
    me.operation = operation;
    me.mask = mask;
    me.bits = bits;
    me.source = source;
    const int own = lane();
    if ((mask >> own & 1u) == 0) {
        block.note_fault("is not in the mask of its own warp operation at " + text(where));
        block.stop();
    }
    if (operation == warp_operation::shuffle && (mask >> source & 1u) == 0) {
        block.note_fault("reads lane " + std::to_string(source) + ", which is not in the mask, at " + text(where));
        block.stop();
    }
    const std::size_t warp = block.current_index() / lanes;
    char* const key = &block.warp_keys_[warp][block.warps_opened_[warp] % 2];
    // Only the barrier orders memory.
    if (operation == warp_operation::barrier) release(key);
    block.wait();
    if (operation == warp_operation::barrier) acquire(key);
    return me.answer;
}

int lane() { return static_cast<int>(here().current_index() % lanes); }

void* shared_memory(const void* name, std::size_t bytes) { return here().shared(name, bytes); }

void* dynamic_shared_memory() { return here().dynamic_.get(); }

} // namespace proxpath::emulation
