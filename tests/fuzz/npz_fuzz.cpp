// Fuzz target: any bytes as an .npz file, through the reader in host/io/npz.cpp. Changed bytes of a zip mostly end at
// its checksum, so the arrays found in the bytes are also packed into a new, correct zip and read again.

#include "tests/fuzz/fuzz_reader.hpp"

#include <array>
#include <string_view>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

namespace {

/// The pieces that begin as an array does; what belongs to a zip is cut off.
std::vector<std::string_view> arrays_in(std::string_view bytes)
{
    constexpr std::string_view magic = "\x93NUMPY";
    std::vector<std::string_view> arrays;
    for (std::size_t at = bytes.find(magic); at != std::string_view::npos;) {
        const std::size_t next = bytes.find(magic, at + 1);
        std::string_view piece = bytes.substr(at, next - at);
        arrays.push_back(piece.substr(0, piece.find("PK")));
        at = next;
    }
    return arrays;
}

/// An uncompressed zip of the arrays, named as scipy.sparse.save_npz names them, in its order.
std::vector<std::uint8_t> packed(std::uint8_t choice, const std::vector<std::string_view>& arrays)
{
    constexpr std::array names{"indices.npy", "indptr.npy", "format.npy", "shape.npy", "data.npy"};
    std::size_t room = 100000;
    for (const std::string_view array : arrays) room += array.size();
    std::vector<std::uint8_t> bytes(room);
    bytes[0] = choice;
    std::size_t used = 0;
    archive* const writer = archive_write_new();
    archive_write_set_format_zip(writer);
    archive_write_set_options(writer, "zip:compression=store");
    archive_write_open_memory(writer, bytes.data() + 1, bytes.size() - 1, &used);
    for (std::size_t i = 0; i < names.size() && i < arrays.size(); ++i) {
        archive_entry* const entry = archive_entry_new();
        archive_entry_set_pathname(entry, names[i]);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, static_cast<la_int64_t>(arrays[i].size()));
        archive_write_header(writer, entry);
        archive_write_data(writer, arrays[i].data(), arrays[i].size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    bytes.resize(used + 1);
    return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    proxpath::fuzz::read(data, size, proxpath::file_format::npz, "fuzz.npz");
    if (size == 0) return 0;
    const auto arrays = arrays_in({reinterpret_cast<const char*>(data), size});
    if (arrays.empty()) return 0;
    const std::vector<std::uint8_t> again = packed(data[0], arrays);
    proxpath::fuzz::read(again.data(), again.size(), proxpath::file_format::npz, "fuzz.npz");
    return 0;
}
