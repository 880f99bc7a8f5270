// Zip members through libarchive; see npz_member.hpp. Declared sizes are never trusted: blocks are as large as the
// caller asks, and what a member yields is compared with what its header promised.

#include "host/io/npz_member.hpp"

#include "host/io/number.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include <archive_entry.h>
#include <fmt/format.h>

namespace proxpath::io {

npz_member::npz_member(const read_settings& settings, const std::string& name)
    : settings_(settings), name_(name), reader_(make_archive())
{
    allow_compressions(reader_.get());
    archive_read_support_format_zip(reader_.get());
    const auto refuse = [&] {
        throw file_error(
            settings_.source.name(), 0,
            fmt::format("the file is no .npz (zip) archive, or is damaged ({})", archive_message(reader_.get())));
    };
    if (open_source(reader_.get(), settings.source) != ARCHIVE_OK) refuse();
    for (;;) {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(reader_.get(), &entry);
        if (status == ARCHIVE_EOF) fail("the archive has no such member; scipy.sparse.save_npz writes it");
        if (status == ARCHIVE_RETRY) continue;
        if (status < ARCHIVE_WARN) refuse();
        const char* const path = archive_entry_pathname(entry);
        if (path != nullptr && std::string_view(path) == name + ".npy") break;
    }
    read_head();
}

void npz_member::fail(const std::string& reason) const
{
    throw file_error(settings_.source.name(), 0, fmt::format("member {}.npy: {}", name_, reason));
}

std::size_t npz_member::read_bytes(std::byte* into, std::size_t size)
{
    std::size_t done = 0;
    while (done < size) {
        const la_ssize_t got = archive_read_data(reader_.get(), into + done, size - done);
        if (got == ARCHIVE_RETRY) continue;
        if (got < 0)
            fail(fmt::format("the compressed data are damaged or cut off ({})", archive_message(reader_.get())));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void npz_member::read_head()
{
    // "\x93NUMPY", version (two bytes), length of the text (two bytes; four from version 2 on).
    std::array<std::byte, npy_prefix_bytes + 2> prefix{};
    if (read_bytes(prefix.data(), npy_prefix_bytes) < npy_prefix_bytes ||
        std::memcmp(prefix.data(), "\x93NUMPY", 6) != 0)
        fail("the member is no NumPy array");
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(prefix[i]); };
    const std::uint32_t version = byte(6);
    if (version < 1 || version > 3 || byte(7) != 0)
        fail(fmt::format("version {}.{} of the array format is not supported", version, byte(7)));
    std::uint32_t length = byte(8) | byte(9) << 8;
    if (version > 1) {
        if (read_bytes(prefix.data() + npy_prefix_bytes, 2) < 2) fail("the array header is cut off");
        length |= byte(10) << 16 | byte(11) << 24;
    }
    if (length > npy_longest_text) fail(fmt::format("an array header of {} bytes is not NumPy's", length));
    std::vector<std::byte> bytes(length);
    if (read_bytes(bytes.data(), length) < length) fail("the array header is cut off");
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string reason;
    const auto head = parse_npy_head(text, reason);
    if (!head) fail(reason);
    head_ = *head;
}

void npz_member::read_items(std::int64_t count, std::vector<std::byte>& into)
{
    const auto wanted = static_cast<std::size_t>(count * head_.item_bytes);
    into.resize(wanted);
    const std::size_t got = read_bytes(into.data(), wanted);
    if (got < wanted)
        fail(fmt::format("the member ends after {} of {} declared items",
                         items_read_ + static_cast<std::int64_t>(got) / head_.item_bytes, head_.items));
    items_read_ += count;
}

void npz_member::expect_end()
{
    std::byte one{};
    if (read_bytes(&one, 1) != 0) fail(fmt::format("more bytes than the {} declared items take", head_.items));
}

namespace {

template <class T>
T load(const std::byte* items, std::int64_t k)
{
    T value;
    std::memcpy(&value, items + static_cast<std::size_t>(k) * sizeof(T), sizeof(T));
    return value;
}

template <class T>
double integer_to_double(T value, bool& exact)
{
    constexpr T limit = T{1} << 53;
    if constexpr (std::is_signed_v<T>)
        exact = value >= -limit && value <= limit;
    else
        exact = value <= limit;
    return static_cast<double>(value);
}

} // namespace

double item_as_double(npy_type type, const std::byte* items, std::int64_t k, bool& exact)
{
    exact = true;
    switch (type) {
    case npy_type::i8:
        return load<std::int8_t>(items, k);
    case npy_type::i16:
        return load<std::int16_t>(items, k);
    case npy_type::i32:
        return load<std::int32_t>(items, k);
    case npy_type::i64:
        return integer_to_double(load<std::int64_t>(items, k), exact);
    case npy_type::u8:
        return load<std::uint8_t>(items, k);
    case npy_type::u16:
        return load<std::uint16_t>(items, k);
    case npy_type::u32:
        return load<std::uint32_t>(items, k);
    case npy_type::u64:
        return integer_to_double(load<std::uint64_t>(items, k), exact);
    case npy_type::f32:
        return static_cast<double>(load<float>(items, k));
    case npy_type::boolean:
        return load<std::uint8_t>(items, k) != 0 ? 1.0 : 0.0;
    default:
        return load<double>(items, k);
    }
}

std::int64_t item_as_integer(npy_type type, const std::byte* items, std::int64_t k)
{
    switch (type) {
    case npy_type::i8:
        return load<std::int8_t>(items, k);
    case npy_type::i16:
        return load<std::int16_t>(items, k);
    case npy_type::i32:
        return load<std::int32_t>(items, k);
    case npy_type::u8:
        return load<std::uint8_t>(items, k);
    case npy_type::u16:
        return load<std::uint16_t>(items, k);
    case npy_type::u32:
        return load<std::uint32_t>(items, k);
    case npy_type::u64: {
        const auto value = load<std::uint64_t>(items, k);
        return value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                   ? -1
                   : static_cast<std::int64_t>(value);
    }
    default:
        return load<std::int64_t>(items, k);
    }
}

bool is_integer(npy_type type) { return type <= npy_type::u64; }

} // namespace proxpath::io
