// How a device's memory is shared out: what X may take of it, what parts of a streamed X go through, and what is left
// for panels, Gram matrices and all else. Follows from the size of the memory and the shape of X alone, so that a fit
// goes the same way, and has the same bits, whenever it has as much memory.
#pragma once

#include <algorithm>
#include <cstdint>

namespace proxpath::backend {

/// Bytes.
struct device_memory_plan {
    std::uint64_t all = 0;           ///< that may be taken, all in all
    std::uint64_t with_X = 0;        ///< X where it is resident, and what a pass and the panels of a few lambdas take
    std::uint64_t working_set = 0;   ///< a working set that is resident; while it grows there are two
    std::uint64_t tile = 0;          ///< correlations of a pass that are there at a time, if a feature's fit
    std::uint64_t piece = 0;         ///< each of the staging ring's three, where no list is longer
    std::uint64_t longest_piece = 0; ///< the same, whatever the lists

    /// @param bytes that may be taken
    static device_memory_plan of(std::uint64_t bytes)
    {
        // A copy over PCIe 5 takes a millisecond then, a hundred times as long as starting it (estimated).
        constexpr std::uint64_t at_full_speed = std::uint64_t{64} << 20;
        // Leaves most of the second-level cache (28 to 40 MB) to the rows of R.
        constexpr std::uint64_t in_cache = std::uint64_t{8} << 20;
        return {.all = bytes,
                .with_X = bytes / 4 * 3,
                .working_set = bytes / 8,
                .tile = std::min(in_cache, bytes / 16),
                .piece = std::min(at_full_speed, bytes / 32),
                .longest_piece = bytes / 6};
    }

    /// What each piece of the staging ring takes. @param least bytes that one has to hold, where it may
    std::uint64_t piece_for(std::uint64_t least) const { return std::max(piece, std::min(least, longest_piece)); }

    /// True where X can be resident.
    /// @param resident bytes of it
    bool holds(std::uint64_t resident, std::int64_t n, std::int64_t p) const
    {
        const std::uint64_t vectors = pass_bytes(p) + 256 * static_cast<std::uint64_t>(n);
        return vectors <= with_X && resident <= with_X - vectors;
    }

    /// What there is beside X, for a fit's panels and matrices.
    /// @param of_X bytes that X takes as it is: all of it, or three pieces
    std::uint64_t beside(std::uint64_t of_X, std::int64_t p) const
    {
        const std::uint64_t taken = of_X + pass_bytes(p);
        return taken < all ? all - taken : 0;
    }

    /// What a correlation pass takes beside panels: vectors of features, and the tile of correlations.
    std::uint64_t pass_bytes(std::int64_t p) const
    {
        const auto features = static_cast<std::uint64_t>(p);
        return 110 * features + std::min(tile, 256 * features);
    }
};

} // namespace proxpath::backend
