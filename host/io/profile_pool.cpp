// Lending profiles to threads; see profile_pool.hpp.

#include "host/io/profile_pool.hpp"

#include <algorithm>
#include <utility>

namespace proxpath::io {

namespace {

/// Bytes of a count and a kind.
constexpr std::int64_t count_bytes_per_column = 9;

/// All profiles but the first together stay below this.
constexpr std::int64_t profiles_bytes = std::int64_t{4} << 20;

} // namespace

profile_pool::profile_pool(int threads, std::int64_t columns) : threads_(threads), columns_(columns), widest_(columns)
{}

int profile_pool::allowed() const
{
    const std::int64_t bytes = std::max<std::int64_t>(1, widest_ * count_bytes_per_column);
    return static_cast<int>(std::clamp<std::int64_t>(1 + profiles_bytes / bytes, 1, threads_));
}

profile_pool::owned_profile profile_pool::take()
{
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !free_.empty() || made_ < allowed(); });
    if (free_.empty()) {
        auto profile = std::make_unique<storage::column_profile>();
        profile->grow(columns_);
        ++made_;
        return profile;
    }
    owned_profile profile = std::move(free_.back());
    free_.pop_back();
    return profile;
}

void profile_pool::give_back(owned_profile profile)
{
    for (;;) {
        owned_profile other;
        {
            const std::lock_guard lock(mutex_);
            widest_ = std::max(widest_, profile->size());
            if (made_ <= allowed() || free_.empty()) {
                free_.push_back(std::move(profile));
                returned_.notify_one();
                return;
            }
            // Columns grew in number: there are more profiles than may be.
            other = std::move(free_.back());
            free_.pop_back();
            --made_;
        }
        try {
            profile->merge(*other);
        } catch (...) { // out of memory; whoever waits for this profile must not wait for ever
            const std::lock_guard lock(mutex_);
            --made_;
            returned_.notify_one();
            throw;
        }
    }
}

void profile_pool::add(std::span<const counted_entry> entries)
{
    if (entries.empty()) return;
    owned_profile profile = take();
    try {
        for (const counted_entry& entry : entries)
            if (entry.value != 0) profile->add(entry.column, entry.value);
    } catch (...) {
        give_back(std::move(profile)); // others may be waiting for it
        throw;
    }
    give_back(std::move(profile));
}

storage::column_profile profile_pool::merged()
{
    storage::column_profile result;
    for (std::size_t i = 0; i < free_.size(); ++i) {
        if (i == 0)
            result = std::move(*free_[i]);
        else
            result.merge(*free_[i]);
        free_[i].reset();
    }
    free_.clear();
    result.grow(columns_);
    return result;
}

} // namespace proxpath::io
