// See streams.hpp.

#include "tests/emulation/streams.hpp"

#include "kernels/device_error.hpp"

#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace proxpath::emulation {

struct work_item {
    std::function<void()> run;
    bool frees_memory; ///< done even behind work that failed
};

/// Events outlive the streams they were recorded on, so a stream's work is shared with them.
struct work_list {
    std::deque<work_item> work;
    std::uint64_t done = 0;

    void run_until(std::uint64_t count)
    {
        while (done < count && !work.empty()) {
            const work_item next = std::move(work.front());
            work.pop_front();
            ++done;
            try {
                next.run();
            } catch (...) {
                give_up();
                throw;
            }
        }
    }
    void give_up()
    {
        done += work.size();
        for (const work_item& item : work)
            if (item.frees_memory) item.run();
        work.clear();
    }
    std::uint64_t enqueued() const { return done + work.size(); }
};

class stream {
public:
    std::shared_ptr<work_list> list = std::make_shared<work_list>();
};

class event {
public:
    std::shared_ptr<work_list> list;
    std::uint64_t count = 0;
};

namespace {

stream& of_handle(stream* handle)
{
    thread_local stream default_stream;
    return handle == nullptr ? default_stream : *handle;
}

} // namespace

device_settings& settings()
{
    thread_local device_settings of_thread;
    return of_thread;
}

stream* make_stream() { return new stream; }

void destroy_stream(stream* of) noexcept
{
    const std::unique_ptr<stream> owner(of);
    try {
        synchronize(of);
    } catch (const std::exception&) { // as cudaStreamDestroy, which says so at the next call
    }
}

event* make_event() { return new event; }
void destroy_event(event* of) { delete of; }

void enqueue(stream* on, std::function<void()> work, bool frees_memory)
{
    of_handle(on).list->work.push_back({std::move(work), frees_memory});
}

void record(event* at, stream* on)
{
    at->list = of_handle(on).list;
    at->count = at->list->enqueued();
}

void wait(stream* on, event* before)
{
    if (before->list == nullptr) return; // an event that stands for nothing, as in CUDA
    enqueue(on, [list = before->list, count = before->count] { list->run_until(count); });
}

void synchronize(stream* of)
{
    const std::shared_ptr<work_list> list = of_handle(of).list;
    list->run_until(list->enqueued());
}

void synchronize(event* at)
{
    if (at->list != nullptr) at->list->run_until(at->count);
}

void give_up(stream* of) { of_handle(of).list->give_up(); }

void enqueue_kernel(const char* operation, std::int64_t blocks_x, std::int64_t blocks_y, int threads,
                    std::int64_t shared_bytes, void* on, std::function<void()> body)
{
    constexpr std::int64_t shared_limit = 48 << 10;
    if (blocks_x < 1 || blocks_x > INT32_MAX || blocks_y < 1 || blocks_y > 65535 || threads < 1 || threads > 1024 ||
        shared_bytes < 0 || shared_bytes > shared_limit)
        throw kernels::device_error("the emulated device refuses the launch of " + std::string(operation) + " with " +
                                    std::to_string(blocks_x) + " x " + std::to_string(blocks_y) + " blocks of " +
                                    std::to_string(threads) + " threads and " + std::to_string(shared_bytes) +
                                    " bytes of shared memory");
    if (settings().at_launch && settings().at_launch(operation)) {
        enqueue(static_cast<stream*>(on), [operation]() -> void {
            throw kernels::device_failure("a kernel that fails", std::string("from ") + operation);
        });
        return;
    }
    grid_shape grid;
    grid.blocks = {static_cast<unsigned>(blocks_x), static_cast<unsigned>(blocks_y), 1};
    grid.threads = {static_cast<unsigned>(threads), 1, 1};
    grid.shared_bytes = static_cast<std::size_t>(shared_bytes);
    grid.operation = operation;
    enqueue(static_cast<stream*>(on),
            [grid, order = settings().order, body = std::move(body)] { run_grid(grid, order, body); });
}

} // namespace proxpath::emulation
