// See limited_runtime.hpp.

#include "host/backend/cuda/limited_runtime.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace proxpath::backend {

namespace {

class limited_runtime final : public device_runtime {
public:
    limited_runtime(std::unique_ptr<device_runtime> runtime, std::uint64_t limit_bytes)
        : runtime_(std::move(runtime)), limit_(limit_bytes)
    {}

    void* allocate(std::uint64_t bytes, stream_view stream) override
    {
        if (bytes > limit_ - taken_)
            throw out_of_memory(fmt::format("{} bytes of the device's memory are needed at once, {} of the {} allowed "
                                            "are left; raise the limit of the device's memory",
                                            bytes, limit_ - taken_, limit_),
                                bytes, limit_);
        void* const memory = runtime_->allocate(bytes, stream);
        taken_ += bytes;
        return memory;
    }
    void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept override
    {
        runtime_->deallocate(memory, bytes, stream);
        taken_ -= bytes; // in stream order the next owner comes after the last
    }

    std::uint64_t free_bytes() override { return std::min(limit_ - taken_, runtime_->free_bytes()); }
    void* allocate_host(std::uint64_t bytes) override { return runtime_->allocate_host(bytes); }
    void deallocate_host(void* memory, std::uint64_t bytes) noexcept override
    {
        runtime_->deallocate_host(memory, bytes);
    }

    void copy(const copy_request& request, stream_view stream) override { runtime_->copy(request, stream); }
    void clear(void* memory, std::uint64_t bytes, stream_view stream) override
    {
        runtime_->clear(memory, bytes, stream);
    }
    stream_view make_stream() override { return runtime_->make_stream(); }
    void destroy_stream(stream_view stream) noexcept override { runtime_->destroy_stream(stream); }
    void synchronize(stream_view stream) override { runtime_->synchronize(stream); }
    event_view make_event() override { return runtime_->make_event(); }
    void destroy_event(event_view event) noexcept override { runtime_->destroy_event(event); }
    void record(event_view event, stream_view stream) override { runtime_->record(event, stream); }
    void wait(stream_view stream, event_view event) override { runtime_->wait(stream, event); }
    void synchronize(event_view event) override { runtime_->synchronize(event); }

private:
    std::unique_ptr<device_runtime> runtime_;
    std::uint64_t limit_;
    std::uint64_t taken_ = 0;
};

} // namespace

std::unique_ptr<device_runtime> limit_memory(std::unique_ptr<device_runtime> runtime, std::uint64_t limit_bytes)
{
    return std::make_unique<limited_runtime>(std::move(runtime), limit_bytes);
}

} // namespace proxpath::backend
