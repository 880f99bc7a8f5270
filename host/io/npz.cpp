// Matrices written by scipy.sparse.save_npz: the arrays format, shape, indptr, indices and data in a zip. indices and
// data are decompressed side by side in windows; while one window is counted or placed, the next is decompressed.

#include "host/io/npz_member.hpp"

#include "host/io/number.hpp"
#include "host/io/placement.hpp"
#include "host/io/profile_pool.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

struct npz_head {
    bool by_column = false; ///< csc, else csr
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<std::int64_t> offsets; ///< indptr
    std::int64_t stored() const { return offsets.back(); }
    std::int64_t lines() const { return by_column ? cols : rows; }
    std::int64_t width() const { return by_column ? rows : cols; }
};

std::string read_format(const read_settings& settings)
{
    npz_member member(settings, "format");
    const npy_head& head = member.head();
    if (head.type != npy_type::text || head.items != 1) member.fail("expected one text such as 'csr'");
    std::vector<std::byte> bytes;
    member.read_items(1, bytes);
    member.expect_end();
    std::string format;
    for (std::size_t i = 0; i < bytes.size(); i += head.wide_text ? 4 : 1)
        if (bytes[i] != std::byte{0}) format += static_cast<char>(bytes[i]);
    if (format != "csr" && format != "csc")
        member.fail(fmt::format("the format {} is not supported; csr and csc are", quote(format)));
    return format;
}

/// Opens a vector of integers (or of numbers, for data).
void expect_vector(const npz_member& member, bool integers)
{
    const npy_head& head = member.head();
    if (head.shape.size() != 1) member.fail("expected an array of one dimension");
    if (head.type == npy_type::text || (integers && !is_integer(head.type)))
        member.fail(integers ? "expected integers" : "expected numbers");
}

void read_shape(const read_settings& settings, npz_head& head)
{
    npz_member member(settings, "shape");
    expect_vector(member, true);
    if (member.head().items != 2) member.fail(fmt::format("expected two numbers, found {}", member.head().items));
    std::vector<std::byte> bytes;
    member.read_items(2, bytes);
    member.expect_end();
    head.rows = item_as_integer(member.head().type, bytes.data(), 0);
    head.cols = item_as_integer(member.head().type, bytes.data(), 1);
    if (head.rows < 0 || head.rows > most_rows)
        member.fail(fmt::format("{} rows; from 0 to 2^32 - 1 are possible", head.rows));
    if (head.cols < 0 || head.cols > settings.guard.most_columns())
        member.fail(fmt::format("{} columns; counters for them do not fit into the {} of memory available", head.cols,
                                readable_bytes(settings.guard.available())));
}

void read_offsets(const read_settings& settings, npz_head& head)
{
    npz_member member(settings, "indptr");
    expect_vector(member, true);
    const std::int64_t count = head.lines() + 1;
    if (member.head().items != count)
        member.fail(fmt::format("{} items, where a {} matrix of {} rows and {} columns has {}", member.head().items,
                                head.by_column ? "csc" : "csr", head.rows, head.cols, count));
    // Grows with what is really there: a declared size alone allocates nothing.
    std::vector<std::byte> bytes;
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t now = std::min(settings.sizes.piece_entries, count - done);
        settings.guard.require(settings.source.name(), sizeof(std::int64_t) * static_cast<std::uint64_t>(done + now),
                               "indptr");
        member.read_items(now, bytes);
        for (std::int64_t k = 0; k < now; ++k) {
            const std::int64_t offset = item_as_integer(member.head().type, bytes.data(), k);
            const std::int64_t before = head.offsets.empty() ? 0 : head.offsets.back();
            if (head.offsets.empty() && offset != 0) member.fail(fmt::format("item 0 is {}, not 0", offset));
            if (offset < before)
                member.fail(fmt::format("item {} is {}, less than the {} before it", done + k, offset, before));
            head.offsets.push_back(offset);
        }
        done += now;
    }
    member.expect_end();
}

npz_head read_npz_head(const read_settings& settings)
{
    npz_head head;
    head.by_column = read_format(settings) == "csc";
    read_shape(settings, head);
    read_offsets(settings, head);
    return head;
}

struct entry_window {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::vector<std::byte> indices;
    std::vector<std::byte> values;
};

struct entry_failure {
    std::int64_t entry = -1; ///< -1 = none
    std::string member;
    std::string reason;
};

/// Goes once through the entries, in pieces on several threads. For each piece make_sink(piece of the window) gives a
/// sink with
///     bool put(column, row, value, entry)   false = this entry repeats an earlier one
///     void finish()                         the piece is done
/// before(pieces) and after() are called on the calling thread around each window.
class entry_pass {
public:
    entry_pass(read_settings& settings, const npz_head& head, int pass)
        : settings_(settings), head_(head), pass_(pass), indices_(settings, "indices"), values_(settings, "data")
    {
        expect_vector(indices_, true);
        expect_vector(values_, false);
        for (const npz_member* member : {&indices_, &values_})
            if (member->head().items != head.stored())
                member->fail(fmt::format("{} items, where indptr ends at {}", member->head().items, head.stored()));
    }

    template <class MakeSink>
    void run(MakeSink&& make_sink, const std::function<void(std::int64_t)>& before = {},
             const std::function<void()>& after = {})
    {
        entry_window current;
        entry_window next;
        current.count = std::min(settings_.sizes.window_entries, head_.stored());
        indices_.read_items(current.count, current.indices);
        values_.read_items(current.count, current.values);
        while (current.count > 0) {
            const std::int64_t pieces = parallel::pieces(current.count, settings_.sizes.piece_entries);
            std::vector<entry_failure> failures(static_cast<std::size_t>(pieces));
            if (before) before(pieces);
            std::exception_ptr damaged_indices;
            std::exception_ptr damaged_values;
            next.first = current.first + current.count;
            next.count = std::min(settings_.sizes.window_entries, head_.stored() - next.first);
            parallel::parallel_for(settings_.threads, pieces + 2, [&](std::int64_t piece) {
                if (piece == 0)
                    guarded(damaged_indices, [&] { indices_.read_items(next.count, next.indices); });
                else if (piece == 1)
                    guarded(damaged_values, [&] { values_.read_items(next.count, next.values); });
                else
                    failures[static_cast<std::size_t>(piece - 2)] =
                        go_through(current, piece - 2, make_sink(piece - 2));
            });
            for (const entry_failure& failure : failures)
                if (failure.entry >= 0)
                    throw file_error(
                        settings_.source.name(), 0,
                        fmt::format("member {}.npy, entry {}: {}", failure.member, failure.entry, failure.reason));
            if (after) after();
            if (damaged_indices) std::rethrow_exception(damaged_indices);
            if (damaged_values) std::rethrow_exception(damaged_values);
            std::swap(current, next);
            settings_.meter.report(pass_, static_cast<double>(current.first) / static_cast<double>(head_.stored()));
        }
        indices_.expect_end();
        values_.expect_end();
    }

private:
    template <class F>
    static void guarded(std::exception_ptr& failure, F&& f)
    {
        try {
            f();
        } catch (...) {
            failure = std::current_exception();
        }
    }

    template <class Sink>
    entry_failure go_through(const entry_window& window, std::int64_t piece, Sink sink) const
    {
        const std::int64_t begin = piece * settings_.sizes.piece_entries;
        const std::int64_t end = std::min(window.count, begin + settings_.sizes.piece_entries);
        // The line (row of csr, column of csc) that holds the first entry; empty lines end where they begin.
        auto line = std::upper_bound(head_.offsets.begin(), head_.offsets.end(), window.first + begin) -
                    head_.offsets.begin() - 1;
        for (std::int64_t k = begin; k < end; ++k) {
            const std::int64_t entry = window.first + k;
            while (entry >= head_.offsets[static_cast<std::size_t>(line) + 1]) ++line;
            const std::int64_t index = item_as_integer(indices_.head().type, window.indices.data(), k);
            if (index < 0 || index >= head_.width())
                return {entry, "indices",
                        fmt::format("the index {} is outside the {} {}", index, head_.width(),
                                    head_.by_column ? "rows" : "columns")};
            bool exact = true;
            const double value = item_as_double(values_.head().type, window.values.data(), k, exact);
            if (!std::isfinite(value)) return {entry, "data", fmt::format("the value is {}", value)};
            if (!exact) return {entry, "data", fmt::format("the integer is beyond 2^53 and has no exact double")};
            const std::int64_t row = head_.by_column ? index : line;
            const std::int64_t column = head_.by_column ? line : index;
            if (!sink.put(column, row, value, entry))
                return {entry, "indices", fmt::format("row {}, column {} is given a second time", row, column)};
        }
        sink.finish();
        return {};
    }

    read_settings& settings_;
    const npz_head& head_;
    int pass_;
    npz_member indices_;
    npz_member values_;
};

struct npz_counter {
    counting_sink entries;
    bool put(std::int64_t column, std::int64_t, double value, std::int64_t)
    {
        entries.put(column, value);
        return true;
    }
    void finish() { entries.flush(); }
};

struct npz_placer {
    placement::sink entries;
    bool put(std::int64_t column, std::int64_t row, double value, std::int64_t)
    {
        entries.put(column, row, value);
        return true;
    }
    void finish() {}
};

struct searcher {
    duplicate_search& search;
    bool put(std::int64_t column, std::int64_t row, double value, std::int64_t entry) const
    {
        return value == 0 || !search.repeats(row, column, entry);
    }
    void finish() const {}
};

[[noreturn]] void fail_duplicate(read_settings& settings, const npz_head& head, storage::duplicate_entry duplicate)
{
    settings.threads = 1; // entries in their order
    duplicate_search search(duplicate, head.rows);
    entry_pass(settings, head, 1).run([&](std::int64_t) { return searcher{search}; });
    fail_changed(settings);
}

} // namespace

data_set read_npz(read_settings& settings)
{
    const npz_head head = read_npz_head(settings);
    storage::column_profile profile;
    {
        profile_pool pool(settings.threads, head.cols);
        entry_pass(settings, head, 0).run([&](std::int64_t) { return npz_counter{counting_sink(pool)}; });
        profile = pool.merged();
    }
    placement places(settings, head.rows, std::move(profile));
    entry_pass(settings, head, 1)
        .run([&](std::int64_t slot) { return npz_placer{places.chunk_sink(slot)}; },
             [&](std::int64_t pieces) { places.prepare(pieces); }, [&] { places.place(); });
    data_set result;
    result.X = places.finish([&](storage::duplicate_entry duplicate) { fail_duplicate(settings, head, duplicate); });
    return result;
}

} // namespace proxpath::io
