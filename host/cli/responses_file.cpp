// Reading responses; see responses_file.hpp. The readers of design matrices read tables of responses as well.

#include "host/cli/responses_file.hpp"

#include "host/cli/values.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

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

} // namespace

response_table read_responses(const std::string& file, const fit_settings& settings)
{
    response_table table;
    const std::optional<file_format> format = table_format(file);
    if (!format) {
        table.values = read_vector(file);
        table.rows = static_cast<std::int64_t>(table.values.size());
        return table;
    }
    read_options reading;
    reading.format = *format;
    reading.memory_limit = settings.read.memory_limit;
    reading.threads = settings.read.threads;
    reading.on_progress = settings.read.on_progress;
    data_set data = read_data(file, reading);
    const std::uint64_t bytes =
        sizeof(double) * static_cast<std::uint64_t>(data.X.rows()) * static_cast<std::uint64_t>(data.X.cols());
    if (settings.memory > 0 && bytes > settings.memory)
        throw out_of_memory(fmt::format("--memory {}: the {} responses of {} alone take {}; raise the limit or fit "
                                        "fewer at a time",
                                        bytes_text(settings.memory), data.X.cols(), file, bytes_text(bytes)),
                            bytes, settings.memory);
    table.rows = data.X.rows();
    table.names = std::move(data.feature_names);
    table.values.assign(static_cast<std::size_t>(data.X.rows() * data.X.cols()), 0.0);
    fill(data.X, table.values);
    return table;
}

} // namespace proxpath::cli
