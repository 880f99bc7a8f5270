// Runs a fuzz target without libFuzzer: replays a corpus, then mutates it at random for a while. It knows nothing of
// coverage, but needs no clang, so that every change can be fuzzed for some seconds with any compiler's sanitizers.
//
//     svmlight_fuzz [--seconds S] [--seed N] FILE-OR-FOLDER …
//
// Before every input its bytes are kept in memory; when the target crashes, they are written to crash-<target>.bin in
// the current folder, to be given back as an argument.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_set_death_callback(void (*callback)());
#endif

namespace {

using bytes = std::vector<std::uint8_t>;

const bytes* current_input = nullptr;
char crash_name[256] = "crash.bin";

/// Called by signal handlers and sanitizers: only system calls.
void save_input()
{
    if (current_input == nullptr) return;
    const int file = ::open(crash_name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return;
    const ssize_t written = ::write(file, current_input->data(), current_input->size());
    (void)written;
    ::close(file);
    current_input = nullptr;
}

void on_signal(int number)
{
    save_input();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void run(const bytes& input)
{
    current_input = &input;
    LLVMFuzzerTestOneInput(input.data(), input.size());
    current_input = nullptr;
}

bytes load(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Tokens that matter to one reader or another.
constexpr std::string_view words[] = {"%%MatrixMarket matrix coordinate real general\n",
                                      "symmetric",
                                      "pattern",
                                      "array",
                                      "integer",
                                      "nan",
                                      "inf",
                                      "1e400",
                                      "-1",
                                      "0",
                                      "1",
                                      "4294967296",
                                      "9007199254740993",
                                      "99999999999999999999",
                                      ":",
                                      " 1:1",
                                      "qid:3",
                                      "#",
                                      "\"",
                                      ",",
                                      ";",
                                      "\t",
                                      "\r\n",
                                      "\n",
                                      "\n\n",
                                      ".",
                                      "e",
                                      "+",
                                      "-",
                                      "csr",
                                      "csc",
                                      "'shape': (",
                                      "'<i8'",
                                      "'<f4'",
                                      "'|b1'"};

class mutator {
public:
    mutator(std::uint64_t seed, const std::vector<bytes>& corpus) : random_(seed), corpus_(corpus) {}

    bytes next()
    {
        bytes input = corpus_[pick(corpus_.size())];
        const std::size_t steps = 1 + pick(6);
        for (std::size_t step = 0; step < steps; ++step) change(input);
        if (input.size() > 200000) input.resize(200000);
        return input;
    }

private:
    std::size_t pick(std::size_t below) { return below == 0 ? 0 : static_cast<std::size_t>(random_() % below); }

    template <class Source>
    void insert(bytes& input, const Source& source)
    {
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(pick(input.size() + 1)), source.begin(), source.end());
    }

    void change(bytes& input)
    {
        const std::size_t at = pick(input.size());
        const auto offset = static_cast<std::ptrdiff_t>(at);
        switch (pick(9)) {
        case 0: // one bit
            if (!input.empty()) input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << pick(8)));
            break;
        case 1: // one byte
            if (!input.empty()) input[at] = static_cast<std::uint8_t>(random_());
            break;
        case 2: // a digit for a digit
            for (std::size_t i = at; i < input.size(); ++i)
                if (input[i] >= '0' && input[i] <= '9') {
                    input[i] = static_cast<std::uint8_t>('0' + pick(10));
                    break;
                }
            break;
        case 3: // a word
            insert(input, words[pick(std::size(words))]);
            break;
        case 4: // cut off
            if (pick(4) == 0) input.resize(at);
            break;
        case 5: // leave out
            if (!input.empty())
                input.erase(input.begin() + offset,
                            input.begin() + offset +
                                static_cast<std::ptrdiff_t>(pick(std::min<std::size_t>(input.size() - at, 40))));
            break;
        case 6: { // repeat a piece elsewhere
            const bytes piece(input.begin() + offset,
                              input.begin() + offset +
                                  static_cast<std::ptrdiff_t>(pick(std::min<std::size_t>(input.size() - at, 100))));
            insert(input, piece);
            break;
        }
        case 7: { // a piece of another file
            const bytes& other = corpus_[pick(corpus_.size())];
            const std::size_t from = pick(other.size());
            const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
            const bytes piece(
                begin, begin + static_cast<std::ptrdiff_t>(pick(std::min<std::size_t>(other.size() - from, 200))));
            insert(input, piece);
            break;
        }
        default: // a number of several bytes
            for (std::size_t i = at; i < std::min(input.size(), at + 8); ++i)
                input[i] = pick(2) == 0 ? std::uint8_t{0xff} : std::uint8_t{0};
            break;
        }
    }

    std::mt19937_64 random_;
    const std::vector<bytes>& corpus_;
};

} // namespace

int main(int count, char** arguments)
{
    double seconds = 0;
    std::uint64_t seed = 1;
    std::vector<bytes> corpus;
    const std::string target = std::filesystem::path(arguments[0]).filename().string();
    std::snprintf(crash_name, sizeof crash_name, "crash-%s.bin", target.c_str());
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--seconds" && i + 1 < count) {
            seconds = std::atof(arguments[++i]);
        } else if (argument == "--seed" && i + 1 < count) {
            seed = std::strtoull(arguments[++i], nullptr, 10);
        } else if (std::filesystem::is_directory(argument)) {
            std::vector<std::filesystem::path> files;
            for (const auto& entry : std::filesystem::directory_iterator(argument))
                if (entry.is_regular_file()) files.push_back(entry.path());
            std::sort(files.begin(), files.end()); // the same order everywhere
            for (const auto& file : files) corpus.push_back(load(file));
        } else if (std::filesystem::is_regular_file(argument)) {
            corpus.push_back(load(argument));
        } else {
            std::fprintf(stderr, "%s: no such file, folder or option: %s\n", target.c_str(), arguments[i]);
            return 2;
        }
    }
    if (corpus.empty()) corpus.emplace_back();
#if defined(__SANITIZE_ADDRESS__)
    __asan_set_death_callback(save_input);
#endif
    std::signal(SIGABRT, on_signal);

    // As it lies (so that a saved crash is replayed exactly), then behind a byte that chooses the sizes.
    for (bytes& input : corpus) {
        run(input);
        input.insert(input.begin(), std::uint8_t{60});
        run(input);
    }
    mutator change(seed, corpus);
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t runs = 0;
    while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < seconds) {
        const bytes input = change.next();
        run(input);
        ++runs;
    }
    std::printf("%s: %zu files, %llu mutations, no finding\n", target.c_str(), corpus.size(),
                static_cast<unsigned long long>(runs));
    return 0;
}
