// libarchive's reader as a type that frees itself, and how its sources are opened; used by input.cpp (one compressed
// stream) and npz_member.cpp (zip members).
#pragma once

#include "host/io/input.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <archive.h>

namespace proxpath::io {

struct archive_deleter {
    void operator()(archive* reader) const noexcept { archive_read_free(reader); }
};
using archive_handle = std::unique_ptr<archive, archive_deleter>;

/// A reader without formats or filters. Throws std::bad_alloc.
archive_handle make_archive();

/// Lets gzip, xz and zstd through. Filters that would start other programs are left out on purpose.
void allow_compressions(archive* reader);

/// libarchive's words for what went wrong.
std::string archive_message(archive* reader);

/// Opens the input's file or memory; returns libarchive's status.
int open_source(archive* reader, const input& source);

/// Size of the file or memory behind the input.
std::uint64_t source_bytes(const input& source);

} // namespace proxpath::io
