// Windows, chunks and their order; see scanner.hpp.

#include "host/io/scanner.hpp"

#include "host/io/number.hpp"
#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace proxpath::io {

void progress_meter::report(int pass, double fraction)
{
    if (!callback_) return;
    furthest_ = std::max(furthest_, (pass + fraction) / 2);
    progress now;
    now.now = phase::reading;
    now.fraction = furthest_;
    now.elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    if (!callback_(now)) throw cancelled("reading was cancelled by the progress callback");
}

text_scanner::text_scanner(read_settings& settings, int pass)
    : settings_(settings), pass_(pass), stream_(settings.source.open())
{
    fill(current_, {});
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    const std::string_view start(current_.bytes.data(), current_.used);
    if (start.starts_with(byte_order_mark)) cursor_ = byte_order_mark.size();
    if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff"))
        throw file_error(settings_.source.name(), 1, "the text is UTF-16; save it as UTF-8");
}

text_scanner::~text_scanner() = default;

namespace {

/// Thrown while a window is filled: the line behind the last whole one is no text. Where it is in the file is known
/// only when the lines before it have been counted.
struct not_text {
    std::string reason;
};

/// Kept free at the end of a window: for a missing last '\n', and for numbers that are looked at in whole words.
constexpr std::size_t spare_bytes = 1 + text_slack;

std::size_t behind_last_line_end(const std::vector<char>& bytes, std::size_t from, std::size_t to)
{
    const void* const found = from < to ? ::memrchr(bytes.data() + from, '\n', to - from) : nullptr;
    return found == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
}

} // namespace

void text_scanner::grow(window& into)
{
    const auto longest = static_cast<std::size_t>(settings_.sizes.longest_line);
    if (into.used > longest)
        throw not_text{fmt::format("the line is longer than {}; this is no text file", readable_bytes(longest))};
    settings_.guard.require(settings_.source.name(), 4 * into.used, "a very long line");
    into.bytes.resize(std::min(2 * into.bytes.size(), std::max(into.bytes.size(), longest) + spare_bytes + 1));
}

void text_scanner::fill(window& into, std::string_view carry)
{
    into.used = into.body = 0;
    into.last = false;
    into.failure = nullptr;
    const std::size_t wanted =
        std::max(static_cast<std::size_t>(settings_.sizes.window_bytes), carry.size() + 1) + spare_bytes;
    if (into.bytes.size() < wanted) into.bytes.resize(wanted);
    if (!carry.empty()) std::memcpy(into.bytes.data(), carry.data(), carry.size());
    into.used = carry.size();
    std::size_t searched = into.used; // the carry has no line end
    try {
        for (;;) {
            const std::size_t room = into.bytes.size() - spare_bytes - into.used;
            const std::size_t got = room > 0 ? stream_->read(into.bytes.data() + into.used, room) : 0;
            const std::size_t fresh = into.used;
            into.used += got;
            if (const void* const nul = std::memchr(into.bytes.data() + fresh, '\0', got)) {
                into.used = static_cast<std::size_t>(static_cast<const char*>(nul) - into.bytes.data());
                throw not_text{"the line holds a NUL byte; the content is binary, not text"};
            }
            if (got > 0 && got < room) continue; // the next call tells the end from a failure
            if (got < room) {
                into.last = true;
                if (into.used > 0 && into.bytes[into.used - 1] != '\n') into.bytes[into.used++] = '\n';
                into.body = into.used;
                return;
            }
            into.body = behind_last_line_end(into.bytes, searched, into.used);
            if (into.body > 0) return;
            searched = into.used;
            grow(into);
        }
    } catch (...) {
        // Lines that came before the failure are still looked at: the first fault of a file is the one reported.
        into.body = behind_last_line_end(into.bytes, 0, into.used);
        into.last = true;
        into.failure = std::current_exception();
    }
}

void text_scanner::rethrow(const std::exception_ptr& failure) const
{
    try {
        std::rethrow_exception(failure);
    } catch (const not_text& what) {
        throw file_error(settings_.source.name(), line_ + 1, what.reason);
    } catch (const file_error& error) {
        const std::string prefix = settings_.source.name() + ": ";
        std::string reason = error.what();
        if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
        throw file_error(settings_.source.name(), error.line(), fmt::format("{}, after line {}", reason, line_));
    }
}

bool text_scanner::advance()
{
    if (cursor_ < current_.body) return true;
    if (current_.failure) rethrow(current_.failure);
    if (current_.last) return false;
    fill(next_, {current_.bytes.data() + current_.body, current_.used - current_.body});
    std::swap(current_, next_);
    cursor_ = 0;
    settings_.meter.report(pass_, stream_->fraction());
    return advance();
}

std::optional<std::string_view> text_scanner::next_line()
{
    if (!advance()) return std::nullopt;
    const char* const begin = current_.bytes.data() + cursor_;
    const char* const end = static_cast<const char*>(std::memchr(begin, '\n', current_.body - cursor_));
    cursor_ += static_cast<std::size_t>(end - begin) + 1;
    ++line_;
    std::string_view line(begin, static_cast<std::size_t>(end - begin));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

void text_scanner::fail(const std::string& reason) const { throw file_error(settings_.source.name(), line_, reason); }

void text_scanner::scan(const parser& parse, const consumer& consume, count_lines counting, const window_hooks& hooks)
{
    std::int64_t number = 0;
    std::vector<chunk> chunks;
    std::vector<chunk_report> reports;
    while (advance()) {
        chunks.clear();
        std::int64_t counted = line_;
        const char* at = current_.bytes.data() + cursor_;
        const char* const end = current_.bytes.data() + current_.body;
        while (at != end) {
            const std::int64_t left = end - at;
            const char* const from = at + std::min(settings_.sizes.chunk_bytes, left) - 1;
            const char* const stop =
                static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from))) + 1;
            chunks.push_back(
                {{at, static_cast<std::size_t>(stop - at)}, number++, static_cast<std::int64_t>(chunks.size()), -1});
            if (counting == count_lines::yes) {
                chunks.back().first_line = counted;
                counted += std::count(at, stop, '\n');
            }
            at = stop;
        }
        const auto count = static_cast<std::int64_t>(chunks.size());
        reports.assign(chunks.size(), {});
        if (hooks.before) hooks.before(count);
        const std::int64_t filling = current_.last ? 0 : 1;
        parallel::parallel_for(settings_.threads, filling + count, [&](std::int64_t piece) {
            if (piece < filling) {
                fill(next_, {current_.bytes.data() + current_.body, current_.used - current_.body});
                return;
            }
            const auto c = static_cast<std::size_t>(piece - filling);
            try {
                parse(chunks[c], reports[c]);
            } catch (bad_line& failure) {
                reports[c].failure = std::move(failure);
            }
        });
        for (std::size_t c = 0; c < chunks.size(); ++c) {
            consume(chunks[c], reports[c]); // may know of a fault on an earlier line
            if (reports[c].failure)
                throw file_error(settings_.source.name(), line_ + reports[c].failure->line + 1,
                                 reports[c].failure->reason);
            line_ += reports[c].lines;
        }
        if (hooks.after) hooks.after();
        cursor_ = current_.body;
        if (filling == 1) {
            std::swap(current_, next_);
            cursor_ = 0;
        }
        settings_.meter.report(pass_, stream_->fraction());
    }
}

void fail_at(const line_cursor& line, std::string reason) { throw bad_line{line.number(), std::move(reason)}; }

} // namespace proxpath::io
