// The full pass of an outer round on the device: which features are looked at, X̃'R of these in tiles, and of each tile
// its part in the certificate, violators and saved correlations. As on the CPU, most features need only one column of
// R: with that one and what was known before, the others are bounded to where they add nothing.
//
// Sums are those of the features in use plus those of all others, each in the order of kernels/gap_sums.cuh. Memory
// beside X and the panels: about 110 bytes for each feature, 8 MiB of correlations or less and, for each feature that
// was looked at in full, a bit for each fit.

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_penalty.hpp"

#include "kernels/correlation_pass.hpp"
#include "kernels/gap_numbers.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace proxpath::backend {

namespace {

constexpr std::int64_t tile_columns = 32;

/// What a tile of correlations may hold: a piece of features with a tile of columns at least. Where it is as large as
/// the memory plan would have it there is a piece of gap sums for each of some 130 multiprocessors.
struct tile_limits {
    std::int64_t numbers;
    std::int64_t columns; ///< those of a pass, or whole tiles of them

    /// @param resident X is: read again for each tile of columns, whose rows of R the second-level cache holds
    tile_limits(const device_memory_plan& memory, std::int64_t k, bool resident)
        : numbers(std::max(static_cast<std::int64_t>(memory.tile / sizeof(double)),
                           kernels::select_piece * std::min(k, tile_columns))),
          columns(std::min(k, tile_columns))
    {
        if (!resident)
            columns = std::min(k, std::max(columns, numbers / kernels::select_piece / tile_columns * tile_columns));
    }
};

/// Chosen features on the device; where they are, on the host too.
class chosen_features {
public:
    chosen_features(std::int64_t p, std::int64_t most_short, std::int64_t most_long, const device_session& session)
        : p_(p), pieces_((p + kernels::select_piece - 1) / kernels::select_piece),
          bits_(session.buffer<std::uint32_t>((p + 31) / 32)), before_(session.buffer<std::int64_t>((p + 31) / 32)),
          starts_(session.buffer<std::int64_t>(2 * (pieces_ + 1))),
          short_ids_(session.buffer<std::int64_t>(most_short)), long_ids_(session.buffer<std::int64_t>(most_long)),
          host_starts_(static_cast<std::size_t>(starts_.size()))
    {}

    /// Waits.
    void select(const device_buffer<std::uint8_t>& kind, device_session& session)
    {
        host_ids_.clear();
        kernels::select(kind.data(), p_,
                        {bits_.data(), before_.data(), starts_.data(), short_ids_.data(), long_ids_.data()},
                        session.stream());
        session.download(starts_, std::span(host_starts_));
    }

    kernels::chosen_view view() const { return {bits_.data(), before_.data()}; }
    const device_buffer<std::int64_t>& short_ids() const { return short_ids_; }
    std::int64_t count() const { return before(pieces_); }

    /// The features of a tile in host memory, ascending. Waits when first called.
    std::vector<std::int64_t> ids_of(const kernels::feature_tile& tile, device_session& session)
    {
        if (host_ids_.empty()) {
            host_ids_.resize(static_cast<std::size_t>(count()));
            session.download(short_ids_, std::span(host_ids_).first(short_total()));
            session.download(long_ids_, std::span(host_ids_).subspan(short_total()));
        }
        const auto part = [](std::span<const std::int64_t> ids, std::int64_t first, std::int64_t length) {
            return ids.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length));
        };
        const auto shorts = part(host_ids_, tile.short_ids - short_ids_.data(), tile.short_count);
        const auto longs = part(std::span<const std::int64_t>(host_ids_).subspan(short_total()),
                                tile.long_ids - long_ids_.data(), tile.long_count);
        std::vector<std::int64_t> ids(shorts.size() + longs.size());
        std::merge(shorts.begin(), shorts.end(), longs.begin(), longs.end(), ids.begin());
        return ids;
    }

    kernels::feature_tile all() const { return pieces(0, pieces_); }

    /// Calls f(feature_tile) for tiles that hold all features and at most so many chosen ones each, or one piece.
    template <class F>
    void for_each_tile(std::int64_t most, const F& f) const
    {
        for (std::int64_t first = 0; first < pieces_;) {
            std::int64_t end = first + 1;
            while (end < pieces_ && before(end + 1) - before(first) <= most) ++end;
            f(pieces(first, end));
            first = end;
        }
    }

private:
    /// @param kind 0 short, 1 long
    std::int64_t start(std::int64_t piece, std::int64_t kind) const
    {
        return host_starts_[static_cast<std::size_t>(2 * piece + kind)];
    }
    std::int64_t before(std::int64_t piece) const { return start(piece, 0) + start(piece, 1); }
    std::size_t short_total() const { return static_cast<std::size_t>(start(pieces_, 0)); }

    kernels::feature_tile pieces(std::int64_t first, std::int64_t end) const
    {
        return {.first = first * kernels::select_piece,
                .end = std::min(p_, end * kernels::select_piece),
                .chosen = view(),
                .before = before(first),
                .short_ids = short_ids_.data() + start(first, 0),
                .short_count = start(end, 0) - start(first, 0),
                .long_ids = long_ids_.data() + start(first, 1),
                .long_count = start(end, 1) - start(first, 1)};
    }

    std::int64_t p_;
    std::int64_t pieces_;
    device_buffer<std::uint32_t> bits_;
    device_buffer<std::int64_t> before_;
    device_buffer<std::int64_t> starts_;
    device_buffer<std::int64_t> short_ids_;
    device_buffer<std::int64_t> long_ids_;
    std::vector<std::int64_t> host_starts_;
    std::vector<std::int64_t> host_ids_; ///< short ones, then long ones; empty until they are asked for
};

/// Which fits a feature leaves zero in, as the device notes it.
class violator_notes {
public:
    violator_notes(std::int64_t p, std::int64_t k, std::int64_t looked_at, device_session& session)
        : session_(session), p_(p), looked_at_(looked_at), tiles_((k + tile_columns - 1) / tile_columns),
          bits_(session.buffer<std::uint32_t>(looked_at * tiles_)), leaves_(session.buffer<std::uint8_t>(p))
    {
        session.runtime().clear(leaves_.data(), leaves_.bytes(), session.stream());
    }

    std::uint32_t* bits_of_tile(std::int64_t tile) const { return bits_.data() + tile * looked_at_; }
    std::uint8_t* leaves() const { return leaves_.data(); }

    /// Waits. @param violators k lists, which get theirs in ascending order
    void collect(const chosen_features& looked_at, std::vector<std::vector<std::int64_t>>& violators) const
    {
        chosen_features found(p_, looked_at_, 0, session_);
        found.select(leaves_, session_);
        if (found.count() == 0) return;
        const auto words = session_.buffer<std::uint32_t>(found.count() * tiles_);
        kernels::violator_bits(found.short_ids().data(), found.count(), tiles_, looked_at.view(), bits_.data(),
                               looked_at_, words.data(), session_.stream());
        std::vector<std::int64_t> ids(static_cast<std::size_t>(found.count()));
        std::vector<std::uint32_t> host_words(static_cast<std::size_t>(words.size()));
        session_.download(words, std::span(host_words));
        session_.download(found.short_ids(), std::span(ids));
        const auto tiles = static_cast<std::size_t>(tiles_);
        for (std::size_t w = 0; w < host_words.size(); ++w)
            for (std::uint32_t left = host_words[w]; left != 0; left &= left - 1)
                violators[w % tiles * tile_columns + static_cast<std::size_t>(std::countr_zero(left))].push_back(
                    ids[w / tiles]);
    }

private:
    device_session& session_;
    std::int64_t p_;
    std::int64_t looked_at_;
    std::int64_t tiles_;
    device_buffer<std::uint32_t> bits_;
    device_buffer<std::uint8_t> leaves_;
};

/// One pass. T is the type of the panels, V that of the stored values.
template <class T, class V>
class correlation_work {
public:
    /// @param X without entries where they are not resident
    correlation_work(const correlation_request<T>& request, const device_design& design,
                     const kernels::design_view<V>& X, device_session& session)
        : request_(request), design_(design), X_(X), session_(session), k_(request.weighted_residual->cols),
          tile_(session.memory(), k_, design.is_resident()), saves_(request.save_column >= 0),
          bounds_(!request.bound.from.empty() && (k_ > 1 || !saves_)), skip_(session.upload(request.skip)),
          position_(session.upload(request.position)), penalty_(request.penalty, session),
          lambda_(session.upload(request.lambda)), sums_of_R_(session.buffer<double>(X.centered ? k_ : 0)),
          saved_(session.buffer<double>(saves_ ? X.p : 0)), in_use_(session.buffer<std::uint8_t>(bounds_ ? X.p : 0)),
          others_(session.buffer<std::uint8_t>(X.p)), sums_(session.buffer<double>(2 * kernels::gap_numbers * k_ + 2)),
          pieces_(session.buffer<double>(pieces_numbers() * ((tile_.columns + tile_columns - 1) / tile_columns)))
    {}

    correlation_result run(std::span<double> saved)
    {
        sum_residuals();
        kernels::choose_features(X_.p, X_.columns.offsets, skip_.data(), position_.data(),
                                 readable(*request_.coefficients), in_use_.data(), others_.data(), stream());
        chosen_features looked_at = none();
        if (bounds_) {
            look_at_used();
            choose_beyond_bound(looked_at);
        } else {
            count_entries(others_, 1);
            looked_at.select(others_, session_);
        }
        const violator_notes notes(X_.p, k_, looked_at.count(), session_);
        take(looked_at, &notes, sums_.data() + kernels::gap_numbers * k_);
        correlation_result result = read_sums();
        result.violators.resize(static_cast<std::size_t>(k_));
        notes.collect(looked_at, result.violators);
        if (!saved.empty() && saves_) read_saved(saved);
        return result;
    }

private:
    stream_view stream() const { return session_.stream(); }
    chosen_features none() const { return {X_.p, X_.columns.short_count, X_.columns.long_count, session_}; }
    device_buffer<double> scratch(std::int64_t rows, std::int64_t sums) const
    {
        return session_.buffer<double>(kernels::scratch_numbers(rows, sums));
    }

    void sum_residuals()
    {
        if (!X_.centered) return;
        const panel<T>& R = *request_.weighted_residual;
        const auto work = scratch(R.rows, k_);
        kernels::column_sums(readable(R), sums_of_R_.data(), work.data(), stream());
    }
    /// Sums of R's columns from column c on; null where no column of X is centred.
    const double* sums_from(std::int64_t c) const { return X_.centered ? sums_of_R_.data() + c : nullptr; }

    /// @param which of the two counts
    void count_entries(const device_buffer<std::uint8_t>& kind, std::int64_t which)
    {
        const auto work = scratch(X_.p, 1);
        kernels::chosen_entries(X_.p, X_.columns.offsets, kind.data(),
                                sums_.data() + 2 * kernels::gap_numbers * k_ + which, work.data(), stream());
    }

    /// First the features in use: nearly always it is they that limit the dual scaling, and so say what the others must
    /// be kept within.
    void look_at_used()
    {
        chosen_features used = none();
        count_entries(in_use_, 0);
        used.select(in_use_, session_);
        take(used, nullptr, sums_.data());
    }

    /// The others as far as the bound does not keep them.
    void choose_beyond_bound(chosen_features& beyond)
    {
        const correlation_bound& bound = request_.bound;
        const auto from = session_.upload(bound.from);
        const auto to = session_.upload(saves_ ? std::span<const double>() : bound.to);
        const auto position = session_.upload(bound.position);
        const auto radius = session_.upload(bound.radius);
        const auto scale = session_.upload(bound.scale);
        const auto limit = session_.buffer<double>(k_);
        const auto kind = session_.buffer<std::uint8_t>(X_.p);
        if (saves_) {
            correlate_saved_column(beyond);
            count_entries(others_, 1);
        }
        kernels::dual_limits(k_, scale.data(), sums_.data() + kernels::gap_number_of_s_max * k_, limit.data(),
                             stream());
        kernels::choose_beyond_bound(X_.p, others_.data(),
                                     {from.data(), saves_ ? saved_.data() : to.data(), position.data(), radius.data(),
                                      limit.data(), lambda_.data(), k_},
                                     penalty_.view().l1, kind.data(), stream());
        if (!saves_) count_entries(kind, 1);
        beyond.select(kind, session_);
    }

    /// Of all features not in use. @param lists what they are listed in
    void correlate_saved_column(chosen_features& lists)
    {
        const panel<T>& R = *request_.weighted_residual;
        const auto alone = session_.buffer<double>(R.rows);
        const kernels::panel_view<double> packed{alone.data(), R.rows, 1, 1};
        kernels::convert(columns_of(readable(R), request_.save_column, 1), packed, stream());
        lists.select(others_, session_);
        for_parts(lists, lists.all(), [&](const auto& X, const kernels::feature_tile& part) {
            kernels::column_correlations(X, {alone.data(), R.rows, 1, 1}, sums_from(request_.save_column), part,
                                         saved_.data(), stream());
        });
    }

    /// Calls f(X, part of the tile) for parts of X that have the entries of the tile's features, all of them together.
    template <class F>
    void for_parts(chosen_features& of, const kernels::feature_tile& tile, const F& f)
    {
        if (design_.is_resident()) return f(X_, tile);
        const std::vector<std::int64_t> ids = of.ids_of(tile, session_);
        design_.for_columns(list_choice(ids), [&](const auto& X) {
            kernels::feature_tile part = tile;
            part.short_ids = X.columns.short_ids;
            part.short_count = X.columns.short_count;
            part.long_ids = X.columns.long_ids;
            part.long_count = X.columns.long_count;
            f(X, part);
        });
    }

    /// Numbers of pieces_ for a tile of columns.
    std::int64_t pieces_numbers() const
    {
        return kernels::gap_scratch_numbers(X_.p, std::min(tile_.columns, tile_columns));
    }

    /// Calls f(first column, columns, tiles before it) for the tiles of columns [begin, end).
    template <class F>
    static void for_column_tiles(std::int64_t begin, std::int64_t end, const F& f)
    {
        for (std::int64_t first = begin; first < end; first += tile_columns)
            f(first, std::min(tile_columns, end - first), (first - begin) / tile_columns);
    }

    /// Correlations of chosen features with all columns of R and what is made of them. What is resident is read again
    /// for each tile of columns, whose rows of R the second-level cache holds; what has to be brought is brought once.
    /// @param sums gap_numbers × k on the device
    void take(chosen_features& chosen, const violator_notes* notes, double* sums)
    {
        const auto U = session_.buffer<double>(std::min(tile_.numbers, chosen.count() * tile_.columns));
        for (std::int64_t begin = 0; begin < k_; begin += tile_.columns) {
            const std::int64_t end = std::min(k_, begin + tile_.columns);
            chosen.for_each_tile(tile_.numbers / (end - begin), [&](const kernels::feature_tile& tile) {
                const std::int64_t features = tile.short_count + tile.long_count;
                for_parts(chosen, tile, [&](const auto& X, const kernels::feature_tile& part) {
                    for_column_tiles(begin, end, [&](std::int64_t first, std::int64_t count, std::int64_t) {
                        kernels::tile_correlations(X, columns_of(readable(*request_.weighted_residual), first, count),
                                                   sums_from(first), part, U.data() + features * (first - begin),
                                                   stream());
                    });
                });
                for_column_tiles(begin, end, [&](std::int64_t first, std::int64_t count, std::int64_t before) {
                    kernels::tile_gaps(tile, U.data() + features * (first - begin), count,
                                       arrays_of(first, count, notes), pieces_.data() + pieces_numbers() * before,
                                       stream());
                });
            });
            for_column_tiles(begin, end, [&](std::int64_t first, std::int64_t count, std::int64_t before) {
                kernels::pass_sums(X_.p, count, pieces_.data() + pieces_numbers() * before, sums + first, k_, stream());
            });
        }
    }

    /// What the gap sums of columns [first, first + count) take.
    kernels::gap_arrays<T> arrays_of(std::int64_t first, std::int64_t count, const violator_notes* notes) const
    {
        return {.position = position_.data(),
                .coefficients = columns_of(readable(*request_.coefficients), first, count),
                .penalty = penalty_.view(),
                .lambda = lambda_.data() + first,
                .saved = saved_.data(),
                .save_column = saves_ ? request_.save_column - first : -1,
                .leaving = notes == nullptr ? nullptr : notes->bits_of_tile(first / tile_columns),
                .leaves = notes == nullptr ? nullptr : notes->leaves()};
    }

    /// Waits.
    correlation_result read_sums()
    {
        std::vector<double> numbers(static_cast<std::size_t>(sums_.size()));
        session_.download(sums_, std::span(numbers));
        const double* const entries = numbers.data() + 2 * kernels::gap_numbers * k_;
        correlation_result result;
        result.entries_read = static_cast<std::int64_t>((bounds_ ? entries[0] : 0) + entries[1]);
        const std::int64_t others = kernels::gap_numbers * k_;
        for (std::int64_t c = 0; c < k_; ++c) {
            gap_sums sums;
            if (bounds_) sums = kernels::get_gap_sums(numbers.data() + c, k_);
            sums.add(kernels::get_gap_sums(numbers.data() + others + c, k_));
            result.sums.push_back(sums);
        }
        return result;
    }

    /// Waits.
    void read_saved(std::span<double> saved)
    {
        std::vector<double> all(saved.size());
        session_.download(saved_, std::span(all));
        for (std::size_t j = 0; j < saved.size(); ++j)
            if (request_.skip[j] == 0) saved[j] = all[j];
    }

    const correlation_request<T>& request_;
    const device_design& design_;
    const kernels::design_view<V> X_;
    device_session& session_;
    std::int64_t k_;
    tile_limits tile_;
    bool saves_;
    bool bounds_;
    device_buffer<std::uint8_t> skip_;
    device_buffer<std::int64_t> position_;
    device_penalty penalty_;
    device_buffer<double> lambda_;
    device_buffer<double> sums_of_R_;
    device_buffer<double> saved_;
    device_buffer<std::uint8_t> in_use_;
    device_buffer<std::uint8_t> others_;
    device_buffer<double> sums_; ///< gap_numbers × k of features in use, and of others, then their entries
    device_buffer<double> pieces_;
};

} // namespace

template <class T>
correlation_result cuda_operations<T>::correlation_pass(const correlation_request<T>& request,
                                                        std::span<double> saved) const
{
    const auto k = static_cast<std::size_t>(request.weighted_residual->cols);
    if (request.X->cols() == 0 || k == 0)
        return {std::vector<gap_sums>(k), std::vector<std::vector<std::int64_t>>(k), 0};
    return as_device(*request.X).visit([&]<class V>(const kernels::design_view<V>& view) {
        return correlation_work<T, V>(request, as_device(*request.X), view, *session_).run(saved);
    });
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
