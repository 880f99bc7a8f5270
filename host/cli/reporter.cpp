// Progress and messages; see reporter.hpp.

#include "host/cli/reporter.hpp"

#include "host/cli/interruption.hpp"
#include "host/cli/values.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace proxpath::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto terminal_interval = 100ms;
/// In a log: no line before `log_interval`, then one for each tenth of the work, and one a minute all the same.
constexpr auto log_interval = 5s;
constexpr auto log_longest = 60s;
constexpr double log_share = 0.1;

std::size_t terminal_width()
{
    struct winsize size = {};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
    return size.ws_col;
}

const char* phase_text(phase now) { return now == phase::reading ? "reading" : "solving"; }

/// One line: control characters of file names and data must not reach the terminal.
std::string on_one_line(std::string text)
{
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    return text;
}

} // namespace

std::string progress_text(const progress& now)
{
    std::string text = fmt::format("{}:", phase_text(now.now));
    if (now.now == phase::solving && now.fits_total > 0)
        text += fmt::format(" {} of {} paths, {} of {} lambdas of the next", now.fits_done, now.fits_total,
                            now.lambdas_done, now.lambdas_total);
    else if (now.now == phase::solving)
        text += fmt::format(" {} of {} lambdas, {} passes, working set {}", now.lambdas_done, now.lambdas_total,
                            now.passes, now.working_set);
    else
        text += fmt::format(" {:.0f} %", 100 * std::clamp(now.fraction, 0.0, 1.0));
    text += fmt::format(", {}", seconds_text(now.elapsed_s));
    // Early shares say nothing: later lambdas have more features and take longer.
    if (now.fraction > 0.02 && now.fraction < 1 && now.elapsed_s > 1)
        text += fmt::format(", about {} left", seconds_text(now.elapsed_s * (1 - now.fraction) / now.fraction));
    return text;
}

bool reporter::due(const progress& now)
{
    if (level_ == verbosity::quiet) return false;
    const auto time = clock::now();
    const bool new_phase = !shown_ || last_phase_ != now.now;
    bool show = false;
    if (to_.terminal) {
        show = new_phase || time - last_ >= terminal_interval;
    } else if (new_phase) {
        // Counting starts here: what ends within the interval leaves no line.
        last_ = time;
        last_fraction_ = now.fraction;
    } else {
        const auto waited = time - last_;
        show = waited >= log_longest || (waited >= log_interval && now.fraction - last_fraction_ >= log_share);
    }
    if (show || new_phase) {
        shown_ = true;
        last_phase_ = now.now;
    }
    if (show) {
        last_ = time;
        last_fraction_ = now.fraction;
    }
    return show;
}

bool reporter::progressed(const progress& now)
{
    if (interrupt_requested()) {
        if (!stop_told_) {
            stop_told_ = true;
            note(now.now == phase::solving && keeps_finished_
                     ? "interrupted: what is finished so far will be written; once more ends at once, without it"
                     : "interrupted");
        }
        return false;
    }
    if (!due(now)) return true;
    const std::string text = progress_text(now);
    if (!to_.terminal) {
        print("proxpath: " + text);
        return true;
    }
    to_.err << "\r" << text.substr(0, terminal_width() - 1) << "\x1b[K" << std::flush;
    line_open_ = true;
    return true;
}

void reporter::note(const std::string& text)
{
    if (level_ != verbosity::quiet) print("proxpath: " + on_one_line(text));
}

void reporter::warn(const std::string& text) { print("proxpath: warning: " + on_one_line(text)); }

void reporter::fail(const std::string& text) { print("proxpath: error: " + on_one_line(text)); }

void reporter::end_line()
{
    if (line_open_) to_.err << "\r\x1b[K" << std::flush;
    line_open_ = false;
}

void reporter::print(const std::string& text)
{
    end_line();
    to_.err << text << '\n' << std::flush;
}

} // namespace proxpath::cli
