// proxpath_acceptance: what tests/gpu_acceptance.sh cannot do in a shell.
//
//   proxpath_acceptance data FOLDER full|tiny   writes the problems that whole paths are fitted on
//   proxpath_acceptance report FOLDER BASE      reads what the steps left in FOLDER, writes BASE.json and BASE.md;
//                                               exit code 0: all passed, 1: something failed, 3: something did not run

#include "tests/acceptance/data.hpp"
#include "tests/acceptance/evidence.hpp"
#include "tests/acceptance/report.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void write(const std::string& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

int run(const std::vector<std::string>& words)
{
    using namespace proxpath::acceptance;
    if (words.size() == 3 && words[0] == "data") {
        write_problems(words[1], words[2] == "tiny");
        return 0;
    }
    if (words.size() == 3 && words[0] == "report") {
        const nlohmann::ordered_json found = gather_evidence(words[1]);
        // What programs said may hold any bytes.
        write(words[2] + ".json", found.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
        write(words[2] + ".md", markdown(found));
        return found["verdict"] == "passed" ? 0 : found["verdict"] == "failed" ? 1 : 3;
    }
    throw std::invalid_argument("usage: proxpath_acceptance data FOLDER full|tiny, or report FOLDER BASE");
}

} // namespace

int main(int count, char** words)
{
    try {
        return run({words + 1, words + count});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "proxpath_acceptance: %s\n", error.what());
        return 2;
    }
}
