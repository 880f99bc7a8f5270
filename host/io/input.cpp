// Plain and compressed byte streams; see input.hpp.

#include "host/io/input.hpp"

#include "host/io/archive_handle.hpp"
#include "host/io/file_handle.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace proxpath::io {

byte_stream::~byte_stream() = default;

std::string system_message(const std::string& what, const std::string& path, int error_number)
{
    return fmt::format("{} '{}': {}", what, path, std::generic_category().message(error_number));
}

namespace {

struct compression {
    std::string_view suffix;
    std::string_view name;
    std::string_view magic;
};

constexpr std::array<compression, 3> compressions{{
    {".gz", "gzip", "\x1f\x8b"},
    {".xz", "xz",
     std::string_view("\xfd"
                      "7zXZ\0",
                      6)},
    {".zst", "zstd", "\x28\xb5\x2f\xfd"},
}};

file_handle open_regular(const std::string& path, std::uint64_t& size)
{
    file_handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) throw system_error(system_message("cannot open", path, errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(system_message("cannot examine", path, errno));
    if (S_ISDIR(status.st_mode)) throw system_error(fmt::format("cannot read '{}': it is a directory", path));
    if (!S_ISREG(status.st_mode))
        throw system_error(fmt::format("cannot read '{}': it is not a regular file, and a file is read twice", path));
    size = static_cast<std::uint64_t>(status.st_size);
    return file;
}

std::size_t read_fully(int descriptor, const std::string& path, char* into, std::size_t size)
{
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::read(descriptor, into + done, std::min(size - done, std::size_t{1} << 30));
        if (got < 0) {
            if (errno == EINTR) continue;
            throw system_error(system_message("cannot read", path, errno));
        }
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

double share(std::uint64_t part, std::uint64_t whole)
{
    return whole == 0 ? 1.0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

class plain_stream final : public byte_stream {
public:
    explicit plain_stream(const std::string& path) : path_(path), file_(open_regular(path, size_)) {}
    std::size_t read(char* into, std::size_t size) override
    {
        const std::size_t got = read_fully(file_.get(), path_, into, size);
        done_ += got;
        return got;
    }
    double fraction() const override { return share(done_, size_); }

private:
    std::string path_;
    std::uint64_t size_ = 0;
    std::uint64_t done_ = 0;
    file_handle file_;
};

class memory_stream final : public byte_stream {
public:
    explicit memory_stream(std::span<const char> bytes) : bytes_(bytes) {}
    std::size_t read(char* into, std::size_t size) override
    {
        const std::size_t got = std::min(size, bytes_.size() - done_);
        if (got > 0) std::memcpy(into, bytes_.data() + done_, got);
        done_ += got;
        return got;
    }
    double fraction() const override { return share(done_, bytes_.size()); }

private:
    std::span<const char> bytes_;
    std::size_t done_ = 0;
};

class compressed_stream final : public byte_stream {
public:
    explicit compressed_stream(const input& source) : name_(source.name()), size_(source_bytes(source))
    {
        reader_ = make_archive();
        allow_compressions(reader_.get());
        archive_read_support_format_raw(reader_.get());
        archive_read_support_format_empty(reader_.get());
        if (open_source(reader_.get(), source) != ARCHIVE_OK) fail();
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(reader_.get(), &entry);
        if (status == ARCHIVE_EOF)
            at_end_ = true; // compressed, but nothing in it
        else if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            fail();
    }
    std::size_t read(char* into, std::size_t size) override
    {
        std::size_t done = 0;
        while (done < size && !at_end_) {
            const la_ssize_t got = archive_read_data(reader_.get(), into + done, size - done);
            if (got == ARCHIVE_RETRY) continue;
            if (got <= 0) at_end_ = true;
            if (got < 0) failed_ = true;
            if (got > 0) done += static_cast<std::size_t>(got);
        }
        if (done == 0 && failed_ && size > 0) fail();
        return done;
    }
    double fraction() const override
    {
        const la_int64_t consumed = archive_filter_bytes(reader_.get(), -1);
        return share(consumed > 0 ? static_cast<std::uint64_t>(consumed) : 0, size_);
    }

private:
    [[noreturn]] void fail()
    {
        at_end_ = true;
        throw file_error(
            name_, 0, fmt::format("the compressed data are damaged or cut off ({})", archive_message(reader_.get())));
    }

    std::string name_;
    std::uint64_t size_ = 0;
    archive_handle reader_;
    bool at_end_ = false;
    bool failed_ = false; // thrown by the read that has nothing else to give
};

} // namespace

archive_handle make_archive()
{
    archive_handle reader(archive_read_new());
    if (!reader) throw std::bad_alloc();
    return reader;
}

void allow_compressions(archive* reader)
{
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
}

std::string archive_message(archive* reader)
{
    const char* const text = archive_error_string(reader);
    return text != nullptr ? text : "no further explanation";
}

int open_source(archive* reader, const input& source)
{
    constexpr std::size_t block_bytes = std::size_t{1} << 17;
    if (source.in_memory()) return archive_read_open_memory(reader, source.memory().data(), source.memory().size());
    return archive_read_open_filename(reader, source.name().c_str(), block_bytes);
}

std::uint64_t source_bytes(const input& source)
{
    if (source.in_memory()) return source.memory().size();
    std::uint64_t size = 0;
    open_regular(source.name(), size);
    return size;
}

input input::from_file(const std::string& path)
{
    std::uint64_t size = 0;
    open_regular(path, size); // fails here, before anything else is made
    input source;
    source.name_ = path;
    return source;
}

input input::from_memory(std::string name, std::span<const char> bytes)
{
    input source;
    source.name_ = std::move(name);
    source.bytes_ = bytes;
    source.in_memory_ = true;
    return source;
}

std::unique_ptr<byte_stream> input::open() const
{
    const auto plain = [&]() -> std::unique_ptr<byte_stream> {
        if (in_memory_) return std::make_unique<memory_stream>(bytes_);
        return std::make_unique<plain_stream>(name_);
    };
    std::array<char, 8> head{};
    const std::size_t got = plain()->read(head.data(), head.size());
    const std::string_view start(head.data(), got);
    for (const compression& kind : compressions) {
        const bool named = name_.ends_with(kind.suffix);
        if (start.starts_with(kind.magic)) return std::make_unique<compressed_stream>(*this);
        if (named && got == 0) throw file_error(name_, 0, "the file is empty");
        if (named)
            throw file_error(
                name_, 0, fmt::format("the name ends in {}, but the content is not {} data", kind.suffix, kind.name));
    }
    return plain();
}

std::string without_compression_suffix(const std::string& path)
{
    for (const compression& kind : compressions)
        if (path.ends_with(kind.suffix)) return path.substr(0, path.size() - kind.suffix.size());
    return path;
}

} // namespace proxpath::io
