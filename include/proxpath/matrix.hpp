// The design matrix every fit works on: immutable, checked once, kept as blocks of columns in the narrowest exact
// types. Copies share the storage.
#pragma once

#include <proxpath/export.hpp>
#include <proxpath/matrix_view.hpp>

#include <cstdint>
#include <memory>

namespace proxpath {

namespace storage {
struct column_store;
}

/// An immutable n × p sparse or dense matrix.
///
/// Columns are grouped into blocks of some 65 536 non-zeros. Each block stores its values as nothing (all are 1),
/// unsigned bytes, float or double, whichever is the narrowest that is exact, and its row indices in 16 or 32 bits
/// (none where every column is full). Offsets and counts are 64-bit. n is at most 2³² − 1.
class PROXPATH_API matrix {
public:
    /// The empty 0 × 0 matrix.
    matrix();

    /// Checks a view and keeps it. Sorted CSC and column-major dense memory is used in place: it must stay alive and
    /// unchanged as long as this matrix or a copy of it lives. Everything else is converted once, in blocks.
    /// @param threads 0 = all cores
    /// @throws invalid_input naming the position of an index out of range, a duplicate entry or a value that is
    ///         NaN or infinite; also for offsets that do not ascend to the number of entries, and for shapes beyond
    ///         the limits above
    /// @throws out_of_memory when the system refuses the memory
    static matrix from_view(const matrix_view& view, int threads = 0);

    std::int64_t rows() const noexcept;
    std::int64_t cols() const noexcept;
    std::int64_t nonzeros() const noexcept;
    /// Bytes that the stored matrix takes (borrowed memory included).
    std::uint64_t stored_bytes() const noexcept;
    /// 64-bit checksum (XXH3) of shape, positions and values, the same for every way the same matrix was read or kept.
    std::uint64_t checksum(int threads = 0) const;

    /// Internal storage; its definition is not part of the public interface.
    const storage::column_store& store() const noexcept { return *store_; }
    explicit matrix(std::shared_ptr<const storage::column_store> store) noexcept : store_(std::move(store)) {}

private:
    std::shared_ptr<const storage::column_store> store_;
};

} // namespace proxpath
