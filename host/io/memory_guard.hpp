// How much memory reading may take. Files declare sizes; nothing is allocated on their word alone: every large
// allocation is compared with what the machine has first, because an operating system that hands out memory it does
// not have would end the process instead of failing the call.
#pragma once

#include <cstdint>
#include <string>

namespace proxpath::io {

class memory_guard {
public:
    /// @param limit bytes; 0 = what the machine has available now
    explicit memory_guard(std::uint64_t limit);

    std::uint64_t available() const { return available_; }

    /// Most columns for which counters, offsets and cursors can be kept.
    std::int64_t most_columns() const;

    /// @throws out_of_memory when `bytes` are more than available; `what` completes "… needs"
    void require(const std::string& file, std::uint64_t bytes, const std::string& what) const;

private:
    bool limited_;
    std::uint64_t available_;
};

/// Bytes that this process can still take: the least of free memory, its cgroup's limit and its address-space limit.
std::uint64_t available_memory();

/// "3.5 GB" and the like, for messages.
std::string readable_bytes(std::uint64_t bytes);

} // namespace proxpath::io
