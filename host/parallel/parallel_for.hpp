// The only place where host threads are made. Work is cut into `count` pieces by the caller, independent of the number
// of threads; whoever combines results does so in the order of the pieces, so results are the same bits for any
// number of threads. Nested calls run serially. The first exception (lowest piece) is rethrown to the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

namespace proxpath::parallel {

/// Threads meant by a `threads` option: itself, or the cores this process may use when 0.
/// @throws invalid_input when negative or above 4096
int resolve_threads(int threads);

namespace detail {
using piece_function = void (*)(void* context, std::int64_t piece);
void run(int threads, std::int64_t count, piece_function function, void* context);
} // namespace detail

/// Calls f(i) for each i in [0, count), in any order, on up to `threads` threads.
template <class F>
void parallel_for(int threads, std::int64_t count, F&& f)
{
    if (threads <= 1 || count <= 1) {
        for (std::int64_t i = 0; i < count; ++i) f(i);
        return;
    }
    using function_type = std::remove_reference_t<F>;
    detail::run(
        threads, count, [](void* context, std::int64_t piece) { (*static_cast<function_type*>(context))(piece); },
        const_cast<void*>(static_cast<const void*>(&f)));
}

/// Number of pieces of `size` that cover `total`.
constexpr std::int64_t pieces(std::int64_t total, std::int64_t size) { return (total + size - 1) / size; }

} // namespace proxpath::parallel
