// The public reading functions: choose the reader, resolve the options, and turn a failed allocation into words.

#include "host/io/scanner.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <algorithm>
#include <cctype>
#include <new>
#include <stdexcept>

#include <fmt/format.h>

namespace proxpath {

namespace io {

namespace {

void check_options_fit(const input& source, const read_options& options, file_format format)
{
    if (format != file_format::svmlight && (options.index_base || options.features))
        throw invalid_input(fmt::format("{}: {} is for svmlight files only", source.name(),
                                        options.index_base ? "index_base" : "features"));
    if (format != file_format::csv && !options.y_column.empty())
        throw invalid_input(fmt::format("{}: y_column is for CSV files only", source.name()));
}

/// Windows large enough that starting the threads costs little, small enough to stay in the cache.
read_sizes resolved(read_sizes sizes, int threads)
{
    constexpr std::int64_t smallest = std::int64_t{1} << 20;
    if (sizes.window_bytes <= 0) sizes.window_bytes = std::max(smallest, 4 * threads * sizes.chunk_bytes);
    constexpr std::int64_t fewest = std::int64_t{1} << 17;
    if (sizes.window_entries <= 0) sizes.window_entries = std::max(fewest, 4 * threads * sizes.piece_entries);
    return sizes;
}

/// Calls f; running out of memory becomes a proxpath error.
template <class F>
auto with_memory_errors(const input& source, const memory_guard& guard, F&& f)
{
    try {
        return f();
    } catch (const std::bad_alloc&) {
        throw out_of_memory(fmt::format("{}: memory ran out while reading", source.name()), 0, guard.available());
    } catch (const std::length_error&) {
        throw out_of_memory(fmt::format("{}: a size is beyond any memory", source.name()), 0, guard.available());
    }
}

} // namespace

data_set read_design(const input& source, const read_options& options, const read_sizes& sizes)
{
    const file_format format = options.format == file_format::automatic ? format_of(source.name()) : options.format;
    check_options_fit(source, options, format);
    const int threads = parallel::resolve_threads(options.threads);
    read_settings settings{source,
                           options,
                           threads,
                           resolved(sizes, threads),
                           memory_guard(options.memory_limit),
                           progress_meter(options.on_progress)};
    return with_memory_errors(source, settings.guard, [&] {
        switch (format) {
        case file_format::matrix_market:
            return read_matrix_market(settings);
        case file_format::npz:
            return read_npz(settings);
        case file_format::csv:
            return read_csv(settings);
        default:
            return read_svmlight(settings);
        }
    });
}

std::vector<double> read_numbers(const input& source, const read_sizes& sizes, number_rule rule)
{
    const read_options options;
    read_settings settings{
        source, options, 1, resolved(sizes, 1), memory_guard(0), progress_meter(options.on_progress)};
    return with_memory_errors(source, settings.guard, [&] { return read_number_lines(settings, rule); });
}

std::vector<std::string> read_names(const input& source, const read_sizes& sizes)
{
    const read_options options;
    read_settings settings{
        source, options, 1, resolved(sizes, 1), memory_guard(0), progress_meter(options.on_progress)};
    return with_memory_errors(source, settings.guard, [&] { return read_name_lines(settings); });
}

} // namespace io

file_format format_of(const std::string& path)
{
    std::string name = io::without_compression_suffix(path);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* suffix : {".svm", ".libsvm", ".svmlight", ".txt"})
        if (name.ends_with(suffix)) return file_format::svmlight;
    if (name.ends_with(".mtx")) return file_format::matrix_market;
    if (name.ends_with(".npz")) return file_format::npz;
    if (name.ends_with(".csv")) return file_format::csv;
    throw invalid_input(
        fmt::format("{}: the format cannot be told from the name; .svm, .libsvm, .svmlight, .txt, .mtx, "
                    ".npz and .csv are known, each also with .gz, .xz or .zst",
                    path));
}

data_set read_data(const std::string& path, const read_options& options)
{
    return io::read_design(io::input::from_file(path), options);
}

std::vector<double> read_vector(const std::string& path, number_rule rule)
{
    return io::read_numbers(io::input::from_file(path), {}, rule);
}

std::vector<std::string> read_lines(const std::string& path) { return io::read_names(io::input::from_file(path)); }

} // namespace proxpath
