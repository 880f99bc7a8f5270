// See limited_runtime.hpp.

#include "host/backend/cuda/limited_runtime.hpp"

#include "host/backend/cuda/forwarding_runtime.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace proxpath::backend {

namespace {

class limited_runtime final : public forwarding_runtime {
public:
    limited_runtime(std::unique_ptr<device_runtime> runtime, std::uint64_t limit_bytes)
        : forwarding_runtime(std::move(runtime)), limit_(limit_bytes)
    {}

    void* allocate(std::uint64_t bytes, stream_view stream) override
    {
        if (bytes > limit_ - taken_)
            throw out_of_memory(fmt::format("{} bytes of the device's memory are needed at once, {} of the {} allowed "
                                            "are left; raise the limit of the device's memory",
                                            bytes, limit_ - taken_, limit_),
                                bytes, limit_);
        void* const memory = forwarding_runtime::allocate(bytes, stream);
        taken_ += bytes;
        return memory;
    }
    void deallocate(void* memory, std::uint64_t bytes, stream_view stream) noexcept override
    {
        forwarding_runtime::deallocate(memory, bytes, stream);
        taken_ -= bytes; // in stream order the next owner comes after the last
    }
    std::uint64_t free_bytes() override { return std::min(limit_ - taken_, forwarding_runtime::free_bytes()); }

private:
    std::uint64_t limit_;
    std::uint64_t taken_ = 0;
};

} // namespace

std::unique_ptr<device_runtime> limit_memory(std::unique_ptr<device_runtime> runtime, std::uint64_t limit_bytes)
{
    return std::make_unique<limited_runtime>(std::move(runtime), limit_bytes);
}

} // namespace proxpath::backend
