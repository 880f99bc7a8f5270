// What the user sees while waiting: one line that is rewritten on a terminal, few plain lines in a log, nothing when
// quiet. It is also the callback through which a signal stops the library.
#pragma once

#include "host/cli/settings.hpp"

#include <proxpath/progress.hpp>

#include <chrono>
#include <ostream>
#include <string>

namespace proxpath::cli {

/// Where the program's texts go.
struct console {
    std::ostream& out;
    std::ostream& err;
    bool terminal = false; ///< err is a terminal
};

/// "solving: 34 of 100 lambdas, 12 passes, working set 431, 4.20 s, about 9.00 s left"
std::string progress_text(const progress& now);

class reporter {
public:
    /// @param keeps_finished whether what is finished when a signal comes will be written
    reporter(console& to, verbosity level, bool keeps_finished = false)
        : to_(to), level_(level), keeps_finished_(keeps_finished)
    {}
    reporter(const reporter&) = delete;
    reporter& operator=(const reporter&) = delete;
    ~reporter() { end_line(); }

    verbosity level() const { return level_; }

    /// A progress_callback: shows `now` if it is time to. False once a signal asked to stop.
    bool progressed(const progress& now);
    /// "proxpath: text"; not when quiet.
    void note(const std::string& text);
    /// "proxpath: warning: text"; also when quiet.
    void warn(const std::string& text);
    /// "proxpath: error: text", on one line.
    void fail(const std::string& text);

private:
    using clock = std::chrono::steady_clock;
    bool due(const progress& now);
    void end_line();
    void print(const std::string& text);

    console& to_;
    verbosity level_;
    bool keeps_finished_;
    bool line_open_ = false; // a rewritten line stands on the terminal
    bool stop_told_ = false;
    bool shown_ = false; // last_* hold something
    clock::time_point last_{};
    phase last_phase_ = phase::reading;
    double last_fraction_ = 0;
};

} // namespace proxpath::cli
