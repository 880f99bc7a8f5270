// Ranges of columns and the store behind them; see placement.hpp.

#include "host/io/placement.hpp"

#include "host/parallel/parallel_for.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <utility>

namespace proxpath::io {

namespace {

/// Ranges for each thread: more than one, so that uneven windows are shared out.
constexpr int ranges_per_thread = 4;
constexpr int most_ranges = 64;

} // namespace

placement::placement(const read_settings& settings, std::int64_t rows, storage::column_profile&& counted)
    : settings_(settings)
{
    const storage::column_profile profile = std::move(counted); // freed when the store is there
    constexpr std::uint64_t working_bytes_per_column = 21;
    const std::uint64_t bytes = storage::predict_stored_bytes(rows, profile) +
                                working_bytes_per_column * static_cast<std::uint64_t>(profile.size());
    settings.guard.require(settings.source.name(), bytes, "the matrix");
    assembler_ = std::make_unique<storage::matrix_assembler>(rows, profile);
    if (settings.threads <= 1) return; // nobody to wait for

    // Ranges of about as many entries each, and of fewer than 2³² columns.
    std::int64_t total = 0;
    for (const std::int64_t count : profile.counts()) total += count;
    const std::int64_t ranges = std::min(most_ranges, ranges_per_thread * settings.threads);
    const std::int64_t share = parallel::pieces(std::max<std::int64_t>(total, 1), ranges);
    constexpr std::int64_t widest = std::int64_t{1} << 31;
    range_of_.resize(static_cast<std::size_t>(profile.size()));
    std::int64_t held = 0;
    first_of_.push_back(0);
    for (std::int64_t column = 0; column < profile.size(); ++column) {
        const std::int64_t count = profile.counts()[static_cast<std::size_t>(column)];
        const bool full = held > 0 && held + count > share && first_of_.size() < static_cast<std::size_t>(ranges);
        if (full || column - first_of_.back() >= widest) {
            first_of_.push_back(column);
            held = 0;
        }
        held += count;
        range_of_[static_cast<std::size_t>(column)] = static_cast<std::uint8_t>(first_of_.size() - 1);
    }
}

void placement::prepare(std::int64_t slots)
{
    if (settings_.threads <= 1) return;
    const std::size_t had = by_slot_.size();
    if (had >= static_cast<std::size_t>(slots)) return;
    by_slot_.resize(static_cast<std::size_t>(slots));
    for (std::size_t slot = had; slot < by_slot_.size(); ++slot) by_slot_[slot].runs.resize(first_of_.size());
}

placement::sink placement::chunk_sink(std::int64_t slot)
{
    return {*this, settings_.threads <= 1 ? nullptr : &by_slot_[static_cast<std::size_t>(slot)]};
}

void placement::place()
{
    if (settings_.threads <= 1) return;
    parallel::parallel_for(settings_.threads, static_cast<std::int64_t>(first_of_.size()), [&](std::int64_t piece) {
        const auto range = static_cast<std::size_t>(piece);
        for (const sorted_entries& slot : by_slot_) {
            const sorted_entries::run& run = slot.runs[range];
            for (std::size_t b = 0; b < run.blocks.size(); ++b) {
                const entry* const begin = run.blocks[b];
                const entry* const end = b + 1 == run.blocks.size() ? run.at : begin + sorted_entries::block_entries;
                for (const entry* one = begin; one != end; ++one)
                    place_one(first_of_[range] + one->column, one->row, one->value);
            }
        }
    });
    for (sorted_entries& slot : by_slot_) slot.clear();
}

void placement::sorted_entries::open_block(run& into)
{
    if (used == blocks.size()) blocks.push_back(std::make_unique<entry[]>(block_entries));
    entry* const block = blocks[used++].get();
    into.blocks.push_back(block);
    into.at = block;
    into.end = block + block_entries;
}

void placement::sorted_entries::clear()
{
    for (run& one : runs) {
        one.at = one.end = nullptr;
        one.blocks.clear();
    }
    used = 0;
}

matrix placement::finish(const std::function<void(storage::duplicate_entry)>& on_duplicate)
{
    std::vector<sorted_entries>().swap(by_slot_);
    storage::matrix_assembler::outcome outcome = assembler_->finish(settings_.threads);
    if (!outcome.complete) fail_changed(settings_);
    if (outcome.duplicate) on_duplicate(*outcome.duplicate);
    if (!outcome.result) fail_changed(settings_);
    return *std::move(outcome.result);
}

void fail_changed(const read_settings& settings)
{
    throw file_error(settings.source.name(), 0, "the file changed while it was read");
}

duplicate_search::duplicate_search(storage::duplicate_entry wanted, std::int64_t rows)
    : wanted_(wanted), places_(wanted.row >= 0 ? 1 : static_cast<std::size_t>(rows), -1)
{}

bool duplicate_search::repeats(std::int64_t row, std::int64_t column, std::int64_t place)
{
    if (column != wanted_.column || (wanted_.row >= 0 && row != wanted_.row)) return false;
    std::int64_t& seen = places_[wanted_.row >= 0 ? 0 : static_cast<std::size_t>(row)];
    if (seen >= 0) {
        first_place_ = seen;
        return true;
    }
    seen = place;
    return false;
}

} // namespace proxpath::io
