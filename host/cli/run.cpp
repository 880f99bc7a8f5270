// Choice of the command and the last line of defence; see run.hpp.

#include "host/cli/run.hpp"

#include "host/cli/bootstrap_command.hpp"
#include "host/cli/cv_command.hpp"
#include "host/cli/devices_command.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/fit_command.hpp"
#include "host/cli/help.hpp"
#include "host/cli/interruption.hpp"
#include "host/cli/predict_command.hpp"
#include "host/cli/stability_command.hpp"
#include "host/cli/values.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/version.hpp>

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

const command_record& command_named(std::string_view name)
{
    std::vector<std::string> known;
    for (const command_record& each : command_table()) {
        if (each.name == name) return each;
        known.emplace_back(each.name);
    }
    const auto meant = nearest(name, known);
    throw invalid_input(meant ? fmt::format("unknown command '{}'; did you mean {}?", name, *meant)
                              : fmt::format("unknown command '{}'; see proxpath --help", name));
}

int run_command(std::span<const char* const> words, console& to)
{
    if (words.empty()) throw invalid_input("no command; see proxpath --help");
    const std::string_view first = words.front();
    if (first == "--help" || first == "-h" || first == "help") {
        to.out << help_text();
        return exit_certified;
    }
    if (first == "--version") {
        to.out << "proxpath " << version() << '\n';
        return exit_certified;
    }
    if (first == "--help-markdown") {
        to.out << help_markdown();
        return exit_certified;
    }
    const command_record& record = command_named(first);
    const arguments typed = arguments::parse(record.which, words.subspan(1));
    if (typed.given("--help")) {
        to.out << help_text(record.which);
        return exit_certified;
    }
    if (record.which == command::devices) return devices(typed, to);
    const signal_scope signals;
    switch (record.which) {
    case command::cv:
        return cv(typed, to);
    case command::stability:
        return stability(typed, to);
    case command::bootstrap:
        return bootstrap(typed, to);
    case command::predict:
        return predict(typed, to);
    default:
        return fit(typed, to);
    }
}

/// The exception in flight as a message and an exit code.
int explained(reporter& report)
{
    try {
        throw;
    } catch (const cancelled&) {
        report.note("interrupted before there was anything to write");
        return exit_interrupted;
    } catch (const invalid_input& problem) {
        report.fail(problem.what());
        return exit_wrong_input;
    } catch (const file_error& problem) {
        report.fail(problem.what());
        return exit_wrong_input;
    } catch (const std::bad_alloc&) {
        report.fail("memory ran out; give --memory to have it planned, or use a machine with more");
        return exit_system;
    } catch (const std::exception& problem) {
        report.fail(problem.what());
        return exit_system;
    }
}

} // namespace

int run(std::span<const char* const> words, console& to)
{
    try {
        const int code = run_command(words, to);
        to.out.flush();
        // A full disk behind a redirected output is a failure, whatever became of the fit.
        if (!to.out) throw system_error("cannot write to standard output");
        return code;
    } catch (...) {
        reporter report(to, verbosity::normal);
        return explained(report);
    }
}

} // namespace proxpath::cli
