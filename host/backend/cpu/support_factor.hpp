// The Cholesky factor that Newton steps on a support are preconditioned with. Along a path supports change little, so
// the factor is kept: new features are appended as rows, features that left stay in it and are held at zero by whoever
// solves with it (kept_factor.hpp), until they are too many and it is built anew. It is kept in square tiles, lower
// half only, so growing never copies it, and every tile is updated in a fixed order: the same bits for any number of
// threads.
#pragma once

#include "host/backend/support_ridge.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace proxpath::backend {

class support_factor {
public:
    /// out(a, e) = entry (rows[a], columns[e]) of C = X̃'WX̃.
    using gram_function = std::function<void(std::span<const std::int64_t> rows, std::span<const std::int64_t> columns,
                                             Eigen::MatrixXd& out)>;

    /// Added to the diagonal, which is 1 (columns have unit norm), so that duplicates stay factorable.
    static constexpr double ridge = support_ridge;

    /// @param tile_size rows of a tile; tests take small ones to have many
    explicit support_factor(std::uint64_t limit_bytes, std::int64_t tile_size = 512);

    /// Features in it, in the order they came.
    std::span<const std::int64_t> features() const { return features_; }
    std::int64_t size() const { return static_cast<std::int64_t>(features_.size()); }
    /// Place of a feature in features(), or −1.
    std::int64_t place(std::int64_t feature) const
    {
        const auto at = static_cast<std::size_t>(feature);
        return at < place_.size() ? place_[at] : -1;
    }
    /// Features that may be in it under the memory limit.
    std::int64_t capacity() const { return capacity_; }

    void clear();
    /// Appends features (none of them in it yet, no more than capacity() allows) with `diagonal` added to theirs of C.
    void append(std::span<const std::int64_t> features, std::span<const double> diagonal, const gram_function& gram,
                int threads);
    /// X ← L⁻¹ X, size() rows in the order of features(). Rows below `known` hold their solution already: those of a
    /// solution from before the factor grew stay right.
    void forward(Eigen::MatrixXd& X, std::int64_t known, int threads) const;
    /// x ← L⁻ᵀ x.
    void backward(Eigen::Ref<Eigen::VectorXd> x, int threads) const;

private:
    struct tile_row {
        std::int64_t first = 0;
        std::int64_t rows = 0;
        std::vector<Eigen::MatrixXd> tiles; // one for each tile row up to this one; the last is lower triangular
    };
    void append_group(std::span<const std::int64_t> group, std::span<const double> diagonal, const gram_function& gram,
                      int threads);

    template <class Columns>
    void forward_columns(Columns X, std::int64_t known, int threads) const;

    std::int64_t capacity_;
    std::int64_t tile_size_;
    std::vector<std::int64_t> features_;
    std::vector<std::int64_t> place_;
    std::vector<tile_row> rows_;
};

} // namespace proxpath::backend
