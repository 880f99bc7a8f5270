// Generators with fixed seeds. Only the raw bits of the standard's generator are used: its distributions differ from
// library to library.

#include "bench/subjects.hpp"

#include "host/matrix/assembler.hpp"

#include <proxpath/io.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>

namespace proxpath::bench {

namespace {

class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : bits_(seed) {}
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
    std::int64_t below(std::int64_t limit) { return static_cast<std::int64_t>(uniform() * static_cast<double>(limit)); }

private:
    std::mt19937_64 bits_;
};

struct column {
    std::vector<std::int64_t> rows; ///< ascending
    std::vector<double> values;
};

/// As the readers do it: counted, then placed, in the narrowest types.
matrix assemble(std::int64_t n, const std::vector<column>& columns)
{
    storage::column_profile profile;
    profile.grow(static_cast<std::int64_t>(columns.size()));
    for (std::size_t j = 0; j < columns.size(); ++j)
        for (const double value : columns[j].values) profile.add(static_cast<std::int64_t>(j), value);
    storage::matrix_assembler assembler(n, profile);
    for (std::size_t j = 0; j < columns.size(); ++j)
        for (std::size_t i = 0; i < columns[j].rows.size(); ++i)
            if (!assembler.put_alone(static_cast<std::int64_t>(j), columns[j].rows[i], columns[j].values[i]))
                throw std::logic_error("a generated entry has no place");
    auto outcome = assembler.finish(1);
    if (!outcome.result) throw std::logic_error("a generated matrix is not whole");
    return *std::move(outcome.result);
}

/// About `wanted` rows of n, each at most once.
std::vector<std::int64_t> some_rows(std::int64_t n, double wanted, random_numbers& random)
{
    std::vector<std::int64_t> rows;
    // Gaps between entries that are stored with probability wanted / n each.
    const double log_missing = std::log1p(-std::min(wanted / static_cast<double>(n), 0.999));
    for (double row = -1;;) {
        row += 1 + std::floor(std::log(1 - random.uniform()) / log_missing);
        if (row >= static_cast<double>(n)) return rows;
        rows.push_back(static_cast<std::int64_t>(row));
    }
}

matrix make_text()
{
    constexpr std::int64_t n = 40'000;
    constexpr std::int64_t p = 30'000;
    constexpr double entries = 2'400'000;
    random_numbers random(1);
    std::vector<double> popularity(p);
    double total = 0;
    for (std::int64_t j = 0; j < p; ++j)
        total += popularity[static_cast<std::size_t>(j)] = 1 / static_cast<double>(j + 10);
    for (std::int64_t j = p - 1; j > 0; --j) // popular words are anywhere in the vocabulary
        std::swap(popularity[static_cast<std::size_t>(j)], popularity[static_cast<std::size_t>(random.below(j + 1))]);
    std::vector<column> columns(p);
    for (std::size_t j = 0; j < columns.size(); ++j) {
        columns[j].rows = some_rows(n, entries * popularity[j] / total, random);
        for (std::size_t i = 0; i < columns[j].rows.size(); ++i)
            columns[j].values.push_back(1 + std::floor(-std::log(1 - random.uniform())));
    }
    return assemble(n, columns);
}

matrix make_genotypes()
{
    constexpr std::int64_t n = 1'000;
    constexpr std::int64_t p = 8'000;
    random_numbers random(2);
    std::vector<column> columns(p);
    for (column& one : columns) {
        const double frequency = 0.2 + 0.3 * random.uniform();
        for (std::int64_t i = 0; i < n; ++i) {
            const int count = (random.uniform() < frequency ? 1 : 0) + (random.uniform() < frequency ? 1 : 0);
            if (count == 0) continue;
            one.rows.push_back(i);
            one.values.push_back(count);
        }
    }
    return assemble(n, columns);
}

matrix make_reals()
{
    constexpr std::int64_t n = 100'000;
    constexpr std::int64_t p = 2'000;
    random_numbers random(3);
    std::vector<column> columns(p);
    for (column& one : columns) {
        one.rows = some_rows(n, 1'500, random);
        for (std::size_t i = 0; i < one.rows.size(); ++i) one.values.push_back(2 * random.uniform() - 1);
    }
    return assemble(n, columns);
}

matrix make_dense()
{
    constexpr std::int64_t n = 20'000;
    constexpr std::int64_t p = 100;
    random_numbers random(4);
    std::vector<column> columns(p);
    for (column& one : columns)
        for (std::int64_t i = 0; i < n; ++i) {
            one.rows.push_back(i);
            one.values.push_back(std::floor(1 + 999'998 * random.uniform()) / 1000);
        }
    return assemble(n, columns);
}

subject generated(std::string name, matrix (*make)())
{
    const auto kept = std::make_shared<std::optional<matrix>>();
    return {std::move(name),
            [kept, make]() -> const matrix& {
                if (!*kept) *kept = make();
                return **kept;
            },
            {}};
}

subject from_file(std::string name, const std::string& path)
{
    const auto kept = std::make_shared<std::optional<matrix>>();
    return {std::move(name),
            [kept, path]() -> const matrix& {
                if (!*kept) *kept = read_data(path).X;
                return **kept;
            },
            path};
}

} // namespace

const std::vector<subject>& subjects()
{
    static const std::vector<subject> all = [] {
        std::vector<subject> list{generated("text", make_text), generated("genotypes", make_genotypes),
                                  generated("reals", make_reals)};
        const char* const folder = std::getenv("PROXPATH_DATA");
        for (const char* name : {"debian_counts", "hapmap3"}) {
            if (folder == nullptr) continue;
            const std::string path = std::string(folder) + '/' + name + ".mtx.xz";
            if (std::filesystem::exists(path)) list.push_back(from_file(name, path));
        }
        return list;
    }();
    return all;
}

const matrix& dense_subject()
{
    static const matrix X = make_dense();
    return X;
}

double entry_bytes(const matrix& X)
{
    double bytes = 0;
    for (const storage::column_block& block : X.store().blocks)
        bytes += static_cast<double>(block.nonzeros()) *
                 static_cast<double>(storage::index_bytes(block.indices_are) + storage::value_bytes(block.values_are));
    return bytes;
}

} // namespace proxpath::bench
