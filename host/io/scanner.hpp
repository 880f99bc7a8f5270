// Text in windows and chunks: the frame of every text reader. A scanner goes once through an input; its first lines may
// be taken one by one (headers), the rest goes in chunks of whole lines to several threads, while one of them fills the
// next window. Chunk borders depend on the text alone, so both passes see the same chunks, whatever the threads.
#pragma once

#include "host/io/settings.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxpath::io {

/// Thrown by chunk parsers; the scanner turns the first one of the file into a file_error with the file's line number.
struct bad_line {
    std::int64_t line; ///< 0-based within the chunk
    std::string reason;
};

/// What a parser hands back of its chunk.
struct chunk_report {
    std::int64_t lines = 0;   ///< lines, blank ones included (filled by the parser)
    std::int64_t items = 0;   ///< rows or entries, as the format has it
    std::int64_t blank = -1;  ///< first of the blank lines at the end of the chunk, for formats that care
    bool begin_again = false; ///< what was assumed of the file turned out wrong: the format's reader knows what to do
    std::optional<bad_line> failure;
};

/// Whole lines, the last one ending in '\n'; text_slack bytes may be looked at behind it (number.hpp).
struct chunk {
    std::string_view text;
    std::int64_t number = 0;     ///< 0, 1, … over the whole file
    std::int64_t slot = 0;       ///< 0, 1, … within the window
    std::int64_t first_line = 0; ///< 0-based line of the file; only where scan was asked to count lines, else -1
};

class text_scanner {
public:
    /// @param pass 0 or 1, for the progress report
    text_scanner(read_settings& settings, int pass);
    ~text_scanner();
    text_scanner(const text_scanner&) = delete;
    text_scanner& operator=(const text_scanner&) = delete;

    /// The next line without its end ("\n" or "\r\n" removed), but followed by '\n' in memory; empty optional at the
    /// end. Valid until the next call.
    std::optional<std::string_view> next_line();

    /// Number of lines taken so far: the 1-based number of the line that next_line gave last.
    std::int64_t line() const { return line_; }

    const std::string& name() const { return settings_.source.name(); }

    /// A file_error for the line that next_line gave last.
    [[noreturn]] void fail(const std::string& reason) const;

    using parser = std::function<void(const chunk&, chunk_report&)>;
    using consumer = std::function<void(const chunk&, const chunk_report&)>;
    enum class count_lines : bool { no, yes };
    /// Called on the calling thread before and after the chunks of a window are parsed.
    struct window_hooks {
        std::function<void(std::int64_t chunks)> before;
        std::function<void()> after;
    };

    /// Gives the rest of the text to `parse`, chunks in parallel, and every report in the order of the chunks to
    /// `consume`, on the calling thread. line() is then the number of lines before the chunk. The report of a chunk
    /// with a failure covers the lines before it; consume sees it before the failure is thrown.
    /// @throws file_error for the lowest line a parser threw bad_line for
    void scan(const parser& parse, const consumer& consume, count_lines counting = count_lines::no,
              const window_hooks& hooks = {});

private:
    struct window {
        std::vector<char> bytes;
        std::size_t used = 0; // bytes held
        std::size_t body = 0; // up to here, whole lines; the rest belongs to the next window
        bool last = false;
        std::exception_ptr failure; // met after the body
    };

    void fill(window& into, std::string_view carry);
    void grow(window& into);
    bool advance();
    [[noreturn]] void rethrow(const std::exception_ptr& failure) const;

    read_settings& settings_;
    int pass_;
    std::unique_ptr<byte_stream> stream_;
    window current_;
    window next_;
    std::size_t cursor_ = 0; // within current_
    std::int64_t line_ = 0;
};

/// Counts lines of a chunk and tells where they start; the loop of every parser:
/// for (line_cursor line(text); line.more(); line.next(at)) { const char* at = line.begin(); … }
class line_cursor {
public:
    explicit line_cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
    bool more() const { return at_ != end_; }
    const char* begin() const { return at_; }
    std::int64_t number() const { return number_; }
    /// Moves behind the '\n' that `line_end` points at.
    void next(const char* line_end)
    {
        at_ = line_end + 1;
        ++number_;
    }

private:
    const char* at_;
    const char* end_;
    std::int64_t number_ = 0;
};

/// Ends the pass: this line is at fault. @throws bad_line
[[noreturn]] void fail_at(const line_cursor& line, std::string reason);

} // namespace proxpath::io
