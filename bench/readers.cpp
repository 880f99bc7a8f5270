// From a file in the page cache to the matrix. Bytes are those of the file, which is gone through twice.

#include "bench/files.hpp"
#include "bench/support.hpp"

#include "host/matrix/column_store.hpp"

#include <proxpath/io.hpp>

#include <filesystem>
#include <functional>

namespace proxpath::bench {

namespace {

struct entry {
    std::int64_t row;
    std::int64_t column;
    double value;
    bool operator==(const entry&) const = default;
};

std::vector<entry> entries_of(const matrix& X)
{
    std::vector<entry> entries;
    entries.reserve(static_cast<std::size_t>(X.nonzeros()));
    for (const storage::column_block& block : X.store().blocks)
        storage::visit_block(block, [&](auto indices, auto values) {
            for (std::int64_t c = 0; c < block.count; ++c) {
                const auto rows = indices.column(block.offsets[c]);
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i)
                    entries.push_back(
                        {static_cast<std::int64_t>(rows[i]), block.first + c, static_cast<double>(values[i])});
            }
        });
    return entries;
}

struct job {
    std::string path;
    read_options options;
    bool right = false;
};

/// @param write makes the file; empty when it is there
job make_job(const matrix& X, const std::string& path, int threads,
             const std::function<void(const std::string&)>& write)
{
    job made;
    made.path = path;
    made.options.threads = threads;
    made.options.features = path.ends_with(".svm") ? std::optional(X.cols()) : std::nullopt;
    if (write && !std::filesystem::exists(path)) write(path);
    const matrix read = read_data(path, made.options).X; // and the file is in the page cache
    made.right = read.rows() == X.rows() && read.cols() == X.cols() && entries_of(read) == entries_of(X);
    return made;
}

void add_one(const std::string& subject_name, const std::string& suffix, std::function<const matrix&()> get,
             const std::string& path, int threads, std::function<void(const std::string&, const matrix&)> write)
{
    add("read/" + subject_name + suffix + "/threads:" + std::to_string(threads),
        [=](benchmark::State& state, const std::string& name) {
            const std::string file = path.empty() ? scratch_folder() + '/' + subject_name + suffix : path;
            job& work = job_for<job>(
                name, [&] { return make_job(get(), file, threads, [&](const std::string& to) { write(to, get()); }); });
            if (!work.right) return state.SkipWithError(wrong_answer);
            for (auto _ : state) benchmark::DoNotOptimize(read_data(work.path, work.options));
            report(state, file_bytes(work.path), threads);
        });
}

void write_svm(const std::string& path, const matrix& X)
{
    std::vector<double> y;
    for (std::int64_t i = 0; i < X.rows(); ++i) y.push_back(0.25 * static_cast<double>(i % 1000));
    write_svmlight(path, X, y);
}

} // namespace

void add_readers()
{
    for (const subject& on : subjects()) {
        add_one(on.name, ".mtx", on.get, {}, all_threads(), write_matrix_market);
        add_one(on.name, ".svm", on.get, {}, all_threads(), write_svm);
        add_one(on.name, ".npz", on.get, {}, all_threads(), write_npz);
        if (all_threads() > 1) {
            add_one(on.name, ".mtx", on.get, {}, 1, write_matrix_market);
            add_one(on.name, ".svm", on.get, {}, 1, write_svm);
        }
        if (!on.path.empty()) add_one(on.name, ".mtx.xz", on.get, on.path, all_threads(), {});
    }
    add_one(
        "dense", ".csv", [&]() -> const matrix& { return dense_subject(); }, {}, all_threads(), write_csv);
}

} // namespace proxpath::bench
