// Shared by the reading tests: temporary folders, compressing with libarchive, entries of a matrix in plain form.
#pragma once

#include "host/matrix/column_store.hpp"

#include <proxpath/io.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace proxpath::io_test {

inline const std::string fixtures = std::string(PROXPATH_TEST_DATA) + "/io/";

/// A folder that is removed with everything in it.
class temporary_folder {
public:
    temporary_folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "proxpath-io-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::size_t entries() const
    {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator(path_)) ++count;
        return count;
    }

private:
    std::filesystem::path path_;
};

inline std::string slurp(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("missing test file " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void spill(const std::string& path, const std::string& content)
{
    std::ofstream(path, std::ios::binary) << content;
}

/// Writes content to path through libarchive's filter for the suffix: .gz, .xz or .zst.
inline void compress(const std::string& path, const std::string& content)
{
    archive* const writer = archive_write_new();
    if (path.ends_with(".gz")) archive_write_add_filter_gzip(writer);
    if (path.ends_with(".xz")) archive_write_add_filter_xz(writer);
    if (path.ends_with(".zst")) archive_write_add_filter_zstd(writer);
    archive_write_set_format_raw(writer);
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    const bool written =
        archive_write_open_filename(writer, path.c_str()) == ARCHIVE_OK &&
        archive_write_header(writer, entry) == ARCHIVE_OK &&
        archive_write_data(writer, content.data(), content.size()) == static_cast<la_ssize_t>(content.size()) &&
        archive_write_close(writer) == ARCHIVE_OK;
    archive_entry_free(entry);
    archive_write_free(writer);
    if (!written) throw std::runtime_error("cannot compress " + path);
}

/// (column, row, value) of each stored entry, by columns.
using entry_list = std::vector<std::tuple<std::int64_t, std::int64_t, double>>;

inline entry_list entries_of(const matrix& X)
{
    entry_list entries;
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i)
                    entries.emplace_back(block.first + c, static_cast<std::int64_t>(rows[i]),
                                         static_cast<double>(values[i]));
            }
        });
    return entries;
}

/// What SciPy read from a fixture.
struct expectation {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    entry_list entries;
    std::vector<double> y;
};

inline expectation expected_of(const std::string& fixture)
{
    std::istringstream text(slurp(fixture + ".expected"));
    expectation expected;
    std::size_t count = 0;
    text >> expected.rows >> expected.cols >> count;
    std::string value;
    for (std::size_t k = 0; k < count; ++k) {
        std::int64_t row = 0;
        std::int64_t column = 0;
        text >> row >> column >> value;
        expected.entries.emplace_back(column, row, std::strtod(value.c_str(), nullptr));
    }
    while (text >> value) expected.y.push_back(std::strtod(value.c_str(), nullptr));
    return expected;
}

} // namespace proxpath::io_test
