// See evidence.hpp.

#include "tests/acceptance/evidence.hpp"

#include "tests/acceptance/paths.hpp"

#include <proxpath/version.hpp>

#include <cstdint>
#include <deque>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

namespace proxpath::acceptance {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t lines_kept = 40;

struct step {
    std::string name, kind, state, log, command;
    int exit_code = 0;
    double seconds = 0;
    double limit_s = 0;
};

std::vector<std::string> fields(const std::string& line)
{
    std::vector<std::string> made;
    std::istringstream words(line);
    for (std::string word; std::getline(words, word, '\t');) made.push_back(word);
    return made;
}

std::ifstream open(const std::string& path)
{
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return file;
}

std::vector<step> read_steps(const std::string& path)
{
    std::ifstream file = open(path);
    std::vector<step> made;
    for (std::string line; std::getline(file, line);) {
        const std::vector<std::string> words = fields(line);
        if (words.size() != 8) throw std::runtime_error(path + " has an odd line: " + line);
        made.push_back({words[0], words[1], words[2], words[6], words[7], std::stoi(words[3]), std::stod(words[4]),
                        std::stod(words[5])});
    }
    return made;
}

std::string last_lines(const std::string& path, std::size_t count)
{
    std::ifstream file(path);
    std::deque<std::string> kept;
    for (std::string line; std::getline(file, line);) {
        kept.push_back(line);
        if (kept.size() > count) kept.pop_front();
    }
    std::string text;
    for (const std::string& line : kept) text += (text.empty() ? "" : "\n") + line;
    return text;
}

/// Where a step's own results are, beside its log: FOLDER/NAME.json.
std::string results_of(const step& one) { return one.log.substr(0, one.log.rfind('.')) + ".json"; }

json read_json(const std::string& path) { return json::parse(open(path)); }

/// Google Test's own account. @return what is wrong, or nothing
std::string add_tests(const step& one, json& to)
{
    const json found = read_json(results_of(one));
    std::int64_t ran = 0;
    std::int64_t skipped = 0;
    json failed = json::array();
    for (const json& suite : found.at("testsuites"))
        for (const json& test : suite.at("testsuite")) {
            if (test.value("status", "") != "RUN") continue;
            if (test.value("result", "") == "SKIPPED") {
                ++skipped;
                continue;
            }
            ++ran;
            if (!test.contains("failures")) continue;
            failed.push_back({{"name", test.value("classname", "") + "." + test.value("name", "")},
                              {"message", test["failures"][0].value("failure", "")}});
        }
    to["tests"] = {{"ran", ran}, {"skipped", skipped}, {"failed", failed}};
    if (!failed.empty()) return fmt::format("{} of {} tests failed", failed.size(), ran);
    return ran == 0 ? "no test ran" : "";
}

/// Google Benchmark's own account, one record for each job.
std::string add_benchmarks(const step& one, json& all)
{
    const json found = read_json(results_of(one));
    std::size_t wrong = 0;
    for (const json& run : found.at("benchmarks")) {
        std::string name = run.at("name");
        if (const auto end = name.find("/manual_time"); end != std::string::npos) name.resize(end);
        json record{{"name", name}};
        if (run.value("error_occurred", false)) {
            record["error"] = run.value("error_message", "");
            ++wrong;
        } else {
            record["us"] = run.at("real_time");
            record["bytes"] = run.at("bytes");
            record["bytes_per_s"] = run.at("bytes_per_second");
        }
        all.push_back(record);
    }
    if (found.at("benchmarks").empty()) return "nothing was measured";
    return wrong > 0 ? fmt::format("{} of {} gave a wrong answer", wrong, found.at("benchmarks").size()) : "";
}

double rate_of(const json& benchmarks, const std::string& name)
{
    for (const json& one : benchmarks)
        if (one.at("name") == name && one.contains("bytes_per_s")) return one["bytes_per_s"].get<double>();
    return 0;
}

/// What a product's gather of rows can be compared with: rows of the nearest measured width, and the level that holds
/// them. Empty for jobs that gather no rows.
std::string gather_beside(const std::string& name)
{
    if (name.find("transpose_multiply/") == std::string::npos && !name.starts_with("multiply/") &&
        !name.starts_with("correlation_pass/"))
        return {};
    const std::int64_t size = name.find("/float/") != std::string::npos ? 4 : 8;
    const std::int64_t row = std::stoll(name.substr(name.rfind("k:") + 2)) * size;
    const char* const width = row <= 384 ? "256" : row <= 656 ? "512" : row <= 912 ? "800" : "1024";
    // The even matrix's R is far larger than any cache; the text's R, and the B of either, are not.
    const bool in_memory = name.find("/even/") != std::string::npos && !name.starts_with("multiply/");
    return fmt::format("row_gather/bytes:{}/{}", width, in_memory ? "memory" : "cached");
}

void add_shares(json& benchmarks)
{
    const double copy = rate_of(benchmarks, "copy");
    for (json& one : benchmarks) {
        if (!one.contains("bytes_per_s")) continue;
        const double rate = one["bytes_per_s"].get<double>();
        if (copy > 0) one["of_copy"] = rate / copy;
        const std::string beside = gather_beside(one["name"]);
        const double gather = beside.empty() ? 0 : rate_of(benchmarks, beside);
        if (gather > 0) {
            one["gather"] = beside;
            one["of_gather"] = rate / gather;
        }
    }
}

/// The fits fit/SET/cpu and fit/SET/DEVICE of every set that has both. Failures of either are the steps' own.
void add_paths(const std::string& folder, std::vector<step>& steps, json& paths)
{
    for (step& one : steps) {
        if (one.kind != "fit" || one.name.ends_with("/cpu") || one.state != "passed") continue;
        const std::string set = one.name.substr(0, one.name.rfind('/'));
        try {
            json compared = compare_paths(folder + '/' + set + "/cpu", folder + '/' + one.name);
            compared["set"] = set.substr(set.find('/') + 1);
            if (compared["problem"] != "") one.state = "failed";
            paths.push_back(compared);
        } catch (const std::exception& error) {
            one.state = "failed";
            paths.push_back({{"set", set.substr(set.find('/') + 1)}, {"problem", error.what()}});
        }
    }
}

/// What a run on a GPU cannot do without.
std::string usable_device(const json& devices)
{
    std::string problem = "no device is listed";
    for (const json& device : devices.at("devices")) {
        if (device.at("usable").get<bool>()) return {};
        problem = "no device can be used: " + device.at("problem").get<std::string>();
    }
    return problem;
}

json run_facts(const std::string& path)
{
    std::ifstream file = open(path);
    json facts;
    for (std::string line; std::getline(file, line);)
        if (const auto tab = line.find('\t'); tab != std::string::npos)
            facts[line.substr(0, tab)] = line.substr(tab + 1);
    return facts;
}

} // namespace

json gather_evidence(const std::string& folder)
{
    json found;
    found["proxpath"] = version();
    found["run"] = run_facts(folder + "/run.tsv");
    found["verdict"] = "";
    std::vector<step> steps = read_steps(folder + "/steps.tsv");
    json benchmarks = json::array();
    json paths = json::array();
    json devices;
    add_paths(folder, steps, paths);
    json all = json::array();
    bool failed = false;
    bool missing = false;
    for (step& one : steps) {
        json record{{"name", one.name},       {"kind", one.kind},       {"state", one.state},
                    {"exit", one.exit_code},  {"seconds", one.seconds}, {"limit_s", one.limit_s},
                    {"command", one.command}, {"finding", ""}};
        const bool ran = one.state == "passed" || one.state == "failed";
        try {
            std::string finding;
            if (one.kind == "devices" && ran) {
                devices = read_json(one.log);
                if (found["run"].value("rehearsal", "") != "yes") finding = usable_device(devices);
            }
            if (one.kind == "tests" && ran) finding = add_tests(one, record);
            if (one.kind == "bench" && ran) finding = add_benchmarks(one, benchmarks);
            if (!finding.empty()) one.state = "failed";
            if (one.state == "absent") finding = last_lines(one.log, 1);
            record["finding"] = finding;
        } catch (const std::exception& error) {
            record["finding"] = fmt::format("left no results: {}", error.what());
            one.state = "failed";
        }
        record["state"] = one.state;
        if (one.state == "failed" || one.state == "timed out") record["output"] = last_lines(one.log, lines_kept);
        // Under compute-sanitizer nobody knows beforehand how long a test takes.
        const bool late = one.state == "timed out";
        failed = failed || one.state == "failed" || (late && one.kind != "sanitizer");
        missing = missing || one.state == "absent" || one.state == "not run" || late;
        all.push_back(record);
    }
    add_shares(benchmarks);
    found["verdict"] = failed ? "failed" : missing ? "incomplete" : "passed";
    found["devices"] = devices;
    found["steps"] = all;
    found["benchmarks"] = benchmarks;
    found["paths"] = paths;
    return found;
}

} // namespace proxpath::acceptance
