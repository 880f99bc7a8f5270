// The public matrix: shape, size and checksum of a column_store.

#include <proxpath/matrix.hpp>

#include "host/matrix/column_store.hpp"
#include "host/parallel/parallel_for.hpp"

#include <vector>

#include <xxhash.h>

namespace proxpath {

matrix::matrix() : store_(std::make_shared<storage::column_store>()) {}

std::int64_t matrix::rows() const noexcept { return store_->n; }
std::int64_t matrix::cols() const noexcept { return store_->p; }
std::int64_t matrix::nonzeros() const noexcept { return store_->nonzeros; }
std::uint64_t matrix::stored_bytes() const noexcept { return store_->stored_bytes; }

std::uint64_t matrix::checksum(int threads) const
{
    // Groups of columns are hashed by themselves, then the hashes: neither blocks nor threads show in the result.
    constexpr std::int64_t group_columns = 1024;
    const storage::column_store& store = *store_;
    const std::int64_t groups = parallel::pieces(store.p, group_columns);
    std::vector<std::uint64_t> digests(static_cast<std::size_t>(groups) + 3);
    parallel::parallel_for(parallel::resolve_threads(threads), groups, [&](std::int64_t group) {
        XXH3_state_t state;
        XXH3_64bits_reset(&state);
        struct entry {
            std::uint64_t row;
            double value;
        };
        std::vector<entry> buffer;
        const std::int64_t end = std::min(store.p, (group + 1) * group_columns);
        for (std::int64_t j = group * group_columns; j < end; ++j) {
            const storage::column_block& block = storage::block_of(store, j);
            storage::visit_block(block, [&](auto indices, auto values) {
                const std::int64_t c = j - block.first;
                const auto rows = indices.column(block.offsets[c]);
                buffer.clear();
                for (std::int64_t i = block.offsets[c]; i < block.offsets[c + 1]; ++i) {
                    const auto value = static_cast<double>(values[i]);
                    if (value != 0) buffer.push_back({static_cast<std::uint64_t>(rows[i]), value});
                }
            });
            const std::uint64_t count = buffer.size();
            XXH3_64bits_update(&state, &count, sizeof count);
            XXH3_64bits_update(&state, buffer.data(), buffer.size() * sizeof(entry));
        }
        digests[static_cast<std::size_t>(group)] = XXH3_64bits_digest(&state);
    });
    digests[static_cast<std::size_t>(groups)] = static_cast<std::uint64_t>(store.n);
    digests[static_cast<std::size_t>(groups) + 1] = static_cast<std::uint64_t>(store.p);
    return XXH3_64bits(digests.data(), digests.size() * sizeof(std::uint64_t));
}

} // namespace proxpath
