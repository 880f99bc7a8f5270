// What every reader is given beside its input: the caller's options, resolved, and sizes that tests make small so that
// every border is crossed.
#pragma once

#include "host/io/input.hpp"
#include "host/io/memory_guard.hpp"

#include <proxpath/io.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace proxpath::io {

struct read_sizes {
    /// Text is read in windows; while one is parsed, the next one is filled. 0 = by the number of threads.
    std::int64_t window_bytes = 0;
    /// A window is cut at line ends into chunks of about this size: what a thread takes at a time.
    std::int64_t chunk_bytes = std::int64_t{64} << 10;
    /// Entries of a compressed-row or -column file that are decompressed and placed at a time. 0 = by the number of
    /// threads.
    std::int64_t window_entries = 0;
    /// Entries of such a window that a thread takes at a time.
    std::int64_t piece_entries = std::int64_t{1} << 14;
    /// A line longer than this is taken for a file that is no text.
    std::int64_t longest_line = std::int64_t{1} << 30;
};

/// Reports how far reading is, from the calling thread only.
class progress_meter {
public:
    explicit progress_meter(const progress_callback& callback)
        : callback_(callback), begin_(std::chrono::steady_clock::now())
    {}
    /// @param pass     0 or 1
    /// @param fraction share of the pass that is done
    /// @throws cancelled when the callback returned false
    void report(int pass, double fraction);

private:
    const progress_callback& callback_;
    std::chrono::steady_clock::time_point begin_;
    double furthest_ = 0; // a pass that is begun again does not move backwards
};

struct read_settings {
    const input& source;
    const read_options& options;
    int threads;
    read_sizes sizes;
    memory_guard guard;
    progress_meter meter;
};

/// One function for each format; all throw as read_data does.
data_set read_svmlight(read_settings& settings);
data_set read_matrix_market(read_settings& settings);
data_set read_npz(read_settings& settings);
data_set read_csv(read_settings& settings);
std::vector<double> read_number_lines(read_settings& settings, number_rule rule);
std::vector<std::string> read_name_lines(read_settings& settings);

/// Chooses the reader by options.format and the input's name.
data_set read_design(const input& source, const read_options& options, const read_sizes& sizes = {});

/// A vector: lines or a Matrix Market array.
std::vector<double> read_numbers(const input& source, const read_sizes& sizes = {},
                                 number_rule rule = number_rule::finite);

/// Lines without their ends; blank ones at the end are left out.
std::vector<std::string> read_names(const input& source, const read_sizes& sizes = {});

} // namespace proxpath::io
