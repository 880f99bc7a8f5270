// Reading responses; see responses_file.hpp. The readers of design matrices read tables of responses as well.

#include "host/cli/responses_file.hpp"

#include "host/cli/values.hpp"
#include "host/io/memory_guard.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>
#include <proxpath/matrix.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// What a name says of a file that may hold a table; none where it is one number a line.
std::optional<file_format> table_format(const std::string& file)
{
    try {
        const file_format format = format_of(file);
        if (format != file_format::svmlight) return format; // .txt is a list of numbers here
    } catch (const invalid_input&) {                        // y.vec
    }
    return {};
}

void fill(const matrix& from, std::vector<double>& values)
{
    for (const storage::column_block& block : from.store().blocks)
        storage::visit_block(block, [&](const auto& indices, const auto& numbers) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                double* const column = values.data() + (block.first + c) * from.rows();
                for (std::int64_t at = block.offsets[c]; at < block.offsets[c + 1]; ++at)
                    column[static_cast<std::int64_t>(rows[at])] = static_cast<double>(numbers[at]);
            }
        });
}

void check_names(const std::string& file, std::vector<std::string> names)
{
    const auto unnamed = std::find(names.begin(), names.end(), "");
    if (unnamed != names.end())
        throw file_error(file, 1,
                         fmt::format("column {} has no name; leave it out if it is an index, else name it",
                                     unnamed - names.begin() + 1));
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
        throw file_error(file, 1, fmt::format("two responses are named '{}'; give each a name of its own", *twice));
}

/// @param what the rows of the file are
void check_rows(const fit_settings& settings, std::int64_t found, const char* what, std::int64_t rows)
{
    if (found != rows)
        throw file_error(settings.y_file, 0,
                         fmt::format("{} {}, but {} has {} rows", found, what, settings.design, rows));
}

/// The table is kept dense, whatever it was.
void check_memory(const fit_settings& settings, const matrix& table)
{
    const double bytes = sizeof(double) * static_cast<double>(table.rows()) * static_cast<double>(table.cols());
    const std::uint64_t limit = settings.memory > 0 ? settings.memory : io::available_memory();
    if (bytes <= static_cast<double>(limit)) return;
    const auto needed = static_cast<std::uint64_t>(std::min(bytes, 9e18));
    throw out_of_memory(fmt::format("the {} responses of {} take {} in memory, where {} {}; fit fewer at a time",
                                    table.cols(), settings.y_file, bytes_text(needed), bytes_text(limit),
                                    settings.memory > 0 ? "are the limit (--memory)" : "are available"),
                        needed, limit);
}

} // namespace

response_table read_responses(const fit_settings& settings, std::int64_t rows)
{
    const std::string& file = settings.y_file;
    response_table table;
    const std::optional<file_format> format = table_format(file);
    if (!format) {
        table.values = read_vector(file);
        check_rows(settings, static_cast<std::int64_t>(table.values.size()), "responses", rows);
        return table;
    }
    read_options reading;
    reading.format = *format;
    reading.memory_limit = settings.read.memory_limit;
    reading.threads = settings.read.threads;
    reading.on_progress = settings.read.on_progress;
    data_set data = read_data(file, reading);
    check_rows(settings, data.X.rows(), "rows of responses", rows);
    if (data.X.cols() == 0) throw file_error(file, 0, "the table has no column, so it holds no response");
    check_names(file, data.feature_names);
    check_memory(settings, data.X);
    table.names = std::move(data.feature_names);
    table.notes = std::move(data.notes);
    table.values.assign(static_cast<std::size_t>(data.X.rows() * data.X.cols()), 0.0);
    fill(data.X, table.values);
    return table;
}

} // namespace proxpath::cli
