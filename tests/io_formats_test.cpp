// Every format, plain and compressed, for several numbers of threads and with chunks so small that every border is
// crossed, against what SciPy read from the same files (tests/data/io/make_io_fixtures.py).

#include "tests/io_support.hpp"

#include "host/io/settings.hpp"

#include <array>
#include <cstdlib>
#include <optional>

namespace proxpath {
namespace {

using namespace io_test;

constexpr std::array fixture_names{
    "real.mtx",        "integer.mtx",   "pattern.mtx",   "symmetric.mtx", "array.mtx",     "one_based.svm",
    "zero_based.svm",  "untidy.svm",    "query.svm",     "csr.npz",       "csc.npz",       "csr_stored.npz",
    "csr_float32.npz", "csc_int8.npz",  "csr_int64.npz", "csc_bool.npz",  "csr_zeros.npz", "names.csv",
    "plain.csv",       "semicolon.csv", "tab.csv"};

void expect_equal(const data_set& read, const expectation& expected)
{
    EXPECT_EQ(read.X.rows(), expected.rows);
    EXPECT_EQ(read.X.cols(), expected.cols);
    EXPECT_EQ(entries_of(read.X), expected.entries); // bit for bit: == on doubles, and there are no NaNs
    EXPECT_EQ(read.y, expected.y);
}

TEST(IoFormats, EveryFormatIsReadBitForBitAsSciPyReadsIt)
{
    for (const std::string name : fixture_names) {
        SCOPED_TRACE(name);
        const expectation expected = expected_of(fixtures + name);
        ASSERT_GT(expected.entries.size(), 100U);
        for (const int threads : {1, 2, 5}) {
            read_options options;
            options.threads = threads;
            expect_equal(read_data(fixtures + name, options), expected);
        }
    }
}

TEST(IoFormats, EveryFormatIsReadThroughEveryCompression)
{
    const temporary_folder folder;
    for (const std::string name : fixture_names) {
        const expectation expected = expected_of(fixtures + name);
        for (const std::string suffix : {".gz", ".xz", ".zst"}) {
            SCOPED_TRACE(name + suffix);
            compress(folder.file(name + suffix), slurp(fixtures + name));
            expect_equal(read_data(folder.file(name + suffix)), expected);
        }
    }
}

TEST(IoFormats, ChunkBordersAndThreadsDoNotShow)
{
    for (const std::string name : fixture_names) {
        const expectation expected = expected_of(fixtures + name);
        const io::input source = io::input::from_file(fixtures + name);
        for (const std::int64_t bytes : {1, 7, 64, 500})
            for (const int threads : {1, 2, 5}) {
                if (threads > 1 && bytes < 64) continue; // thousands of windows: one thread crosses the same borders
                SCOPED_TRACE(name + ", " + std::to_string(bytes) + " bytes a chunk, " + std::to_string(threads) +
                             " threads");
                read_options options;
                options.threads = threads;
                io::read_sizes sizes;
                sizes.chunk_bytes = bytes;
                sizes.window_bytes = 3 * bytes;
                sizes.window_entries = bytes;
                expect_equal(io::read_design(source, options, sizes), expected);
            }
    }
}

TEST(IoFormats, MemoryIsReadLikeAFile)
{
    for (const std::string name : fixture_names) {
        SCOPED_TRACE(name);
        const std::string bytes = slurp(fixtures + name);
        expect_equal(io::read_design(io::input::from_memory(name, bytes), {}), expected_of(fixtures + name));
    }
}

TEST(IoFormats, IndexBaseIsFoundOrObeyed)
{
    EXPECT_EQ(read_data(fixtures + "zero_based.svm").notes.at(0), "feature indices start at 0: index 0 occurs");
    EXPECT_EQ(read_data(fixtures + "one_based.svm").notes.at(0),
              "feature indices are taken to start at 1: index 0 does not occur");
    read_options options;
    options.index_base = 0;
    const data_set shifted = read_data(fixtures + "one_based.svm", options);
    EXPECT_EQ(shifted.X.cols(), 24);
    EXPECT_TRUE(shifted.notes.empty());
    options.index_base = 1;
    EXPECT_THROW(read_data(fixtures + "zero_based.svm", options), file_error);
    options.index_base = 2;
    EXPECT_THROW(read_data(fixtures + "one_based.svm", options), invalid_input);
}

TEST(IoFormats, NumberOfFeaturesIsObeyed)
{
    read_options options;
    options.features = 40;
    EXPECT_EQ(read_data(fixtures + "one_based.svm", options).X.cols(), 40);
    EXPECT_EQ(read_data(fixtures + "zero_based.svm", options).X.cols(), 40);
    options.features = 23;
    EXPECT_EQ(read_data(fixtures + "zero_based.svm", options).X.cols(), 23);
    options.features = 22;
    for (const std::string name : {"one_based.svm", "zero_based.svm"}) {
        try {
            read_data(fixtures + name, options);
            ADD_FAILURE() << name << " has an index beyond 22 features";
        } catch (const file_error& error) {
            EXPECT_EQ(error.line(), 3); // row 2 holds the only entry of the last column
            EXPECT_NE(std::string(error.what()).find("outside the 22 features"), std::string::npos) << error.what();
        }
    }
}

TEST(IoFormats, CsvResponseIsTakenByNameOrNumber)
{
    const expectation expected = expected_of(fixtures + "names.csv");
    for (const std::string column : {"x4", "5"}) {
        read_options options;
        options.y_column = column;
        const data_set read = read_data(fixtures + "names.csv", options);
        EXPECT_EQ(read.X.cols(), 22);
        ASSERT_EQ(read.feature_names.size(), 22U);
        EXPECT_EQ(read.feature_names[0], "the, first");
        EXPECT_EQ(read.feature_names[4], "x5");
        ASSERT_EQ(read.y.size(), 37U);
        for (const auto& [j, i, value] : expected.entries)
            if (j == 4) {
                EXPECT_EQ(read.y[static_cast<std::size_t>(i)], value);
            }
    }
    for (const std::string column : {"x99", "0", "24", "-1", "1.5"}) {
        read_options options;
        options.y_column = column;
        EXPECT_THROW(read_data(fixtures + "names.csv", options), invalid_input) << column;
    }
}

TEST(IoFormats, ProgressRisesToTheEndAndCanStop)
{
    for (const std::string name : {"real.mtx", "one_based.svm", "zero_based.svm", "csr.npz", "names.csv"}) {
        SCOPED_TRACE(name);
        const io::input source = io::input::from_file(fixtures + name);
        io::read_sizes sizes;
        sizes.window_bytes = 256;
        sizes.chunk_bytes = 64;
        sizes.window_entries = 50;
        double last = 0;
        int calls = 0;
        read_options options;
        options.on_progress = [&](const progress& now) {
            EXPECT_EQ(now.now, phase::reading);
            EXPECT_GE(now.fraction, last);
            EXPECT_LE(now.fraction, 1.0);
            last = now.fraction;
            ++calls;
            return true;
        };
        io::read_design(source, options, sizes);
        EXPECT_GT(calls, 4);
        EXPECT_GT(last, 0.9);
        options.on_progress = [&](const progress&) { return --calls > 2; };
        EXPECT_THROW(io::read_design(source, options, sizes), cancelled);
        EXPECT_EQ(io::read_design(source, {}, sizes).X.rows(), 37); // and the library goes on
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool slow_build = true;
#else
constexpr bool slow_build = false;
#endif

TEST(IoFormats, RealFilesHaveTheirShapes)
{
    const char* const folder = std::getenv("PROXPATH_DATA");
    struct known {
        const char* name;
        std::int64_t rows, cols, nonzeros;
    };
    // Rows, columns and non-zeros as the data sets' list gives them.
    for (const known& file : {known{"a9a.svm.gz", 32561, 123, 451592}, known{"abalone_scale.svm", 4176, 8, 32072},
                              known{"rank_train.svm.gz", 3005, 300, 284736}, known{"ames.mtx.gz", 2930, 378, 196653},
                              known{"arcene.mtx.xz", 100, 10000, 540941}, known{"wheat.mtx.xz", 599, 1279, 429533},
                              known{"hitters.csv", 263, 20, 4796}, known{"diabetes64.csv.gz", 442, 65, 28730},
                              known{"debian_counts.mtx.xz", 63540, 26220, 2579134}}) {
        const std::string path = std::string(folder != nullptr ? folder : "") + "/" + file.name;
        if (folder == nullptr || !std::filesystem::exists(path)) continue;
        if (slow_build && file.nonzeros > 1000000) continue; // half a minute under ThreadSanitizer
        SCOPED_TRACE(path);
        std::optional<std::uint64_t> checksum;
        for (const int threads : {1, 2, 5}) {
            read_options options;
            options.threads = threads;
            const data_set read = read_data(path, options);
            EXPECT_EQ(read.X.rows(), file.rows);
            EXPECT_EQ(read.X.cols(), file.cols);
            EXPECT_EQ(read.X.nonzeros(), file.nonzeros);
            EXPECT_EQ(read.X.checksum(), checksum.value_or(read.X.checksum()));
            checksum = read.X.checksum();
        }
    }
}

} // namespace
} // namespace proxpath
