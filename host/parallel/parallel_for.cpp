// The threads of parallel_for.hpp: a pool made at first use. Not OpenMP, whose waiting threads spin: on a machine that
// other programs use too (measured at a load of 10 on 2 cores) that made fits 10 to 50 times slower, and a library
// cannot change it, because the runtime reads its environment when it is loaded. These spin for microseconds and then
// sleep.

#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace proxpath::parallel {

namespace {

/// Looks at the next job before a thread sleeps: some 20 microseconds, the time a wake-up takes.
constexpr int spins = 500;

struct job {
    std::int64_t count = 0;
    detail::piece_function function = nullptr;
    void* context = nullptr;
    std::atomic<std::int64_t> next{0};
    std::mutex failure_mutex;
    std::exception_ptr failure;
    std::int64_t failed_piece = std::numeric_limits<std::int64_t>::max();
};

/// True in a thread that is working on a job: nested calls run serially.
thread_local bool inside_job = false;

void work(job& shared)
{
    inside_job = true;
    for (;;) {
        const std::int64_t piece = shared.next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= shared.count) break;
        try {
            shared.function(shared.context, piece);
        } catch (...) {
            // Later pieces are not started; earlier ones run on, so that the lowest failing piece is the one reported.
            shared.next.store(shared.count, std::memory_order_relaxed);
            const std::lock_guard lock(shared.failure_mutex);
            if (piece < shared.failed_piece) {
                shared.failed_piece = piece;
                shared.failure = std::current_exception();
            }
        }
    }
    inside_job = false;
}

void pause_briefly()
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

class pool {
public:
    pool() = default;
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool()
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            generation_.fetch_add(1);
        }
        wake_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    /// Works on the job with up to `helpers` threads beside the caller. One job at a time: who comes while one runs
    /// works alone.
    void run(job& shared, int helpers)
    {
        const std::unique_lock turn(turn_, std::try_to_lock);
        if (!turn.owns_lock()) {
            work(shared);
            return;
        }
        grow(helpers);
        {
            const std::lock_guard lock(mutex_);
            current_ = &shared;
            places_ = std::min(helpers, static_cast<int>(workers_.size()));
            generation_.fetch_add(1);
        }
        wake_.notify_all();
        work(shared);
        std::unique_lock lock(mutex_);
        places_ = 0;
        current_ = nullptr;
        for (int spin = 0; spin < spins && active_ > 0; ++spin) {
            lock.unlock();
            pause_briefly();
            lock.lock();
        }
        done_.wait(lock, [&] { return active_ == 0; });
    }

private:
    void grow(int helpers)
    {
        while (static_cast<int>(workers_.size()) < helpers) {
            try {
                workers_.emplace_back([this] { serve(); });
            } catch (const std::system_error&) {
                return; // the system gives no more threads: those that are there do the work
            }
        }
    }

    void serve()
    {
        std::uint64_t seen = 0;
        for (;;) {
            for (int spin = 0; spin < spins && generation_.load(std::memory_order_acquire) == seen; ++spin)
                pause_briefly();
            job* shared = nullptr;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return generation_.load() != seen; });
                seen = generation_.load();
                if (stopping_) return;
                if (places_ == 0) continue;
                --places_;
                ++active_;
                shared = current_;
            }
            work(*shared);
            bool last = false;
            {
                const std::lock_guard lock(mutex_);
                last = --active_ == 0;
            }
            if (last) done_.notify_one();
        }
    }

    std::mutex turn_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::thread> workers_;
    std::atomic<std::uint64_t> generation_{0};
    job* current_ = nullptr;
    int places_ = 0;
    int active_ = 0;
    bool stopping_ = false;
};

/// The pool of this process. A forked child has no threads of its parent's: it gets a pool of its own, and leaves the
/// parent's behind untouched.
pool& shared_pool()
{
    struct owned {
        std::mutex mutex;
        pid_t process = 0;
        std::unique_ptr<pool> threads;
        ~owned()
        {
            if (process != ::getpid()) (void)threads.release();
        }
    };
    static owned here;
    const std::lock_guard lock(here.mutex);
    if (here.process != ::getpid()) {
        (void)here.threads.release();
        here.threads = std::make_unique<pool>();
        here.process = ::getpid();
    }
    return *here.threads;
}

/// Cores this process may use.
int available_cores()
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (::sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

} // namespace

int resolve_threads(int threads)
{
    if (threads < 0 || threads > 4096)
        throw invalid_input("threads: " + std::to_string(threads) + " is outside 0 … 4096 (0 = all cores)");
    return threads > 0 ? threads : available_cores();
}

void detail::run(int threads, std::int64_t count, piece_function function, void* context)
{
    job shared;
    shared.count = count;
    shared.function = function;
    shared.context = context;
    if (inside_job) {
        for (std::int64_t piece = 0; piece < count; ++piece) function(context, piece);
        return;
    }
    shared_pool().run(shared, static_cast<int>(std::min<std::int64_t>(count, threads)) - 1);
    if (shared.failure) std::rethrow_exception(shared.failure);
}

} // namespace proxpath::parallel
