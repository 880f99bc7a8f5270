// Memory and consistency checks around the assembler; see assembly.hpp.

#include "host/io/assembly.hpp"

#include <proxpath/errors.hpp>

#include <utility>

namespace proxpath::io {

std::unique_ptr<storage::matrix_assembler> begin_assembly(const read_settings& settings, std::int64_t rows,
                                                          storage::column_profile profile)
{
    constexpr std::uint64_t assembler_bytes_per_column = 20;
    const std::uint64_t bytes = storage::predict_stored_bytes(rows, profile) +
                                assembler_bytes_per_column * static_cast<std::uint64_t>(profile.size());
    settings.guard.require(settings.source.name(), bytes, "the matrix");
    return std::make_unique<storage::matrix_assembler>(rows, profile);
}

matrix finish_assembly(const read_settings& settings, storage::matrix_assembler& assembler,
                       const std::function<void(storage::duplicate_entry)>& on_duplicate)
{
    storage::matrix_assembler::outcome outcome = assembler.finish(settings.threads);
    if (!outcome.complete) fail_changed(settings);
    if (outcome.duplicate) on_duplicate(*outcome.duplicate);
    if (!outcome.result) fail_changed(settings);
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
