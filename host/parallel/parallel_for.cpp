// Threads for parallel_for.hpp, from OpenMP. gcc's OpenMP runtime is not instrumented for ThreadSanitizer, so the fork
// and the join are announced to it by hand; without that it would report every shared array.

#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <string>

#include <omp.h>

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace proxpath::parallel {

namespace {

#if defined(__SANITIZE_THREAD__)
void announce_release(void* address) { __tsan_release(address); }
void announce_acquire(void* address) { __tsan_acquire(address); }
#else
void announce_release(void*) {}
void announce_acquire(void*) {}
#endif

struct shared_state {
    std::int64_t count = 0;
    detail::piece_function function = nullptr;
    void* context = nullptr;
    std::atomic<std::int64_t> next{0};
    std::mutex failure_mutex;
    std::exception_ptr failure;
    std::int64_t failed_piece = std::numeric_limits<std::int64_t>::max();
    char fork = 0;
    char join = 0;
};

void work(shared_state& state)
{
    for (;;) {
        const std::int64_t piece = state.next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= state.count) return;
        try {
            state.function(state.context, piece);
        } catch (...) {
            // Later pieces are not started; earlier ones run on, so that the lowest failing piece is the one reported.
            state.next.store(state.count, std::memory_order_relaxed);
            const std::lock_guard lock(state.failure_mutex);
            if (piece < state.failed_piece) {
                state.failed_piece = piece;
                state.failure = std::current_exception();
            }
        }
    }
}

} // namespace

int resolve_threads(int threads)
{
    if (threads < 0 || threads > 4096)
        throw invalid_input("threads: " + std::to_string(threads) + " is outside 0 … 4096 (0 = all cores)");
    return threads > 0 ? threads : omp_get_num_procs();
}

void detail::run(int threads, std::int64_t count, piece_function function, void* context)
{
    shared_state state;
    state.count = count;
    state.function = function;
    state.context = context;
    shared_state* const shared = &state;
    const int team = static_cast<int>(count < threads ? count : threads);
    announce_release(&shared->fork);
#pragma omp parallel num_threads(team) default(none) firstprivate(shared)
    {
        announce_acquire(&shared->fork);
        work(*shared);
        announce_release(&shared->join);
    }
    announce_acquire(&shared->join);
    if (state.failure) std::rethrow_exception(state.failure);
}

} // namespace proxpath::parallel
