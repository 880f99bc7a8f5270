// See emulated_runtime.hpp.

#include "tests/emulation/emulated_runtime.hpp"

#include "tests/emulation/streams.hpp"

#include <proxpath/errors.hpp>

#include <cstring>
#include <new>
#include <string>

namespace proxpath::emulation {

namespace {

using backend::copy_request;
using backend::event_view;
using backend::stream_view;

stream* of_view(stream_view view) { return static_cast<stream*>(view.handle); }
event* of_view(event_view view) { return static_cast<event*>(view.handle); }

class emulated_runtime final : public backend::device_runtime {
public:
    explicit emulated_runtime(std::uint64_t memory_bytes) : free_bytes_(memory_bytes) {}

    void* allocate(std::uint64_t bytes, stream_view) override
    {
        if (bytes > free_bytes_)
            throw out_of_memory("the emulated device has no " + std::to_string(bytes) + " bytes left", bytes,
                                free_bytes_);
        free_bytes_ -= bytes;
        void* const memory = ::operator new(bytes);
        std::memset(memory, 0xff, bytes);
        return memory;
    }
    void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept override
    {
        const auto free_it = [this, memory, bytes] {
            free_bytes_ += bytes;
            ::operator delete(memory);
        };
        enqueue(of_view(stream), free_it, true);
    }
    std::uint64_t free_bytes() override { return free_bytes_; }
    std::string why_unreadable(const void*) override { return {}; }
    void* allocate_host(std::uint64_t bytes) override
    {
        void* const memory = ::operator new(bytes);
        std::memset(memory, 0xff, bytes);
        return memory;
    }
    void deallocate_host(void* memory, std::uint64_t) noexcept override { ::operator delete(memory); }

    void copy(const copy_request& request, stream_view stream) override
    {
        enqueue(of_view(stream), [request] {
            for (std::uint64_t row = 0; row < request.rows; ++row)
                std::memcpy(static_cast<char*>(request.to) + row * request.to_pitch,
                            static_cast<const char*>(request.from) + row * request.from_pitch, request.row_bytes);
        });
    }
    void clear(void* memory, std::uint64_t bytes, stream_view stream) override
    {
        enqueue(of_view(stream), [memory, bytes] { std::memset(memory, 0, bytes); });
    }

    stream_view make_stream() override { return {emulation::make_stream()}; }
    void destroy_stream(stream_view stream) noexcept override { emulation::destroy_stream(of_view(stream)); }
    void synchronize(stream_view stream) override { emulation::synchronize(of_view(stream)); }

    event_view make_event() override { return {emulation::make_event()}; }
    void destroy_event(event_view event) noexcept override { emulation::destroy_event(of_view(event)); }
    void record(event_view event, stream_view stream) override { emulation::record(of_view(event), of_view(stream)); }
    void wait(stream_view stream, event_view event) override { emulation::wait(of_view(stream), of_view(event)); }
    void synchronize(event_view event) override { emulation::synchronize(of_view(event)); }

private:
    std::uint64_t free_bytes_;
};

} // namespace

std::unique_ptr<backend::device_runtime> make_emulated_runtime(std::uint64_t memory_bytes)
{
    return std::make_unique<emulated_runtime>(memory_bytes);
}

} // namespace proxpath::emulation
