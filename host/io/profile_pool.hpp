// Column profiles for several threads. With few columns every thread has its own and nothing is waited for; with very
// many columns the threads share fewer of them, so that counters never outweigh the matrix. Counts and kinds do not
// depend on who counted what.
#pragma once

#include "host/matrix/assembler.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace proxpath::io {

struct counted_entry {
    std::int64_t column;
    double value;
};

class profile_pool {
public:
    /// @param columns made room for at once; 0 = columns appear as they come
    profile_pool(int threads, std::int64_t columns);

    /// Counts entries; any thread. Zeros are left out.
    void add(std::span<const counted_entry> entries);

    /// Everything counted. Call once, after the last add.
    storage::column_profile merged();

private:
    using owned_profile = std::unique_ptr<storage::column_profile>;
    owned_profile take();
    void give_back(owned_profile profile);
    int allowed() const;

    int threads_;
    std::int64_t columns_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<owned_profile> free_;
    int made_ = 0;
    std::int64_t widest_ = 0;
};

/// Collects entries of one chunk and hands them to the pool in batches.
class counting_sink {
public:
    explicit counting_sink(profile_pool& pool) : pool_(pool) { batch_.reserve(batch_entries); }
    void put(std::int64_t column, double value)
    {
        batch_.push_back({column, value});
        if (batch_.size() == batch_entries) flush();
    }
    /// Call at the end of the chunk.
    void flush()
    {
        pool_.add(batch_);
        batch_.clear();
    }

private:
    static constexpr std::size_t batch_entries = 1024; // 16 kB: stays in the first-level cache
    profile_pool& pool_;
    std::vector<counted_entry> batch_;
};

} // namespace proxpath::io
