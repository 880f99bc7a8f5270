// A device at work for one caller: its runtime, the one stream that all operations run on, and the matrices that are in
// its memory. Everything that lies on the device keeps its session alive.
#pragma once

#include "host/backend/cuda/device_buffer.hpp"
#include "host/backend/cuda/device_memory_plan.hpp"
#include "host/backend/cuda/device_runtime.hpp"
#include "host/backend/cuda/staging_ring.hpp"

#include <proxpath/device_matrix_view.hpp>
#include <proxpath/matrix.hpp>

#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace proxpath::backend {

class device_matrix;

/// The stream of a session: its own, or a caller's, on which nothing is left at the end.
class session_stream {
public:
    session_stream(device_runtime& runtime, std::optional<stream_view> lent);
    session_stream(const session_stream&) = delete;
    session_stream& operator=(const session_stream&) = delete;
    ~session_stream();
    stream_view view() const { return view_; }

private:
    device_runtime* runtime_;
    std::optional<device_stream> own_;
    stream_view view_;
};

/// For one thread at a time.
class device_session {
public:
    /// @throws kernels::device_error where the device gives no stream
    /// @param threads of the host, for what it has to bring to the device
    /// @param lent a caller's stream, or none
    explicit device_session(std::unique_ptr<device_runtime> runtime, int threads = 1,
                            std::optional<stream_view> lent = {});
    /// With a memory plan of the caller's.
    device_session(std::unique_ptr<device_runtime> runtime, int threads, const device_memory_plan& memory);
    ~device_session();
    device_session(const device_session&) = delete;
    device_session& operator=(const device_session&) = delete;

    device_runtime& runtime() const { return *runtime_; }
    int threads() const { return threads_; }
    const device_memory_plan& memory() const { return memory_; }
    stream_view stream() const { return stream_.view(); }

    /// n uninitialised numbers.
    template <class T>
    device_buffer<T> buffer(std::int64_t n) const
    {
        return {n, stream(), *runtime_};
    }

    /// A copy in device memory; `from` may go at once. Empty for an empty span.
    template <class T>
    device_buffer<std::remove_const_t<T>> upload(std::span<T> from)
    {
        auto made = buffer<std::remove_const_t<T>>(static_cast<std::int64_t>(from.size()));
        if (from.empty()) return made;
        const std::span<std::byte> staged = stage(from.size_bytes());
        std::memcpy(staged.data(), from.data(), from.size_bytes());
        made.upload({reinterpret_cast<const std::remove_const_t<T>*>(staged.data()), from.size()});
        return made;
    }

    /// The buffer's first numbers, when all work before is done.
    template <class T>
    void download(const device_buffer<T>& from, std::span<T> to)
    {
        download(from.data(), to);
    }
    /// The same from anybody's device memory.
    template <class T>
    void download(const T* from, std::span<T> to)
    {
        if (!to.empty())
            runtime_->copy(
                {.direction = copy_direction::to_host, .to = to.data(), .from = from, .row_bytes = to.size_bytes()},
                stream());
        wait();
    }

    /// Until all work is done.
    void wait();

    /// X in device memory, or streamed where that is too small; the last one stays for the next call. One that is lent
    /// stays where it is.
    std::shared_ptr<const device_matrix> matrix_of(const matrix& X);

    /// Bytes that X leaves, as matrix_of will have it.
    /// @throws out_of_memory where the device has no room for what a fit of a lent one needs
    std::uint64_t memory_beside(const matrix& X) const;

    /// Where parts of what is streamed go through; made when first asked for, and made larger where it has to be.
    /// @param least bytes that a piece has to hold
    /// @return with smaller pieces where three such are more than the plan has for them
    staging_ring& ring(std::uint64_t least);

private:
    std::shared_ptr<const device_matrix> made_matrix(const matrix& X);
    std::string too_little_beside(const device_matrix_view& lent, std::uint64_t resident) const;

    /// Host memory that stays as it is until the next wait.
    std::span<std::byte> stage(std::size_t bytes);

    std::unique_ptr<device_runtime> runtime_;
    std::deque<std::vector<std::byte>> staged_; // goes after the stream, whose end runs what is left on it
    session_stream stream_;
    int threads_;
    device_memory_plan memory_;
    std::unique_ptr<staging_ring> ring_;
    matrix last_; ///< what last_matrix_ was made from
    std::shared_ptr<const device_matrix> last_matrix_;
};

} // namespace proxpath::backend
