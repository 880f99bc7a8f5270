// Writers that the library does not have; see files.hpp.

#include "bench/files.hpp"

#include "host/io/archive_handle.hpp"
#include "host/matrix/column_store.hpp"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <stdlib.h>

namespace proxpath::bench {

namespace {

struct folder {
    std::string path;
    folder()
    {
        path = (std::filesystem::temp_directory_path() / "proxpath_bench.XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make the folder " + path);
    }
    ~folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

void add_member(archive* zip, const std::string& name, const std::string& head, const void* data, std::size_t bytes)
{
    std::string prefix("\x93NUMPY\x01\x00", 8);
    const std::string padded = fmt::format("{:<117}\n", head); // 10 + 118 = 128 bytes: data are aligned
    prefix += static_cast<char>(padded.size());
    prefix += '\0';
    prefix += padded;
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), (name + ".npy").c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(prefix.size() + bytes));
    const bool done = archive_write_header(zip, entry.get()) == ARCHIVE_OK &&
                      archive_write_data(zip, prefix.data(), prefix.size()) == static_cast<la_ssize_t>(prefix.size()) &&
                      archive_write_data(zip, data, bytes) == static_cast<la_ssize_t>(bytes);
    if (!done) throw std::runtime_error("cannot write " + name + ".npy");
}

std::string head_of(const char* type, const std::string& shape)
{
    return fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
}

template <class T>
void add_vector(archive* zip, const std::string& name, const char* type, const std::vector<T>& numbers)
{
    add_member(zip, name, head_of(type, fmt::format("({},)", numbers.size())), numbers.data(),
               numbers.size() * sizeof(T));
}

} // namespace

const std::string& scratch_folder()
{
    static const folder made;
    return made.path;
}

void write_npz(const std::string& path, const matrix& X)
{
    std::vector<std::int32_t> offsets{0};
    std::vector<std::int32_t> rows;
    std::vector<double> values;
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto numbers) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto column = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i) {
                    rows.push_back(static_cast<std::int32_t>(column[i]));
                    values.push_back(static_cast<double>(numbers[i]));
                }
                offsets.push_back(static_cast<std::int32_t>(rows.size()));
            }
        });
    const std::unique_ptr<archive, int (*)(archive*)> zip(archive_write_new(), archive_write_free);
    archive_write_set_format_zip(zip.get());
    if (archive_write_open_filename(zip.get(), path.c_str()) != ARCHIVE_OK)
        throw std::runtime_error("cannot write " + path);
    add_vector(zip.get(), "indices", "<i4", rows);
    add_vector(zip.get(), "indptr", "<i4", offsets);
    add_member(zip.get(), "format", head_of("|S3", "()"), "csc", 3);
    add_vector(zip.get(), "shape", "<i8", std::vector<std::int64_t>{X.rows(), X.cols()});
    add_vector(zip.get(), "data", "<f8", values);
    if (archive_write_close(zip.get()) != ARCHIVE_OK) throw std::runtime_error("cannot write " + path);
}

void write_csv(const std::string& path, const matrix& X)
{
    std::vector<double> cells(static_cast<std::size_t>(X.rows() * X.cols()), 0.0);
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto numbers) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto column = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i)
                    cells[static_cast<std::size_t>(static_cast<std::int64_t>(column[i]) * X.cols() + block.first + c)] =
                        static_cast<double>(numbers[i]);
            }
        });
    std::ofstream file(path);
    for (std::int64_t j = 0; j < X.cols(); ++j) file << (j > 0 ? "," : "") << "x" << j + 1;
    file << '\n';
    for (std::int64_t i = 0; i < X.rows(); ++i) {
        for (std::int64_t j = 0; j < X.cols(); ++j)
            file << (j > 0 ? "," : "") << fmt::format("{}", cells[static_cast<std::size_t>(i * X.cols() + j)]);
        file << '\n';
    }
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

double file_bytes(const std::string& path) { return static_cast<double>(std::filesystem::file_size(path)); }

} // namespace proxpath::bench
