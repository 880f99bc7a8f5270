// Reads one file the way every caller does, through read_data, and prints one line of JSON: the time of each reading,
// what the process grew by at its peak, and what is stored. compare_reading.py runs it beside other readers; --dump
// hands it the matrix to compare.

#include "host/matrix/column_store.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <nlohmann/json.hpp>

namespace {

/// A line "name: … kB" of /proc/self/status, in bytes; 0 where there is none.
std::int64_t status_bytes(const std::string& name)
{
    std::ifstream file("/proc/self/status");
    std::string line;
    while (std::getline(file, line))
        if (line.starts_with(name + ":")) return 1024 * std::atoll(line.c_str() + name.size() + 1);
    return 0;
}

/// Lets the high-water mark of resident memory start again from what is resident now.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

struct reading {
    double seconds = 0;
    std::int64_t peak_bytes = 0; ///< resident memory at its highest, less what was resident before
};

reading read_once(const std::string& path, const proxpath::read_options& options, proxpath::data_set& into)
{
    into = {};
    ::malloc_trim(0);
    forget_peak();
    const std::int64_t before = status_bytes("VmRSS");
    const auto begin = std::chrono::steady_clock::now();
    into = proxpath::read_data(path, options);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    return {taken.count(), status_bytes("VmHWM") - before};
}

template <class T>
void write_all(std::FILE* file, const std::vector<T>& numbers)
{
    if (std::fwrite(numbers.data(), sizeof(T), numbers.size(), file) != numbers.size())
        throw proxpath::system_error("cannot write the dump");
}

/// p + 1 offsets (int64), nnz rows (int64), nnz values (double), responses (double).
void dump(const std::string& path, const proxpath::data_set& data)
{
    const auto& store = data.X.store();
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> rows;
    std::vector<double> values;
    for (const auto& block : store.blocks)
        proxpath::storage::visit_block(block, [&](auto indices, auto numbers) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto column = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i) {
                    rows.push_back(static_cast<std::int64_t>(column[i]));
                    values.push_back(static_cast<double>(numbers[i]));
                }
                offsets.push_back(static_cast<std::int64_t>(rows.size()));
            }
        });
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw proxpath::system_error("cannot open '" + path + "'");
    write_all(file, offsets);
    write_all(file, rows);
    write_all(file, values);
    write_all(file, data.y);
    if (std::fclose(file) != 0) throw proxpath::system_error("cannot write '" + path + "'");
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Reads a file, times it and prints JSON");
    std::string path;
    std::string dump_path;
    std::string warm_up_path;
    int repeat = 1;
    proxpath::read_options options;
    app.add_option("file", path, "svmlight, Matrix Market, npz or CSV")->required();
    app.add_option("--repeat", repeat, "readings in this process")->check(CLI::Range(1, 1000));
    app.add_option("--threads", options.threads, "0 = all cores");
    app.add_option("--warm-up", warm_up_path,
                   "read this small file of the same kind first: code that is loaded on "
                   "first use is not counted as memory of the reading");
    app.add_option("--dump", dump_path, "write the matrix here (CSC: int64 offsets, int64 rows, double values, y)");
    CLI11_PARSE(app, argc, argv);
    try {
        proxpath::data_set data;
        if (!warm_up_path.empty()) (void)read_once(warm_up_path, options, data);
        nlohmann::json seconds = nlohmann::json::array();
        std::int64_t first_peak = 0;
        for (int i = 0; i < repeat; ++i) {
            const reading one = read_once(path, options, data);
            seconds.push_back(one.seconds);
            if (i == 0) first_peak = one.peak_bytes; // later ones profit from memory that the first one left behind
        }
        if (!dump_path.empty()) dump(dump_path, data);
        const nlohmann::json result{{"seconds", seconds},
                                    {"peak_bytes", first_peak},
                                    {"stored_bytes", data.X.stored_bytes() + sizeof(double) * data.y.size()},
                                    {"rows", data.X.rows()},
                                    {"cols", data.X.cols()},
                                    {"nnz", data.X.nonzeros()}};
        std::printf("%s\n", result.dump().c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
