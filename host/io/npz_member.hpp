// One array of an .npz file as a stream: found by name in the zip, its header read, its items handed out in blocks.
// Two members that are needed side by side are two of these, each with its own reader.
#pragma once

#include "host/io/archive_handle.hpp"
#include "host/io/npy.hpp"
#include "host/io/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace proxpath::io {

class npz_member {
public:
    /// @param name without ".npy"
    /// @throws file_error when there is no such member or its header is not acceptable
    npz_member(const read_settings& settings, const std::string& name);

    const npy_head& head() const { return head_; }
    const std::string& name() const { return name_; }

    /// Reads `count` items as they lie. @throws file_error when the member ends before
    void read_items(std::int64_t count, std::vector<std::byte>& into);

    /// @throws file_error when bytes follow the declared items, or the checksum of the zip does not match
    void expect_end();

    [[noreturn]] void fail(const std::string& reason) const;

private:
    void read_head();
    std::size_t read_bytes(std::byte* into, std::size_t size);

    const read_settings& settings_;
    std::string name_;
    archive_handle reader_;
    npy_head head_;
    std::int64_t items_read_ = 0;
};

/// Item k of a block of numbers as a double; NaN and infinities come through.
/// @param exact false when the integer has no exact double
double item_as_double(npy_type type, const std::byte* items, std::int64_t k, bool& exact);

/// Item k of a block of integers. The caller has checked is_integer(type).
/// @return -1 for unsigned numbers beyond 2^63
std::int64_t item_as_integer(npy_type type, const std::byte* items, std::int64_t k);

bool is_integer(npy_type type);

} // namespace proxpath::io
