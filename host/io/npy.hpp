// NumPy's array format (.npy), the members of .npz files: type, shape, then plain little-endian numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxpath::io {

/// Numbers as they lie in a member.
enum class npy_type : std::uint8_t { i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, boolean, text };

struct npy_head {
    npy_type type = npy_type::f64;
    std::int64_t item_bytes = 8;
    bool wide_text = false;          ///< text of four-byte characters (numpy U), else of bytes (numpy S)
    std::vector<std::int64_t> shape; ///< empty = a single item
    std::int64_t items = 1;          ///< product of shape
};

/// Bytes before the header's text: magic, version, length of the text.
constexpr std::int64_t npy_prefix_bytes = 10;

/// Longest header text that is looked at.
constexpr std::int64_t npy_longest_text = 65536;

/// Reads "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }".
/// @param reason what is wrong, when the result is empty
std::optional<npy_head> parse_npy_head(std::string_view text, std::string& reason);

} // namespace proxpath::io
