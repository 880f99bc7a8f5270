// A runtime that hands every call on to another one: what counts, limits or watches calls overrides those it is about.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace proxpath::backend {

class forwarding_runtime : public device_runtime {
public:
    explicit forwarding_runtime(std::unique_ptr<device_runtime> runtime) : runtime_(std::move(runtime)) {}

    void* allocate(std::uint64_t bytes, stream_view stream) override { return runtime_->allocate(bytes, stream); }
    void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept override
    {
        runtime_->deallocate(memory, bytes, stream);
    }
    std::uint64_t free_bytes() override { return runtime_->free_bytes(); }
    std::string why_unreadable(const void* memory) override { return runtime_->why_unreadable(memory); }
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
};

} // namespace proxpath::backend
