// See failing_runtime.hpp.

#include "tests/emulation/failing_runtime.hpp"

#include "kernels/device_error.hpp"
#include "tests/emulation/streams.hpp"

#include <proxpath/errors.hpp>

#include <utility>

namespace proxpath::emulation {

namespace {

using backend::copy_request;
using backend::event_view;
using backend::stream_view;

/// Whether it is this call's turn to fail.
bool fails(device_account& account, const std::string& call)
{
    if (++account.calls != account.fail_at) return false;
    account.failed = call;
    return true;
}

class failing_runtime final : public backend::device_runtime {
public:
    failing_runtime(std::unique_ptr<backend::device_runtime> runtime, device_account& account)
        : runtime_(std::move(runtime)), account_(account)
    {}

    void* allocate(std::uint64_t bytes, stream_view stream) override
    {
        if (account_.kind == failure::of_call && fails(account_, "allocate"))
            throw out_of_memory("the device has no memory left to allocate; fit on the CPU (device cpu)", bytes, 0);
        void* const memory = runtime_->allocate(bytes, stream);
        account_.memory[memory] = bytes;
        return memory;
    }
    void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept override
    {
        give_back(memory, bytes);
        runtime_->deallocate(memory, bytes, stream);
    }

    std::uint64_t free_bytes() override
    {
        check("free_bytes");
        return runtime_->free_bytes();
    }
    std::string why_unreadable(const void* memory) override
    {
        check("why_unreadable");
        return runtime_->why_unreadable(memory);
    }
    void* allocate_host(std::uint64_t bytes) override
    {
        if (account_.kind == failure::of_call && fails(account_, "allocate_host"))
            throw out_of_memory(
                "the system has no page-locked memory left to allocate_host; fit on the CPU (device cpu)", bytes, 0);
        void* const memory = runtime_->allocate_host(bytes);
        account_.memory[memory] = bytes;
        return memory;
    }
    void deallocate_host(void* memory, std::uint64_t bytes) noexcept override
    {
        give_back(memory, bytes);
        runtime_->deallocate_host(memory, bytes);
    }

    void copy(const copy_request& request, stream_view stream) override
    {
        check("copy");
        runtime_->copy(request, stream);
    }
    void clear(void* memory, std::uint64_t bytes, stream_view stream) override
    {
        check("clear");
        runtime_->clear(memory, bytes, stream);
    }

    stream_view make_stream() override
    {
        check("make_stream");
        const stream_view made = runtime_->make_stream();
        ++account_.streams;
        return made;
    }
    void destroy_stream(stream_view stream) noexcept override
    {
        --account_.streams;
        runtime_->destroy_stream(stream);
    }
    void synchronize(stream_view stream) override
    {
        // Work of before has failed, as CUDA would say it: the rest of it is not done.
        const bool fails_now = account_.kind == failure::of_call && fails(account_, "synchronize");
        if (fails_now) emulation::give_up(static_cast<emulation::stream*>(stream.handle));
        runtime_->synchronize(stream);
        if (fails_now) throw failure_of("synchronize");
    }

    event_view make_event() override
    {
        check("make_event");
        const event_view made = runtime_->make_event();
        ++account_.events;
        return made;
    }
    void destroy_event(event_view event) noexcept override
    {
        --account_.events;
        runtime_->destroy_event(event);
    }
    void record(event_view event, stream_view stream) override
    {
        check("record");
        runtime_->record(event, stream);
    }
    void wait(stream_view stream, event_view event) override
    {
        check("wait");
        runtime_->wait(stream, event);
    }
    void synchronize(event_view event) override
    {
        check("synchronize");
        runtime_->synchronize(event);
    }

private:
    void give_back(void* memory, std::uint64_t bytes) noexcept
    {
        const auto known = account_.memory.find(memory);
        if (known == account_.memory.end() || known->second != bytes) ++account_.wrong_frees;
        if (known != account_.memory.end()) account_.memory.erase(known);
    }
    static kernels::device_error failure_of(const char* call)
    {
        return kernels::device_failure("a call that fails", std::string("from ") + call);
    }
    void check(const char* call)
    {
        if (account_.kind == failure::of_call && fails(account_, call)) throw failure_of(call);
    }

    std::unique_ptr<backend::device_runtime> runtime_;
    device_account& account_;
};

} // namespace

counted_launches::counted_launches(device_account& account)
{
    settings().at_launch = [&account](const char* operation) {
        if (!fails(account, operation)) return false;
        if (account.kind == failure::of_kernel) return true;
        throw kernels::device_failure("a launch that fails", std::string("at the launch of ") + operation);
    };
}

counted_launches::~counted_launches() { settings().at_launch = nullptr; }

std::unique_ptr<backend::device_runtime> make_failing_runtime(std::unique_ptr<backend::device_runtime> runtime,
                                                              device_account& account)
{
    return std::make_unique<failing_runtime>(std::move(runtime), account);
}

} // namespace proxpath::emulation
