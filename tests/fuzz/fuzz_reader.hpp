// What every fuzz target does with its bytes: read them from memory through the same code as a file, with chunks so
// small that borders fall everywhere, and accept a matrix or one of our errors; anything else (a crash, a sanitizer's
// report, a foreign exception) is a finding. The first byte chooses threads and sizes, the rest is the file.
#pragma once

#include "host/io/settings.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "host/matrix/column_store.hpp"

namespace proxpath::fuzz {

/// Walks over a matrix as a solver would: rows ascend and are in range, values are finite and not zero.
inline bool is_sound(const matrix& X)
{
    for (const storage::column_block& block : X.store().blocks) {
        const bool sound = storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                std::int64_t last = -1;
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i) {
                    const auto row = static_cast<std::int64_t>(rows[i]);
                    const auto value = static_cast<double>(values[i]);
                    if (row <= last || row >= X.rows() || !std::isfinite(value) || value == 0) return false;
                    last = row;
                }
            }
            return true;
        });
        if (!sound) return false;
    }
    return true;
}

inline void read(const std::uint8_t* data, std::size_t size, file_format format, const char* name)
{
    if (size == 0) return;
    const std::uint8_t choice = data[0];
    io::read_sizes sizes;
    sizes.chunk_bytes = 1 + choice % 61;
    sizes.window_bytes = 4 * sizes.chunk_bytes;
    sizes.window_entries = 1 + choice % 13;
    sizes.longest_line = std::int64_t{1} << 20;
    read_options options;
    options.format = format;
    options.threads = choice >= 192 ? 2 : 1;
    options.memory_limit = std::uint64_t{64} << 20;
    const std::span bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const io::input source = io::input::from_memory(name, bytes);
    try {
        const data_set result = io::read_design(source, options, sizes);
        if (!is_sound(result.X)) std::abort();
        if (!result.y.empty() && static_cast<std::int64_t>(result.y.size()) != result.X.rows()) std::abort();
    } catch (const error&) {
        // refused: the usual end
    }
    if (format == file_format::npz) return;
    try {
        (void)io::read_numbers(source, sizes);
    } catch (const error&) {
        // refused
    }
}

} // namespace proxpath::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
